//! Concentration alert: how near a share of the portfolio is to its limit.
//!
//! Definition: warning from 0.8 of the limit, critical from 0.9 of it, breach above it. Units: share
//! and limit are fractions of the total including cash. No total, or a limit that is not positive, or a
//! number that is none: no alert can be given, `None`; the caller treats unknown as a fault of its own.

/// Share of the limit from which a warning is given.
const WARNING_FROM: f64 = 0.80;
/// Share of the limit from which the alert is critical.
const CRITICAL_FROM: f64 = 0.90;
/// Rounding that must not hide a share exactly at a level.
const TOLERANCE: f64 = 1e-12;

/// How near a share is to its limit, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// From 0.8 of the limit.
    Warning,
    /// From 0.9 of the limit.
    Critical,
    /// Above the limit.
    Breach,
}

/// Judges a share against its limit.
///
/// # Examples
/// ```
/// use formulas::concentration_alert::{Severity, severity};
/// assert_eq!(severity(0.1199, 0.15), None);
/// assert_eq!(severity(0.12, 0.15), Some(Severity::Warning));
/// assert_eq!(severity(0.135, 0.15), Some(Severity::Critical));
/// assert_eq!(severity(0.15, 0.15), Some(Severity::Critical));
/// assert_eq!(severity(0.1501, 0.15), Some(Severity::Breach));
/// ```
pub fn severity(share: f64, limit: f64) -> Option<Severity> {
    let used = share / limit;
    if limit.is_nan() || limit <= 0.0 || used.is_nan() {
        None
    } else if used > 1.0 + TOLERANCE {
        Some(Severity::Breach)
    } else if used >= CRITICAL_FROM - TOLERANCE {
        Some(Severity::Critical)
    } else if used >= WARNING_FROM - TOLERANCE {
        Some(Severity::Warning)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_no_alert_for_numbers_that_mean_nothing() {
        for (share, limit) in [(f64::NAN, 0.15), (0.2, f64::NAN), (0.2, 0.0), (0.2, -0.1), (-0.2, 0.15)] {
            assert_eq!(severity(share, limit), None, "{share} {limit}");
        }
        assert_eq!(severity(f64::INFINITY, 0.15), Some(Severity::Breach));
    }
}
