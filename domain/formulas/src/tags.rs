//! Tags: words for people about a security. They explain; only `quality-gate-fail` and `bubble-risk` keep the planner
//! from buying.
//!
//! Rules in the order below; growth a year g, yield y, volatility v, Sharpe h, Sortino o, stability s, long-term l,
//! opportunity p, drawdown d (≤ 0), distance below the 52-week high b, from the average e. What is unknown sets no
//! tag. Not a number counts as unknown by failing every comparison.

/// What the tags look at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// Growth a year over five years.
    pub growth: Option<f64>,
    /// Dividend yield.
    pub dividend_yield: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
    /// Volatility of the last 60 bars against the usual one.
    pub volatility_ratio: Option<f64>,
    /// Sharpe ratio.
    pub sharpe: Option<f64>,
    /// Sortino ratio.
    pub sortino: Option<f64>,
    /// Blended momentum.
    pub momentum: Option<f64>,
    /// Deepest fall of a year.
    pub drawdown: Option<f64>,
    /// Below the 52-week high.
    pub below_high: Option<f64>,
    /// From the 200-day average.
    pub stretch: Option<f64>,
    /// Price to earnings above that of the market, as a fraction.
    pub relative_pe: Option<f64>,
    /// Score of stability.
    pub stability: Option<f64>,
    /// Score of consistency within stability.
    pub consistency: Option<f64>,
    /// Score of long-term growth.
    pub long_term: Option<f64>,
    /// Score of opportunity.
    pub opportunity: Option<f64>,
    /// Result of the quality gate.
    pub passes_gate: Option<bool>,
    /// Gain a year of a holding, and its age in days.
    pub held: Option<(f64, i64)>,
    /// Growth a year that is wanted.
    pub target: f64,
}

/// Collects the tags that apply.
///
/// # Examples
/// ```
/// use formulas::tags::{Known, tags};
/// let rising = Known { growth: Some(0.2), volatility: Some(0.45), target: 0.11, ..Known::default() };
/// let found: Vec<_> = tags(&rising).collect();
/// assert_eq!(found, ["bubble-risk", "high-volatility", "total-return-excellent"]);
/// assert_eq!(tags(&Known::default()).count(), 0);
/// ```
pub fn tags(known: &Known) -> impl Iterator<Item = &'static str> {
    let above = |value: Option<f64>, level: f64| value.is_some_and(|value| value > level);
    let below = |value: Option<f64>, level: f64| value.is_some_and(|value| value < level);
    let least = |value: Option<f64>, level: f64| value.is_some_and(|value| value >= level);
    let k = *known;
    let fast = above(k.growth, 0.15);
    let ratios_known = above(k.sharpe, 0.0) || above(k.sortino, 0.0) || above(k.volatility, 0.0);
    let unsound = below(k.sharpe, 0.5)
        || above(k.volatility, 0.40)
        || below(k.stability, 0.55)
        || (above(k.sortino, 0.0) && below(k.sortino, 0.5));
    let cheap = k.relative_pe.is_some_and(|relative| relative <= -0.20);
    let bad = below(k.stability, 0.55)
        || below(k.long_term, 0.45)
        || below(k.momentum, -0.05)
        || above(k.volatility, 0.35);
    let held = |growth: fn(f64) -> bool, days: i64| k.held.is_some_and(|(a, age)| age >= days && growth(a));
    let total = k.growth.map(|growth| growth + k.dividend_yield.unwrap_or(0.0));
    let enough = (k.target / 2.0).max(0.05);
    [
        ("quality-gate-fail", k.passes_gate == Some(false)),
        ("bubble-risk", fast && unsound && ratios_known),
        (
            "quality-high-cagr",
            fast && least(k.sharpe, 0.5)
                && least(k.sortino, 0.5)
                && k.volatility.is_some_and(|volatility| volatility <= 0.40)
                && least(k.stability, 0.55),
        ),
        ("value-trap", cheap && bad),
        ("unsustainable-gains", held(|a| a > 0.50, 0) && above(k.volatility_ratio, 1.5)),
        ("valuation-stretch", above(k.stretch.map(f64::abs), 0.30)),
        ("stagnant", held(|a| (0.0..0.05).contains(&a), 365)),
        ("underperforming", held(|a| a < 0.0, 180)),
        ("high-volatility", above(k.volatility, 0.40)),
        ("volatile", above(k.volatility, 0.30) && !above(k.volatility, 0.40)),
        ("high-drawdown", above(k.drawdown.map(f64::abs), 0.30)),
        ("deep-value", above(k.below_high, 0.30)),
        ("value-opportunity", above(k.opportunity, 0.65) && above(k.below_high, 0.15)),
        ("below-minimum-return", above(k.growth, 0.0) && below(k.growth, enough)),
        ("high-quality", above(k.stability, 0.7) && above(k.long_term, 0.7)),
        ("stable", above(k.stability, 0.75) && below(k.volatility, 0.25) && above(k.consistency, 0.75)),
        ("total-return-excellent", least(total, 0.18)),
        ("total-return-high", least(total, 0.15) && !least(total, 0.18)),
        ("total-return-moderate", least(total, 0.12) && !least(total, 0.15)),
    ]
    .into_iter()
    .filter_map(|(tag, applies)| applies.then_some(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(known: Known, tag: &str) -> bool {
        tags(&known).any(|found| found == tag)
    }

    #[test]
    fn a_tag_stands_on_one_side_of_its_level_only() {
        let none = Known { target: 0.11, ..Known::default() };
        for (tag, with, without) in [
            (
                "quality-gate-fail",
                Known { passes_gate: Some(false), ..none },
                Known { passes_gate: Some(true), ..none },
            ),
            ("volatile", Known { volatility: Some(0.301), ..none }, Known { volatility: Some(0.30), ..none }),
            (
                "high-volatility",
                Known { volatility: Some(0.401), ..none },
                Known { volatility: Some(0.40), ..none },
            ),
            (
                "high-drawdown",
                Known { drawdown: Some(-0.31), ..none },
                Known { drawdown: Some(-0.30), ..none },
            ),
            (
                "deep-value",
                Known { below_high: Some(0.31), ..none },
                Known { below_high: Some(0.30), ..none },
            ),
            (
                "stagnant",
                Known { held: Some((0.04, 365)), ..none },
                Known { held: Some((0.04, 364)), ..none },
            ),
            (
                "underperforming",
                Known { held: Some((-0.01, 180)), ..none },
                Known { held: Some((0.0, 180)), ..none },
            ),
            (
                "below-minimum-return",
                Known { growth: Some(0.054), ..none },
                Known { growth: Some(0.055), ..none },
            ),
        ] {
            assert!(has(with, tag), "{tag}");
            assert!(!has(without, tag), "{tag}");
        }
    }

    #[test]
    fn not_a_number_sets_no_tag() {
        let nan = Some(f64::NAN);
        let known = Known {
            growth: nan,
            volatility: nan,
            stability: nan,
            stretch: nan,
            below_high: nan,
            ..Known::default()
        };
        assert_eq!(tags(&known).count(), 0);
    }
}
