//! The end-state score: how good a state of the fund is, 0 to 1, before costs.
//!
//! With v = value of a holding, C = cash, T = holdings and cash after costs, weights w of the profile, and for each
//! security its constants R (total return), P (promise), S (stability), y (dividend yield), q (quality):
//!
//! ```text
//! score = [ Σ (wR·R + wP·P + wS·S + wD·0.3·q)·v  +  (wR·0.15 + wP·0.5 + wS + wD·0.15)·C ] / T
//!       + wD·( 0.4·diversification + 0.3·min(1, 0.3 + 10·Σ y·v/T) )  +  wO·0.5
//! diversification = max(0, 1 − d/0.3),  d = mean over the groups with a target of |share of invested value − target|
//! ```
//!
//! d is 0.2 where no group has a target; diversification is 0 where nothing is invested. The sums over holdings are
//! linear in v: a sequence changes only the terms of the holdings it touches.
//!
//! Worked example (balanced profile): T = 1 000, one holding of 600 in a group with target 1, R = 0.5, P = 0.6, S = 0.7,
//! q = 0.8, y = 0.02, cash 400. Linear part: (0.175 + 0.12 + 0.105 + 0.06)·0.6 + 0.34·0.4 = 0.412; diversification 1;
//! dividend 0.3 + 10·0.012 = 0.42; score 0.412 + 0.25·(0.4 + 0.126) + 0.025 = 0.5685.

use crate::start::{Held, Weights};

/// Constants of cash: it earns little, promises nothing either way, and does not move.
const CASH_TOTAL_RETURN: f64 = 0.15;
const CASH_PROMISE: f64 = 0.5;
const CASH_STABILITY: f64 = 1.0;
const CASH_QUALITY: f64 = 0.5;
/// Shares of the portfolio part.
const OF_DIVERSIFICATION: f64 = 0.4;
const OF_DIVIDEND: f64 = 0.3;
const OF_QUALITY: f64 = 0.3;
/// Dividend score without any yield, and its growth per unit of yield; full from a yield of 7 %.
const DIVIDEND_BASE: f64 = 0.3;
const DIVIDEND_SLOPE: f64 = 10.0;
/// Mean distance of the groups from their targets that leaves nothing of diversification.
const DISTANCE_FULL: f64 = 0.3;
/// The distance assumed where no group has a target.
const DISTANCE_WITHOUT_TARGETS: f64 = 0.2;
const OPINION: f64 = 0.5;

/// A state of the fund, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Σ linear coefficient · value.
    pub linear: f64,
    /// Σ yield · value.
    pub income: f64,
    /// All cash.
    pub cash: f64,
    /// Holdings and cash after costs.
    pub total: f64,
    /// 0 to 1.
    pub diversification: f64,
}

/// What a unit of value of a holding adds to the linear part.
#[must_use]
pub fn coefficient(held: &Held, weights: &Weights) -> f64 {
    weights.total_return * held.total_return
        + weights.promise * held.promise
        + weights.stability * held.stability
        + weights.portfolio * OF_QUALITY * held.quality
}

/// What a unit of cash adds: 0.34 for the balanced profile.
#[must_use]
pub fn cash_coefficient(weights: &Weights) -> f64 {
    weights.total_return * CASH_TOTAL_RETURN
        + weights.promise * CASH_PROMISE
        + weights.stability * CASH_STABILITY
        + weights.portfolio * OF_QUALITY * CASH_QUALITY
}

/// The score of a state before costs.
#[must_use]
pub fn before_costs(state: &State, weights: &Weights, cash_coefficient: f64) -> f64 {
    (state.linear + cash_coefficient * state.cash) / state.total
        + weights.portfolio
            * (OF_DIVERSIFICATION * state.diversification
                + OF_DIVIDEND * dividend(state.income / state.total))
        + weights.opinion * OPINION
}

/// Dividend score of a portfolio's yield.
#[must_use]
pub fn dividend(portfolio_yield: f64) -> f64 {
    (DIVIDEND_BASE + DIVIDEND_SLOPE * portfolio_yield).min(1.0)
}

/// Diversification of group values; a group without a target counts only in the invested value.
#[must_use]
pub fn diversification(values: &[i64], targets: &[Option<f64>], invested: f64) -> f64 {
    if invested <= 0.0 {
        return 0.0;
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for (value, target) in values.iter().zip(targets) {
        if let Some(target) = target {
            sum += (to_f64(*value) / invested - target).abs();
            count += 1.0;
        }
    }
    let distance = if count > 0.0 { sum / count } else { DISTANCE_WITHOUT_TARGETS };
    (1.0 - distance / DISTANCE_FULL).max(0.0)
}

/// Value-weighted means of total return, promise, stability and quality, cash included, each 0 to 1.
#[must_use]
pub fn means<'a>(held: impl Iterator<Item = (&'a Held, f64)>, cash: f64, total: f64) -> [f64; 4] {
    let mut sums =
        [CASH_TOTAL_RETURN, CASH_PROMISE, CASH_STABILITY, CASH_QUALITY].map(|constant| constant * cash);
    for (held, value) in held {
        let constants = [held.total_return, held.promise, held.stability, held.quality];
        for (sum, constant) in sums.iter_mut().zip(constants) {
            *sum += constant * value;
        }
    }
    sums.map(|sum| sum / total)
}

/// An amount in the evaluator's unit as a number.
#[allow(clippy::cast_precision_loss)]
#[must_use]
pub fn to_f64(amount: i64) -> f64 {
    amount as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCED: Weights =
        Weights { total_return: 0.35, portfolio: 0.25, promise: 0.20, stability: 0.15, opinion: 0.05 };

    fn held() -> Held {
        Held {
            value: 600,
            total_return: 0.5,
            promise: 0.6,
            stability: 0.7,
            dividend_yield: 0.02,
            quality: 0.8,
            group: Some(0),
            counts_in: Vec::new(),
            most: i64::MAX,
        }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn the_worked_example_holds() {
        let state = State {
            linear: 600.0 * coefficient(&held(), &BALANCED),
            income: 600.0 * 0.02,
            cash: 400.0,
            total: 1_000.0,
            diversification: diversification(&[600], &[Some(1.0)], 600.0),
        };
        near(before_costs(&state, &BALANCED, cash_coefficient(&BALANCED)), 0.5685);
    }

    #[test]
    fn cash_alone_is_worth_its_constants() {
        near(cash_coefficient(&BALANCED), 0.34);
    }

    #[test]
    fn dividends_count_up_to_a_yield_of_seven_per_cent() {
        for (portfolio_yield, expected) in [(0.0, 0.3), (0.05, 0.8), (0.07, 1.0), (0.071, 1.0), (1.0, 1.0)] {
            near(dividend(portfolio_yield), expected);
        }
    }

    #[test]
    fn diversification_is_full_on_target_and_nothing_from_thirty_points_off() {
        let targets = [Some(0.6), Some(0.4), None];
        near(diversification(&[60, 40, 0], &targets, 100.0), 1.0);
        near(diversification(&[45, 55, 0], &targets, 100.0), 0.5);
        near(diversification(&[30, 70, 0], &targets, 100.0), 0.0);
        near(diversification(&[0, 100, 0], &targets, 100.0), 0.0);
    }

    #[test]
    fn without_targets_or_holdings_diversification_has_its_named_values() {
        near(diversification(&[100], &[None], 100.0), 1.0 / 3.0);
        near(diversification(&[], &[], 100.0), 1.0 / 3.0);
        near(diversification(&[0], &[Some(1.0)], 0.0), 0.0);
    }
}
