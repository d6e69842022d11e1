//! How bad the deepest fall is.
//!
//! Definition, x = |drawdown|: (0.1, 1) (0.2, 0.8) (0.3, 0.6) (0.5, 0.2) (0.7, 0). Units: fraction; the sign does not
//! matter. Range: 0 to 1. Not a number: `None`.

use crate::piecewise_linear::piecewise_linear;

const CURVE: [(f64, f64); 5] = [(0.1, 1.0), (0.2, 0.8), (0.3, 0.6), (0.5, 0.2), (0.7, 0.0)];

/// Scores a drawdown.
///
/// # Examples
/// ```
/// assert!((formulas::curves::fall::score(-0.4).unwrap() - 0.4).abs() < 1e-12);
/// assert_eq!(formulas::curves::fall::score(-0.05), Some(1.0));
/// assert_eq!(formulas::curves::fall::score(f64::NAN), None);
/// ```
pub fn score(drawdown: f64) -> Option<f64> {
    piecewise_linear(&CURVE, drawdown.abs())
}
