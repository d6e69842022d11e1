//! How good the moment is: exhaustion of sellers, place in the corridor, distance from the average.
//!
//! Definition. RSI x: below 30: 1, above 70: 0, between 1 − (x − 30)/40. Place p in the Bollinger corridor:
//! clip(1 − p). Distance d from the 200-day average: (−0.10, 1) (−0.05, 0.7) (0, 0.5) (0.10, 0.2). Units: score.
//! Range: 0 to 1. Not a number: `None`. An average that is not positive has no distance.

use crate::ema::distance;
use crate::finite::finite;
use crate::piecewise_linear::piecewise_linear;

const STRENGTH: [(f64, f64); 2] = [(30.0, 1.0), (70.0, 0.0)];
const DISTANCE: [(f64, f64); 4] = [(-0.10, 1.0), (-0.05, 0.7), (0.0, 0.5), (0.10, 0.2)];

/// Scores a relative strength index.
///
/// # Examples
/// ```
/// assert_eq!(formulas::curves::timing::rsi(40.0), Some(0.75));
/// assert_eq!(formulas::curves::timing::rsi(71.0), Some(0.0));
/// ```
pub fn rsi(index: f64) -> Option<f64> {
    piecewise_linear(&STRENGTH, index)
}

/// Scores a place in the corridor.
///
/// # Examples
/// ```
/// assert_eq!(formulas::curves::timing::bollinger(0.25), Some(0.75));
/// assert_eq!(formulas::curves::timing::bollinger(1.3), Some(0.0));
/// ```
pub fn bollinger(position: f64) -> Option<f64> {
    finite(1.0 - position).map(|score| score.clamp(0.0, 1.0))
}

/// Scores a price against its average.
///
/// # Examples
/// ```
/// assert!((formulas::curves::timing::average(105.0, 100.0).unwrap() - 0.35).abs() < 1e-12);
/// assert_eq!(formulas::curves::timing::average(50.0, -1.0), None);
/// ```
pub fn average(price: f64, average: f64) -> Option<f64> {
    piecewise_linear(&DISTANCE, distance(price, average)?)
}
