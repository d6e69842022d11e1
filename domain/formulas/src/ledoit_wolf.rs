//! Ledoit–Wolf covariance: the sample covariance pulled towards equal variances, so that sixty
//! assets and two years of days still give a usable matrix.
//!
//! Definition, X the centred returns (T rows, n columns), S = XᵀX/T, μ = trace(S)/n:
//! δ² = (ΣS_ij² − n·μ²)/n, β² = (Σ_t(Σ_i X_ti²)²/T − ΣS_ij²)/(n·T), shrinkage δ = min(β², δ²)/δ²
//! (0 when β² = 0), Σ = f·((1 − δ)·S + δ·μ·I) with f periods a year. Units: fraction² a year. Range:
//! symmetric, shrinkage 0 to 1. One row gives zeros; empty, shapes that do not fit, not a number or
//! infinity: `None`. Duplicate columns and columns that do not move are allowed.

use crate::covariance::{centre, products};
use crate::finite::all_finite;

/// Writes the annual shrunk covariance into `out` (assets²) and returns the shrinkage.
///
/// `centred` is working space as long as `returns`; `returns` is row-major, one row per day.
///
/// # Examples
/// ```
/// let returns = [0.01, -0.01, -0.01, 0.01, 0.02, 0.01, -0.02, -0.01];
/// let (mut centred, mut out) = ([0.0; 8], [0.0; 4]);
/// let delta = formulas::ledoit_wolf::ledoit_wolf(&returns, 2, 252.0, &mut centred, &mut out).unwrap();
/// // S = [[2.5, 0.5], [0.5, 1.0]]·1e-4, μ = 1.75e-4.
/// assert!((0.0..=1.0).contains(&delta));
/// assert!((out[0] + out[3] - 252.0 * 3.5e-4).abs() < 1e-12, "shrinking keeps the trace");
/// ```
pub fn ledoit_wolf(
    returns: &[f64],
    assets: usize,
    periods_per_year: f64,
    centred: &mut [f64],
    out: &mut [f64],
) -> Option<f64> {
    let rows = centre(returns, assets, centred)?;
    let centred = centred.get(..returns.len())?;
    products(centred, assets, 1.0 / rows as f64, out)?;
    let out = out.get_mut(..assets * assets)?;

    let mean_variance = out.iter().step_by(assets + 1).sum::<f64>() / assets as f64;
    let shrinkage = intensity(centred, out, assets, mean_variance);
    for (i, value) in out.iter_mut().enumerate() {
        let target = if i % (assets + 1) == 0 { mean_variance } else { 0.0 };
        *value = periods_per_year * ((1.0 - shrinkage) * *value + shrinkage * target);
    }
    (shrinkage.is_finite() && all_finite(out)).then_some(shrinkage)
}

fn intensity(centred: &[f64], sample: &[f64], assets: usize, mean_variance: f64) -> f64 {
    let (n, rows) = (assets as f64, (centred.len() / assets) as f64);
    let squared: f64 = sample.iter().map(|value| value * value).sum();
    let distance = (squared - n * mean_variance * mean_variance) / n;
    // Σ_ij (X²ᵀX²)_ij is the sum over days of the squared length of the day, squared.
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
    let fourth: f64 = centred.chunks_exact(assets).map(|row| length(row) * length(row)).sum();
    let noise = ((fourth / rows - squared) / (n * rows)).min(distance);
    if noise > 0.0 { noise / distance } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(returns: &[f64], assets: usize) -> Option<(f64, Vec<f64>)> {
        let (mut centred, mut out) = (vec![0.0; returns.len()], vec![0.0; assets * assets]);
        ledoit_wolf(returns, assets, 252.0, &mut centred, &mut out).map(|delta| (delta, out))
    }

    #[test]
    fn has_nothing_to_shrink_with_one_asset_or_without_movement() {
        assert_eq!(run(&[0.01, 0.03], 1).map(|(delta, _)| delta), Some(0.0));
        assert_eq!(run(&[0.01; 12], 3), Some((0.0, vec![0.0; 9])));
    }

    #[test]
    fn refuses_values_that_are_not_numbers() {
        assert_eq!(run(&[0.01, f64::INFINITY, 0.02, 0.03], 2), None);
        assert_eq!(run(&[], 2), None);
    }
}
