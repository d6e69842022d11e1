//! Windfall: gain beyond what the security's own past explains, and how much of it to take.
//!
//! Definition: excess = gain − ((1 + growth)^years − 1); years ≤ 0 or growth ≤ −1: excess = gain. Score: 1 from 0.5
//! on, (0.25, 0.5) (0.5, 1) between, 2·excess below, 0 without excess. Units: fractions, years. Range: score 0 to 1.
//! Not a number: `None`. The rule floors the growth at 0 and caps it at 0.20 ([`believable_growth`]), because with a
//! falling past every small rise would be a windfall.

use crate::finite::{all_finite, finite};
use crate::piecewise_linear::piecewise_linear;

/// Growth a year when nothing is known of the past.
pub const DEFAULT_GROWTH: f64 = 0.10;
const GROWTH_MAX: f64 = 0.20;
const SCORE: [(f64, f64); 3] = [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0)];
/// Further gain after which profit may be taken again.
const REARM_GAIN: f64 = 0.50;
/// Years after which profit may be taken again.
const REARM_YEARS: f64 = 1.0;

/// How much of a holding to sell, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfitTaking {
    /// Share of the holding, 0 for none.
    pub share: f64,
    /// Name of the rule.
    pub reason: &'static str,
}

/// Computes the gain that growth over the years explains.
///
/// # Examples
/// ```
/// let expected = formulas::windfall::expected_gain(2.0, 0.10).unwrap();
/// assert!((expected - 0.21).abs() < 1e-12);
/// assert_eq!(formulas::windfall::expected_gain(0.0, 0.10), Some(0.0));
/// ```
pub fn expected_gain(years: f64, growth: f64) -> Option<f64> {
    if !all_finite(&[years, growth]) {
        return None;
    }
    if years <= 0.0 || growth <= -1.0 {
        return Some(0.0);
    }
    finite(libm::pow(1.0 + growth, years) - 1.0)
}

/// Computes the gain beyond the explained one.
///
/// # Examples
/// ```
/// let excess = formulas::windfall::excess(0.50, 2.0, 0.10).unwrap();
/// assert!((excess - 0.29).abs() < 1e-12);
/// ```
pub fn excess(gain: f64, years: f64, growth: f64) -> Option<f64> {
    finite(gain - expected_gain(years, growth)?)
}

/// Floors and caps a historical growth rate for this purpose.
///
/// # Examples
/// ```
/// use formulas::windfall::believable_growth;
/// assert_eq!([-0.1, 0.08, 0.4].map(|x| believable_growth(Some(x))), [0.0, 0.08, 0.20]);
/// assert_eq!(believable_growth(None), 0.10);
/// ```
pub fn believable_growth(growth: Option<f64>) -> f64 {
    growth.filter(|growth| growth.is_finite()).unwrap_or(DEFAULT_GROWTH).clamp(0.0, GROWTH_MAX)
}

/// Scores an excess.
///
/// # Examples
/// ```
/// assert_eq!(formulas::windfall::score(0.375), Some(0.75));
/// assert_eq!(formulas::windfall::score(-0.1), Some(0.0));
/// ```
pub fn score(excess: f64) -> Option<f64> {
    piecewise_linear(&SCORE, excess)
}

/// Decides how much profit to take; first rule that applies.
///
/// # Examples
/// ```
/// use formulas::windfall::take_profits;
/// assert_eq!(take_profits(1.0, 0.31).share, 0.50);
/// assert_eq!(take_profits(1.0, 0.30).reason, "consistent_doubler");
/// assert_eq!(take_profits(0.9, 0.50).share, 0.40);
/// assert_eq!(take_profits(0.9, 0.25).share, 0.20);
/// assert_eq!(take_profits(0.2, -0.10).reason, "underperforming");
/// ```
pub fn take_profits(gain: f64, excess: f64) -> ProfitTaking {
    let (share, reason) = match (gain, excess) {
        (gain, excess) if gain >= 1.0 && excess > 0.30 => (0.50, "windfall_doubler"),
        (gain, _) if gain >= 1.0 => (0.30, "consistent_doubler"),
        (_, excess) if excess >= 0.50 => (0.40, "high_windfall"),
        (_, excess) if excess >= 0.25 => (0.20, "medium_windfall"),
        (_, excess) if excess > 0.0 => (0.0, "above_expected"),
        (_, excess) if excess > -0.10 => (0.0, "near_expected"),
        _ => (0.0, "underperforming"),
    };
    ProfitTaking { share, reason }
}

/// Tells whether profit may be taken again after it was taken at `last_gain`, `years` ago.
///
/// # Examples
/// ```
/// use formulas::windfall::is_armed;
/// assert!(is_armed(1.5, 1.0, 0.1) && is_armed(1.1, 1.0, 1.0));
/// assert!(!is_armed(1.49, 1.0, 0.99));
/// ```
pub fn is_armed(gain: f64, last_gain: f64, years: f64) -> bool {
    gain >= last_gain + REARM_GAIN || years >= REARM_YEARS
}
