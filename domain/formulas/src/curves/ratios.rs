//! How good a ratio of return to risk is.
//!
//! Definition, below 0: 0. Sharpe (0, 0) (0.5, 0.4) (1, 0.7) (2, 1). Sortino (0, 0) (0.5, 0.4) (1, 0.6) (1.5, 0.8)
//! (2, 1); in the promise of the end state 0.6·x below 1. Units: score. Range: 0 to 1. Not a number: `None`.

use crate::piecewise_linear::piecewise_linear;

const SHARPE: [(f64, f64); 4] = [(0.0, 0.0), (0.5, 0.4), (1.0, 0.7), (2.0, 1.0)];
const SORTINO: [(f64, f64); 5] = [(0.0, 0.0), (0.5, 0.4), (1.0, 0.6), (1.5, 0.8), (2.0, 1.0)];
const PROMISE: [(f64, f64); 4] = [(0.0, 0.0), (1.0, 0.6), (1.5, 0.8), (2.0, 1.0)];

/// Scores a Sharpe ratio.
///
/// # Examples
/// ```
/// assert!((formulas::curves::ratios::sharpe(0.75).unwrap() - 0.55).abs() < 1e-12);
/// assert_eq!(formulas::curves::ratios::sharpe(-0.1), Some(0.0));
/// ```
pub fn sharpe(ratio: f64) -> Option<f64> {
    piecewise_linear(&SHARPE, ratio)
}

/// Scores a Sortino ratio.
///
/// # Examples
/// ```
/// assert!((formulas::curves::ratios::sortino(1.25).unwrap() - 0.7).abs() < 1e-12);
/// ```
pub fn sortino(ratio: f64) -> Option<f64> {
    piecewise_linear(&SORTINO, ratio)
}

/// Scores a Sortino ratio for the promise of the end state.
///
/// # Examples
/// ```
/// assert!((formulas::curves::ratios::promise_sortino(0.5).unwrap() - 0.3).abs() < 1e-12);
/// ```
pub fn promise_sortino(ratio: f64) -> Option<f64> {
    piecewise_linear(&PROMISE, ratio)
}
