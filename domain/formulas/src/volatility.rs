//! Volatility: how widely daily returns scatter, as a yearly figure.
//!
//! Definition: sample standard deviation of the daily returns · √252. Units: fraction a year.
//! Range: ≥ 0. Empty or one return: `None`. Constant returns: 0. Negative returns are ordinary. Not a
//! number or infinity anywhere: `None`. Scores use the last 252 bars and ask for at least 30 closes.

use crate::finite::finite;
use crate::moments::Moments;
use crate::trading_year::TRADING_DAYS_PER_YEAR;

/// Computes the annual volatility of daily returns.
///
/// # Examples
/// ```
/// // ±1 % around zero: sample deviation 0.01·√2, times √252.
/// let annual = formulas::volatility::volatility(&[0.01, -0.01]).unwrap();
/// assert!((annual - 0.01 * (2.0_f64 * 252.0).sqrt()).abs() < 1e-15);
/// assert_eq!(formulas::volatility::volatility(&[0.01]), None);
/// ```
pub fn volatility(returns: &[f64]) -> Option<f64> {
    of(&Moments::of(returns)?)
}

/// The same from moments that were read already.
pub fn of(moments: &Moments) -> Option<f64> {
    finite(moments.sample_deviation()? * TRADING_DAYS_PER_YEAR.sqrt())
}
