//! Groups, parts and total against `security_scores.json`, with the arithmetic of the old system: all of the history,
//! constants for what is missing, three decimals, eight weights.
#![allow(clippy::unwrap_used)]

#[path = "../../../domain/formulas/tests/vectors_json/mod.rs"]
mod vectors_json;

use formulas::{
    bollinger, cagr,
    contrarian::Signal,
    drawdown, ema, momentum, returns,
    rounding::round_to,
    rsi::{RSI_LENGTH, Seed, seeded_rsi},
    sharpe, volatility, year_range,
};
use score::{
    business::Business,
    groups::{
        Group, Rules, View, dividends, fundamentals, long_term, opinion, opportunity, short_term, technicals,
    },
    profile::REFERENCE_WEIGHTS,
    rolling::Measures,
};
use serde_json::Value;
use vectors_json::{Case, assert_close, cases, numbers, reference_fit};

const RAW: f64 = 1e-8;
const SCORE: f64 = 0.00101;

struct Bars {
    closes: Vec<f64>,
    highs: Vec<f64>,
    months: Vec<f64>,
}

fn bars(case: &Case) -> Bars {
    let daily = case.input["daily"].as_array().unwrap();
    let closes: Vec<f64> = daily.iter().map(|pair| pair[0].as_f64().unwrap()).collect();
    // A missing high is replaced by that day's close.
    let highs = daily.iter().zip(&closes).map(|(pair, close)| pair[1].as_f64().unwrap_or(*close)).collect();
    Bars { closes, highs, months: numbers(&case.input["monthly_avg_close"]) }
}

fn measures(case: &Case, bars: &Bars, seed: Seed) -> Measures {
    let (closes, count) = (&bars.closes, bars.closes.len());
    let mut buffer = vec![0.0; count];
    let returned = returns::simple_returns(closes, &mut buffer).map(<[f64]>::to_vec);
    let enough = |least: usize| returned.as_deref().filter(|_| count >= least);
    let price = closes.last().copied();
    let average = ema::ema(closes, 200).map(|average| average.value);
    let high = year_range::year_high(&bars.highs).map(|high| high.value);
    // One interval less than the name says, and no change where the base is no price.
    let moved = |lag: usize| momentum::momentum(closes, lag).or((count > lag).then_some(0.0));
    let all = cagr::cagr(&bars.months, bars.months.len(), cagr::Span::Points);
    let deepest = drawdown::drawdown(closes).max().filter(|_| count >= 30);
    Measures {
        price,
        closes: count,
        average,
        stretch: price.zip(average).and_then(|(price, average)| ema::distance(price, average)),
        rsi: seeded_rsi(closes, RSI_LENGTH, seed),
        band: bollinger::bands(closes, bollinger::BOLLINGER_LENGTH, bollinger::BOLLINGER_WIDTH)
            .zip(price)
            .and_then(|(bands, price)| bands.position(price)),
        volatility: enough(30).and_then(volatility::volatility),
        sharpe: enough(50).and_then(|returns| sharpe::sharpe(returns, 0.0)),
        sortino: case.input["sortino_ratio"].as_f64(),
        drawdown: case.input["current_drawdown"].as_f64().or(deepest),
        fall: (None, None),
        ulcer: None,
        high,
        below_high: price.zip(high).and_then(|(price, high)| year_range::below_high(price, high)),
        momentum: momentum::blend(moved(momentum::SHORT_LAG - 1), moved(momentum::LONG_LAG - 1)),
        growth: cagr::cagr(&bars.months, 60, cagr::Span::Points).or(all),
        long_growth: all.filter(|_| bars.months.len() > 60),
        technical: None,
        signal: Signal::QUIET,
    }
}

/// Business figures and analysts; none at all is something else than all unknown.
fn business(case: &Case) -> Option<Business> {
    let (f, a) = (&case.input["fundamentals"], &case.input["analyst"]);
    f.is_object().then(|| Business {
        pe: f["pe_ratio"].as_f64(),
        forward_pe: f["forward_pe"].as_f64(),
        margin: f["profit_margin"].as_f64(),
        debt: f["debt_to_equity"].as_f64().map(|percent| percent / 100.0),
        liquidity: f["current_ratio"].as_f64(),
        dividend_yield: f["dividend_yield"].as_f64().filter(|paid| *paid > 0.0),
        payout: f["payout_ratio"].as_f64(),
        five_year_yield: f["five_year_avg_dividend_yield"].as_f64(),
        recommendation: a["recommendation_score"].as_f64(),
        upside: a["upside_pct"].as_f64().map(|percent| percent / 100.0),
        ..Business::default()
    })
}

/// Weights of the case; given ones replace the default ones.
fn weights(case: &Case) -> Vec<(&'static str, f64)> {
    let given = |name: &str| case.input["weights"][name].as_f64();
    let weights: Vec<_> =
        REFERENCE_WEIGHTS.iter().map(|(name, weight)| (*name, given(name).unwrap_or(*weight))).collect();
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    if sum > 0.0 { weights } else { REFERENCE_WEIGHTS.to_vec() }
}

/// All groups but the fit.
fn groups(case: &Case, measures: &Measures) -> Vec<Group> {
    let business = business(case);
    let view = View {
        measures,
        business: business.as_ref(),
        target: case.input["target_annual_return"].as_f64().unwrap(),
        market_pe: case.input["market_avg_pe"].as_f64().unwrap(),
        rules: Rules::Reference,
    };
    // Analysts are known also where there are no business figures.
    let analyst = Business {
        recommendation: case.input["analyst"]["recommendation_score"].as_f64(),
        upside: case.input["analyst"]["upside_pct"].as_f64().map(|percent| percent / 100.0),
        ..Business::default()
    };
    vec![
        long_term::group(&view),
        fundamentals::group(&view),
        opportunity::group(&view, true),
        dividends::group(&view),
        short_term::group(&view),
        technicals::group(&view),
        opinion::group(&View { business: Some(&analyst), ..view }),
    ]
}

