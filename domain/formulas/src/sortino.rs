//! Sortino ratio: return above the risk-free rate per unit of scatter on the losing side.
//!
//! Definition: mean(x − rf)·252 / (√(mean(min(x − rf, 0)²))·√252), the mean of squares over **all**
//! days, rf per day. Units: none. Range: any number. Empty or one return: `None`. A flat series, or no
//! day below the risk-free rate (deviation or downside below 1e-12): `None`. Negative returns are
//! ordinary. Not a number or infinity anywhere: `None`.

use crate::finite::finite;
use crate::moments::{DEVIATION_MIN, Moments, sum};
use crate::trading_year::TRADING_DAYS_PER_YEAR;

/// Computes the annual Sortino ratio of daily returns; `risk_free` is a rate per day.
///
/// # Examples
/// ```
/// // Mean 0.5 %, downside √(0.01²/2): 0.5·√2·√252.
/// let ratio = formulas::sortino::sortino(&[0.02, -0.01], 0.0).unwrap();
/// assert!((ratio - 0.5 * (2.0_f64 * 252.0).sqrt()).abs() < 1e-12);
/// assert_eq!(formulas::sortino::sortino(&[0.02, 0.01], 0.0), None);
/// ```
pub fn sortino(returns: &[f64], risk_free: f64) -> Option<f64> {
    of(returns, &Moments::of(returns)?, risk_free)
}

/// The same with the moments of the returns, which were read already.
pub fn of(returns: &[f64], moments: &Moments, risk_free: f64) -> Option<f64> {
    if moments.sample_deviation()? < DEVIATION_MIN {
        return None;
    }
    let excess = moments.mean - risk_free;
    let squares = sum(returns, |x| {
        let below = (x - risk_free).min(0.0);
        below * below
    });
    let downside = (squares / returns.len() as f64).sqrt();
    if downside < DEVIATION_MIN {
        return None;
    }
    finite(excess * TRADING_DAYS_PER_YEAR / (downside * TRADING_DAYS_PER_YEAR.sqrt()))
}
