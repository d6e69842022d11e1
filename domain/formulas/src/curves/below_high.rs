//! How far below its 52-week high a price is: the cheaper, the better an opportunity.
//!
//! Definition, x = (high − price)/high: (0, 0.2) (0.1, 0.5) (0.2, 0.8) (0.3, 1). Units: prices of one currency.
//! Range: 0.2 to 1. A price above the high: 0.2. A high that is not positive, a price not a number: `None`.

use crate::piecewise_linear::piecewise_linear;
use crate::year_range::below_high;

const CURVE: [(f64, f64); 4] = [(0.0, 0.2), (0.1, 0.5), (0.2, 0.8), (0.3, 1.0)];

/// Scores a price against the high of the year.
///
/// # Examples
/// ```
/// use formulas::curves::below_high::score;
/// assert!((score(85.0, 100.0).unwrap() - 0.65).abs() < 1e-12);
/// assert_eq!(score(120.0, 100.0), Some(0.2));
/// assert_eq!(score(85.0, 0.0), None);
/// ```
pub fn score(price: f64, high: f64) -> Option<f64> {
    piecewise_linear(&CURVE, below_high(price, high)?)
}

/// Tells whether a price is too near the high to be bought: at least `share` of it; without a high it is not.
///
/// A share of 1 or more switches the rule off.
///
/// # Examples
/// ```
/// use formulas::curves::below_high::is_too_high;
/// assert!(is_too_high(95.0, 100.0, 0.95) && !is_too_high(94.9, 100.0, 0.95));
/// assert!(!is_too_high(100.0, 100.0, 1.0), "switched off");
/// assert!(!is_too_high(10.0, 0.0, 0.95));
/// ```
pub fn is_too_high(price: f64, high: f64, share: f64) -> bool {
    share < 1.0 && high > 0.0 && price >= share * high
}
