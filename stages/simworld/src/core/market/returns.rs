//! One day's return of one security from the factors of the day.
//!
//! `r = mu + s (b M + c S + g G + e Z) + J`, all factors with unit variance, `b² + c² + g² + e² = 1`.

use super::regime::Regime;
use crate::core::random::{Draws, Stream, draws};
use crate::core::universe::{Kind, Region, Security};

/// Trading days a year in every formula of the market model.
pub(crate) const YEAR: f64 = 252.0;

/// Factor draws that all securities share on one day.
pub(crate) struct Factors {
    pub(crate) regime: Regime,
    pub(crate) market: f64,
    seed: u64,
    date: i32,
    sectors: Vec<(&'static str, f64)>,
    regions: [f64; 3],
}

impl Factors {
    /// Draws the factors of a day.
    pub(crate) fn draw(seed: u64, date: i32, regime: Regime, sectors: &[&'static str]) -> Self {
        let one = |stream, id: &str| draws(seed, stream, id, date).t6();
        Self {
            regime,
            market: one(Stream::Mkt, "M"),
            seed,
            date,
            sectors: sectors.iter().map(|s| (*s, one(Stream::Sec, s))).collect(),
            regions: [one(Stream::Reg, "US"), one(Stream::Reg, "EU"), one(Stream::Reg, "AS")],
        }
    }

    fn sector(&self, name: &str) -> f64 {
        self.sectors.iter().find(|(sector, _)| *sector == name).map_or(0.0, |(_, draw)| *draw)
    }

    fn region(&self, region: Region) -> f64 {
        match region {
            Region::Us => self.regions[0],
            Region::Europe => self.regions[1],
            Region::Asia => self.regions[2],
        }
    }
}

/// Returns a security's volatility of one day.
pub(crate) fn daily_sigma(security: &Security, regime: Regime) -> f64 {
    security.sigma * regime.volatility() / YEAR.sqrt()
}

/// Returns the log return of a share or of the commodity on a session, before any dividend.
pub(crate) fn of_session(security: &Security, factors: &Factors) -> f64 {
    let s = daily_sigma(security, factors.regime);
    let mut own = draws(factors.seed, Stream::Eps, security.ticker, factors.date);
    let z = own.t6();
    if security.kind == Kind::Etc {
        // The commodity follows nothing and is sought in a crisis.
        let drift = if factors.regime == Regime::Crisis { 0.15 } else { 0.0 };
        return (0.02 + drift) / YEAR - s * s / 2.0 + s * z;
    }
    let load = Loadings::of(security, factors.regime);
    let mu = (0.02 + security.beta * factors.regime.drift() + security.alpha) / YEAR - s * s / 2.0;
    let mix = load.market * factors.market
        + load.sector * factors.sector(security.sector)
        + load.region * factors.region(security.region())
        + load.own * z;
    mu + s * mix + jump(security, factors)
}

struct Loadings {
    market: f64,
    sector: f64,
    region: f64,
    own: f64,
}

impl Loadings {
    fn of(security: &Security, regime: Regime) -> Self {
        let b = (security.beta * 0.16 / security.sigma).clamp(0.0, 0.85);
        let rest = (1.0 - b * b).sqrt();
        let (c, g) = (0.35 * rest, 0.30 * rest);
        let e = (1.0 - b * b - c * c - g * g).sqrt();
        if regime != Regime::Crisis {
            return Self { market: b, sector: c, region: g, own: e };
        }
        // In a crisis everything moves together: more market, proportionally less of the rest.
        let b2 = (b * b + 0.4 * (1.0 - b * b)).sqrt();
        let scale = ((1.0 - b2 * b2) / (1.0 - b * b)).sqrt();
        Self { market: b2, sector: c * scale, region: g * scale, own: e * scale }
    }
}

fn jump(security: &Security, factors: &Factors) -> f64 {
    let mut rng: Draws = draws(factors.seed, Stream::Jump, security.ticker, factors.date);
    if rng.uniform() >= security.jumps_per_year / YEAR {
        return 0.0;
    }
    let sigma = 3.0 * security.sigma / YEAR.sqrt() * 2.0;
    (-0.01 + sigma * rng.normal()).clamp(-0.45, 0.45)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::universe::securities;

    #[test]
    fn squared_loadings_add_up_to_one_in_every_mood() {
        for security in securities() {
            for regime in [Regime::Calm, Regime::Choppy, Regime::Crisis] {
                let l = Loadings::of(&security, regime);
                let sum = l.market * l.market + l.sector * l.sector + l.region * l.region + l.own * l.own;
                assert!((sum - 1.0).abs() < 1e-12, "{} {regime:?} {sum}", security.ticker);
            }
        }
    }

    #[test]
    fn the_commodity_ignores_the_market_factor() {
        let all = securities();
        let gold = all.iter().find(|s| s.kind == Kind::Etc).unwrap();
        let mut factors = Factors::draw(1, 20_000, Regime::Calm, &[]);
        let before = of_session(gold, &factors);
        factors.market = 9.0;
        assert_eq!(before.to_bits(), of_session(gold, &factors).to_bits());
    }
}
