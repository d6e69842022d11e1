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
    finite(sum(values, |value| value) / values.len() as f64)
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
    Moments::of(values)?.sample_deviation()
}

/// Computes the population standard deviation (divisor n).
///
/// # Examples
/// ```
/// assert_eq!(formulas::moments::population_deviation(&[2.0, 4.0]), Some(1.0));
/// assert_eq!(formulas::moments::population_deviation(&[2.0]), Some(0.0));
/// ```
pub fn population_deviation(values: &[f64]) -> Option<f64> {
    let moments = Moments::of(values)?;
    finite((moments.squares / moments.count as f64).sqrt())
}

/// Count, mean and squared distances of values that several ratios are asked of: read once, used by all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many values, at least one.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Σ(x − m)².
    pub squares: f64,
}

impl Moments {
    /// Reads the values; `None` without any, or when one is not a number.
    ///
    /// # Examples
    /// ```
    /// let moments = formulas::moments::Moments::of(&[1.0, 2.0, 6.0]).unwrap();
    /// assert_eq!((moments.count, moments.mean, moments.squares), (3, 3.0, 14.0));
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        let squares = finite(sum(values, |value| (value - mean) * (value - mean)))?;
        Some(Self { count: values.len(), mean, squares })
    }

    /// The sample standard deviation; `None` with one value.
    pub fn sample_deviation(&self) -> Option<f64> {
        if self.count < 2 { None } else { finite((self.squares / (self.count - 1) as f64).sqrt()) }
    }
}

/// Sums a term of each value in eight running sums side by side: one alone waits for each addition before the next.
#[inline]
pub(crate) fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let whole = values.chunks_exact(8);
    let rest: f64 = whole.remainder().iter().map(|value| term(*value)).sum();
    for eight in whole {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane += term(*value);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}
