//! Covariance with more weight on recent days and on days of a similar regime.
//!
//! Definition: q_t ∝ exp(−ln2/h·(T − 1 − t))·exp(−(g_t − g)²/(2b²)), Σq = 1; m = Σ q_t·r_t;
//! C = Σ q_t·(r_t − m)(r_t − m)ᵀ/(1 − Σq²); effective size 1/Σq². Units: fraction² **a day**. Range:
//! symmetric. Fewer than two rows, shapes that do not fit, a half-life or bandwidth that is not
//! positive, all weight on one day, not a number or infinity: `None`. Optional and off by default;
//! refuse the result when the effective size is below twice the number of assets.

use crate::finite::{all_finite, finite};
use std::f64::consts::LN_2;

/// How weights fall with age and with distance of regime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighting {
    /// Days after which a weight is halved.
    pub half_life_days: f64,
    /// Regime score of today.
    pub regime: f64,
    /// Distance of regime scores at which a weight is e^(−1/2).
    pub bandwidth: f64,
}

/// Writes one weight per regime score (oldest first) into `out` and returns the effective size.
///
/// # Examples
/// ```
/// use formulas::weighted_covariance::{Weighting, day_weights};
/// let weighting = Weighting { half_life_days: 1.0, regime: 0.0, bandwidth: 1.0 };
/// let mut weights = [0.0; 2];
/// let size = day_weights(&[0.0, 0.0], &weighting, &mut weights).unwrap();
/// assert!((weights[0] - 1.0 / 3.0).abs() < 1e-12 && (size - 1.8).abs() < 1e-12);
/// ```
pub fn day_weights(regimes: &[f64], weighting: &Weighting, out: &mut [f64]) -> Option<f64> {
    let last = regimes.len().checked_sub(1)?;
    if !(weighting.half_life_days > 0.0 && weighting.bandwidth > 0.0) {
        return None;
    }
    let out = out.get_mut(..regimes.len())?;
    for (t, (slot, regime)) in out.iter_mut().zip(regimes).enumerate() {
        let age = (last - t) as f64 / weighting.half_life_days;
        let distance = (regime - weighting.regime) / weighting.bandwidth;
        *slot = libm::exp(-LN_2 * age - 0.5 * distance * distance);
    }
    let sum: f64 = out.iter().sum();
    out.iter_mut().for_each(|weight| *weight /= sum);
    let squares: f64 = out.iter().map(|weight| weight * weight).sum();
    if all_finite(out) { finite(1.0 / squares) } else { None }
}

/// Writes the weighted covariance of row-major `returns` into `out` (assets²); `means` is working space
/// of one value per asset.
///
/// # Examples
/// ```
/// // Equal weights on two days give the sample covariance.
/// let (mut means, mut out) = ([0.0; 1], [0.0; 1]);
/// formulas::weighted_covariance::weighted_covariance(&[0.01, 0.03], &[0.5, 0.5], &mut means, &mut out)
///     .unwrap();
/// assert!((out[0] - 0.0002).abs() < 1e-15);
/// ```
pub fn weighted_covariance(
    returns: &[f64],
    weights: &[f64],
    means: &mut [f64],
    out: &mut [f64],
) -> Option<()> {
    let assets = returns.len().checked_div(weights.len())?;
    if assets == 0 || assets * weights.len() != returns.len() {
        return None;
    }
    let spare = 1.0 - weights.iter().map(|weight| weight * weight).sum::<f64>();
    if spare.is_nan() || spare <= 0.0 {
        return None;
    }
    let (means, out) = (means.get_mut(..assets)?, out.get_mut(..assets.checked_mul(assets)?)?);
    means.fill(0.0);
    out.fill(0.0);
    for (row, weight) in returns.chunks_exact(assets).zip(weights) {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += weight * x);
    }
    for (row, weight) in returns.chunks_exact(assets).zip(weights) {
        for i in 0..assets {
            for j in 0..assets {
                out[i * assets + j] += weight * ((row[i] - means[i]) * (row[j] - means[j])) / spare;
            }
        }
    }
    all_finite(out).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_weights_that_mean_nothing() {
        let weighting = Weighting { half_life_days: 63.0, regime: 0.0, bandwidth: 0.25 };
        assert_eq!(day_weights(&[], &weighting, &mut []), None);
        assert_eq!(day_weights(&[f64::NAN], &weighting, &mut [0.0]), None);
        assert_eq!(day_weights(&[1e9, 1e9], &weighting, &mut [0.0; 2]), None);
        assert_eq!(day_weights(&[0.0], &Weighting { bandwidth: 0.0, ..weighting }, &mut [0.0]), None);
        assert_eq!(weighted_covariance(&[0.1], &[1.0], &mut [0.0], &mut [0.0]), None);
        assert_eq!(weighted_covariance(&[], &[], &mut [0.0], &mut [0.0]), None);
    }
}
