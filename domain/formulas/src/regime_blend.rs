//! Share of risk parity in the blend of methods when it follows the market regime.
//!
//! Definition, g clamped to ±1: blend = 0.5 − 0.2·g for g ≥ 0, 0.5 + 0.2·|g| below: 0.3 in a bull, 0.7
//! in a bear. Weight of the short horizon: 1 − (tanh(2g) + 1)/2, g not clamped. Units: fraction. Range:
//! 0.3 to 0.7; 0 to 1. Not a number: `None`. Optional and off by default.

use crate::finite::finite;

/// Computes the share of risk parity.
///
/// # Examples
/// ```
/// let share = formulas::regime_blend::risk_parity_share(0.5).unwrap();
/// assert!((share - 0.4).abs() < 1e-15);
/// assert_eq!(formulas::regime_blend::risk_parity_share(-9.0), Some(0.7));
/// ```
pub fn risk_parity_share(regime_score: f64) -> Option<f64> {
    Some(0.5 - 0.2 * finite(regime_score)?.clamp(-1.0, 1.0))
}

/// Computes the weight of the short horizon.
///
/// # Examples
/// ```
/// assert_eq!(formulas::regime_blend::short_horizon_weight(0.0), Some(0.5));
/// assert!(formulas::regime_blend::short_horizon_weight(1.0).unwrap() < 0.02);
/// ```
pub fn short_horizon_weight(regime_score: f64) -> Option<f64> {
    finite(1.0 - (libm::tanh(2.0 * finite(regime_score)?) + 1.0) / 2.0)
}
