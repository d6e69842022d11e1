//! Drawdown: how far below its highest price of a year a holding is, and for how long.
//!
//! Definition: below −0.25: 1; below −0.15: 0.9 after more than 180 bars, 0.7 after more than 90, else 0.5; below
//! −0.10: 0.3; else 0.1. Units: fraction, bars. Range: 0.1 to 1. Unknown: 0.1, as if not fallen.

/// Scores a present drawdown and the bars since the price was at its highest.
///
/// # Examples
/// ```
/// use formulas::sell::drawdown::score;
/// assert_eq!([-0.26, -0.25, -0.11, -0.10].map(|fall| score(Some(fall), Some(10))), [1.0, 0.5, 0.3, 0.1]);
/// assert_eq!([180, 181, 90, 91].map(|bars| score(Some(-0.2), Some(bars))), [0.7, 0.9, 0.5, 0.7]);
/// assert_eq!(score(None, None), 0.1);
/// ```
pub fn score(current: Option<f64>, bars: Option<usize>) -> f64 {
    match current.unwrap_or(0.0) {
        fall if fall < -0.25 => 1.0,
        fall if fall < -0.15 => match bars.unwrap_or(0) {
            181.. => 0.9,
            91.. => 0.7,
            _ => 0.5,
        },
        fall if fall < -0.10 => 0.3,
        _ => 0.1,
    }
}
