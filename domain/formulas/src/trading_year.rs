//! The trading year: the one constant that turns daily figures into annual ones.
//!
//! Every volatility, ratio and covariance in the system is annual with 252 days.

use crate::finite::finite;

/// Trading days per year.
pub const TRADING_DAYS_PER_YEAR: f64 = 252.0;

/// Converts an annual risk-free rate (fraction) to the rate of one trading day: `rate / 252`.
///
/// Any finite rate is accepted, negative ones too; not a number or infinity gives `None`.
///
/// # Examples
/// ```
/// let daily = formulas::trading_year::risk_free_per_day(0.0252).unwrap();
/// assert!((daily - 0.0001).abs() < 1e-15);
/// assert_eq!(formulas::trading_year::risk_free_per_day(f64::NAN), None);
/// ```
pub fn risk_free_per_day(annual_rate: f64) -> Option<f64> {
    finite(annual_rate / TRADING_DAYS_PER_YEAR)
}
