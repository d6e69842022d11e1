//! Relative strength index: the share of recent movement that was upward.
//!
//! Definition (Wilder), d_i = c_i − c_(i−1): G and L are the means of the first k gains and losses
//! (losses positive, no change counts as neither); then G = ((k−1)·G + gain)/k, L likewise;
//! RSI = 100·G/(G + L). Units: none. Range: 0 to 100. Empty, one, or fewer than k + 1 closes:
//! `None`. A series without movement has no strength: `None`, neither 0 nor 100. Negative closes
//! only matter through their differences. Not a number or infinity anywhere: `None` from there on.
//!
//! [`Seed::Exponential`] weights all differences by ((k−1)/k)^age instead of starting from a mean;
//! it exists to reproduce reference figures and equals Wilder's after some 200 bars.

use crate::finite::finite;

/// The usual number of differences.
pub const RSI_LENGTH: usize = 14;

/// How the averages of gains and losses begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// The mean of the first k differences: the rule.
    Wilder,
    /// The first difference: the reference's figures only.
    Exponential,
}

/// A relative strength index that takes one close at a time.
#[derive(Debug, Clone)]
pub struct Rsi {
    length: usize,
    /// 1/k: divisions one after the other would decide how long a series takes.
    share: f64,
    seed: Seed,
    differences: usize,
    last: Option<f64>,
    gain: f64,
    loss: f64,
}

impl Rsi {
    /// Starts an index over `length` differences; a length of 0 never has a value.
    pub fn new(length: usize, seed: Seed) -> Self {
        Self { length, share: 1.0 / length as f64, seed, differences: 0, last: None, gain: 0.0, loss: 0.0 }
    }

    /// Takes the next close.
    pub fn push(&mut self, close: f64) {
        if let Some(last) = self.last {
            self.push_difference(close - last);
        }
        self.last = Some(close);
    }

    fn push_difference(&mut self, difference: f64) {
        // `max` would turn "not a number" into 0 and hide it.
        let (gain, loss) = if difference.is_finite() {
            (difference.max(0.0), (-difference).max(0.0))
        } else {
            (f64::NAN, f64::NAN)
        };
        self.differences = self.differences.saturating_add(1);
        if self.seed == Seed::Wilder && self.differences <= self.length {
            self.gain += gain * self.share;
            self.loss += loss * self.share;
        } else {
            self.gain += (gain - self.gain) * self.share;
            self.loss += (loss - self.loss) * self.share;
        }
    }

    /// Returns the index once k differences were seen and something moved.
    pub fn value(&self) -> Option<f64> {
        if self.length == 0 || self.differences < self.length {
            return None;
        }
        let movement = self.gain + self.loss;
        if movement > 0.0 { finite(100.0 * self.gain / movement) } else { None }
    }
}

/// Computes Wilder's index of a whole series, oldest first.
///
/// # Examples
/// ```
/// // Differences +1, +1, −1 over 2: G = 1, L = 0, then G = 0.5, L = 0.5.
/// assert_eq!(formulas::rsi::rsi(&[1.0, 2.0, 3.0, 2.0], 2), Some(50.0));
/// assert_eq!(formulas::rsi::rsi(&[5.0; 40], 14), None);
/// ```
pub fn rsi(closes: &[f64], length: usize) -> Option<f64> {
    seeded_rsi(closes, length, Seed::Wilder)
}

/// Computes the index of a whole series with a chosen seed.
///
/// # Examples
/// ```
/// use formulas::rsi::{Seed, seeded_rsi};
/// // Weights 1 for the newest difference −1, 1/2 and 1/4 for the gains: 0.75/1.75.
/// let index = seeded_rsi(&[1.0, 2.0, 3.0, 2.0], 2, Seed::Exponential).unwrap();
/// assert!((index - 100.0 * 0.75 / 1.75).abs() < 1e-12);
/// ```
pub fn seeded_rsi(closes: &[f64], length: usize, seed: Seed) -> Option<f64> {
    let mut index = Rsi::new(length, seed);
    closes.iter().for_each(|&close| index.push(close));
    index.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_one_close_more_than_its_length() {
        let closes: Vec<f64> = (0..15).map(f64::from).collect();
        assert_eq!(rsi(&closes[..14], RSI_LENGTH), None);
        assert_eq!(rsi(&closes, RSI_LENGTH), Some(100.0));
        assert_eq!(rsi(&[], RSI_LENGTH), None);
        assert_eq!(rsi(&closes, 0), None);
    }

    #[test]
    fn is_zero_when_everything_fell() {
        let closes: Vec<f64> = (0..20).map(|i| 100.0 - f64::from(i)).collect();
        assert_eq!(rsi(&closes, RSI_LENGTH), Some(0.0));
    }

    #[test]
    fn stays_absent_after_a_value_that_is_not_a_number() {
        let mut closes: Vec<f64> = (0..60).map(f64::from).collect();
        closes[3] = f64::NAN;
        assert_eq!(rsi(&closes, RSI_LENGTH), None);
        closes[3] = f64::INFINITY;
        assert_eq!(rsi(&closes, RSI_LENGTH), None);
    }
}
