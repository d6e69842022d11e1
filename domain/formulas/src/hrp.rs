//! Hierarchical risk parity: weights from risk alone, without inverting a matrix and without an opinion.
//!
//! Definition, C the covariance and ρ the correlation: distance d_ij = √(clamp((1 − ρ_ij)/2, 0, 1)); clusters by
//! [`crate::linkage`]; the ordered items are halved again and again, and each half gets a share in inverse
//! proportion to its variance V = uᵀCu with u_i ∝ 1/C_ii: α = 1 − V₁/(V₁ + V₂) for the first half.
//! Units: fractions of the whole. Range: weights ≥ 0 that add up to 1. No items, a variance that is not above
//! zero (exclude such a series before), a shape that does not fit, not a number or infinity: `None`. One item: 1.
//! Two items that are the same series share equally.

use crate::finite::all_finite;
use crate::linkage::{Linkage, Merge, leaf_order, merges};

/// The weights and the tree they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskParity {
    /// Merges of the clustering, nearest first.
    pub merges: Vec<Merge>,
    /// The items side by side as in the tree.
    pub order: Vec<usize>,
    /// Weight of each item.
    pub weights: Vec<f64>,
}

/// Writes the correlations of a covariance matrix; `None` where a variance is not above zero.
///
/// # Examples
/// ```
/// let mut out = [0.0; 4];
/// formulas::hrp::correlations(&[4.0, 1.0, 1.0, 1.0], 2, &mut out).unwrap();
/// assert_eq!(out, [1.0, 0.5, 0.5, 1.0]);
/// assert_eq!(formulas::hrp::correlations(&[0.0], 1, &mut out), None);
/// ```
pub fn correlations(covariance: &[f64], items: usize, out: &mut [f64]) -> Option<()> {
    if items.checked_mul(items) != Some(covariance.len()) || !all_finite(covariance) {
        return None;
    }
    let out = out.get_mut(..covariance.len())?;
    if (0..items).any(|i| covariance[i * (items + 1)] <= 0.0) {
        return None;
    }
    for i in 0..items {
        for j in 0..items {
            let scale = covariance[i * (items + 1)].sqrt() * covariance[j * (items + 1)].sqrt();
            out[i * items + j] =
                if i == j { 1.0 } else { (covariance[i * items + j] / scale).clamp(-1.0, 1.0) };
        }
    }
    all_finite(out).then_some(())
}

/// Computes the weights from covariance and correlation (both row-major, symmetric).
///
/// # Examples
/// ```
/// use formulas::{hrp::risk_parity, linkage::Linkage};
/// // Two uncorrelated items: in inverse proportion to their variances.
/// let parity = risk_parity(&[4.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 0.0, 1.0], 2, Linkage::Single).unwrap();
/// assert!((parity.weights[0] - 0.2).abs() < 1e-12 && (parity.weights[1] - 0.8).abs() < 1e-12);
/// ```
#[must_use]
pub fn risk_parity(
    covariance: &[f64],
    correlation: &[f64],
    items: usize,
    linkage: Linkage,
) -> Option<RiskParity> {
    if covariance.len() != correlation.len() || !all_finite(covariance) || !all_finite(correlation) {
        return None;
    }
    if items.checked_mul(items) != Some(covariance.len())
        || (0..items).any(|i| covariance[i * (items + 1)] <= 0.0)
    {
        return None;
    }
    let distances: Vec<f64> =
        correlation.iter().map(|rho| ((1.0 - rho) / 2.0).clamp(0.0, 1.0).sqrt()).collect();
    let merges = merges(&distances, items, linkage)?;
    let order = leaf_order(&merges);
    let mut weights = vec![1.0; items];
    bisect(covariance, items, &order, &mut weights);
    all_finite(&weights).then_some(RiskParity { merges, order, weights })
}

fn bisect(covariance: &[f64], items: usize, order: &[usize], weights: &mut [f64]) {
    if order.len() < 2 {
        return;
    }
    let (left, right) = order.split_at(order.len() / 2);
    let (v_left, v_right) = (variance(covariance, items, left), variance(covariance, items, right));
    let sum = v_left + v_right;
    // Two halves that cancel themselves completely are equally safe.
    let alpha = if sum > 0.0 { 1.0 - v_left / sum } else { 0.5 };
    left.iter().for_each(|i| weights[*i] *= alpha);
    right.iter().for_each(|i| weights[*i] *= 1.0 - alpha);
    bisect(covariance, items, left, weights);
    bisect(covariance, items, right, weights);
}

/// Variance of a part in which every item has a share in inverse proportion to its own.
fn variance(covariance: &[f64], items: usize, part: &[usize]) -> f64 {
    let inverse = |i: usize| 1.0 / covariance[i * (items + 1)];
    let whole: f64 = part.iter().map(|i| inverse(*i)).sum();
    let row = |i: usize| part.iter().map(|j| covariance[i * items + j] * inverse(*j)).sum::<f64>();
    let sum: f64 = part.iter().map(|i| inverse(*i) * row(*i)).sum();
    (sum / (whole * whole)).max(0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_item_is_everything_and_none_is_nothing() {
        let one = risk_parity(&[0.04], &[1.0], 1, Linkage::Single).unwrap();
        assert!(one.weights.len() == 1 && (one.weights[0] - 1.0).abs() < 1e-15);
        assert_eq!(risk_parity(&[], &[], 0, Linkage::Single), None);
    }

    #[test]
    fn refuses_series_that_do_not_move_and_values_that_are_not_numbers() {
        let one = [1.0, 0.0, 0.0, 1.0];
        assert_eq!(risk_parity(&[0.04, 0.0, 0.0, 0.0], &one, 2, Linkage::Single), None);
        assert_eq!(risk_parity(&[0.04, f64::NAN, f64::NAN, 0.04], &one, 2, Linkage::Single), None);
        assert_eq!(risk_parity(&one, &[1.0; 3], 2, Linkage::Single), None);
    }

    #[test]
    fn the_same_series_twice_shares_equally() {
        let parity = risk_parity(&[0.04; 4], &[1.0; 4], 2, Linkage::Single).unwrap();
        assert!(parity.weights.iter().all(|weight| (weight - 0.5).abs() < 1e-15));
    }

    #[test]
    fn halves_that_cancel_themselves_are_equally_safe() {
        // Each half of two mirrored series has no variance at all.
        let c = [1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0];
        let parity = risk_parity(&c, &c, 4, Linkage::Single).unwrap();
        assert!((parity.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
