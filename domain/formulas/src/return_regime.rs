//! Mood of a window of daily returns: an indicator of the fund's own health, never the market regime.
//!
//! Definition, over the last W returns: m = mean, s = population deviation, d = deepest fall of their path. Label:
//! bull if m > 0.0005, d > −0.10 and s < 0.04; else bear if m < −0.0005, d < −0.12 or s > 0.03; else sideways. Score:
//! tanh(2·(0.5·clamp(600m) + 0.25·clamp(−15(s − 0.02)) + 0.25·c)), c = clamp(5.8(d + 0.05)), clamps to −1..1. Units:
//! fractions a day. Range: score −1 to 1. Fewer than W returns, W = 0 or not a number: `None`. The reference took the
//! fall with the wrong sign, so that a deep one looked good: [`Mood::score_reference`].

use crate::drawdown::max_drawdown_of_returns;
use crate::finite::finite;
use crate::moments::{mean, population_deviation};

/// The three figures of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mood {
    /// Mean return a day.
    pub mean: f64,
    /// Population deviation a day.
    pub deviation: f64,
    /// Deepest fall, ≤ 0.
    pub fall: f64,
}

/// Reads the mood of the last `window` returns.
///
/// # Examples
/// ```
/// let mood = formulas::return_regime::mood(&[0.5, 0.01, 0.01], 2).unwrap();
/// assert!((mood.mean - 0.01).abs() < 1e-12 && mood.fall == 0.0);
/// assert_eq!(mood.label(), "bull");
/// assert_eq!(formulas::return_regime::mood(&[0.01], 2), None);
/// ```
pub fn mood(returns: &[f64], window: usize) -> Option<Mood> {
    let last = &returns[returns.len().checked_sub(window)?..];
    Some(Mood {
        mean: mean(last)?,
        deviation: population_deviation(last)?,
        fall: max_drawdown_of_returns(last)?,
    })
}

impl Mood {
    /// The word for it.
    pub fn label(&self) -> &'static str {
        if self.mean > 0.0005 && self.fall > -0.10 && self.deviation < 0.04 {
            "bull"
        } else if self.mean < -0.0005 || self.fall < -0.12 || self.deviation > 0.03 {
            "bear"
        } else {
            "sideways"
        }
    }

    /// The score; a deeper fall is worse.
    pub fn score(&self) -> Option<f64> {
        self.scored(5.8)
    }

    /// The reference's score, for its figures only.
    pub fn score_reference(&self) -> Option<f64> {
        self.scored(-5.8)
    }

    fn scored(&self, slope: f64) -> Option<f64> {
        let clamp = |value: f64| value.clamp(-1.0, 1.0);
        let parts = 0.5 * clamp(600.0 * self.mean)
            + 0.25 * clamp(-15.0 * (self.deviation - 0.02))
            + 0.25 * clamp(slope * (self.fall + 0.05));
        finite(libm::tanh(2.0 * parts))
    }
}
