//! How calm a price is: volatility, and depth and length of its falls.
//!
//! Definition, volatility v a year: (0.10, 1) (0.15, 0.9) (0.20, 0.75) (0.25, 0.6) (0.30, 0.45) (0.40, 0.3)
//! (0.6667, 0.1); in the end state (0.15, 1) (0.25, 0.7) (0.40, 0.3) (0.60, 0.1). Recovery from the Ulcer index in
//! **percent**: (2, 1) (5, 0.85) (8, 0.7) (12, 0.5) (18, 0.35) (38, 0.1). Units: score. Range: 0.1 to 1. Negative
//! figures take the calm end. Not a number: `None`.

use crate::piecewise_linear::piecewise_linear;

const VOLATILITY: [(f64, f64); 7] =
    [(0.10, 1.0), (0.15, 0.9), (0.20, 0.75), (0.25, 0.6), (0.30, 0.45), (0.40, 0.3), (0.6667, 0.1)];
const END_VOLATILITY: [(f64, f64); 4] = [(0.15, 1.0), (0.25, 0.7), (0.40, 0.3), (0.60, 0.1)];
const RECOVERY: [(f64, f64); 6] =
    [(2.0, 1.0), (5.0, 0.85), (8.0, 0.7), (12.0, 0.5), (18.0, 0.35), (38.0, 0.1)];

/// Scores an annual volatility for the stability group.
///
/// # Examples
/// ```
/// use formulas::curves::calmness::volatility;
/// assert!((volatility(0.225).unwrap() - 0.675).abs() < 1e-12);
/// assert_eq!(volatility(5.0), Some(0.1));
/// assert_eq!(volatility(f64::NAN), None);
/// ```
pub fn volatility(volatility: f64) -> Option<f64> {
    piecewise_linear(&VOLATILITY, volatility)
}

/// Scores an annual volatility for the end state.
///
/// # Examples
/// ```
/// assert!((formulas::curves::calmness::end_volatility(0.20).unwrap() - 0.85).abs() < 1e-12);
/// ```
pub fn end_volatility(volatility: f64) -> Option<f64> {
    piecewise_linear(&END_VOLATILITY, volatility)
}

/// Scores an Ulcer index in percent.
///
/// # Examples
/// ```
/// assert!((formulas::curves::calmness::recovery(10.0).unwrap() - 0.6).abs() < 1e-12);
/// ```
pub fn recovery(ulcer_index: f64) -> Option<f64> {
    piecewise_linear(&RECOVERY, ulcer_index)
}
