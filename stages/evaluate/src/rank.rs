//! The best of many sequences: a bounded heap with one order for every instance.
//!
//! Better is: a higher score, then fewer actions, then lower cost, then the smaller list of actions. No two different
//! sequences are equal, so the best k do not depend on the order in which they are tried.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap},
};

use contracts::{Evaluated, Finite};

use crate::{
    limits::KEEP_MAX,
    simulate::{Infeasible, Outcome, Prepared},
};

/// What came of a list of sequences.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Best first.
    pub best: Vec<Evaluated>,
    /// How many were scored.
    pub evaluated: u32,
    /// How many were not, by code.
    pub infeasible: BTreeMap<String, u32>,
}

/// Tries every sequence and keeps the best.
#[must_use]
pub fn tally(prepared: &Prepared, sequences: &[Vec<u16>], keep: u16) -> Tally {
    let keep = usize::from(keep.min(KEEP_MAX));
    let mut heap = BinaryHeap::with_capacity(keep + 1);
    let mut evaluated = 0_u32;
    let mut infeasible: BTreeMap<Infeasible, u32> = BTreeMap::new();
    for actions in sequences {
        match prepared.evaluate(actions) {
            Ok(outcome) => {
                evaluated = evaluated.saturating_add(1);
                heap.push(Ranked { outcome, actions });
                if heap.len() > keep {
                    heap.pop();
                }
            }
            Err(why) => {
                let count = infeasible.entry(why).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let best = heap.into_sorted_vec().iter().filter_map(Ranked::said).collect();
    let infeasible = infeasible.into_iter().map(|(why, count)| (why.code().to_string(), count)).collect();
    Tally { best, evaluated, infeasible }
}

/// A scored sequence; the least is the best, so the heap's top is the worst of those kept.
struct Ranked<'a> {
    outcome: Outcome,
    actions: &'a [u16],
}

impl Ranked<'_> {
    fn said(&self) -> Option<Evaluated> {
        Some(Evaluated {
            actions: self.actions.to_vec(),
            score: Finite::new(self.outcome.score)?,
            before_costs: Finite::new(self.outcome.before_costs)?,
            cost_eur: self.outcome.cost_eur,
            cash_eur: self.outcome.cash_eur,
        })
    }
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (&self.outcome, &other.outcome);
        theirs
            .score
            .total_cmp(&mine.score)
            .then_with(|| self.actions.len().cmp(&other.actions.len()))
            .then_with(|| mine.cost_eur.e4().cmp(&theirs.cost_eur.e4()))
            .then_with(|| self.actions.cmp(other.actions))
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked<'_> {}
