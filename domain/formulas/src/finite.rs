//! The guard every formula ends with: a result is finite or it does not exist.
//!
//! Not a number and infinity travel silently through arithmetic, so one bad input anywhere
//! surfaces here as an absent result instead of reaching a decision.

/// Keeps a finite number and drops everything else.
///
/// # Examples
/// ```
/// assert_eq!(formulas::finite::finite(1.5), Some(1.5));
/// assert_eq!(formulas::finite::finite(1.0 / 0.0), None);
/// assert_eq!(formulas::finite::finite(f64::NAN), None);
/// ```
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Tells whether every value is finite; true for none.
///
/// # Examples
/// ```
/// assert!(formulas::finite::all_finite(&[1.0, -2.0]));
/// assert!(!formulas::finite::all_finite(&[1.0, f64::NAN]));
/// ```
pub fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}
