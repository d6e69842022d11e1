//! Time held: the longer, the less is spoilt by selling.
//!
//! Definition, whole days: below the minimum hold 0; below 180: 0.3; below 365: 0.6; below 730: 0.8; else 1. Unknown:
//! 0.6, as if a year. Range: 0 to 1.

/// Days that an unknown date counts as.
pub const UNKNOWN_DAYS: i64 = 365;

/// Scores the days since purchase.
///
/// # Examples
/// ```
/// use formulas::sell::time_held::score;
/// assert_eq!([89, 90, 180, 365, 730].map(|days| score(Some(days), 90)), [0.0, 0.3, 0.6, 0.8, 1.0]);
/// assert_eq!(score(None, 90), 0.6);
/// ```
pub fn score(days: Option<i64>, min_hold: i64) -> f64 {
    match days {
        None => 0.6,
        Some(days) if days < min_hold => 0.0,
        Some(days) if days < 180 => 0.3,
        Some(days) if days < 365 => 0.6,
        Some(days) if days < 730 => 0.8,
        Some(_) => 1.0,
    }
}
