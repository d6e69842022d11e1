//! End components: what a plan's end state counts of each security, and how a whole portfolio is scored by them.
//!
//! Definition. Return R = bell(growth + yield) around 0.12, absent ones 0. Promise P = min(1, 0.35·consistency +
//! 0.25·financial strength + 0.25·dividend consistency (else from the payout) + 0.15·Sortino curve). Stability S =
//! min(1, 0.50·volatility + 0.30·drawdown + 0.20·Sharpe curves). Absent parts of P and S are neutral, 0.5; a
//! volatility ≤ 0 is absent. All three rounded to 3 decimals. Portfolio = min(1, weighted sum of R, P, S by value,
//! diversification and opinion), weights by risk profile; value that is no position (cash) dilutes. Units: scores.
//! Range: 0 to 1. Nothing known: R 0.15, P 0.5, S 0.5. Not a number counts as absent.

use crate::curves::{calmness, dividend, fall, growth, ratios};
use crate::rounding::round_to;

const RETURN_TARGET: f64 = 0.12;
const NEUTRAL: f64 = 0.5;
const PLACES: usize = 3;

/// What is known of a security; scores for the first two of the promise, raw figures for the others.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Metrics {
    /// Growth a year over five years.
    pub growth: Option<f64>,
    /// Dividend yield.
    pub dividend_yield: Option<f64>,
    /// Score of consistency.
    pub consistency: Option<f64>,
    /// Score of financial strength.
    pub financial_strength: Option<f64>,
    /// Score of the dividend's consistency.
    pub dividend_consistency: Option<f64>,
    /// Payout ratio, for when the former is absent.
    pub payout: Option<f64>,
    /// Sortino ratio.
    pub sortino: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
    /// Deepest fall.
    pub drawdown: Option<f64>,
    /// Sharpe ratio.
    pub sharpe: Option<f64>,
}

/// The parts of promise and stability, unrounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Growth plus yield.
    pub total_return: f64,
    /// Consistency, financial strength, dividend consistency, Sortino.
    pub promise: [f64; 4],
    /// Volatility, drawdown, Sharpe.
    pub stability: [f64; 3],
}

/// The three components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// R.
    pub total_return: f64,
    /// P.
    pub promise: f64,
    /// S.
    pub stability: f64,
}

/// Cash as a position: it returns nothing and risks nothing.
pub const CASH: Components = Components { total_return: 0.15, promise: 0.5, stability: 1.0 };

/// Computes the parts of the components.
pub fn parts(metrics: &Metrics) -> Parts {
    let known = |value: Option<f64>| value.filter(|value| value.is_finite());
    let or_neutral = |value: Option<f64>| value.unwrap_or(NEUTRAL);
    let paid = known(metrics.dividend_consistency)
        .or_else(|| known(metrics.payout).and_then(dividend::payout_reference));
    let volatility = known(metrics.volatility).filter(|volatility| *volatility > 0.0);
    Parts {
        total_return: known(metrics.growth).unwrap_or(0.0) + known(metrics.dividend_yield).unwrap_or(0.0),
        promise: [
            or_neutral(known(metrics.consistency)),
            or_neutral(known(metrics.financial_strength)),
            or_neutral(paid),
            or_neutral(known(metrics.sortino).and_then(ratios::promise_sortino)),
        ],
        stability: [
            or_neutral(volatility.and_then(calmness::end_volatility)),
            or_neutral(known(metrics.drawdown).and_then(fall::score)),
            or_neutral(known(metrics.sharpe).and_then(ratios::sharpe)),
        ],
    }
}

/// Computes the three components.
///
/// # Examples
/// ```
/// use formulas::end_state::{Metrics, components};
/// let known = Metrics { growth: Some(0.09), dividend_yield: Some(0.03), sharpe: Some(1.0), ..Metrics::default() };
/// let found = components(&known);
/// assert_eq!((found.total_return, found.promise), (1.0, 0.5));
/// assert_eq!(found.stability, 0.54); // 0.5·0.5 + 0.3·0.5 + 0.2·0.7
/// assert_eq!(components(&Metrics::default()).total_return, 0.15);
/// ```
pub fn components(metrics: &Metrics) -> Components {
    let parts = parts(metrics);
    let [consistency, strength, paid, sortino] = parts.promise;
    let [volatility, drawdown, sharpe] = parts.stability;
    let rounded = |score: f64| round_to(score.min(1.0), PLACES);
    Components {
        total_return: rounded(growth::total_return(parts.total_return, RETURN_TARGET).unwrap_or(0.15)),
        promise: rounded(0.35 * consistency + 0.25 * strength + 0.25 * paid + 0.15 * sortino),
        stability: rounded(0.50 * volatility + 0.30 * drawdown + 0.20 * sharpe),
    }
}

/// How much each part of a portfolio's score counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// R.
    pub total_return: f64,
    /// Health of the portfolio.
    pub diversification: f64,
    /// P.
    pub promise: f64,
    /// S.
    pub stability: f64,
    /// Opinion of the analysts.
    pub opinion: f64,
}

/// The weights of a risk profile; an unknown name is balanced.
///
/// # Examples
/// ```
/// assert_eq!(formulas::end_state::weights("aggressive").total_return, 0.45);
/// assert_eq!(formulas::end_state::weights("?"), formulas::end_state::weights("balanced"));
/// ```
pub fn weights(profile: &str) -> Weights {
    let [total_return, diversification, promise, stability, opinion] = match profile {
        "conservative" => [0.25, 0.30, 0.20, 0.20, 0.05],
        "aggressive" => [0.45, 0.20, 0.25, 0.05, 0.05],
        _ => [0.35, 0.25, 0.20, 0.15, 0.05],
    };
    Weights { total_return, diversification, promise, stability, opinion }
}

/// Averages the components of positions by value; `total` may hold more than they, cash dilutes. `None` without a
/// positive total or any position of positive value.
///
/// # Examples
/// ```
/// use formulas::end_state::{CASH, mean_components};
/// let mean = mean_components([(50.0, CASH)], 100.0).unwrap();
/// assert_eq!((mean.promise, mean.stability), (0.25, 0.5));
/// assert_eq!(mean_components([], 100.0), None);
/// ```
pub fn mean_components(
    positions: impl IntoIterator<Item = (f64, Components)>,
    total: f64,
) -> Option<Components> {
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut mean: Option<Components> = None;
    for (value, one) in positions.into_iter().filter(|(value, _)| *value > 0.0) {
        let share = value / total;
        let sum = mean.get_or_insert(Components { total_return: 0.0, promise: 0.0, stability: 0.0 });
        sum.total_return += share * one.total_return;
        sum.promise += share * one.promise;
        sum.stability += share * one.stability;
    }
    mean
}

/// Scores a portfolio from its mean components, its diversification and the opinion, unrounded.
///
/// # Examples
/// ```
/// use formulas::end_state::{CASH, portfolio_score, weights};
/// // 0.35·0.15 + 0.25·0.8 + 0.20·0.5 + 0.15·1 + 0.05·0.5.
/// let score = portfolio_score(&CASH, 0.8, 0.5, &weights("balanced"));
/// assert!((score - 0.5275).abs() < 1e-12);
/// ```
pub fn portfolio_score(mean: &Components, diversification: f64, opinion: f64, weights: &Weights) -> f64 {
    let sum = weights.total_return * mean.total_return
        + weights.diversification * diversification
        + weights.promise * mean.promise
        + weights.stability * mean.stability
        + weights.opinion * opinion;
    sum.min(1.0)
}
