//! 52-week range: the highest high and lowest low of the last 252 bars, and the distance from them.
//!
//! Definition: high = max of the last 252 daily highs, low = min of the last 252 lows; distance below
//! the high = (high − close)/high; above the low = (close − low)/low. Units: price; distances are
//! fractions. Range: distance below the high ≤ 1 (negative when a quote exceeds every stored high).
//! Empty: `None`. Fewer than 252 bars: over what exists, partial below 126. A high or low ≤ 0 gives
//! no distance. Not a number or infinity among the bars used: `None`.

use crate::finite::finite;
use crate::minimum_lengths::YEAR_RANGE_BARS_MIN;
use crate::reading::Reading;

/// Bars of a 52-week range.
pub const YEAR_RANGE_BARS: usize = 252;

/// Finds the highest of the last 252 highs.
///
/// # Examples
/// ```
/// let high = formulas::year_range::year_high(&[90.0, 120.0, 100.0]).unwrap();
/// assert_eq!((high.value, high.is_partial), (120.0, true));
/// assert!(!formulas::year_range::year_high(&[1.0; 126]).unwrap().is_partial);
/// ```
pub fn year_high(highs: &[f64]) -> Option<Reading> {
    extreme(highs, |one, other| if other > one { other } else { one })
}

/// Finds the lowest of the last 252 lows.
///
/// # Examples
/// ```
/// assert_eq!(formulas::year_range::year_low(&[90.0, 120.0]).unwrap().value, 90.0);
/// assert_eq!(formulas::year_range::year_low(&[]), None);
/// ```
pub fn year_low(lows: &[f64]) -> Option<Reading> {
    extreme(lows, |one, other| if other < one { other } else { one })
}

/// Computes how far a close lies below the high, as a share of the high.
///
/// # Examples
/// ```
/// assert_eq!(formulas::year_range::below_high(75.0, 100.0), Some(0.25));
/// assert_eq!(formulas::year_range::below_high(75.0, 0.0), None);
/// ```
pub fn below_high(close: f64, high: f64) -> Option<f64> {
    if high > 0.0 { finite((high - close) / high) } else { None }
}

/// Computes how far a close lies above the low, as a share of the low.
///
/// # Examples
/// ```
/// assert_eq!(formulas::year_range::above_low(75.0, 50.0), Some(0.5));
/// assert_eq!(formulas::year_range::above_low(75.0, -1.0), None);
/// ```
pub fn above_low(close: f64, low: f64) -> Option<f64> {
    if low > 0.0 { finite((close - low) / low) } else { None }
}

/// The extreme of the last bars, in eight lanes side by side, because one alone waits for each comparison.
#[inline]
fn extreme(values: &[f64], pick: impl Fn(f64, f64) -> f64) -> Option<Reading> {
    let used = &values[values.len().saturating_sub(YEAR_RANGE_BARS)..];
    let first = *used.first()?;
    let mut lanes = [first; 8];
    // Asked of every bar: a comparison skips "not a number".
    let mut all_finite = true;
    let mut take = |lane: &mut f64, value: f64| {
        all_finite &= value.is_finite();
        *lane = pick(*lane, value);
    };
    let whole = used.chunks_exact(8);
    whole.remainder().iter().for_each(|value| take(&mut lanes[0], *value));
    for eight in whole {
        lanes.iter_mut().zip(eight).for_each(|(lane, value)| take(lane, *value));
    }
    let value = lanes.into_iter().fold(first, pick);
    all_finite.then_some(Reading { value, is_partial: used.len() < YEAR_RANGE_BARS_MIN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_bars_older_than_the_range() {
        let mut highs = vec![1.0; 253];
        highs[0] = 99.0;
        assert_eq!(year_high(&highs).map(|high| high.value), Some(1.0));
        highs[1] = 98.0;
        assert_eq!(year_high(&highs).map(|high| high.value), Some(98.0));
    }

    #[test]
    fn is_partial_below_half_a_year() {
        assert_eq!(year_low(&[1.0; 125]).map(|low| low.is_partial), Some(true));
        assert_eq!(year_low(&[1.0; 126]).map(|low| low.is_partial), Some(false));
    }

    #[test]
    fn is_absent_with_a_bar_that_is_not_a_number() {
        assert_eq!(year_high(&[1.0, f64::NAN, 2.0]), None);
        assert_eq!(year_low(&[f64::INFINITY, 2.0]), None);
        assert_eq!(below_high(f64::NAN, 1.0), None);
    }
}
