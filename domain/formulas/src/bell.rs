//! Bell curve with a floor: best at a target, worse on both sides at different speeds.
//!
//! Definition: bell(x) = 0.15 for x ≤ 0, else 0.15 + 0.85·exp(−(x − t)²/(2s²)) with s = `left` below
//! the target t and `right` from it on. Units: score. Range: 0.15 to 1. A width ≤ 0 or any input not
//! finite: `None`.

use crate::finite::{all_finite, finite};

/// The score at or below zero, and far from the target.
const FLOOR: f64 = 0.15;

/// Reads the bell curve around `target` at `x`.
///
/// # Examples
/// ```
/// use formulas::bell::bell;
/// assert_eq!(bell(0.11, 0.11, 0.06, 0.10), Some(1.0));
/// assert_eq!(bell(0.0, 0.11, 0.06, 0.10), Some(0.15));
/// // One width above the target: 0.15 + 0.85·e^(−1/2).
/// let above = bell(0.21, 0.11, 0.06, 0.10).unwrap();
/// assert!((above - (0.15 + 0.85 * (-0.5_f64).exp())).abs() < 1e-12);
/// ```
pub fn bell(x: f64, target: f64, left: f64, right: f64) -> Option<f64> {
    if !all_finite(&[x, target, left, right]) || left <= 0.0 || right <= 0.0 {
        return None;
    }
    if x <= 0.0 {
        return Some(FLOOR);
    }
    let width = if x < target { left } else { right };
    let distance = (x - target) / width;
    finite(FLOOR + (1.0 - FLOOR) * libm::exp(-0.5 * distance * distance))
}
