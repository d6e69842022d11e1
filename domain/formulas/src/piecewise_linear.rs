//! Piecewise-linear curve: the shape of almost every score.
//!
//! Definition: straight lines between the points, constant before the first and after the last.
//! Units: those of the points. Range: the span of the points' second coordinates. No points, points
//! not in ascending order of the first coordinate at the place asked for, or x not a number: `None`.
//! Infinite x takes the nearest end.

use crate::finite::finite;

/// Reads the curve through `points` (ascending first coordinates) at `x`.
///
/// # Examples
/// ```
/// use formulas::piecewise_linear::piecewise_linear;
/// let curve = [(0.0, 1.0), (10.0, 0.0)];
/// assert_eq!(piecewise_linear(&curve, 2.5), Some(0.75));
/// assert_eq!(piecewise_linear(&curve, -1.0), Some(1.0));
/// assert_eq!(piecewise_linear(&curve, 11.0), Some(0.0));
/// assert_eq!(piecewise_linear(&curve, f64::NAN), None);
/// ```
pub fn piecewise_linear(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    if x.is_nan() {
        return None;
    }
    if x <= first.0 {
        return finite(first.1);
    }
    if x >= last.0 {
        return finite(last.1);
    }
    let pair = points.windows(2).find(|pair| x <= pair[1].0)?;
    let share = (x - pair[0].0) / (pair[1].0 - pair[0].0);
    finite(pair[0].1 + share * (pair[1].1 - pair[0].1))
}
