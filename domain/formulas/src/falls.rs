//! The falls of one window of closes, read once: the deepest, the present one, and depth and length in one number.
//!
//! Definition: as in [`crate::drawdown`] and [`crate::ulcer_index`], of the same closes and bit for bit the same depth.
//! Units: fractions, bars, percent. Empty, a close ≤ 0, not a number or infinity: `None`; one close: no falls.
//! It exists because a growing series asks for all of them at every bar, and a division for each close is what they cost.

use crate::finite::finite;

/// What the window says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Falls {
    /// The deepest fall from a peak, at most 0.
    pub deepest: f64,
    /// Present distance from the peak, at most 0.
    pub current: f64,
    /// Bars since the last close that equalled the peak, while the price is below it.
    pub bars_under_water: Option<usize>,
    /// The Ulcer index, in percent.
    pub ulcer_index: f64,
}

/// Reads the closes, oldest first.
///
/// # Examples
/// ```
/// let falls = formulas::falls::falls(&[100.0, 80.0, 100.0, 90.0]).unwrap();
/// assert!((falls.deepest + 0.20).abs() < 1e-12 && (falls.current + 0.10).abs() < 1e-12);
/// assert_eq!(falls.bars_under_water, Some(1));
/// // √((20² + 10²)/4) percent.
/// assert!((falls.ulcer_index - 125.0_f64.sqrt()).abs() < 1e-12);
/// assert_eq!(formulas::falls::falls(&[]), None);
/// assert_eq!(formulas::falls::falls(&[100.0, 0.0]), None);
/// ```
pub fn falls(closes: &[f64]) -> Option<Falls> {
    let last = *closes.last()?;
    let (mut peak, mut deepest, mut squares, mut sound) = (0.0, 0.0, 0.0, true);
    for &close in closes {
        sound &= close > 0.0 && close.is_finite();
        peak = if close > peak { close } else { peak };
        let fall: f64 = close / peak - 1.0;
        deepest = if fall < deepest { fall } else { deepest };
        squares += fall * fall;
    }
    if !sound {
        return None;
    }
    let current = last / peak - 1.0;
    let since = closes.iter().rev().take_while(|close| **close < peak).count();
    let ulcer_index = finite(100.0 * (squares / closes.len() as f64).sqrt())?;
    let bars_under_water = (current < 0.0).then_some(since);
    Some(Falls { deepest, current, bars_under_water, ulcer_index })
}
