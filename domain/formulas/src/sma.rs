//! Simple moving average: the mean of the last k closes.
//!
//! Definition: SMA_k = (c_(n−k+1) + … + c_n)/k. Units: price. Range: within the closes averaged.
//! Empty, or fewer than k closes, or k = 0: `None`. Negative closes are averaged like any other.
//! Not a number or infinity among the last k: `None`. For a growing series read it from a
//! [`crate::window::Window`].

use crate::moments::mean;

/// Computes the mean of the last `length` closes.
///
/// # Examples
/// ```
/// assert_eq!(formulas::sma::sma(&[9.0, 1.0, 2.0, 3.0], 3), Some(2.0));
/// assert_eq!(formulas::sma::sma(&[1.0, 2.0], 3), None);
/// ```
pub fn sma(closes: &[f64], length: usize) -> Option<f64> {
    let start = closes.len().checked_sub(length)?;
    mean(&closes[start..])
}
