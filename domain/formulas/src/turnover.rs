//! Turnover: the share of the portfolio that was traded in a year.
//!
//! Definition, over the last 365 days: headline = min(buys, sells)/mean NAV, scaled by 365/days when
//! the history is 30 to 364 days; gross = (buys + sells)/2/mean NAV, which regular deposits inflate and
//! which is kept as the secondary figure. Units: fraction a year. Range: ≥ 0. No trades, no valuation,
//! a mean that is not positive, a history under 30 days, a negative, infinite or missing number: `None`.

use crate::finite::{all_finite, finite};

/// Days of history below which turnover is unknown.
pub const HISTORY_DAYS_MIN: u32 = 30;
const DAYS_PER_YEAR: u32 = 365;
const WARNING_FROM: f64 = 0.50;
const CRITICAL_FROM: f64 = 1.00;

/// What was bought and sold in the year, and the mean of the valuations in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Year {
    /// Sum of the purchases' values.
    pub buys: f64,
    /// Sum of the sales' values.
    pub sells: f64,
    /// Mean of the end-of-day totals.
    pub mean_nav: f64,
}

/// Computes the headline turnover of a history of `history_days`.
///
/// # Examples
/// ```
/// use formulas::turnover::{Year, annual_turnover};
/// let year = Year { buys: 5_000.0, sells: 2_000.0, mean_nav: 10_000.0 };
/// assert_eq!(annual_turnover(&year, 400), Some(0.2));
/// assert_eq!(annual_turnover(&year, 73), Some(1.0));
/// assert_eq!(annual_turnover(&year, 29), None);
/// ```
pub fn annual_turnover(year: &Year, history_days: u32) -> Option<f64> {
    if history_days < HISTORY_DAYS_MIN || !year.is_usable() {
        return None;
    }
    let days = f64::from(history_days.min(DAYS_PER_YEAR));
    finite(year.buys.min(year.sells) / year.mean_nav * (f64::from(DAYS_PER_YEAR) / days))
}

/// Computes the secondary figure that also counts invested deposits.
///
/// # Examples
/// ```
/// use formulas::turnover::{Year, gross_turnover};
/// let year = Year { buys: 5_000.0, sells: 2_000.0, mean_nav: 10_000.0 };
/// assert_eq!(gross_turnover(&year), Some(0.35));
/// assert_eq!(gross_turnover(&Year { mean_nav: 0.0, ..year }), None);
/// ```
pub fn gross_turnover(year: &Year) -> Option<f64> {
    if year.is_usable() { finite((year.buys + year.sells) / 2.0 / year.mean_nav) } else { None }
}

impl Year {
    fn is_usable(&self) -> bool {
        let is_known = all_finite(&[self.buys, self.sells, self.mean_nav]);
        is_known && self.buys >= 0.0 && self.sells >= 0.0 && self.mean_nav > 0.0
    }
}

/// How much attention a turnover deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No figure.
    Unknown,
    /// Below 0.50.
    Normal,
    /// From 0.50.
    Warning,
    /// From 1.00.
    Critical,
}

/// Judges a turnover.
///
/// # Examples
/// ```
/// use formulas::turnover::{Status, status};
/// assert_eq!(status(Some(0.4999)), Status::Normal);
/// assert_eq!(status(Some(0.5)), Status::Warning);
/// assert_eq!(status(None), Status::Unknown);
/// ```
pub fn status(turnover: Option<f64>) -> Status {
    match turnover {
        Some(turnover) if turnover >= CRITICAL_FROM => Status::Critical,
        Some(turnover) if turnover >= WARNING_FROM => Status::Warning,
        Some(turnover) if turnover.is_finite() => Status::Normal,
        _ => Status::Unknown,
    }
}
