//! What is known of a business beside its price: the figures of `ingest`, and what its dividends say.

use std::collections::BTreeMap;

use formulas::{
    curves::opinion::ANALYSTS_MIN,
    dividend_history::{self, DividendHistory},
    median::median,
};
use market::Day;

use crate::facts::Facts;

const PAID_OVER_DAYS: i32 = 365;
/// Days after which a figure is as good as missing: a quarter has passed, and the next report says something else.
const FIGURE_AGE_MAX_DAYS: i32 = 90;
/// Average yield of a fund like this; decides on a bonus of the dividend's stability only.
const AVERAGE_YIELD: f64 = 0.03;

/// The figures, as fractions; debt to equity is a ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Business {
    /// Price to earnings.
    pub pe: Option<f64>,
    /// Price to expected earnings.
    pub forward_pe: Option<f64>,
    /// Net profit to revenue.
    pub margin: Option<f64>,
    /// Debt to equity.
    pub debt: Option<f64>,
    /// Current assets to current liabilities.
    pub liquidity: Option<f64>,
    /// Dividends of a year to the price.
    pub dividend_yield: Option<f64>,
    /// Dividends to earnings.
    pub payout: Option<f64>,
    /// Average yield of five years; only to reproduce reference figures.
    pub five_year_yield: Option<f64>,
    /// Growth of the dividend a year.
    pub dividend_growth: Option<f64>,
    /// Stability of the dividend, 0 to 1.
    pub dividend_stability: Option<f64>,
    /// Analysts' word, 0 to 1.
    pub recommendation: Option<f64>,
    /// Mean target price against the price, less one.
    pub upside: Option<f64>,
    /// Some figure was left out because of its age.
    pub outdated: bool,
}

impl Business {
    /// Reads the figures; `price` is the present one.
    #[must_use]
    pub fn new(facts: &Facts, price: Option<f64>, today: Day) -> Business {
        let is_recent = |day: Day| day.days_until(today) <= FIGURE_AGE_MAX_DAYS;
        let recent = |name: &str| facts.figures.get(name).filter(|(day, _)| is_recent(*day));
        let figure = |name: &str| recent(name).map(|(_, value)| *value).filter(|value| value.is_finite());
        // Fewer than three opinions, or of unknown number, are none.
        let followed = figure("analyst_count").is_some_and(|count| count >= ANALYSTS_MIN);
        let (margin, pe) = (figure("profit_margin"), figure("pe_ratio"));
        // A company that is known to lose money has no ratio at the source; it is a known loss, not an unknown.
        let loses = margin.is_some_and(|margin| margin < 0.0);
        let dividend_yield = figure("dividend_yield").or_else(|| paid_yield(&facts.dividends, price?, today));
        let history = history(&facts.dividends, dividend_yield, today);
        Business {
            pe: pe.or(loses.then_some(-1.0)),
            forward_pe: figure("forward_pe"),
            margin,
            debt: figure("debt_to_equity"),
            liquidity: figure("current_ratio"),
            dividend_yield,
            payout: figure("payout_ratio"),
            five_year_yield: figure("five_year_avg_dividend_yield"),
            dividend_growth: history.and_then(|history| history.growth),
            dividend_stability: history.map(|history| history.stability),
            recommendation: figure("recommendation_score").filter(|_| followed),
            upside: figure("target_upside").filter(|_| followed),
            outdated: facts.figures.values().any(|(day, _)| !is_recent(*day)),
        }
    }
}

/// Days around a dividend in which others say what is usual.
const NEAR_DAYS: i32 = 2 * 366;
/// Others that are needed to say so.
const OTHERS_MIN: usize = 4;
/// Times the usual amount above which a dividend is special.
const SPECIAL_FROM: f64 = 3.0;

/// The dividends of the last year against the price; nothing paid says nothing, the history may be missing.
fn paid_yield(dividends: &[(Day, f64)], price: f64, today: Day) -> Option<f64> {
    let recent = dividends.iter().filter(|(day, _)| (0..PAID_OVER_DAYS).contains(&day.days_until(today)));
    let paid: f64 = recent.map(|(_, amount)| amount).sum();
    (paid > 0.0 && price > 0.0).then_some(paid / price)
}

/// Whether a dividend is an ordinary one: not more than three times the median of the others within two years of it. With
/// fewer than four others there is nothing to tell it from.
fn is_ordinary(at: usize, dividends: &[(Day, f64)]) -> bool {
    let (day, amount) = dividends[at];
    let near = |(other, _): &(Day, f64)| day.days_until(*other).abs() <= NEAR_DAYS;
    let others = dividends.iter().enumerate().filter(|(other, one)| *other != at && near(one));
    let mut amounts: Vec<f64> = others.map(|(_, (_, amount))| *amount).collect();
    amounts.len() < OTHERS_MIN || median(&mut amounts).is_some_and(|usual| amount <= SPECIAL_FROM * usual)
}

