//! Priority: a score weighted by what the owner prefers; for ranking only.
//!
//! Definition: score·multiplier, rounded to 4 decimals. Units: score. Range: 0 to 3. A missing score counts as 0. A
//! multiplier outside 0.1 to 3, or not a number: `None`, because a zero is no preference but a mistake.

use crate::rounding::round_to;

/// What the owner may say.
pub const MULTIPLIER_RANGE: std::ops::RangeInclusive<f64> = 0.1..=3.0;
const PLACES: usize = 4;

/// Computes a priority.
///
/// # Examples
/// ```
/// use formulas::priority::priority;
/// assert_eq!(priority(Some(0.761), 0.8), Some(0.6088));
/// assert_eq!(priority(None, 2.0), Some(0.0));
/// assert_eq!(priority(Some(0.5), 0.0), None);
/// ```
pub fn priority(score: Option<f64>, multiplier: f64) -> Option<f64> {
    let score = score.filter(|score| score.is_finite()).unwrap_or(0.0);
    MULTIPLIER_RANGE.contains(&multiplier).then(|| round_to(score * multiplier, PLACES))
}
