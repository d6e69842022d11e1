//! Rounding to decimal places, as scores are published.
//!
//! Definition: the decimal number of k places nearest to the exact binary value, ties to even. Units: those of the
//! value. Formatting and parsing, because multiply-round-divide is wrong in rare cases (1.005 · 100 is not 100.5).
//! Not finite, or more than [`PLACES_MAX`] places: unchanged. Calculations keep full precision; only what is
//! published, and what is defined with places, is rounded.

use std::fmt::Write;

/// More places than any figure here has.
pub const PLACES_MAX: usize = 15;
/// Enough for the longest double written with so many places.
const TEXT_MAX: usize = 340;

/// Rounds to `places` decimals.
///
/// # Examples
/// ```
/// use formulas::rounding::round_to;
/// assert_eq!(round_to(1.005, 2), 1.0, "the double lies below 1.005");
/// assert_eq!(round_to(0.125, 2), 0.12, "a true tie goes to even");
/// assert_eq!(round_to(-2.6789, 3), -2.679);
/// assert!(round_to(f64::NAN, 3).is_nan());
/// ```
pub fn round_to(value: f64, places: usize) -> f64 {
    if !value.is_finite() || places > PLACES_MAX {
        return value;
    }
    let mut text = Text { bytes: [0; TEXT_MAX], length: 0 };
    match write!(text, "{value:.places$}") {
        Ok(()) => std::str::from_utf8(&text.bytes[..text.length])
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(value),
        Err(_) => value,
    }
}

/// Text on the stack: rounding must not allocate.
struct Text {
    bytes: [u8; TEXT_MAX],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_double_fits() {
        assert!(round_to(f64::MAX, PLACES_MAX) >= f64::MAX);
        assert!(round_to(-f64::MIN_POSITIVE, PLACES_MAX).abs() < 1e-300);
    }
}
