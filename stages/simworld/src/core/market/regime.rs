//! The three moods of the simulated market and the chain that moves between them.

use serde::{Deserialize, Serialize};

/// Mood of the whole market on a weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Rising, little movement.
    Calm,
    /// Slightly rising, more movement.
    Choppy,
    /// Falling, violent movement.
    Crisis,
}

impl Regime {
    /// Returns the mood of the next weekday for a uniform draw.
    pub(crate) fn step(self, draw: f64) -> Self {
        // Chances of calm and of choppy tomorrow; the rest is crisis.
        let (calm, choppy) = match self {
            Self::Calm => (0.9895, 0.0100),
            Self::Choppy => (0.0200, 0.9760),
            Self::Crisis => (0.0020, 0.0300),
        };
        if draw < calm {
            Self::Calm
        } else if draw < calm + choppy {
            Self::Choppy
        } else {
            Self::Crisis
        }
    }

    /// Returns the yearly drift of the market factor above cash.
    pub(crate) fn drift(self) -> f64 {
        match self {
            Self::Calm => 0.12,
            Self::Choppy => 0.02,
            Self::Crisis => -0.55,
        }
    }

    /// Returns the multiplier of every volatility.
    pub(crate) fn volatility(self) -> f64 {
        match self {
            Self::Calm => 0.75,
            Self::Choppy => 1.15,
            Self::Crisis => 2.2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mood_leads_to_all_three_and_mostly_to_itself() {
        for mood in [Regime::Calm, Regime::Choppy, Regime::Crisis] {
            let n = 10_000_u32;
            let next: Vec<Regime> = (0..n).map(|i| mood.step(f64::from(i) / f64::from(n))).collect();
            assert!(next.iter().filter(|m| **m == mood).count() > 9_600, "{mood:?}");
            for other in [Regime::Calm, Regime::Choppy, Regime::Crisis] {
                assert!(next.contains(&other), "{mood:?} never leads to {other:?}");
            }
        }
    }
}
