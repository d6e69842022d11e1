//! The value in the middle.
//!
//! Definition: of the values in their order the one in the middle; of an even number the mean of the two in the middle.
//! Unit and range: those of the values. Nothing: `None`; one: itself; a NaN anywhere: `None`. The values are put in order
//! in their place, nothing is allocated.

/// The median; puts the values in order.
///
/// # Examples
/// ```
/// use formulas::median::median;
/// assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
/// assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
/// ```
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let (below, above) = (*values.get(values.len().checked_sub(1)? / 2)?, *values.get(values.len() / 2)?);
    Some(f64::midpoint(below, above)).filter(|middle| middle.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_in_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&mut [5.0, -1.0, 0.0]), Some(0.0));
        assert_eq!(median(&mut [5.0, -1.0]), Some(2.0));
        assert_eq!(median(&mut [7.0]), Some(7.0));
    }

    #[test]
    fn nothing_and_what_is_no_number_have_none() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [1.0, f64::NAN]), None);
        assert_eq!(median(&mut [f64::INFINITY]), None);
        assert_eq!(median(&mut [f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
