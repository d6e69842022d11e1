//! How much analysts expect: the mean target price against the price.
//!
//! Definition: clip(0.5 + 2.5·upside). Units: fraction. Range: 0 to 1. Not a number: `None`. Their word is already a
//! score (strong buy 1, buy 0.8, hold 0.5, underperform 0.2, sell 0).

use crate::finite::finite;

/// Fewer opinions than this say nothing.
pub const ANALYSTS_MIN: f64 = 3.0;

/// Scores the distance to the mean target price.
///
/// # Examples
/// ```
/// use formulas::curves::opinion::upside;
/// assert!((upside(0.10).unwrap() - 0.75).abs() < 1e-12);
/// assert_eq!((upside(0.5), upside(-0.5)), (Some(1.0), Some(0.0)));
/// ```
pub fn upside(upside: f64) -> Option<f64> {
    finite(0.5 + 2.5 * upside).map(|score| score.clamp(0.0, 1.0))
}
