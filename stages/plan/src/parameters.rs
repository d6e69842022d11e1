//! What a planner configuration decides: which finders, patterns and generators work, and their thresholds.
//!
//! The defaults are those of a fund without a configuration of its own.

use std::collections::BTreeMap;

use money::Weight;

use crate::{limits::DEPTH_MAX, patterns::Pattern};

/// A finder's switch and its weight in the priority.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switch {
    /// Asked at all.
    pub enabled: bool,
    /// Factor of its priorities.
    pub weight: f64,
}

/// How many random combinations of what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combinations {
    /// Sales of one sequence.
    pub sells: usize,
    /// Purchases of one sequence.
    pub buys: usize,
    /// Actions of one sequence.
    pub steps: usize,
    /// Sequences of each depth.
    pub sequences: usize,
    /// Candidates of each side.
    pub candidates: usize,
    /// Priority from which on a candidate counts.
    pub priority: f64,
}

/// All parameters of proposing.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Closes the distance to a target.
    pub weight_based: Switch,
    /// Distance from which on it does, as a share of the fund.
    pub min_gap: Weight,
    /// Takes unexpected gains.
    pub profit_taking: Switch,
    /// Gain beyond what its past explains from which on it does.
    pub windfall_from: f64,
    /// Reduces groups over their target.
    pub rebalance_sells: Switch,
    /// Share of the invested value from which on a group is over.
    pub overweight: f64,
    /// Largest part of a holding that one such sale is.
    pub overweight_part: Weight,
    /// Fills groups under their target.
    pub rebalance_buys: Switch,
    /// Share of the invested value from which on a group is under.
    pub underweight: f64,
    /// Buys what is good.
    pub opportunity_buys: Switch,
    /// Quality from which on it does.
    pub opportunity_quality: f64,
    /// Buys more of what fell.
    pub averaging_down: Switch,
    /// Deepest fall below the average price, negative.
    pub max_dip: f64,
    /// Smallest fall, negative.
    pub min_dip: f64,
    /// Quality from which on it does.
    pub averaging_quality: f64,
    /// Spends dividends on what paid them.
    pub dividend_reinvestment: Switch,
    /// Yield from which on it does.
    pub dividend_yield: f64,
    /// Purchases at all.
    pub allow_buy: bool,
    /// Sales at all.
    pub allow_sell: bool,
    /// Candidates below this priority are dropped.
    pub priority_threshold: f64,
    /// Candidates of one category.
    pub per_category: usize,
    /// Whether those are chosen from different groups.
    pub diverse: bool,
    /// How much difference counts against priority, 0 to 1.
    pub diversity_weight: f64,
    /// Candidates whose subsets are all tried (4–24).
    pub max_pool: usize,
    /// Actions of one sequence (1–10).
    pub max_depth: usize,
    /// Whether every subset of the pool is tried.
    pub subsets: bool,
    /// Patterns that add what the pool cut away, each up to its depth.
    pub patterns: BTreeMap<Pattern, usize>,
    /// Random combinations of what the pool cut away.
    pub combinations: Option<Combinations>,
    /// Two purchases that move more alike than this are in no sequence together.
    pub correlation_max: Option<f64>,
}

impl Default for Parameters {
    fn default() -> Self {
        let on = |weight| Switch { enabled: true, weight };
        let share = |e6| Weight::from_e6(e6).expect("below one");
        Parameters {
            weight_based: on(1.0),
            min_gap: share(10_000),
            profit_taking: on(1.2),
            windfall_from: 0.0,
            rebalance_sells: on(0.8),
            overweight: 0.02,
            overweight_part: share(300_000),
            rebalance_buys: on(0.9),
            underweight: 0.02,
            opportunity_buys: on(1.1),
            opportunity_quality: 0.7,
            averaging_down: on(1.0),
            max_dip: -0.20,
            min_dip: -0.05,
            averaging_quality: 0.6,
            dividend_reinvestment: on(1.0),
            dividend_yield: 0.03,
            allow_buy: true,
            allow_sell: true,
            priority_threshold: 0.3,
            per_category: 5,
            diverse: true,
            diversity_weight: 0.3,
            max_pool: 20,
            max_depth: 5,
            subsets: true,
            patterns: Pattern::ALL
                .into_iter()
                .filter(|one| *one != Pattern::Adaptive)
                .map(depth_of)
                .collect(),
            combinations: None,
            correlation_max: None,
        }
    }
}

/// A pattern with the depth up to which it is asked: one action is one action at every depth.
fn depth_of(pattern: Pattern) -> (Pattern, usize) {
    (pattern, if pattern == Pattern::SingleBest { 1 } else { DEPTH_MAX })
}
