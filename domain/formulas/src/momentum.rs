//! Momentum: the price change over a fixed number of bars.
//!
//! Definition: c_n/c_(n−lag) − 1 over exactly `lag` intervals; blend = 0.6·momentum(30) +
//! 0.4·momentum(90), the first alone when history is too short for the second. Units: fraction.
//! Range: ≥ −1. Empty, one, or fewer than lag + 1 closes: `None`. A base ≤ 0, a negative last close,
//! not a number or infinity: `None`. The reference looked back 29 and 89 intervals; its figures are
//! reproduced by passing those lags.

use crate::returns::simple_return;

/// Intervals of the short momentum.
pub const SHORT_LAG: usize = 30;
/// Intervals of the long momentum.
pub const LONG_LAG: usize = 90;
const SHORT_SHARE: f64 = 0.6;
const LONG_SHARE: f64 = 0.4;

/// Computes the change over the last `lag` intervals.
///
/// # Examples
/// ```
/// assert_eq!(formulas::momentum::momentum(&[80.0, 100.0, 90.0, 120.0], 2), Some(120.0 / 100.0 - 1.0));
/// assert_eq!(formulas::momentum::momentum(&[80.0, 100.0], 2), None);
/// ```
pub fn momentum(closes: &[f64], lag: usize) -> Option<f64> {
    let last = closes.len().checked_sub(1)?;
    simple_return(closes[last.checked_sub(lag)?], closes[last])
}

/// Blends a short and a long momentum; without the long one the short one stands alone.
///
/// # Examples
/// ```
/// let blend = formulas::momentum::blend(Some(0.10), Some(0.20)).unwrap();
/// assert!((blend - 0.14).abs() < 1e-15);
/// assert_eq!(formulas::momentum::blend(Some(0.10), None), Some(0.10));
/// assert_eq!(formulas::momentum::blend(None, Some(0.20)), None);
/// ```
pub fn blend(short: Option<f64>, long: Option<f64>) -> Option<f64> {
    let short = short?;
    Some(long.map_or(short, |long| SHORT_SHARE * short + LONG_SHARE * long))
}
