//! Annual return: the constant yearly rate that compounds to the same end.
//!
//! Definition: (Π(1 + x_i))^(252/n) − 1 over n daily returns. Units: fraction a year. Range: ≥ −1.
//! Fewer than two returns: `None`. A return below −1, not a number or infinity: `None`. A return of
//! −1 makes the result −1. Under 90 days the exponent magnifies noise; callers report the plain
//! period return instead.

use crate::finite::finite;
use crate::returns::compound;
use crate::trading_year::TRADING_DAYS_PER_YEAR;

/// Computes the annual return of a series of daily returns.
///
/// # Examples
/// ```
/// // Half a year at 10 % is 21 % a year.
/// let mut half_year = [0.0; 126];
/// half_year[7] = 0.10;
/// let rate = formulas::annual_return::annual_return(&half_year).unwrap();
/// assert!((rate - 0.21).abs() < 1e-12);
/// ```
pub fn annual_return(returns: &[f64]) -> Option<f64> {
    if returns.len() < 2 {
        return None;
    }
    let growth = 1.0 + compound(returns)?;
    finite(libm::pow(growth, TRADING_DAYS_PER_YEAR / returns.len() as f64) - 1.0)
}
