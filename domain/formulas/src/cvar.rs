//! Conditional value at risk: the mean return on the worst days.
//!
//! Definition: sort the T returns, k = ⌈T·(1 − c)⌉ between 1 and T, CVaR = mean of the k smallest;
//! closed form for a normal distribution: μ − σ·φ(z)/(1 − c), z = Φ⁻¹(1 − c). Units: fraction over the
//! returns' own horizon, negative = loss. Range: within the returns. Empty: `None`; one: itself. A
//! confidence outside the open interval 0 to 1, not a number or infinity: `None`.
//!
//! Of a portfolio it is the CVaR of Σ w_i·x_(i,t), never the weighted sum of single CVaRs, which
//! ignores diversification. A decision asks for at least 250 returns.

use crate::finite::{all_finite, finite};
use crate::moments::mean;
use crate::normal::{density, quantile};

/// Rounding of 1 − c that must not add a day to a whole number of days.
const COUNT_TOLERANCE: f64 = 1e-9;
/// Growth of the figure per unit of bear regime, and where it ends.
const BEAR_GROWTH: f64 = 0.3;
const BEAR_FACTOR_MAX: f64 = 1.3;

/// Computes the historical CVaR; `sorted` is working space as long as `returns`.
///
/// # Examples
/// ```
/// let returns = [0.01, -0.04, 0.02, -0.02];
/// let cvar = formulas::cvar::historical_cvar(&returns, 0.5, &mut [0.0; 4]).unwrap();
/// assert!((cvar + 0.03).abs() < 1e-15);
/// assert_eq!(formulas::cvar::historical_cvar(&[], 0.95, &mut []), None);
/// ```
pub fn historical_cvar(returns: &[f64], confidence: f64, sorted: &mut [f64]) -> Option<f64> {
    let worst = worst_count(returns.len(), confidence)?;
    let sorted = sorted.get_mut(..returns.len())?;
    if !all_finite(returns) {
        return None;
    }
    sorted.copy_from_slice(returns);
    sorted.sort_unstable_by(f64::total_cmp);
    mean(&sorted[..worst])
}

/// Computes the number of worst returns that enter: ⌈T·(1 − c)⌉, at least 1.
fn worst_count(count: usize, confidence: f64) -> Option<usize> {
    if count == 0 || confidence.is_nan() || confidence <= 0.0 || confidence >= 1.0 {
        return None;
    }
    let share = count as f64 * (1.0 - confidence);
    Some(((share - COUNT_TOLERANCE).ceil() as usize).clamp(1, count))
}

/// Computes the CVaR of a normal distribution; `None` for a negative deviation.
///
/// # Examples
/// ```
/// let cvar = formulas::cvar::normal_cvar(0.0, 0.1, 0.9).unwrap();
/// assert!((cvar + 0.175_498_331_932_486_9).abs() < 1e-12);
/// ```
pub fn normal_cvar(mean: f64, deviation: f64, confidence: f64) -> Option<f64> {
    if deviation < 0.0 {
        return None;
    }
    let tail = 1.0 - confidence;
    finite(mean - deviation * density(quantile(tail)?)? / tail)
}

/// Widens a CVaR in a bear regime: × min(1.3, 1 + 0.3·|g|) for a regime score g < 0.
///
/// # Examples
/// ```
/// assert_eq!(formulas::cvar::regime_adjusted(-0.1, -2.0), Some(-0.13));
/// assert_eq!(formulas::cvar::regime_adjusted(-0.1, 0.5), Some(-0.1));
/// ```
pub fn regime_adjusted(cvar: f64, regime_score: f64) -> Option<f64> {
    let bear = (-finite(regime_score)?).max(0.0);
    finite(cvar * (1.0 + BEAR_GROWTH * bear).min(BEAR_FACTOR_MAX))
}

