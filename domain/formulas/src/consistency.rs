//! Consistency of growth: how close the five-year and the ten-year rate are.
//!
//! Definition, d = |cagr_5y − cagr_10y|: in the fundamentals group the straight lines
//! (0.02, 1) (0.05, 0.8) (0.15, 0.4); in the stability group (0.02, 1) (0.05, 0.8) (0.10, 0.6)
//! (0.15, 0.4) (0.25, 0.2). Units: score. Range: 0.4 to 1, in stability 0.2 to 1. A missing rate is a
//! missing score, except in stability, where a lone five-year rate is judged by its size. Rates not
//! finite: `None`. [`steps`] is the older curve with its cliffs, for reference figures only.

use crate::finite::finite;
use crate::piecewise_linear::piecewise_linear;

const FUNDAMENTALS: [(f64, f64); 3] = [(0.02, 1.0), (0.05, 0.8), (0.15, 0.4)];
const STABILITY: [(f64, f64); 5] = [(0.02, 1.0), (0.05, 0.8), (0.10, 0.6), (0.15, 0.4), (0.25, 0.2)];

/// Scores consistency for the fundamentals group; both rates must exist.
///
/// # Examples
/// ```
/// // 10 % against 6.5 %: the gap of 0.035 lies midway between 0.02 and 0.05.
/// let score = formulas::consistency::consistency(0.10, 0.065).unwrap();
/// assert!((score - 0.9).abs() < 1e-12);
/// ```
pub fn consistency(cagr_5y: f64, cagr_10y: f64) -> Option<f64> {
    piecewise_linear(&FUNDAMENTALS, finite((cagr_5y - cagr_10y).abs())?)
}

/// Scores consistency for the stability group; without a ten-year rate by the size of the other.
///
/// # Examples
/// ```
/// use formulas::consistency::stability_consistency;
/// assert!((stability_consistency(0.25, Some(0.05)).unwrap() - 0.3).abs() < 1e-12);
/// assert_eq!(stability_consistency(0.10, None), Some(0.65));
/// assert_eq!(stability_consistency(-0.01, None), Some(0.5));
/// ```
pub fn stability_consistency(cagr_5y: f64, cagr_10y: Option<f64>) -> Option<f64> {
    let cagr_5y = finite(cagr_5y)?;
    match cagr_10y {
        Some(cagr_10y) => piecewise_linear(&STABILITY, finite((cagr_5y - cagr_10y).abs())?),
        None if cagr_5y >= 0.10 => Some(0.65),
        None if cagr_5y >= 0.05 => Some(0.60),
        None if cagr_5y >= 0.0 => Some(0.55),
        None => Some(0.5),
    }
}

/// Scores consistency with the reference's steps: 1 below 0.02, 0.8 below 0.05, else falling to 0.4.
///
/// # Examples
/// ```
/// assert_eq!(formulas::consistency::steps(0.10, 0.09), Some(1.0));
/// assert_eq!(formulas::consistency::steps(0.10, 0.06), Some(0.8));
/// assert_eq!(formulas::consistency::steps(0.50, 0.06), Some(0.4));
/// ```
pub fn steps(cagr_5y: f64, cagr_10y: f64) -> Option<f64> {
    let gap = finite((cagr_5y - cagr_10y).abs())?;
    Some(match gap {
        gap if gap < 0.02 => 1.0,
        gap if gap < 0.05 => 0.8,
        gap => (1.0 - 4.0 * gap).max(0.4),
    })
}
