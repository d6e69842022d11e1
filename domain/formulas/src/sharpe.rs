//! Sharpe ratio: return above the risk-free rate per unit of scatter.
//!
//! Definition: mean(x − rf)/sd(x)·√252, sample deviation, rf per **day** (see
//! [`crate::trading_year::risk_free_per_day`]). Units: none. Range: any number. Empty or one return,
//! or a deviation below 1e-12: `None`, since a ratio to nothing says nothing. Negative returns are
//! ordinary. Not a number or infinity anywhere: `None`.

use crate::finite::finite;
use crate::moments::{DEVIATION_MIN, Moments};
use crate::trading_year::TRADING_DAYS_PER_YEAR;

/// Computes the annual Sharpe ratio of daily returns; `risk_free` is a rate per day.
///
/// # Examples
/// ```
/// // Mean 1 %, deviation 1 %·√2: (1/√2)·√252.
/// let ratio = formulas::sharpe::sharpe(&[0.02, 0.0], 0.0).unwrap();
/// assert!((ratio - 126.0_f64.sqrt()).abs() < 1e-12);
/// assert_eq!(formulas::sharpe::sharpe(&[0.01; 60], 0.0), None);
/// ```
pub fn sharpe(returns: &[f64], risk_free: f64) -> Option<f64> {
    of(&Moments::of(returns)?, risk_free)
}

/// The same from moments that were read already.
pub fn of(moments: &Moments, risk_free: f64) -> Option<f64> {
    let deviation = moments.sample_deviation()?;
    if deviation < DEVIATION_MIN {
        return None;
    }
    finite((moments.mean - risk_free) / deviation * TRADING_DAYS_PER_YEAR.sqrt())
}
