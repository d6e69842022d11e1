//! Fit: how well a security fits what is held and wanted.
//!
//! Definition: place = clamp(0.5 + 0.4·gap, 0.1, 0.9), gap = (target − share)/max(target, 0.05) clamped to −1..1;
//! averaging = 0.5 if not held, else from z = quality·opportunity: 0.7 + 0.6(z − 0.5) from 0.5, 0.5 + (z − 0.3) from
//! 0.3, else 0.3; a price below the average cost by L in (0, 0.20] adds min(cap, 2L), at most 1; times 0.7 above 10 %
//! of the fund, 0.9 above 5 %. Fit = min(1, 0.40·country + 0.30·industry + 0.30·averaging). Units: fractions. Range: 0
//! to 1. Not a number: `None`.
//!
//! The bonus grows with the loss, so it is given only with the quality gate passed and at most 0.15; the reference
//! gave up to 0.40, and read targets where the gap belongs.

use crate::finite::finite;

/// Most that a loss may add.
pub const BONUS_MAX: f64 = 0.15;
/// The same in the reference.
pub const BONUS_MAX_REFERENCE: f64 = 0.40;
const TARGET_MIN: f64 = 0.05;
const LOSS_MAX: f64 = 0.20;

/// Computes how much of a group is missing (positive) or too much.
///
/// # Examples
/// ```
/// use formulas::fit::gap;
/// assert!((gap(0.5, 0.4).unwrap() - 0.2).abs() < 1e-12);
/// assert_eq!((gap(0.0, 0.3), gap(0.3, 0.0)), (Some(-1.0), Some(1.0)));
/// ```
pub fn gap(target: f64, share: f64) -> Option<f64> {
    finite((target - share) / target.max(TARGET_MIN)).map(|gap| gap.clamp(-1.0, 1.0))
}

/// Scores a gap.
///
/// # Examples
/// ```
/// assert!((formulas::fit::place(0.5).unwrap() - 0.7).abs() < 1e-12);
/// assert_eq!(formulas::fit::place(-1.5), Some(0.1));
/// ```
pub fn place(gap: f64) -> Option<f64> {
    finite(0.5 + 0.4 * gap).map(|score| score.clamp(0.1, 0.9))
}

/// A holding as averaging looks at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Quality score.
    pub quality: f64,
    /// Opportunity score.
    pub opportunity: f64,
    /// Price below the average cost as a fraction of it; unknown without both.
    pub loss: Option<f64>,
    /// Share of the fund; unknown without a total.
    pub share: Option<f64>,
}

/// Scores whether more of a holding would be good; `bonus_max` is what a loss may add, 0 with a failed gate.
///
/// # Examples
/// ```
/// use formulas::fit::{Held, averaging};
/// let held = Held { quality: 0.8, opportunity: 0.75, loss: Some(0.05), share: Some(0.02) };
/// // z = 0.6: 0.76, and the loss adds 0.10.
/// assert!((averaging(Some(held), 0.15).unwrap() - 0.86).abs() < 1e-12);
/// assert_eq!(averaging(None, 0.15), Some(0.5));
/// ```
pub fn averaging(held: Option<Held>, bonus_max: f64) -> Option<f64> {
    let Some(held) = held else { return Some(0.5) };
    let product = held.quality * held.opportunity;
    let mut score = match product {
        product if product >= 0.5 => 0.7 + 0.6 * (product - 0.5),
        product if product >= 0.3 => 0.5 + (product - 0.3),
        product if product.is_nan() => return None,
        _ => 0.3,
    };
    if let Some(loss) = held.loss.filter(|loss| *loss > 0.0 && *loss <= LOSS_MAX) {
        score = (score + bonus_max.min(2.0 * loss)).min(1.0);
    }
    finite(match held.share {
        Some(share) if share > 0.10 => 0.7 * score,
        Some(share) if share > 0.05 => 0.9 * score,
        _ => score,
    })
}

/// Combines the three.
///
/// # Examples
/// ```
/// assert!((formulas::fit::fit(0.58, 0.64, 0.62).unwrap() - 0.61).abs() < 1e-12);
/// ```
pub fn fit(country: f64, industry: f64, averaging: f64) -> Option<f64> {
    finite(0.40 * country + 0.30 * industry + 0.30 * averaging).map(|score| score.min(1.0))
}
