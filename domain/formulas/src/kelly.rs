//! Kelly size: the share of the fortune that an edge justifies, used only as an upper bound.
//!
//! Definition: edge = μ − rf; raw = edge/σ² if edge > 0 and σ² > 1e-10, else 0, with **annual** μ, rf
//! and σ². Upper bound of a new position: min(limit, max(0, raw/4)); a security without edge gets 0,
//! never a minimum. Units: fraction of value. Range: 0 upwards. Not a number or infinity: `None`.
//! A negative variance counts as none at all.
//!
//! [`adaptive_multiplier`] and [`bear_factor`] are the reference's refinements, reported only.

use crate::finite::{all_finite, finite};

/// Variances at or below this carry no information.
const VARIANCE_MIN: f64 = 1e-10;
/// Share of the raw size that may be used.
const SHARE_USED: f64 = 0.25;

/// Computes the raw Kelly fraction.
///
/// # Examples
/// ```
/// assert!((formulas::kelly::raw_fraction(0.11, 0.02, 0.04).unwrap() - 2.25).abs() < 1e-12);
/// assert_eq!(formulas::kelly::raw_fraction(0.02, 0.02, 0.04), Some(0.0));
/// assert_eq!(formulas::kelly::raw_fraction(f64::NAN, 0.02, 0.04), None);
/// ```
pub fn raw_fraction(expected_return: f64, risk_free: f64, variance: f64) -> Option<f64> {
    if !all_finite(&[expected_return, risk_free, variance]) {
        return None;
    }
    let edge = expected_return - risk_free;
    if edge > 0.0 && variance > VARIANCE_MIN { finite(edge / variance) } else { Some(0.0) }
}

/// Computes the largest weight a new position may take: a quarter of the raw size, at most `limit`.
///
/// # Examples
/// ```
/// assert!((formulas::kelly::upper_bound(0.3, 0.15).unwrap() - 0.075).abs() < 1e-12);
/// assert_eq!(formulas::kelly::upper_bound(2.25, 0.15), Some(0.15));
/// assert_eq!(formulas::kelly::upper_bound(0.0, 0.15), Some(0.0));
/// ```
pub fn upper_bound(raw_fraction: f64, limit: f64) -> Option<f64> {
    if !all_finite(&[raw_fraction, limit]) {
        return None;
    }
    Some((SHARE_USED * raw_fraction).max(0.0).min(limit.max(0.0)))
}

/// How the reference adapted its multiplier to confidence and regime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation {
    /// Multiplier at confidence 0.5 in a calm regime.
    pub base: f64,
    /// Change of the multiplier from confidence 0 to 1.
    pub confidence_range: f64,
    /// Change of the multiplier from bear to bull.
    pub regime_range: f64,
    /// Regime score above which the market is a bull.
    pub bull_above: f64,
    /// Regime score below which the market is a bear.
    pub bear_below: f64,
}

/// Computes the reference's multiplier, clamped to 0.25…0.75.
///
/// # Examples
/// ```
/// use formulas::kelly::{Adaptation, adaptive_multiplier};
/// let adaptation = Adaptation {
///     base: 0.5, confidence_range: 0.3, regime_range: 0.2, bull_above: 0.5, bear_below: -0.5,
/// };
/// // 0.5 + 0.2·0.3 − 0.2/2.
/// assert!((adaptive_multiplier(&adaptation, 0.7, -0.9).unwrap() - 0.46).abs() < 1e-12);
/// ```
pub fn adaptive_multiplier(adaptation: &Adaptation, confidence: f64, regime_score: f64) -> Option<f64> {
    let step = if finite(regime_score)? > adaptation.bull_above {
        adaptation.regime_range / 2.0
    } else if regime_score < adaptation.bear_below {
        -adaptation.regime_range / 2.0
    } else {
        0.0
    };
    let multiplier = adaptation.base + (confidence - 0.5) * adaptation.confidence_range + step;
    finite(multiplier).map(|multiplier| multiplier.clamp(0.25, 0.75))
}

/// Computes the reference's reduction in a bear regime: max(1 − R, 1 − R·|g|) for g < 0, else 1.
///
/// # Examples
/// ```
/// assert_eq!(formulas::kelly::bear_factor(-0.5, 0.25), Some(0.875));
/// assert_eq!(formulas::kelly::bear_factor(-2.0, 0.25), Some(0.75));
/// assert_eq!(formulas::kelly::bear_factor(0.5, 0.25), Some(1.0));
/// ```
pub fn bear_factor(regime_score: f64, max_reduction: f64) -> Option<f64> {
    let bear = (-finite(regime_score)?).max(0.0);
    finite((1.0 - max_reduction * bear).max(1.0 - max_reduction))
}
