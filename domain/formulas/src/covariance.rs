//! Sample covariance matrix of daily returns.
//!
//! Definition: C_ij = f·Σ_t (r_ti − r̄_i)(r_tj − r̄_j)/(T − 1) with f periods a year. Units: fraction²
//! a year. Range: symmetric, no negative eigenvalue beyond rounding. Fewer than two rows, no assets,
//! a length that is not a multiple of the assets, buffers too short, not a number or infinity: `None`.
//! A column that does not move gives zeros.
//!
//! Matrices are row-major slices; a matrix of returns has one row per day and one column per asset.

use crate::finite::all_finite;

/// Writes the annual sample covariance into `out` (assets²) using `centred` (as long as `returns`).
///
/// # Examples
/// ```
/// let returns = [0.01, 0.02, 0.03, 0.02];
/// let (mut centred, mut out) = ([0.0; 4], [0.0; 4]);
/// formulas::covariance::sample_covariance(&returns, 2, 252.0, &mut centred, &mut out).unwrap();
/// assert!((out[0] - 252.0 * 0.0002).abs() < 1e-12);
/// assert!(out[1].abs() < 1e-12 && out[3].abs() < 1e-12);
/// ```
pub fn sample_covariance(
    returns: &[f64],
    assets: usize,
    periods_per_year: f64,
    centred: &mut [f64],
    out: &mut [f64],
) -> Option<()> {
    let rows = centre(returns, assets, centred)?;
    if rows < 2 {
        return None;
    }
    let centred = centred.get(..returns.len())?;
    products(centred, assets, periods_per_year / (rows - 1) as f64, out)
}

/// Writes the returns minus their column means and returns the number of rows.
pub(crate) fn centre(returns: &[f64], assets: usize, centred: &mut [f64]) -> Option<usize> {
    let rows = returns.len().checked_div(assets)?;
    if rows == 0 || rows * assets != returns.len() || !all_finite(returns) {
        return None;
    }
    let centred = centred.get_mut(..returns.len())?;
    centred.copy_from_slice(returns);
    for asset in 0..assets {
        let sum: f64 = centred.iter().skip(asset).step_by(assets).sum();
        let mean = sum / rows as f64;
        centred.iter_mut().skip(asset).step_by(assets).for_each(|value| *value -= mean);
    }
    Some(rows)
}

/// Writes `factor`·XᵀX for the centred rows X; both triangles hold the same bits.
pub(crate) fn products(centred: &[f64], assets: usize, factor: f64, out: &mut [f64]) -> Option<()> {
    let out = out.get_mut(..assets.checked_mul(assets)?)?;
    out.fill(0.0);
    for row in centred.chunks_exact(assets) {
        for i in 0..assets {
            for j in i..assets {
                out[i * assets + j] += row[i] * row[j];
            }
        }
    }
    for i in 0..assets {
        for j in i..assets {
            out[i * assets + j] *= factor;
            out[j * assets + i] = out[i * assets + j];
        }
    }
    all_finite(out).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_shapes_that_do_not_fit() {
        let (mut centred, mut out) = ([0.0; 8], [0.0; 4]);
        let mut run = |returns: &[f64], assets: usize| {
            sample_covariance(returns, assets, 252.0, &mut centred, &mut out).is_some()
        };
        assert!(run(&[0.1, 0.2, 0.3, 0.1], 2));
        assert!(!run(&[], 2));
        assert!(!run(&[0.1, 0.2], 0));
        assert!(!run(&[0.1, 0.2], 2), "one row");
        assert!(!run(&[0.1, 0.2, 0.3], 2), "half a row");
        assert!(!run(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 3), "a result that does not fit");
        assert!(!run(&[0.1; 10], 2), "a buffer that does not fit");
        assert!(!run(&[0.1, f64::NAN, 0.3, 0.1], 2));
        assert!(!run(&[1e200, 0.0, -1e200, 0.1], 2), "overflow");
    }
}
