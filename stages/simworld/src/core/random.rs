//! Random draws that depend on nothing but their own key.
//!
//! SHA-256 of `simw1|{seed}|{stream}|{id}|{date}` seeds a ChaCha8 generator, so a draw never depends on
//! how many draws were made before it, by whom, or in which order. Transcendental functions come from a
//! pure-Rust library, because the platform's differ in the last bit between processors.

use std::fmt::Write as _;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// What a draw is used for; part of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Market factor and regime chain.
    Mkt,
    /// Sector factor.
    Sec,
    /// Region factor.
    Reg,
    /// A security's own noise.
    Eps,
    /// Rare jumps.
    Jump,
    /// Paths inside a day.
    Bridge,
    /// Traded volume.
    Vol,
    /// Noise of funds against their basket.
    Fund,
    /// Currency rates.
    Fx,
    /// Fills and order handling.
    Fill,
    /// Fault rules.
    Fault,
    /// Dated events: halts.
    Evt,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Mkt => "mkt",
            Self::Sec => "sec",
            Self::Reg => "reg",
            Self::Eps => "eps",
            Self::Jump => "jump",
            Self::Bridge => "bridge",
            Self::Vol => "vol",
            Self::Fund => "fund",
            Self::Fx => "fx",
            Self::Fill => "fill",
            Self::Fault => "fault",
            Self::Evt => "evt",
        }
    }
}

/// A generator that belongs to one key.
pub(crate) struct Draws(ChaCha8Rng);

/// Opens the generator of one key.
pub(crate) fn draws(seed: u64, stream: Stream, id: &str, date: impl std::fmt::Display) -> Draws {
    let mut key = String::with_capacity(64);
    // Writing to a String cannot fail.
    let _ = write!(key, "simw1|{seed}|{}|{id}|{date}", stream.name());
    Draws(ChaCha8Rng::from_seed(Sha256::digest(key.as_bytes()).into()))
}

impl Draws {
    /// Draws uniformly from 0 (included) to 1 (excluded), 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws uniformly from `0..below`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.0.next_u64() % below.max(1)
    }

    /// Draws a standard normal deviate: Box-Muller, cosine branch only.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(2.0 * std::f64::consts::PI * self.uniform())
    }

    /// Draws a Student-t deviate with 6 degrees of freedom, scaled to unit variance.
    ///
    /// A chi-square variable with 6 degrees of freedom is the sum of three exponential ones.
    pub(crate) fn t6(&mut self) -> f64 {
        let z = self.normal();
        let product = (1.0 - self.uniform()) * (1.0 - self.uniform()) * (1.0 - self.uniform());
        let chi2 = -2.0 * libm::log(product);
        z / (chi2 / 6.0).sqrt() / 1.5_f64.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_give_equal_draws_and_any_change_gives_others() {
        let one = |seed, stream, id, date: &str| draws(seed, stream, id, date).uniform().to_bits();
        let base = one(1, Stream::Mkt, "M", "2026-03-02");
        assert_eq!(base, one(1, Stream::Mkt, "M", "2026-03-02"));
        for other in [
            one(2, Stream::Mkt, "M", "2026-03-02"),
            one(1, Stream::Sec, "M", "2026-03-02"),
            one(1, Stream::Mkt, "N", "2026-03-02"),
            one(1, Stream::Mkt, "M", "2026-03-03"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn normal_and_student_draws_have_mean_zero_and_unit_variance() {
        for student in [false, true] {
            let mut rng = draws(7, Stream::Mkt, "statistics", student);
            let n = 40_000;
            let values: Vec<f64> = (0..n).map(|_| if student { rng.t6() } else { rng.normal() }).collect();
            let mean = values.iter().sum::<f64>() / f64::from(n);
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / f64::from(n);
            assert!(mean.abs() < 0.02, "mean {mean}");
            assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
        }
    }
}
