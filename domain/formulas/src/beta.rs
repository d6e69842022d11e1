//! Beta: how strongly a series follows a benchmark.
//!
//! Definition: cov(x, y)/var(y), sample figures of returns of the same days, y the benchmark. Units:
//! none. Range: any number. Fewer than two common days, lengths that differ, a benchmark that does not
//! move (deviation below 1e-12), not a number or infinity: `None`. In use at least 30 common days.

use crate::finite::finite;
use crate::moments::{DEVIATION_MIN, mean, sample_deviation};

/// Computes the beta of `returns` against `benchmark`.
///
/// # Examples
/// ```
/// let beta = formulas::beta::beta(&[0.02, -0.02, 0.04], &[0.01, -0.01, 0.02]).unwrap();
/// assert!((beta - 2.0).abs() < 1e-12);
/// assert_eq!(formulas::beta::beta(&[0.02, 0.01], &[0.01, 0.01]), None);
/// ```
pub fn beta(returns: &[f64], benchmark: &[f64]) -> Option<f64> {
    if returns.len() != benchmark.len() {
        return None;
    }
    let spread = sample_deviation(benchmark)?;
    if spread < DEVIATION_MIN {
        return None;
    }
    let (x_mean, y_mean) = (mean(returns)?, mean(benchmark)?);
    let together = |(x, y): (&f64, &f64)| (x - x_mean) * (y - y_mean);
    let sum: f64 = returns.iter().zip(benchmark).map(together).sum();
    finite(sum / (returns.len() - 1) as f64 / (spread * spread))
}
