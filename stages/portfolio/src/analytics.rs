//! What the ends of the days tell: return, risk and turnover, per period. All of it is computed from the rows of the
//! days, never by asking the broker again. What cannot be known is a figure without a value, never a zero.
//!
//! A period begins with the last end of a day on or before its first day: a year back for `1y`, the last of the year
//! before for `ytd`, the first of all for `all`. Books that are younger know nothing of it. A rate a year is given from
//! ninety days on. Worked example: 1 000, then 1 150 after a deposit of 100: 5 %.

use contracts::Side;
use formulas::{
    annual_return::annual_return, calmar::calmar, drawdown::max_drawdown_of_returns, sharpe::sharpe,
    sortino::sortino, trading_year::risk_free_per_day, turnover, twr, volatility::volatility, xirr,
};
use market::{Day, Timestamp};

use crate::books::{Fill, Origin};
use crate::nav::DayEnd;

/// What the risk-free money earns in a year.
const RISK_FREE: f64 = 0.02;
/// Days of a year, for the periods of a year.
const YEAR_DAYS: i32 = 365;
/// Shorter periods are not turned into a rate a year.
const ANNUAL_DAYS_MIN: i32 = 90;
/// Fewer returns than this say nothing about how much they scatter.
const RETURNS_MIN: usize = 20;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it belongs to.
    pub kind: Kind,
    /// `1y`, `ytd`, `all`, or nothing where it is about no period.
    pub period: &'static str,
    /// Its name: a figure, an ISIN, or what shares are grouped by.
    pub name: String,
    /// A part of it: what a security earned by what, or a group.
    pub part: String,
    /// Nothing where it is not known.
    pub value: Option<f64>,
    /// First and last day it was computed from; no first one where the books do not reach back.
    pub days: (Option<Day>, Day),
}

/// What a figure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Return and risk.
    Performance,
    /// What earned it.
    Attribution,
    /// How much was traded.
    Turnover,
    /// What the fund consists of.
    Composition,
}

impl Kind {
    /// As it stands in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Performance => "performance",
            Kind::Attribution => "attribution",
            Kind::Turnover => "turnover",
            Kind::Composition => "composition",
        }
    }
}

/// The periods and the days they consist of, the first one being where they begin; nothing where the books are younger.
pub(crate) fn periods(days: &[DayEnd]) -> Vec<(&'static str, Option<&[DayEnd]>)> {
    let Some(last) = days.last() else { return Vec::new() };
    let from = |first: Day| {
        let begin = days.partition_point(|end| end.day <= first).checked_sub(1)?;
        days.get(begin..)
    };
    let new_year = Day::from_ymd(last.day.year(), 1, 1).ok();
    vec![
        ("1y", from(last.day.plus_days(-YEAR_DAYS))),
        ("ytd", new_year.and_then(|day| from(day.prev()))),
        ("all", Some(days)),
    ]
}

/// The return of each day after the first; nothing if one of them has none.
pub(crate) fn returns(days: &[DayEnd]) -> Option<Vec<f64>> {
    days.windows(2)
        .map(|pair| {
            let [before, day] = pair else { return None };
            twr::day_return(before.nav.to_f64(), day.nav.to_f64(), day.net_flow.to_f64())
        })
        .collect()
}

/// Return and risk of each period.
pub(crate) fn performance(days: &[DayEnd]) -> Vec<Figure> {
    let Some(last) = days.last() else { return Vec::new() };
    let mut all = Vec::new();
    for (period, part) in periods(days) {
        let days = part.unwrap_or_default();
        let first = days.first().filter(|first| first.day < last.day);
        let span = first.map_or(0, |first| first.day.days_until(last.day));
        let returns = first.and_then(|_| returns(days)).unwrap_or_default();
        let many = Some(returns.as_slice()).filter(|returns| returns.len() >= RETURNS_MIN);
        let annual = many.filter(|_| span >= ANNUAL_DAYS_MIN);
        let per_day = risk_free_per_day(RISK_FREE);
        let suspect = returns.iter().filter(|day| twr::is_suspect(**day)).count();
        let figures = [
            ("twr", first.and_then(|_| total(days))),
            ("xirr", first.and_then(|first| money_weighted(first, days))),
            ("annual_return", annual.and_then(annual_return)),
            ("volatility", many.and_then(volatility)),
            ("sharpe", many.and_then(|returns| sharpe(returns, per_day?))),
            ("sortino", many.and_then(|returns| sortino(returns, per_day?))),
            ("max_drawdown", max_drawdown_of_returns(&returns)),
            ("calmar", annual.and_then(calmar)),
            ("net_flow", first.map(|_| flows(days))),
            ("gain", first.map(|first| last.nav.to_f64() - first.nav.to_f64() - flows(days))),
            // Without returns nobody knows: that is not none.
            ("suspect_days", u32::try_from(suspect).ok().filter(|_| !returns.is_empty()).map(f64::from)),
        ];
        all.extend(figures.map(|(name, value)| Figure {
            kind: Kind::Performance,
            period,
            name: name.into(),
            part: String::new(),
            value,
            days: (first.map(|first| first.day), last.day),
        }));
    }
    all
}

