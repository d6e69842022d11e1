//! Standard normal distribution: density, probability and quantile.
//!
//! Definition: φ(z) = e^(−z²/2)/√(2π); Φ(z) = erfc(−z/√2)/2; the quantile is Φ's inverse. Units: none.
//! Range: densities 0 to 0.399, probabilities 0 to 1. Not a number: `None`; a probability outside the
//! open interval 0 to 1 has no quantile.

use crate::finite::finite;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Beyond this many deviations a tail is smaller than the smallest number.
const QUANTILE_MAX: f64 = 40.0;
/// Halvings that shrink the search to the last bit.
const BISECTIONS_MAX: usize = 64;

/// Computes the density at z.
///
/// # Examples
/// ```
/// assert!((formulas::normal::density(0.0).unwrap() - 0.398_942_280_401_432_7).abs() < 1e-15);
/// ```
pub fn density(z: f64) -> Option<f64> {
    finite(libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt())
}

/// Computes the probability of a value at or below z.
///
/// # Examples
/// ```
/// assert_eq!(formulas::normal::probability(0.0), Some(0.5));
/// assert!((formulas::normal::probability(1.96).unwrap() - 0.975_002_104_851_779_6).abs() < 1e-14);
/// ```
pub fn probability(z: f64) -> Option<f64> {
    finite(0.5 * libm::erfc(-z * FRAC_1_SQRT_2))
}

/// Computes the z below which a share p of all values lies.
///
/// # Examples
/// ```
/// let z = formulas::normal::quantile(0.05).unwrap();
/// assert!((z + 1.644_853_626_951_472_2).abs() < 1e-12);
/// assert_eq!(formulas::normal::quantile(1.0), None);
/// ```
pub fn quantile(p: f64) -> Option<f64> {
    if p.is_nan() || p <= 0.0 || p >= 1.0 {
        return None;
    }
    // The lower tail keeps its digits, the upper one would round to 1.
    if p > 0.5 {
        return lower_quantile(1.0 - p).map(|z| -z);
    }
    lower_quantile(p)
}

/// Bisection on the lower half: slow by a microsecond, and it cannot diverge.
fn lower_quantile(p: f64) -> Option<f64> {
    let (mut low, mut high) = (-QUANTILE_MAX, 0.0);
    for _ in 0..BISECTIONS_MAX {
        let middle = low + (high - low) / 2.0;
        if probability(middle)? < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low + (high - low) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_inverts_probability() {
        for p in [1e-300, 1e-9, 0.01, 0.3, 0.5, 0.7, 0.99, 1.0 - 1e-9] {
            let back = quantile(p).and_then(probability).unwrap_or(f64::NAN);
            assert!((back - p).abs() <= 1e-12 * p, "{p} {back}");
        }
    }

    #[test]
    fn has_no_quantile_outside_the_open_interval() {
        for p in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(quantile(p), None);
        }
        assert_eq!((density(f64::NAN), probability(f64::NAN)), (None, None));
    }
}
