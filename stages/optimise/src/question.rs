//! Everything one run decides from, as plain values; the same question always has the same answer.

use std::collections::BTreeMap;

use market::Isin;

use crate::{groups::Range, risk::Risk};

/// A security whose weight is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Which.
    pub isin: Isin,
    /// Share of the core now.
    pub current: f64,
    /// May be bought.
    pub allow_buy: bool,
    /// May be sold.
    pub allow_sell: bool,
    /// The owner's own limit.
    pub own_max: Option<f64>,
    /// The least the owner wants of it.
    pub own_min: Option<f64>,
    /// The owner wants it sold over time.
    pub leaves: bool,
    /// Expected return a year.
    pub expected: f64,
}

/// A holding about which nothing can be decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked {
    /// Which.
    pub isin: Isin,
    /// Share of the core now, and then.
    pub current: f64,
    /// Why.
    pub reason: String,
}

/// How the securities are joined into a tree.
pub use formulas::linkage::Linkage;

/// The owner's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Return a year to aim at.
    pub target_return: f64,
    /// Volatility a year that is acceptable when the return is out of reach.
    pub target_volatility: f64,
    /// Risk-free rate a year.
    pub risk_free: f64,
    /// Share of risk parity in the blend.
    pub blend: f64,
    /// Largest share of one security.
    pub max_position: f64,
    /// Smallest trade worth its costs, as a share of the core.
    pub min_trade: f64,
    /// How the tree is built.
    pub linkage: Linkage,
    /// Whether new positions are bounded by their edge.
    pub kelly_cap: bool,
    /// Largest loss on the worst stretches of twenty days, above zero, if one is set.
    pub max_tail_loss: Option<f64>,
}

/// What was said before.
#[derive(Debug, Clone, PartialEq)]
pub struct Previous {
    /// Targets by security.
    pub weights: BTreeMap<Isin, f64>,
    /// Days since.
    pub age_days: f64,
}

/// One run's ground.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// By ISIN, as many as the risk knows.
    pub assets: Vec<Asset>,
    /// By ISIN.
    pub locked: Vec<Locked>,
    /// How the assets move.
    pub risk: Risk,
    /// Countries, then industries.
    pub groups: Vec<Range>,
    /// Share of the core that stays cash.
    pub reserve: f64,
    /// The owner's figures.
    pub parameters: Parameters,
    /// What was said before, if anything.
    pub previous: Option<Previous>,
}

impl Question {
    /// Share of the core in holdings about which nothing can be decided.
    #[must_use]
    pub fn locked_sum(&self) -> f64 {
        // An empty sum of floats is minus zero, which a person would read.
        self.locked.iter().map(|locked| locked.current).sum::<f64>() + 0.0
    }
}