fn total(days: &[DayEnd]) -> Option<f64> {
    let values: Vec<f64> = days.iter().map(|day| day.nav.to_f64()).collect();
    let flows: Vec<f64> = days.iter().map(|day| day.net_flow.to_f64()).collect();
    twr::twr(&values, &flows)
}

/// Paid in less paid out after the first of these days.
fn flows(days: &[DayEnd]) -> f64 {
    days.iter().skip(1).map(|day| day.net_flow.to_f64()).sum()
}

/// What was there at first and every deposit is money given, withdrawals and what is there now are money got back.
fn money_weighted(first: &DayEnd, days: &[DayEnd]) -> Option<f64> {
    let last = days.last()?;
    let at = |day: &DayEnd, amount: f64| xirr::Flow { day: day.day.epoch_days(), amount };
    let mut all = vec![at(first, -first.nav.to_f64())];
    let paid = days.iter().skip(1).filter(|day| !day.net_flow.is_zero());
    all.extend(paid.map(|day| at(day, -day.net_flow.to_f64())));
    all.push(at(last, last.nav.to_f64()));
    xirr::xirr(&all)
}

/// How much of the fund was traded in the last year: securities alone, at what they were worth when they were booked.
pub(crate) fn turnover<'a>(days: &[DayEnd], fills: impl Iterator<Item = &'a Fill>) -> Vec<Figure> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let year = last.day.plus_days(-YEAR_DAYS);
    let in_year: Vec<f64> = days.iter().filter(|end| end.day > year).map(|end| end.nav.to_f64()).collect();
    let count = u32::try_from(in_year.len()).ok().map_or(0.0, f64::from);
    let traded = |fill: &&Fill| {
        let day = fill.executed.day_utc();
        fill.origin == Origin::Broker && fill.isin.is_some() && day > year && day <= last.day
    };
    let sums = fills.filter(traded).try_fold((0.0, 0.0), |(buys, sells), fill| {
        let eur = fill.value_eur?.to_f64().abs();
        Some(if fill.side == Side::Buy { (buys + eur, sells) } else { (buys, sells + eur) })
    });
    let year = sums
        .filter(|(buys, sells)| count > 0.0 && buys + sells > 0.0)
        .map(|(buys, sells)| turnover::Year { buys, sells, mean_nav: in_year.iter().sum::<f64>() / count });
    let history = u32::try_from(first.day.days_until(last.day)).unwrap_or(0);
    let headline = year.as_ref().and_then(|year| turnover::annual_turnover(year, history));
    let gross = year.as_ref().filter(|_| history >= turnover::HISTORY_DAYS_MIN);
    let figure = |name: &str, value| Figure {
        kind: Kind::Turnover,
        period: "",
        name: name.into(),
        part: String::new(),
        value,
        days: (Some(first.day.max(last.day.plus_days(-YEAR_DAYS))), last.day),
    };
    vec![
        figure("annual_turnover", headline),
        figure("gross_turnover", gross.and_then(turnover::gross_turnover)),
    ]
}

