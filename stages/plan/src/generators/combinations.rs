//! Random combinations of sales and purchases, better candidates more often, never the same corner of the market again.
//!
//! Candidates of a priority from the threshold on, best first, so many of each side. An attempt draws how many sales and
//! how many purchases, then each with weight ((p − min)/(max − min))² + 0.1, again and again from all; repeated securities
//! are dropped. An attempt is refused when its countries and its industries both overlap by more than 0.8 with one of the
//! last ten sequences. Three attempts for each sequence wanted.
//!
//! The draws come in as numbers, so that the same draws give the same sequences.

use std::collections::BTreeSet;

use limits::Side;

use crate::{
    lists::{Item, by_priority},
    parameters::Combinations,
};

/// Overlap of countries and of industries from which on two sequences are alike.
const ALIKE: f64 = 0.8;
/// Sequences that a new one is compared with.
const LOOK_BACK: usize = 10;
/// Attempts per sequence wanted.
const ATTEMPTS: usize = 3;

/// How many of what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Sales of one sequence.
    pub sells: usize,
    /// Purchases of one sequence.
    pub buys: usize,
    /// Actions of one sequence.
    pub steps: usize,
    /// Sequences.
    pub sequences: usize,
    /// Candidates of each side.
    pub candidates: usize,
    /// Priority from which on a candidate counts.
    pub priority: f64,
}

impl Limits {
    /// Those of a depth: at most half of the actions are sales.
    #[must_use]
    pub fn of_depth(depth: usize, wanted: &Combinations) -> Limits {
        Limits {
            sells: (depth / 2).min(wanted.sells),
            buys: depth.min(wanted.buys),
            steps: depth.min(wanted.steps),
            sequences: wanted.sequences,
            candidates: wanted.candidates,
            priority: wanted.priority,
        }
    }
}

/// Where a security belongs; nothing known is alike to nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Belongs {
    /// Its country.
    pub country: Option<String>,
    /// Its industries.
    pub industries: BTreeSet<String>,
}

/// The combinations that the draws make.
pub fn combinations(
    candidates: &[Item],
    limits: Limits,
    belongs: Option<&dyn Fn(u16) -> Belongs>,
    draws: &mut dyn Iterator<Item = f64>,
) -> Vec<Vec<Item>> {
    let good: Vec<Item> =
        candidates.iter().copied().filter(|item| item.priority >= limits.priority).collect();
    let good = by_priority(good);
    let side = |side| {
        good.iter().copied().filter(|item| item.side == side).take(limits.candidates).collect::<Vec<_>>()
    };
    let (sells, buys) = (Urn::new(side(Side::Sell)), Urn::new(side(Side::Buy)));
    let mut accepted: Vec<Vec<Item>> = Vec::new();
    let mut corners: Vec<Corner> = Vec::new();
    for _ in 0..limits.sequences.saturating_mul(ATTEMPTS) {
        if accepted.len() >= limits.sequences {
            break;
        }
        let Some(sequence) = attempt(&sells, &buys, limits, draws) else { break };
        if sequence.is_empty() {
            continue;
        }
        if let Some(belongs) = belongs {
            let corner = Corner::of(&sequence, belongs);
            let recent = corners.iter().rev().take(LOOK_BACK);
            if recent.into_iter().any(|known| known.is_like(&corner)) {
                continue;
            }
            corners.push(corner);
        }
        accepted.push(sequence);
    }
    accepted
}

/// One attempt; empty when it comes to nothing, `None` when there are no more draws.
fn attempt(
    sells: &Urn,
    buys: &Urn,
    limits: Limits,
    draws: &mut dyn Iterator<Item = f64>,
) -> Option<Vec<Item>> {
    let mut count = |most: usize, urn: &Urn| {
        let most = most.min(urn.items.len());
        if most == 0 { Some(0) } else { draws.next().map(|draw| 1 + place(draw, most)) }
    };
    let (sold, bought) = (count(limits.sells, sells)?, count(limits.buys, buys)?);
    if sold + bought > limits.steps || sold + bought == 0 {
        return Some(Vec::new());
    }
    let mut sequence: Vec<Item> = Vec::new();
    for (urn, times) in [(sells, sold), (buys, bought)] {
        let from = sequence.len();
        for _ in 0..times {
            let item = urn.draw(draws.next()?)?;
            if sequence[from..].iter().all(|known| known.security != item.security) {
                sequence.push(item);
            }
        }
    }
    Some(sequence)
}

/// ⌊draw · n⌋, never n.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)] // A draw is from 0 to 1, a count is small.
fn place(draw: f64, n: usize) -> usize {
    ((draw.clamp(0.0, 1.0) * n as f64) as usize).min(n.saturating_sub(1))
}

/// Candidates of one side with their weights.
struct Urn {
    items: Vec<Item>,
    weights: Vec<f64>,
}

impl Urn {
    fn new(items: Vec<Item>) -> Urn {
        let priorities = || items.iter().map(|item| item.priority);
        let (least, most) =
            (priorities().fold(f64::INFINITY, f64::min), priorities().fold(f64::NEG_INFINITY, f64::max));
        let weight = |priority: f64| {
            if most > least { ((priority - least) / (most - least)).powi(2) + 0.1 } else { 1.0 }
        };
        let weights: Vec<f64> = priorities().map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let weights = weights.iter().map(|weight| weight / sum).collect();
        Urn { items, weights }
    }

    /// The first whose weights up to it exceed the draw; the last if none do.
    fn draw(&self, draw: f64) -> Option<Item> {
        let target = draw * self.weights.iter().sum::<f64>();
        let mut sum = 0.0;
        for (item, weight) in self.items.iter().zip(&self.weights) {
            sum += weight;
            if sum > target {
                return Some(*item);
            }
        }
        self.items.last().copied()
    }
}

/// Where in the market a sequence is.
struct Corner {
    countries: BTreeSet<String>,
    industries: BTreeSet<String>,
}

impl Corner {
    fn of(sequence: &[Item], belongs: &dyn Fn(u16) -> Belongs) -> Corner {
        let mut corner = Corner { countries: BTreeSet::new(), industries: BTreeSet::new() };
        for item in sequence {
            let Belongs { country, industries } = belongs(item.security);
            corner.countries.extend(country);
            corner.industries.extend(industries);
        }
        corner
    }

    fn is_like(&self, other: &Corner) -> bool {
        overlap(&self.countries, &other.countries) > ALIKE
            && overlap(&self.industries, &other.industries) > ALIKE
    }
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // A handful of names.
fn overlap(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    one.intersection(other).count() as f64 / one.union(other).count().max(1) as f64
}
