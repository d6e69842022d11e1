//! Concentration: how much of the value sits in how few places.
//!
//! Definition, s_i = value_i/Σ value over values > 0: Herfindahl index = Σ s_i²; top N = sum of the N
//! largest s_i. Units: none. Range: above 0 to 1; 1/n for n equal parts. Empty or nothing positive:
//! `None`. One: 1. Negative and zero values are left out. Not a number or infinity: `None`.

use crate::finite::{all_finite, finite};

/// Computes the Herfindahl index of values.
///
/// # Examples
/// ```
/// assert_eq!(formulas::concentration::herfindahl(&[1.0, 1.0, -5.0]), Some(0.5));
/// assert_eq!(formulas::concentration::herfindahl(&[0.0]), None);
/// ```
pub fn herfindahl(values: &[f64]) -> Option<f64> {
    let total = positive_total(values)?;
    finite(positive(values).map(|value| (value / total) * (value / total)).sum())
}

/// Computes the share of the N largest values.
///
/// # Examples
/// ```
/// let share = formulas::concentration::top_share::<2>(&[1.0, 5.0, 3.0, 1.0]).unwrap();
/// assert!((share - 0.8).abs() < 1e-15);
/// ```
pub fn top_share<const N: usize>(values: &[f64]) -> Option<f64> {
    let total = positive_total(values)?;
    let mut largest = [0.0; N];
    for value in positive(values) {
        let mut carried = value;
        for slot in &mut largest {
            if carried > *slot {
                std::mem::swap(slot, &mut carried);
            }
        }
    }
    finite(largest.iter().sum::<f64>() / total)
}

fn positive(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    values.iter().copied().filter(|value| *value > 0.0)
}

fn positive_total(values: &[f64]) -> Option<f64> {
    if !all_finite(values) {
        return None;
    }
    finite(positive(values).sum()).filter(|total| *total > 0.0)
}