/// The complete calendar years from the first dividend to the last complete year; a year without one is a zero, and special
/// dividends are no part of any.
fn history(dividends: &[(Day, f64)], dividend_yield: Option<f64>, today: Day) -> Option<DividendHistory> {
    let mut years: BTreeMap<i32, f64> = BTreeMap::new();
    let complete =
        |(at, (day, _)): &(usize, &(Day, f64))| day.year() < today.year() && is_ordinary(*at, dividends);
    for (_, (day, amount)) in dividends.iter().enumerate().filter(complete) {
        *years.entry(day.year()).or_insert(0.0) += amount;
    }
    let first = *years.keys().next()?;
    let annual: Vec<f64> =
        (first..today.year()).map(|year| years.get(&year).copied().unwrap_or(0.0)).collect();
    Some(dividend_history::judge(&annual, dividend_yield, AVERAGE_YIELD))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn facts(figures: &[(&str, f64)]) -> Facts {
        let told = day("2026-03-02");
        let figures = figures.iter().map(|(name, value)| (name.to_string(), (told, *value))).collect();
        Facts { figures, ..Facts::default() }
    }

    #[test]
    fn a_known_loss_is_not_an_unknown_ratio() {
        let of = |figures: &[(&str, f64)]| Business::new(&facts(figures), None, day("2026-03-02")).pe;
        assert_eq!(of(&[("profit_margin", -0.1)]), Some(-1.0));
        assert_eq!(of(&[("profit_margin", 0.1)]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("pe_ratio", 12.0), ("profit_margin", -0.1)]), Some(12.0));
    }

    #[test]
    fn a_figure_older_than_ninety_days_is_missing() {
        let told = |age: i32| Facts {
            figures: [("profit_margin", 0), ("pe_ratio", age)]
                .map(|(name, age)| (name.to_string(), (day("2026-03-02").plus_days(-age), 12.0)))
                .into(),
            ..Facts::default()
        };
        let of = |facts: &Facts| {
            let business = Business::new(facts, None, day("2026-03-02"));
            (business.margin, business.pe, business.outdated)
        };
        assert_eq!(of(&told(90)), (Some(12.0), Some(12.0), false));
        assert_eq!(of(&told(91)), (Some(12.0), None, true));
        assert_eq!(of(&told(-1)), (Some(12.0), Some(12.0), false), "a clock a day ahead is no age");
    }

    #[test]
    fn two_analysts_have_no_opinion_and_three_have() {
        let of = |count: f64| {
            let known =
                facts(&[("analyst_count", count), ("recommendation_score", 0.8), ("target_upside", 0.1)]);
            let business = Business::new(&known, None, day("2026-03-02"));
            (business.recommendation, business.upside)
        };
        assert_eq!((of(2.0), of(3.0)), ((None, None), (Some(0.8), Some(0.1))));
    }

    #[test]
    fn the_yield_comes_from_the_source_or_from_what_was_paid() {
        let mut facts = Facts {
            dividends: vec![(day("2025-03-01"), 9.0), (day("2025-06-01"), 1.0), (day("2025-12-01"), 1.0)],
            ..Facts::default()
        };
        let of = |facts: &Facts| Business::new(facts, Some(50.0), day("2026-03-02")).dividend_yield;
        assert_eq!(of(&facts), Some(0.04), "the first lies more than a year back");
        facts.figures.insert("dividend_yield".into(), (day("2026-03-02"), 0.03));
        assert_eq!(of(&facts), Some(0.03));
        facts.figures.insert("dividend_yield".into(), (day("2025-12-01"), 0.03));
        assert_eq!(of(&facts), Some(0.04), "91 days old: what was paid says it instead");
        assert_eq!(of(&Facts::default()), None, "nothing known is not nothing paid");
    }

    #[test]
    fn a_special_dividend_is_no_part_of_a_year_and_a_large_ordinary_one_is() {
        let paid = |amount: f64, before: usize| -> Vec<(Day, f64)> {
            let quarter = |at: usize| (day("2024-02-01").plus_days(i32::try_from(at).unwrap() * 91), 1.0);
            (0..before).map(quarter).chain([(day("2025-12-01"), amount)]).collect()
        };
        for (amount, before, ordinary) in [(3.0, 7, true), (3.01, 7, false), (3.01, 4, false), (9.0, 3, true)]
        {
            assert_eq!(is_ordinary(before, &paid(amount, before)), ordinary, "{amount} beside {before}");
        }
        let growth = |amount: f64| {
            let facts = Facts { dividends: paid(amount, 7), ..Facts::default() };
            Business::new(&facts, None, day("2026-03-02")).dividend_growth.unwrap()
        };
        // Four in 2024, three and the last one in 2025.
        assert!((growth(2.0) - 0.25).abs() < 1e-12 && (growth(20.0) + 0.25).abs() < 1e-12);
    }

    #[test]
    fn the_present_year_is_not_complete_and_a_year_without_dividend_is_a_zero() {
        let paid = |days: &[&str]| Facts {
            dividends: days.iter().map(|text| (day(text), 1.0)).collect(),
            ..Facts::default()
        };
        let of = |facts: &Facts| Business::new(facts, None, day("2026-03-02")).dividend_growth;
        assert_eq!(of(&paid(&["2024-05-01", "2025-05-01", "2026-02-01"])), Some(0.0));
        assert_eq!(of(&paid(&["2023-05-01", "2024-05-01"])), Some(-1.0));
        assert_eq!(of(&paid(&["2026-02-01"])), None);
    }
}
