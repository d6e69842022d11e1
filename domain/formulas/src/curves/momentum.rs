//! How good the recent change of a price is: a moderate rise is best.
//!
//! Definition: (−0.30, 0.2) (−0.10, 0.5) (0, 0.6) (0.05, 1) (0.15, 1) (0.30, 0.8) (0.45, 0.5). Units: fraction. Range:
//! 0.2 to 1. Not a number: `None`. The reference falls from 0.5 to 0.2 at −10 % at once.

use crate::piecewise_linear::piecewise_linear;

const CURVE: [(f64, f64); 7] =
    [(-0.30, 0.2), (-0.10, 0.5), (0.0, 0.6), (0.05, 1.0), (0.15, 1.0), (0.30, 0.8), (0.45, 0.5)];
const CLIFF: f64 = -0.10;

/// Scores a momentum.
///
/// # Examples
/// ```
/// assert!((formulas::curves::momentum::score(-0.20).unwrap() - 0.35).abs() < 1e-12);
/// assert_eq!(formulas::curves::momentum::score(0.10), Some(1.0));
/// ```
pub fn score(momentum: f64) -> Option<f64> {
    piecewise_linear(&CURVE, momentum)
}

/// Scores a momentum with the reference's cliff.
///
/// # Examples
/// ```
/// assert_eq!(formulas::curves::momentum::reference(-0.1001), Some(0.2));
/// assert_eq!(formulas::curves::momentum::reference(-0.10), Some(0.5));
/// ```
pub fn reference(momentum: f64) -> Option<f64> {
    if momentum < CLIFF { Some(0.2) } else { piecewise_linear(&CURVE[1..], momentum) }
}
