//! Pearson correlation: how alike two series move, and the most alike pairs of many.
//!
//! Definition: ρ = Σ(x − x̄)(y − ȳ)/√(Σ(x − x̄)²·Σ(y − ȳ)²). Units: none. Range: −1 to 1. Empty, one
//! pair, lengths that differ, a series that does not move (deviation below 1e-12), not a number or
//! infinity: `None`.

use crate::finite::finite;
use crate::moments::{DEVIATION_MIN, mean, sample_deviation};

/// Decimals to which reported pairs are rounded.
const REPORTED_SCALE: f64 = 1_000.0;

/// Computes the correlation of two series of equal length.
///
/// # Examples
/// ```
/// use formulas::correlation::correlation;
/// assert!((correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap() - 1.0).abs() < 1e-12);
/// assert_eq!(correlation(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
/// ```
pub fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    let (left_spread, right_spread) = (sample_deviation(left)?, sample_deviation(right)?);
    if left_spread < DEVIATION_MIN || right_spread < DEVIATION_MIN {
        return None;
    }
    let (left_mean, right_mean) = (mean(left)?, mean(right)?);
    let scaled = |(x, y): (&f64, &f64)| (x - left_mean) / left_spread * ((y - right_mean) / right_spread);
    let sum: f64 = left.iter().zip(right).map(scaled).sum();
    finite(sum / (left.len() - 1) as f64).map(|rho| rho.clamp(-1.0, 1.0))
}

/// Two series that move alike or oppositely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Position of the first series.
    pub first: usize,
    /// Position of the second series, after the first.
    pub second: usize,
    /// Correlation, rounded to three decimals.
    pub correlation: f64,
}

/// Lists the pairs with |ρ| ≥ `threshold`, strongest first, at most `pairs_max`.
///
/// `returns` is row-major, one row of `assets` values per day. Pairs without a correlation are left
/// out; equally strong pairs keep the order of the assets. Allocates: it is a report, not a hot path.
///
/// # Examples
/// ```
/// // The third asset mirrors the first, the second does what it likes.
/// let returns = [0.01, 0.02, -0.01, 0.03, -0.01, -0.03, -0.02, 0.01, 0.02];
/// let pairs = formulas::correlation::strongest_pairs(&returns, 3, 0.8, 5);
/// assert_eq!((pairs.len(), pairs[0].first, pairs[0].second), (1, 0, 2));
/// assert!((pairs[0].correlation + 1.0).abs() < 1e-12);
/// ```
pub fn strongest_pairs(returns: &[f64], assets: usize, threshold: f64, pairs_max: usize) -> Vec<Pair> {
    let column = |asset: usize| -> Vec<f64> { returns.iter().skip(asset).step_by(assets).copied().collect() };
    let columns: Vec<Vec<f64>> = (0..assets).map(column).collect();
    let mut pairs = Vec::new();
    for first in 0..assets {
        for second in first + 1..assets {
            let rho = correlation(&columns[first], &columns[second]);
            if let Some(rho) = rho.filter(|rho| rho.abs() >= threshold) {
                let correlation = (rho * REPORTED_SCALE).round_ties_even() / REPORTED_SCALE;
                pairs.push(Pair { first, second, correlation });
            }
        }
    }
    pairs.sort_by(|a, b| b.correlation.abs().total_cmp(&a.correlation.abs()));
    pairs.truncate(pairs_max);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_absent_for_lengths_that_differ_or_say_nothing() {
        assert_eq!(correlation(&[], &[]), None);
        assert_eq!(correlation(&[1.0], &[1.0]), None);
        assert_eq!(correlation(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(correlation(&[1.0, f64::NAN], &[1.0, 2.0]), None);
    }

    #[test]
    fn lists_nothing_for_no_assets() {
        assert!(strongest_pairs(&[], 0, 0.8, 5).is_empty());
        assert!(strongest_pairs(&[1.0, 2.0], 2, 0.8, 0).is_empty());
    }
}
