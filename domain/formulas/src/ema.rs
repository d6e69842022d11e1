//! Exponential moving average: an average that forgets old closes gradually.
//!
//! Definition: seed e = mean(c_0..c_(k−1)) at index k−1, then e += (2/(k+1))·(c_i − e).
//! Units: price. Range: within the closes seen. Empty or k = 0: `None`. With 1 to k−1 closes the
//! mean of all of them, marked partial. Negative closes are averaged like any other. Not a number or
//! infinity anywhere: `None` from there on, since its influence never ends.

use crate::finite::finite;
use crate::reading::Reading;

/// An exponential moving average that takes one close at a time.
#[derive(Debug, Clone)]
pub struct Ema {
    length: usize,
    share: f64,
    seen: usize,
    /// Sum of the closes while seeding, the average afterwards.
    state: f64,
}

impl Ema {
    /// Starts an average of `length` closes; a length of 0 never has a value.
    pub fn new(length: usize) -> Self {
        Self { length, share: 2.0 / (length as f64 + 1.0), seen: 0, state: 0.0 }
    }

    /// Takes the next close.
    pub fn push(&mut self, close: f64) {
        if self.seen < self.length {
            self.seen += 1;
            self.state += close;
            if self.seen == self.length {
                self.state /= self.length as f64;
            }
        } else {
            self.state += self.share * (close - self.state);
        }
    }

    /// Returns the average so far, partial while fewer than `length` closes were seen.
    pub fn value(&self) -> Option<Reading> {
        if self.seen == 0 {
            return None;
        }
        let is_partial = self.seen < self.length;
        let value = if is_partial { self.state / self.seen as f64 } else { self.state };
        Some(Reading { value: finite(value)?, is_partial })
    }
}

/// Computes the average of a whole series, oldest first.
///
/// # Examples
/// ```
/// // Seed (1 + 2 + 3)/3 = 2, then 2 + 0.5·(6 − 2) = 4.
/// let average = formulas::ema::ema(&[1.0, 2.0, 3.0, 6.0], 3).unwrap();
/// assert_eq!((average.value, average.is_partial), (4.0, false));
/// assert!(formulas::ema::ema(&[1.0, 2.0], 3).unwrap().is_partial);
/// ```
pub fn ema(closes: &[f64], length: usize) -> Option<Reading> {
    let mut average = Ema::new(length);
    closes.iter().for_each(|&close| average.push(close));
    average.value()
}

/// Computes how far a close lies from an average, (close − average)/average; `None` unless the
/// average is positive.
///
/// # Examples
/// ```
/// assert_eq!(formulas::ema::distance(110.0, 100.0), Some(0.1));
/// assert_eq!(formulas::ema::distance(110.0, 0.0), None);
/// ```
pub fn distance(close: f64, average: f64) -> Option<f64> {
    if average > 0.0 { finite((close - average) / average) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_value_without_closes_or_length() {
        assert_eq!(ema(&[], 3), None);
        assert_eq!(ema(&[1.0, 2.0], 0), None);
    }

    #[test]
    fn stays_absent_after_a_value_that_is_not_a_number() {
        assert_eq!(ema(&[1.0, f64::NAN, 2.0, 3.0, 4.0], 2), None);
        assert_eq!(ema(&[1.0, f64::INFINITY, 2.0, 3.0, 4.0], 2), None);
    }
}
