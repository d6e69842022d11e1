//! Ulcer index: depth and length of falls in one number.
//!
//! Definition: √(mean(dd_i²)) with dd_i = 100·(c_i/peak_i − 1), peak_i the running peak inside the
//! window given. Units: **percent**. Range: 0 to 100. Empty: `None`; one close: 0. A close ≤ 0, not a
//! number or infinity: `None`. Scores use the last 252 closes.

use crate::finite::finite;

/// Computes the Ulcer index of the closes given, oldest first.
///
/// # Examples
/// ```
/// // Drawdowns 0, −10 %, 0, −20 %: √(500/4).
/// let index = formulas::ulcer_index::ulcer_index(&[100.0, 90.0, 100.0, 80.0]).unwrap();
/// assert!((index - 125.0_f64.sqrt()).abs() < 1e-12);
/// assert_eq!(formulas::ulcer_index::ulcer_index(&[]), None);
/// ```
pub fn ulcer_index(closes: &[f64]) -> Option<f64> {
    if closes.is_empty() {
        return None;
    }
    let (mut peak, mut squares) = (0.0, 0.0);
    for &close in closes {
        if close.is_nan() || close <= 0.0 {
            return None;
        }
        if close > peak {
            peak = close;
        }
        let fall = 100.0 * (close / peak - 1.0);
        squares += fall * fall;
    }
    finite((squares / closes.len() as f64).sqrt())
}