/// Writes what each asset contributes to the portfolio's historical CVaR and returns the CVaR.
///
/// contribution_i = mean over the k worst **portfolio** days of w_i·x_(i,t); they sum to the CVaR.
/// `returns` is row-major, one row per day; `order` and `daily` are working space, one entry per day.
/// Of equally bad days the earlier one enters.
///
/// # Examples
/// ```
/// let returns = [-0.10, 0.02, 0.05, -0.01];
/// let mut parts = [0.0; 2];
/// let (mut daily, mut order) = ([0.0; 2], [0; 2]);
/// let space = formulas::cvar::Space { daily: &mut daily, order: &mut order };
/// let cvar = formulas::cvar::contributions(&[0.5, 0.5], &returns, 0.5, space, &mut parts).unwrap();
/// assert!((cvar + 0.04).abs() < 1e-12);
/// assert!((parts[0] + 0.05).abs() < 1e-12 && (parts[1] - 0.01).abs() < 1e-12);
/// ```
pub fn contributions(
    weights: &[f64],
    returns: &[f64],
    confidence: f64,
    space: Space<'_>,
    out: &mut [f64],
) -> Option<f64> {
    let assets = weights.len();
    let days = returns.len().checked_div(assets)?;
    let worst = worst_count(days, confidence)?;
    if days * assets != returns.len() || !all_finite(returns) || !all_finite(weights) {
        return None;
    }
    let (daily, order) = (space.daily.get_mut(..days)?, space.order.get_mut(..days)?);
    let out = out.get_mut(..assets)?;
    for (day, row) in returns.chunks_exact(assets).enumerate() {
        daily[day] = row.iter().zip(weights).map(|(x, w)| x * w).sum();
        order[day] = day;
    }
    order.sort_unstable_by(|&a, &b| daily[a].total_cmp(&daily[b]).then(a.cmp(&b)));
    for (asset, part) in out.iter_mut().enumerate() {
        let sum: f64 = order[..worst].iter().map(|day| returns[day * assets + asset]).sum();
        *part = weights[asset] * sum / worst as f64;
    }
    if all_finite(out) { finite(out.iter().sum()) } else { None }
}

/// Working space of [`contributions`], one entry per day each.
#[derive(Debug)]
pub struct Space<'a> {
    /// Receives the portfolio's return of each day.
    pub daily: &'a mut [f64],
    /// Receives the days from worst to best.
    pub order: &'a mut [usize],
}

/// Writes the sums of every `span` neighbouring returns and returns the part written.
///
/// They give a longer horizon out of daily returns: 20 overlapping days for the monthly figure.
///
/// # Examples
/// ```
/// let mut out = [0.0; 4];
/// let sums = formulas::cvar::overlapping_sums(&[1.0, 2.0, 3.0], 2, &mut out).unwrap();
/// assert_eq!(sums, [3.0, 5.0]);
/// assert_eq!(formulas::cvar::overlapping_sums(&[1.0], 2, &mut [0.0; 4]), None);
/// ```
pub fn overlapping_sums<'a>(returns: &[f64], span: usize, out: &'a mut [f64]) -> Option<&'a [f64]> {
    if span == 0 || returns.len() < span {
        return None;
    }
    let out = out.get_mut(..returns.len() - span + 1)?;
    for (slot, days) in out.iter_mut().zip(returns.windows(span)) {
        *slot = finite(days.iter().sum())?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_exactly_the_whole_number_of_days_and_one_more_above_it() {
        for (days, confidence, worst) in
            [(20, 0.95, 1), (21, 0.95, 2), (100, 0.95, 5), (250, 0.95, 13), (250, 0.90, 25), (1, 0.95, 1)]
        {
            assert_eq!(worst_count(days, confidence), Some(worst), "{days} {confidence}");
        }
    }

    #[test]
    fn refuses_confidences_and_values_that_mean_nothing() {
        for confidence in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
            assert_eq!(historical_cvar(&[0.1], confidence, &mut [0.0]), None);
            assert_eq!(normal_cvar(0.0, 0.1, confidence), None);
        }
        assert_eq!(historical_cvar(&[0.1, f64::NAN], 0.95, &mut [0.0; 2]), None);
        assert_eq!(historical_cvar(&[0.1, 0.2], 0.95, &mut [0.0; 1]), None);
        assert_eq!(normal_cvar(0.0, -0.1, 0.95), None);
        assert_eq!(regime_adjusted(-0.1, f64::NAN), None);
    }
}
