//! Mean and standard deviation, the two building blocks of every ratio.
//!
//! Definition, for x_1..x_n: mean m = Σx/n; sample deviation √(Σ(x−m)²/(n−1)); population
//! deviation √(Σ(x−m)²/n). Units: those of the values. Range: deviations ≥ 0.
//! Empty: `None`. One value: mean and population deviation exist, the sample deviation does not.
//! Negative values are ordinary. Not a number or infinity anywhere: `None`.
//!
//! Two passes, not running sums: a sum of squares loses all digits of a small spread around a large
//! mean, and the spread is what is wanted.

use crate::finite::finite;

/// Deviations of returns below this are rounding noise of a flat series; nothing is divided by them.
pub const DEVIATION_MIN: f64 = 1e-12;

/// Computes the arithmetic mean.
///
/// # Examples
/// ```
/// assert_eq!(formulas::moments::mean(&[1.0, 2.0, 6.0]), Some(3.0));
/// assert_eq!(formulas::moments::mean(&[]), None);
/// ```
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    finite(values.iter().sum::<f64>() / values.len() as f64)
}

/// Computes the sample standard deviation (divisor n − 1).
///
/// # Examples
/// ```
/// let spread = formulas::moments::sample_deviation(&[2.0, 4.0]).unwrap();
/// assert!((spread - 2.0_f64.sqrt()).abs() < 1e-15);
/// assert_eq!(formulas::moments::sample_deviation(&[2.0]), None);
/// ```
pub fn sample_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let squares = squared_distances(values)?;
    finite((squares / (values.len() - 1) as f64).sqrt())
}

/// Computes the population standard deviation (divisor n).
///
/// # Examples
/// ```
/// assert_eq!(formulas::moments::population_deviation(&[2.0, 4.0]), Some(1.0));
/// assert_eq!(formulas::moments::population_deviation(&[2.0]), Some(0.0));
/// ```
pub fn population_deviation(values: &[f64]) -> Option<f64> {
    let squares = squared_distances(values)?;
    finite((squares / values.len() as f64).sqrt())
}

fn squared_distances(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    finite(values.iter().map(|value| (value - centre) * (value - centre)).sum())
}
