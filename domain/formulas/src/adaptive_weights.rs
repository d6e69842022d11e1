//! Group weights that follow the market: more opportunity in good times, more stability in bad ones.
//!
//! Definition: linear from neutral towards bull for R > 0 and towards bear for R < 0, R clipped to −1..1. Units:
//! shares, summing to 1. Not a number: the neutral ones. Off by default: seeking opportunities because everything
//! already rose is what this is, and the weights of a score do not follow the regime.

/// Groups in the order of the weights.
pub const GROUPS: [&str; 6] =
    ["long_term", "stability", "dividends", "opportunity", "short_term", "technicals"];
const NEUTRAL: [f64; 6] = [0.30, 0.20, 0.18, 0.15, 0.10, 0.07];
const BULL: [f64; 6] = [0.35, 0.15, 0.15, 0.20, 0.10, 0.05];
const BEAR: [f64; 6] = [0.25, 0.30, 0.25, 0.08, 0.05, 0.07];

/// Blends the weights for a regime score.
///
/// # Examples
/// ```
/// use formulas::adaptive_weights::weights;
/// assert!((weights(0.5)[0] - 0.325).abs() < 1e-12 && (weights(-0.5)[1] - 0.25).abs() < 1e-12);
/// assert!((weights(0.7).iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// assert_eq!(weights(-2.0)[2], 0.25);
/// ```
pub fn weights(regime: f64) -> [f64; 6] {
    let regime = if regime.is_finite() { regime.clamp(-1.0, 1.0) } else { 0.0 };
    let towards = if regime >= 0.0 { BULL } else { BEAR };
    std::array::from_fn(|i| NEUTRAL[i] + (towards[i] - NEUTRAL[i]) * regime.abs())
}
