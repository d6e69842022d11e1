//! Simple returns: what one unit of money became from one close to the next.
//!
//! Definition: x_i = c_i / c_(i−1) − 1; compounded: Π(1 + x_i) − 1. Units: fractions (0.05 = 5 %).
//! Range: ≥ −1. Empty or one close: `None`. A close ≤ 0 that something is divided by, a negative
//! last close, not a number or infinity: `None` for the whole series, because a hole in the middle
//! shifts every later return. A last close of exactly 0 is a loss of everything, −1.

use crate::finite::finite;

/// Writes the simple returns of `closes` (oldest first) into `out` and returns the part written.
///
/// `None` also when `out` holds fewer than `closes.len() − 1` values.
///
/// # Examples
/// ```
/// let mut buffer = [0.0; 2];
/// let returns = formulas::returns::simple_returns(&[100.0, 110.0, 99.0], &mut buffer).unwrap();
/// assert!((returns[0] - 0.10).abs() < 1e-12 && (returns[1] + 0.10).abs() < 1e-12);
/// ```
pub fn simple_returns<'a>(closes: &[f64], out: &'a mut [f64]) -> Option<&'a [f64]> {
    let count = closes.len().checked_sub(1).filter(|count| *count > 0)?;
    let out = out.get_mut(..count)?;
    for (slot, pair) in out.iter_mut().zip(closes.windows(2)) {
        *slot = simple_return(pair[0], pair[1])?;
    }
    Some(out)
}

/// Computes one simple return; `None` unless `from` > 0 and `to` ≥ 0.
///
/// # Examples
/// ```
/// assert_eq!(formulas::returns::simple_return(50.0, 75.0), Some(0.5));
/// assert_eq!(formulas::returns::simple_return(0.0, 75.0), None);
/// ```
pub fn simple_return(from: f64, to: f64) -> Option<f64> {
    if from > 0.0 && to >= 0.0 { finite(to / from - 1.0) } else { None }
}

/// Compounds returns to one: Π(1 + x) − 1; `None` for none and for any return below −1.
///
/// # Examples
/// ```
/// let total = formulas::returns::compound(&[0.10, -0.10]).unwrap();
/// assert!((total + 0.01).abs() < 1e-15);
/// assert_eq!(formulas::returns::compound(&[]), None);
/// ```
pub fn compound(returns: &[f64]) -> Option<f64> {
    if returns.is_empty() {
        return None;
    }
    let mut path = 1.0;
    for &x in returns {
        if x < -1.0 {
            return None;
        }
        path *= 1.0 + x;
    }
    finite(path - 1.0)
}
