//! Bollinger bands: a corridor of k standard deviations around a moving average.
//!
//! Definition: m = mean of the last n closes, s = their population standard deviation; bands
//! m ∓ width·s; position = clip((close − lower)/(upper − lower)). Units: price; position is a
//! fraction 0 to 1. Empty or fewer than n closes, or n = 0: `None`. A flat series has collapsed
//! bands: the position is 0.5, the middle. Negative closes are ordinary. Not a number or infinity
//! among the last n closes: `None`.

use crate::finite::finite;
use crate::moments::{mean, population_deviation};

/// The usual number of closes.
pub const BOLLINGER_LENGTH: usize = 20;
/// The usual half width in standard deviations.
pub const BOLLINGER_WIDTH: f64 = 2.0;
/// Bands narrower than this share of the middle are rounding noise of a flat series.
const COLLAPSED_SHARE: f64 = 1e-9;

/// The three bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// m − width·s.
    pub lower: f64,
    /// m.
    pub middle: f64,
    /// m + width·s.
    pub upper: f64,
}

/// Computes the bands over the last `length` closes.
///
/// # Examples
/// ```
/// let bands = formulas::bollinger::bands(&[50.0, 99.0, 101.0], 2, 2.0).unwrap();
/// assert_eq!((bands.lower, bands.middle, bands.upper), (98.0, 100.0, 102.0));
/// assert_eq!(bands.position(101.0), Some(0.75));
/// ```
pub fn bands(closes: &[f64], length: usize, width: f64) -> Option<Bands> {
    let start = closes.len().checked_sub(length)?;
    let middle = mean(&closes[start..])?;
    let half = width * population_deviation(&closes[start..])?;
    Some(Bands { lower: finite(middle - half)?, middle, upper: finite(middle + half)? })
}

impl Bands {
    /// Computes where a close lies between the bands: 0 at or below the lower, 1 at or above the
    /// upper, 0.5 when the bands have collapsed; `None` for a close that is not a number.
    pub fn position(&self, close: f64) -> Option<f64> {
        let close = finite(close)?;
        let height = self.upper - self.lower;
        if height <= COLLAPSED_SHARE * self.middle.abs() {
            return Some(0.5);
        }
        finite((close - self.lower) / height).map(|share| share.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collapses_to_the_middle_on_a_flat_series() {
        let flat = bands(&[0.1; 20], BOLLINGER_LENGTH, BOLLINGER_WIDTH);
        assert_eq!(flat.and_then(|bands| bands.position(0.1)), Some(0.5));
    }

    #[test]
    fn is_absent_below_its_length_and_with_values_that_are_not_numbers() {
        assert_eq!(bands(&[1.0; 19], BOLLINGER_LENGTH, BOLLINGER_WIDTH), None);
        assert_eq!(bands(&[], 0, BOLLINGER_WIDTH), None);
        let mut closes = [1.0; 20];
        closes[5] = f64::NAN;
        assert_eq!(bands(&closes, BOLLINGER_LENGTH, BOLLINGER_WIDTH), None);
    }

    #[test]
    fn position_is_clipped_on_both_sides() {
        let bands = Bands { lower: 90.0, middle: 100.0, upper: 110.0 };
        assert_eq!(bands.position(80.0), Some(0.0));
        assert_eq!(bands.position(120.0), Some(1.0));
        assert_eq!(bands.position(f64::NAN), None);
    }
}
