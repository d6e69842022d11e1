//! How good a dividend is: its yield, whether the company can afford it, whether it grows.
//!
//! Definition. Yield: (0, 0.3) (0.01, 0.4) (0.03, 0.7) (0.06, 1). Payout p, the share of earnings paid out: below 0:
//! 0.2; below 0.3: 0.5 + p/0.6; to 0.6: 1; then (0.6, 1) (0.8, 0.7) (1.0, 0.4) (1.5, 0.2). Growth of the dividend g a
//! year: clip(0.5 + 5g). Boost by total return x = price growth + yield, only for growing prices: (0.08, 0)
//! (0.15, 0.20), added to the dividends group. Units: fractions. Range: 0 to 1. Not a number: `None`.
//!
//! A payer that loses money scores 0.2; the reference let its line run below zero, and fell from 0.7 to 0.4 at 0.8.

use crate::finite::finite;
use crate::piecewise_linear::piecewise_linear;

const YIELD: [(f64, f64); 4] = [(0.0, 0.3), (0.01, 0.4), (0.03, 0.7), (0.06, 1.0)];
const HIGH_PAYOUT: [(f64, f64); 4] = [(0.6, 1.0), (0.8, 0.7), (1.0, 0.4), (1.5, 0.2)];
const BOOST: [(f64, f64); 2] = [(0.08, 0.0), (0.15, 0.20)];
const LOSS_PAYOUT: f64 = 0.2;

/// Scores a dividend yield; a known yield of zero scores 0.3.
///
/// # Examples
/// ```
/// assert!((formulas::curves::dividend::yield_score(0.02).unwrap() - 0.55).abs() < 1e-12);
/// assert_eq!(formulas::curves::dividend::yield_score(0.0), Some(0.3));
/// ```
pub fn yield_score(dividend_yield: f64) -> Option<f64> {
    piecewise_linear(&YIELD, dividend_yield)
}

/// Scores a payout ratio.
///
/// # Examples
/// ```
/// use formulas::curves::dividend::payout;
/// assert!((payout(0.15).unwrap() - 0.75).abs() < 1e-12);
/// assert!((payout(0.9).unwrap() - 0.55).abs() < 1e-12);
/// assert_eq!((payout(0.45), payout(-0.1), payout(9.0)), (Some(1.0), Some(0.2), Some(0.2)));
/// ```
pub fn payout(ratio: f64) -> Option<f64> {
    if ratio < 0.0 {
        Some(LOSS_PAYOUT)
    } else if ratio < 0.3 {
        finite(0.5 + ratio / 0.6)
    } else {
        piecewise_linear(&HIGH_PAYOUT, ratio)
    }
}

/// Scores a payout ratio with the reference's lines.
///
/// # Examples
/// ```
/// use formulas::curves::dividend::payout_reference;
/// assert_eq!(payout_reference(0.9), Some(0.4));
/// assert!((payout_reference(0.8).unwrap() - 0.7).abs() < 1e-12);
/// ```
pub fn payout_reference(ratio: f64) -> Option<f64> {
    finite(match ratio {
        ratio if ratio < 0.3 => 0.5 + ratio / 0.6,
        ratio if ratio <= 0.6 => 1.0,
        ratio if ratio <= 0.8 => 1.0 - 1.5 * (ratio - 0.6),
        ratio if ratio > 0.8 => 0.4,
        _ => f64::NAN,
    })
}

/// Scores the yearly growth of the dividend.
///
/// # Examples
/// ```
/// use formulas::curves::dividend::growth;
/// assert!((growth(0.05).unwrap() - 0.75).abs() < 1e-12);
/// assert_eq!((growth(0.2), growth(-1.0)), (Some(1.0), Some(0.0)));
/// ```
pub fn growth(rate: f64) -> Option<f64> {
    finite(0.5 + 5.0 * rate).map(|score| score.clamp(0.0, 1.0))
}

/// Scores consistency as the reference did: payout and the average yield of five years, read as growth.
///
/// # Examples
/// ```
/// use formulas::curves::dividend::consistency_reference;
/// assert_eq!(consistency_reference(None, None), Some(0.5));
/// assert!((consistency_reference(Some(0.5), Some(0.05)).unwrap() - 0.875).abs() < 1e-12);
/// ```
pub fn consistency_reference(payout: Option<f64>, five_year_yield: Option<f64>) -> Option<f64> {
    let payout = payout.map_or(Some(0.5), payout_reference)?;
    let growth = five_year_yield.map_or(0.5, |average| (0.5 + 5.0 * average).min(1.0));
    finite(0.5 * payout + 0.5 * growth)
}

/// Computes what total return adds to the dividends group; nothing unless the price grows.
///
/// # Examples
/// ```
/// use formulas::curves::dividend::boost;
/// assert!((boost(0.08, 0.035).unwrap() - 0.1).abs() < 1e-12);
/// assert_eq!(boost(-0.02, 0.25), Some(0.0));
/// ```
pub fn boost(growth: f64, dividend_yield: f64) -> Option<f64> {
    if growth <= 0.0 {
        return Some(0.0);
    }
    piecewise_linear(&BOOST, growth + dividend_yield)
}
