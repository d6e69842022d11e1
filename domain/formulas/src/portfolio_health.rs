//! Portfolio health, 0 to 100: allocation near its targets, dividends, quality.
//!
//! Definition: diversification = max(0, 100·(1 − d/0.3)), d = mean over the groups with a target of |share − target|,
//! 0.2 when no countries are known or no targets set; dividend = min(100, 30 + 1000·yield of the whole), 50 unknown;
//! quality = 100·mean quality by value, 50 unknown; total = 0.4 + 0.3 + 0.3 of the unrounded parts. Units: points.
//! Range: 0 to 100. No value at all: 50 everywhere. Not a number counts as unknown.

use crate::finite::finite;

const UNKNOWN_DISTANCE: f64 = 0.2;
const FULL_DISTANCE: f64 = 0.3;
const NEUTRAL: f64 = 50.0;

/// The four figures, unrounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// Nearness to the targets.
    pub diversification: f64,
    /// Income.
    pub dividend: f64,
    /// Quality of what is held.
    pub quality: f64,
    /// All of it.
    pub total: f64,
}

impl Health {
    /// Nothing is held.
    pub const NEUTRAL: Health =
        Health { diversification: NEUTRAL, dividend: NEUTRAL, quality: NEUTRAL, total: NEUTRAL };
}

/// Computes the health from each group's (target, share), the yield of the whole and its mean quality.
///
/// # Examples
/// ```
/// // Half a group too much, half too little: d = 0.15. Yield 2 %, quality 0.6.
/// let health = formulas::portfolio_health::health(&[(0.5, 0.65), (0.5, 0.35)], Some(0.02), Some(0.6));
/// assert!((health.diversification - 50.0).abs() < 1e-9);
/// assert!((health.dividend - 50.0).abs() < 1e-9 && (health.quality - 60.0).abs() < 1e-9);
/// assert!((health.total - 53.0).abs() < 1e-9);
/// ```
pub fn health(groups: &[(f64, f64)], dividend_yield: Option<f64>, quality: Option<f64>) -> Health {
    let distance = if groups.is_empty() {
        None
    } else {
        let sum: f64 = groups.iter().map(|(target, share)| (share - target).abs()).sum();
        finite(sum / groups.len() as f64)
    };
    let distance = distance.unwrap_or(UNKNOWN_DISTANCE);
    let diversification = (100.0 * (1.0 - distance / FULL_DISTANCE)).max(0.0);
    let known = |value: Option<f64>| value.filter(|value| value.is_finite());
    let dividend = known(dividend_yield).map_or(NEUTRAL, |paid| (30.0 + 1_000.0 * paid).min(100.0));
    let quality = known(quality).map_or(NEUTRAL, |quality| 100.0 * quality);
    Health {
        diversification,
        dividend,
        quality,
        total: 0.4 * diversification + 0.3 * dividend + 0.3 * quality,
    }
}
