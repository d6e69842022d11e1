//! The statement about one security: everything that is known of it, judged, with every figure that led to it.

use std::collections::BTreeMap;

use contracts::{EndComponents, Finite, Gates, Id, PortfolioState, Profile, Quote, Security, SecurityScore};
use formulas::{
    consistency::stability_consistency,
    curves::earnings,
    end_state::{Metrics, components},
    priority::priority,
    tags::{Known, tags},
    trading_year::risk_free_per_day,
};
use market::{Day, Timestamp};
use money::Price;

use crate::{
    business::Business,
    facts::Facts,
    groups::{Rules, View},
    holding::{Looked, Past, Shares},
    limits::{BARS_AGE_MAX_DAYS, BARS_MIN, MONTHS_MIN},
    merit::{Merit, judge, objections},
    profile::kind,
    rolling::Measures,
    series::Series,
    settings::Settings,
};

/// Everything a statement rests on.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The security.
    pub security: &'a Security,
    /// Its series up to the last bar.
    pub series: &'a Series,
    /// What else is known; its bars are not looked at again.
    pub facts: &'a Facts,
    /// A price that is believed, with its message.
    pub quote: Option<(&'a Quote, Option<Id>)>,
    /// What the fund holds.
    pub state: Option<&'a PortfolioState>,
    /// By country and industry.
    pub shares: &'a Shares,
    /// What the owner chose.
    pub settings: &'a Settings,
    /// Name of the settings.
    pub settings_hash: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Judges a security.
#[must_use]
pub fn state(basis: &Basis) -> SecurityScore {
    let today = basis.now.day_utc();
    let price = basis.quote.map(|(quote, _)| (quote.at.day_utc(), quote.price_e6.to_f64()));
    let with_price = price.and_then(|(day, price)| basis.series.with_price(day, price));
    let series = with_price.as_ref().unwrap_or(basis.series);
    let risk_free = risk_free_per_day(basis.settings.risk_free_rate).unwrap_or(0.0);
    let measures = series.rolling.measure(&series.month_ends, risk_free);
    let business = Business::new(basis.facts, measures.price, today);
    let view = View {
        measures: &measures,
        business: Some(&business),
        target: basis.settings.target_annual_return,
        market_pe: basis.settings.market_avg_pe,
        rules: Rules::Decided,
    };
    let kind = kind(&basis.security.product_type);
    let merit = judge(&view, kind);
    let flags = flags(basis, series, &business, &merit, today);
    let silent =
        ["too_few_bars", "too_few_months"].iter().any(|flag| flags.iter().any(|known| known == flag))
            || series.doubt.is_some();
    let total = merit.total.filter(|_| !silent);
    let position = basis.state.and_then(|state| state.position(&basis.security.isin));
    let past = position.and_then(|position| Past::new(basis.facts, position));
    let looked = Looked {
        security: basis.security,
        measures: &measures,
        merit: &merit,
        shares: basis.shares,
        settings: basis.settings,
        past: past.as_ref(),
        now: basis.now,
    };
    let tags: Vec<String> = tags(&known(
        &measures,
        &business,
        &merit,
        position.and_then(|position| looked.annualised(position)),
        basis.settings,
    ))
    .map(str::to_string)
    .collect();
    let mut objections: Vec<String> = objections(&merit, kind, total, basis.settings.min_security_score)
        .iter()
        .map(|one| one.to_string())
        .collect();
    for (name, applies) in [
        ("suspect", series.doubt.is_some()),
        ("stale", flags.iter().any(|flag| flag == "stale")),
        ("bubble-risk", tags.iter().any(|tag| tag == "bubble-risk")),
    ] {
        if applies {
            objections.push(name.into());
        }
    }
    SecurityScore {
        isin: basis.security.isin,
        at: basis.now,
        total: total.and_then(Finite::new),
        raw: merit.raw.filter(|_| !silent).and_then(Finite::new),
        coverage: Finite::new(merit.coverage).unwrap_or_default(),
        profile: merit.profile,
        groups: groups(&merit),
        parts: parts(&merit),
        inputs: inputs(&measures, &business, merit.profile),
        quality: merit.quality.and_then(Finite::new),
        priority: total.and_then(|total| preferred(basis.security, total)),
        gates: Gates {
            buyable: objections.is_empty(),
            objections,
            quality: merit.passes_gate,
            turn: measures.signal.turn,
            freefall: measures.signal.freefall,
            dip: Finite::new(measures.signal.dip),
        },
        timing: merit.technicals.value.and_then(Finite::new),
        fit: looked.fit(position).and_then(Finite::new),
        end: end(&measures, &business, &merit),
        sell: position.map(|position| looked.sell(position)),
        windfall: position.and_then(|position| looked.windfall(position)),
        tags,
        price_e6: basis.quote.map(|(quote, _)| quote.price_e6).or(last_close(basis.series)),
        quote: basis.quote.and_then(|(_, id)| id),
        bars: u32::try_from(basis.series.bars).unwrap_or(u32::MAX),
        bars_until: basis.series.last,
        history_years: Finite::new(series.years()).unwrap_or_default(),
        settings: basis.settings_hash.into(),
        flags,
    }
}

/// The total as the owner's preference ranks it; one that makes no sense prefers nothing.
fn preferred(security: &Security, total: f64) -> Option<Finite> {
    let said = security.priority_multiplier.map_or(1.0, Finite::get);
    Finite::new(priority(Some(total), said).or(priority(Some(total), 1.0))?)
}

fn last_close(series: &Series) -> Option<Price> {
    Price::from_f64(series.rolling.last()?).ok()
}

/// What was missing or unusual.
fn flags(basis: &Basis, series: &Series, business: &Business, merit: &Merit, today: Day) -> Vec<String> {
    let old = basis.series.last.is_some_and(|last| last.days_until(today) > BARS_AGE_MAX_DAYS);
    let mut flags = Vec::new();
    for (name, applies) in [
        ("too_few_bars", series.bars < BARS_MIN),
        ("too_few_months", series.month_ends.len() < MONTHS_MIN),
        ("stale", old),
        ("no_price", basis.quote.is_none()),
        ("bars_dropped", series.dropped > 0),
        ("old_fundamentals", business.outdated),
    ] {
        if applies {
            flags.push(name.to_string());
        }
    }
    flags.extend(series.doubt.map(|doubt| format!("suspect_{doubt}")));
    let weights = crate::profile::weights(merit.profile);
    for (group, weight) in merit.groups.iter().zip(weights).filter(|(_, weight)| *weight > 0.0) {
        debug_assert!(weight > 0.0);
        if group.value.is_none() {
            flags.push(format!("no_{}", group.name));
        } else if group.known() < 1.0 {
            flags.push(format!("partial_{}", group.name));
        }
    }
    flags
}

fn groups(merit: &Merit) -> BTreeMap<String, Finite> {
    let all = merit.groups.iter().chain([&merit.technicals]);
    all.filter_map(|group| Some((group.name.to_string(), Finite::new(group.value?)?))).collect()
}

fn parts(merit: &Merit) -> BTreeMap<String, Finite> {
    let all = merit.groups.iter().chain([&merit.technicals]);
    all.flat_map(|group| {
        let named = group.parts.iter().filter_map(|part| Some((part.name, Finite::new(part.value?)?)));
        named.map(|(part, value)| (format!("{}.{part}", group.name), value))
    })
    .collect()
}

fn inputs(m: &Measures, b: &Business, profile: Profile) -> BTreeMap<String, Finite> {
    let prices = [
        ("price", m.price),
        ("ema_200", m.average),
        ("distance_from_ema_200", m.stretch),
        ("rsi_14", m.rsi),
        ("bb_position", m.band),
        ("volatility", m.volatility),
        ("sharpe", m.sharpe),
        ("sortino", m.sortino),
        ("max_drawdown", m.drawdown),
        ("current_drawdown", m.fall.0),
        ("ulcer_index", m.ulcer),
        ("high_52w", m.high),
        ("below_52w_high", m.below_high),
        ("momentum", m.momentum),
        ("cagr_5y", m.growth),
        ("cagr_10y", m.long_growth),
    ];
    let business = [
        ("dividend_yield", b.dividend_yield),
        ("payout_ratio", b.payout),
        ("dividend_growth", b.dividend_growth),
        ("dividend_stability", b.dividend_stability),
        ("pe_ratio", b.pe),
        ("forward_pe", b.forward_pe),
        ("profit_margin", b.margin),
        ("debt_to_equity", b.debt),
        ("current_ratio", b.liquidity),
        ("recommendation_score", b.recommendation),
        ("target_upside", b.upside),
    ];
    // A commodity has no business; figures of one would be a mistake of the source.
    let business = if profile == Profile::Commodity { &business[..0] } else { &business };
    let all = prices.iter().chain(business);
    all.filter_map(|(name, value)| Some((name.to_string(), Finite::new((*value)?)?))).collect()
}

fn end(m: &Measures, b: &Business, merit: &Merit) -> EndComponents {
    let business = merit.group("fundamentals");
    let found = components(&Metrics {
        growth: m.growth,
        dividend_yield: b.dividend_yield,
        consistency: business
            .part("consistency")
            .or_else(|| m.growth.and_then(|five| stability_consistency(five, m.long_growth))),
        financial_strength: business.part("financial_strength"),
        dividend_consistency: merit.group("dividends").part("consistency"),
        payout: b.payout,
        sortino: m.sortino,
        volatility: m.volatility,
        drawdown: m.drawdown,
        sharpe: m.sharpe,
    });
    let finite = |value: f64| Finite::new(value).unwrap_or_default();
    EndComponents {
        total_return: finite(found.total_return),
        promise: finite(found.promise),
        stability: finite(found.stability),
    }
}

fn known(m: &Measures, b: &Business, merit: &Merit, held: Option<(f64, i64)>, settings: &Settings) -> Known {
    Known {
        growth: m.growth,
        dividend_yield: b.dividend_yield,
        volatility: m.volatility,
        volatility_ratio: m
            .technical
            .map(|technical| technical.current_volatility / technical.usual_volatility)
            .filter(|ratio| ratio.is_finite()),
        sharpe: m.sharpe,
        sortino: m.sortino,
        momentum: m.momentum,
        drawdown: m.drawdown,
        below_high: m.below_high,
        stretch: m.stretch,
        relative_pe: b.pe.and_then(|pe| earnings::relative(pe, b.forward_pe, settings.market_avg_pe)),
        stability: merit.group("stability").value,
        consistency: merit.group("stability").part("consistency"),
        long_term: merit.group("long_term").value,
        opportunity: merit.group("opportunity").value,
        passes_gate: merit.passes_gate,
        held,
        target: settings.target_annual_return,
    }
}