fn fit(case: &Case, groups: &[Group]) -> [f64; 4] {
    let value = |name: &str| groups.iter().find(|group| group.name == name).unwrap().value.unwrap();
    let quality = f64::midpoint(value("long_term"), value("fundamentals"));
    reference_fit::fit(&case.input, quality, value("opportunity"))
}

fn total(case: &Case, groups: &[Group], fit: f64) -> f64 {
    let weights = weights(case);
    let value =
        |name: &str| groups.iter().find(|group| group.name == name).map_or(fit, |group| group.value.unwrap());
    let sum: f64 = weights.iter().map(|(name, weight)| value(name) * weight).sum();
    round_to(sum / weights.iter().map(|(_, weight)| weight).sum::<f64>(), 3)
}

#[test]
fn scores_equal_their_vectors() {
    for case in cases("scoring/security_scores.json") {
        let bars = bars(&case);
        let measures = measures(&case, &bars, Seed::Wilder);
        let groups = groups(&case, &measures);
        let fit = fit(&case, &groups);
        let check = |place: &str, value: f64, expected: &Value| {
            assert_close(&format!("{} {place}", case.name), Some(value), expected, SCORE);
        };
        for group in &groups {
            check(group.name, group.value.unwrap(), &case.expect["group_scores"][group.name]);
            for part in group.parts.iter().filter(|part| !part.name.is_empty()) {
                let place = format!("{}.{}", group.name, part.name);
                let value = round_to(part.value.unwrap(), 3);
                check(&place, value, &case.expect["sub_scores"][group.name][part.name]);
            }
        }
        check("diversification", fit[0], &case.expect["group_scores"]["diversification"]);
        for (name, value) in ["country", "industry", "averaging"].iter().zip(&fit[1..]) {
            check(name, *value, &case.expect["sub_scores"]["diversification"][name]);
        }
        check("total", total(&case, &groups, fit[0]), &case.expect["total_score"]);
        let volatility = measures.volatility.filter(|volatility| *volatility > 0.0);
        let volatility =
            volatility.map(|volatility| round_to(volatility, 4)).filter(|rounded| *rounded > 0.0);
        assert_close(&case.name, volatility, &case.expect["volatility"], 0.000_101);
        metrics(&case, &bars, &measures);
    }
}

fn metrics(case: &Case, bars: &Bars, m: &Measures) {
    let bands = bollinger::bands(&bars.closes, 20, 2.0);
    let moved = |lag: usize| momentum::momentum(&bars.closes, lag - 1).or(Some(0.0));
    let input = |part: &str, name: &str| case.input[part][name].as_f64();
    for (name, expected) in case.expect["metrics"].as_object().unwrap() {
        // What the old system did not store in a case is null in its list.
        if expected.is_null() {
            continue;
        }
        let value = match name.as_str() {
            "BB_LOWER" => bands.map(|bands| bands.lower),
            "BB_MIDDLE" => bands.map(|bands| bands.middle),
            "BB_UPPER" => bands.map(|bands| bands.upper),
            "BB_POSITION" => m.band,
            "CAGR_5Y" => m.growth,
            "CAGR_10Y" => m.long_growth,
            "DISTANCE_FROM_52W_HIGH" => m.below_high,
            "DISTANCE_FROM_EMA_200" => m.stretch,
            "EMA_200" => m.average,
            "HIGH_52W" => m.high,
            "MAX_DRAWDOWN" => m.drawdown,
            "MOMENTUM_30D" => moved(momentum::SHORT_LAG),
            "MOMENTUM_90D" => moved(momentum::LONG_LAG),
            "RSI_14" => m.rsi,
            "SHARPE" => m.sharpe,
            "SORTINO" => m.sortino,
            "PE_RATIO" => input("fundamentals", "pe_ratio"),
            "FORWARD_PE" => input("fundamentals", "forward_pe"),
            "PROFIT_MARGIN" => input("fundamentals", "profit_margin"),
            "DEBT_TO_EQUITY" => input("fundamentals", "debt_to_equity"),
            "CURRENT_RATIO" => input("fundamentals", "current_ratio"),
            "DIVIDEND_YIELD" => input("fundamentals", "dividend_yield"),
            "PAYOUT_RATIO" => input("fundamentals", "payout_ratio"),
            "ANALYST_RECOMMENDATION" => input("analyst", "recommendation_score"),
            "PRICE_TARGET_UPSIDE" => input("analyst", "upside_pct"),
            other => panic!("{}: nobody knows the metric {other}", case.name),
        };
        assert_close(&format!("{} {name}", case.name), value, expected, RAW);
    }
}

#[test]
fn scores_with_the_other_strength_index_equal_their_vectors() {
    let cases = cases("scoring/security_scores.json");
    for case in &cases {
        let bars = bars(case);
        let measures = measures(case, &bars, Seed::Exponential);
        let groups = groups(case, &measures);
        let fit = fit(case, &groups);
        let technicals = groups.iter().find(|group| group.name == "technicals").unwrap();
        let expected = &case.raw["expect_ew_rsi"];
        if expected.is_null() {
            continue;
        }
        if bars.closes.len() >= 20 {
            assert_close(&case.name, measures.rsi, &expected["rsi_14"], RAW);
        }
        assert_close(&case.name, technicals.value, &expected["technicals_score"], SCORE);
        assert_close(&case.name, Some(total(case, &groups, fit[0])), &expected["total_score"], SCORE);
    }
}