/// Whether an instant lies after one end of a day and not after the next.
pub(crate) fn between(before: &DayEnd, day: &DayEnd, at: Timestamp) -> bool {
    before.ended < at && at <= day.ended
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use contracts::Id;
    use money::{Currency, Money, Quantity};

    use super::*;

    fn eur(units: f64) -> Money {
        // Amounts of these tests are whole cents.
        #[allow(clippy::cast_possible_truncation)]
        Money::from_e4((units * 10_000.0).round() as i64, Currency::EUR)
    }

    /// The ends of days: day, worth, flow.
    pub(crate) fn ends(rows: &[(&str, f64, f64)]) -> Vec<DayEnd> {
        let end = |(day, nav, flow): &(&str, f64, f64)| DayEnd {
            day: day.parse().unwrap(),
            ended: format!("{day}T21:30:00Z").parse().unwrap(),
            nav: eur(*nav),
            positions: eur(0.0),
            cash: eur(*nav),
            net_flow: eur(*flow),
            index: 1.0,
            stale: false,
            opening: false,
            closing: crate::closing::Closing::default(),
        };
        rows.iter().map(end).collect()
    }

    fn of(figures: &[Figure], period: &str, name: &str) -> Option<f64> {
        let found = figures.iter().find(|one| one.period == period && one.name == name);
        found.unwrap_or_else(|| panic!("{period} {name}")).value
    }

    #[test]
    fn a_deposit_is_no_return_and_a_gain_is() {
        let days = ends(&[("2026-03-02", 1_000.0, 1_000.0), ("2026-03-03", 1_150.0, 100.0)]);
        let figures = performance(&days);
        assert!((of(&figures, "all", "twr").unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(of(&figures, "all", "gain"), Some(50.0));
        assert_eq!(of(&figures, "all", "net_flow"), Some(100.0));
    }

    #[test]
    fn what_the_books_do_not_reach_back_for_is_unknown_and_not_zero() {
        let days = ends(&[("2026-03-02", 1_000.0, 0.0), ("2026-03-03", 1_010.0, 0.0)]);
        let figures = performance(&days);
        for name in ["twr", "xirr", "volatility", "gain", "net_flow", "suspect_days", "max_drawdown"] {
            assert_eq!(of(&figures, "1y", name), None, "{name}");
            assert_eq!(of(&figures, "ytd", name), None, "{name}");
        }
        for name in ["xirr", "annual_return", "volatility", "sharpe", "sortino", "calmar"] {
            assert_eq!(of(&figures, "all", name), None, "{name} of two days");
        }
        let one = performance(&days[..1]);
        assert_eq!(of(&one, "all", "twr"), None, "one day is no period");
        assert!(performance(&[]).is_empty());
    }

    #[test]
    fn a_year_begins_with_the_last_day_on_or_before_its_first() {
        let days = ends(&[
            ("2024-12-30", 900.0, 0.0),
            ("2025-03-03", 1_000.0, 0.0),
            ("2025-03-04", 1_100.0, 0.0),
            ("2025-12-30", 1_200.0, 0.0),
            ("2026-03-04", 1_320.0, 0.0),
        ]);
        let figures = performance(&days);
        let near = |period: &str, name: &str, expected: f64| {
            let found = of(&figures, period, name).unwrap();
            assert!((found - expected).abs() < 1e-9, "{period} {name} {found}");
        };
        near("1y", "twr", 0.2);
        near("ytd", "twr", 0.1);
        near("all", "twr", 1_320.0 / 900.0 - 1.0);
        near("1y", "xirr", 0.2);
        let a_day_less = performance(&ends(&[("2025-03-05", 1_000.0, 0.0), ("2026-03-04", 1_100.0, 0.0)]));
        assert_eq!(of(&a_day_less, "1y", "twr"), None, "364 days are no year");
    }

    #[test]
    fn a_worth_of_nothing_leaves_the_return_unknown() {
        let days = ends(&[("2026-03-02", 0.0, 0.0), ("2026-03-03", 1_000.0, 1_000.0)]);
        assert_eq!(of(&performance(&days), "all", "twr"), None);
        assert_eq!(of(&performance(&days), "all", "max_drawdown"), None);
        assert_eq!(of(&performance(&days), "all", "suspect_days"), None);
    }

    fn fill(day: &str, side: Side, value: Option<f64>) -> Fill {
        let at: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
        Fill {
            fill_id: Id::derive(at, &[day]),
            trade_id: None,
            broker_order_id: None,
            order_id: None,
            isin: Some("DE000SMX0015".parse().unwrap()),
            ticker: "RHNA.EU".into(),
            side,
            qty: Quantity::from_units(1).unwrap(),
            price: None,
            ccy: Some(Currency::EUR),
            amount: None,
            fee: None,
            rate: None,
            value_eur: value.map(eur),
            executed: at,
            booked: at,
            settle_day: None,
            origin: Origin::Broker,
            in_opening: false,
        }
    }

    #[test]
    fn turnover_is_the_smaller_side_over_the_mean_worth_and_unknown_without_a_month() {
        let year =
            ends(&[("2025-03-01", 1_000.0, 0.0), ("2025-09-01", 900.0, 0.0), ("2026-03-01", 1_100.0, 0.0)]);
        let fills = [fill("2025-05-01", Side::Buy, Some(500.0)), fill("2025-06-01", Side::Sell, Some(200.0))];
        let value = |days: &[DayEnd], fills: &[Fill], name: &str| of(&turnover(days, fills.iter()), "", name);
        assert_eq!(value(&year, &fills, "annual_turnover"), Some(0.2));
        assert_eq!(value(&year, &fills, "gross_turnover"), Some(0.35));
        let month = ends(&[("2026-02-01", 1_000.0, 0.0), ("2026-03-02", 1_000.0, 0.0)]);
        let recent = [fill("2026-02-10", Side::Buy, Some(1.0)), fill("2026-02-10", Side::Sell, Some(1.0))];
        assert_eq!(value(&month, &recent, "annual_turnover"), None, "29 days");
        assert_eq!(value(&year, &[], "annual_turnover"), None, "nothing was traded");
        assert_eq!(value(&year, &[fill("2025-05-01", Side::Buy, None)], "annual_turnover"), None);
        let old = [fill("2025-02-28", Side::Buy, Some(9.0)), fill("2025-06-01", Side::Sell, Some(9.0))];
        assert_eq!(value(&year, &old, "annual_turnover"), Some(0.0), "what is older than a year is let go");
    }
}
