//! The best of many sequences: a bounded heap with one order for every instance.
//!
//! Better is: a higher score, then fewer actions, then lower cost, then the smaller list of actions. No two different
//! sequences are equal, so the best k do not depend on the order in which they are tried. Candidates stand in the order
//! of execution, best priority first, so the smaller list is also the one that a person would name first.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap},
};

use contracts::{Evaluated, Finite, PlanJob, ScoreParts, SubsetRange, next_subset, subset_of};
use money::{Currency, Money};

use crate::{
    limits::{ACTIONS_MAX, KEEP_MAX, NANO_PER_E4},
    simulate::{Infeasible, Outcome, Parts, Prepared, Walker},
};

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Best first.
    pub best: Vec<Evaluated>,
    /// How many were scored.
    pub evaluated: u32,
    /// How many were not, by code.
    pub infeasible: BTreeMap<String, u32>,
}

/// Tries every sequence of a job and keeps the best; `pool` is that of the context.
#[must_use]
pub fn tally(prepared: &Prepared, pool: &[u16], job: &PlanJob) -> Tally {
    let mut ranking = Ranking::new(prepared, usize::from(job.keep.min(KEEP_MAX)));
    for range in &job.ranges {
        ranking.take_range(pool, *range);
    }
    for actions in &job.sequences {
        ranking.take(actions);
    }
    ranking.said()
}

/// The best of all sequences so far. Nothing is allocated after the start.
#[derive(Debug)]
pub struct Ranking<'a> {
    walker: Walker<'a>,
    keep: usize,
    heap: BinaryHeap<Ranked>,
    evaluated: u32,
    infeasible: BTreeMap<Infeasible, u32>,
}

impl<'a> Ranking<'a> {
    /// Keeps the best `keep`.
    #[must_use]
    pub fn new(prepared: &'a Prepared, keep: usize) -> Ranking<'a> {
        Ranking {
            walker: prepared.walker(),
            keep,
            heap: BinaryHeap::with_capacity(keep + 1),
            evaluated: 0,
            infeasible: BTreeMap::new(),
        }
    }

    /// Tries the subsets of a pool by their numbers; numbers that no subset has are no sequences.
    pub fn take_range(&mut self, pool: &[u16], range: SubsetRange) {
        let size = usize::from(range.size);
        let (mut places, mut actions) = ([0_u16; ACTIONS_MAX], [0_u16; ACTIONS_MAX]);
        let Some(places) = places.get_mut(..size) else {
            return self.count(Infeasible::TooLong, range.count);
        };
        if !subset_of(pool.len(), range.first, places) {
            return self.count(Infeasible::BadIndex, range.count);
        }
        for tried in 0..range.count {
            for (action, place) in actions.iter_mut().zip(&*places) {
                *action = pool[usize::from(*place)];
            }
            self.take(&actions[..size]);
            if tried + 1 < range.count && !next_subset(pool.len(), places) {
                return self.count(Infeasible::BadIndex, range.count - tried - 1);
            }
        }
    }

    /// Tries one sequence.
    pub fn take(&mut self, actions: &[u16]) {
        match self.walker.evaluate(actions) {
            Ok(outcome) => {
                self.evaluated = self.evaluated.saturating_add(1);
                let worst = self.heap.peek().filter(|_| self.heap.len() >= self.keep);
                // Most sequences end here, at one comparison.
                if self.keep == 0 || worst.is_some_and(|worst| outcome.score < worst.outcome.score) {
                    return;
                }
                self.heap.push(Ranked::new(outcome, actions));
                if self.heap.len() > self.keep {
                    self.heap.pop();
                }
            }
            Err(why) => self.count(why, 1),
        }
    }

    fn count(&mut self, why: Infeasible, more: u32) {
        let count = self.infeasible.entry(why).or_default();
        *count = count.saturating_add(more);
    }

    fn said(self) -> Tally {
        let Ranking { mut walker, heap, evaluated, infeasible, .. } = self;
        let best = heap.into_sorted_vec().iter().filter_map(|ranked| ranked.said(&mut walker)).collect();
        let infeasible = infeasible.into_iter().map(|(why, count)| (why.code().to_string(), count)).collect();
        Tally { best, evaluated, infeasible }
    }
}

/// A scored sequence; the least is the best, so the heap's top is the worst of those kept.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    outcome: Outcome,
    actions: [u16; ACTIONS_MAX],
    length: usize,
}

impl Ranked {
    fn new(outcome: Outcome, actions: &[u16]) -> Ranked {
        let mut kept = [0; ACTIONS_MAX];
        let length = actions.len().min(ACTIONS_MAX);
        kept[..length].copy_from_slice(&actions[..length]);
        Ranked { outcome, actions: kept, length }
    }

    fn actions(&self) -> &[u16] {
        &self.actions[..self.length]
    }

    fn said(&self, walker: &mut Walker<'_>) -> Option<Evaluated> {
        let parts = walker.parts(self.actions()).ok()?;
        Some(Evaluated {
            actions: self.actions().to_vec(),
            score: Finite::new(self.outcome.score)?,
            before_costs: Finite::new(self.outcome.before_costs)?,
            cost_eur: up_to_e4(self.outcome.cost),
            impact_eur: up_to_e4(self.outcome.impact),
            cash_eur: Money::from_e4(self.outcome.cash.div_euclid(NANO_PER_E4), Currency::EUR),
            parts: said_parts(&parts)?,
        })
    }
}

/// Costs round up, what is left rounds down.
fn up_to_e4(nano: i64) -> Money {
    Money::from_e4(-(-nano).div_euclid(NANO_PER_E4), Currency::EUR)
}

/// The parts as they are said; `None` for what is no number.
pub(crate) fn said_parts(parts: &Parts) -> Option<ScoreParts> {
    Some(ScoreParts {
        total_return: Finite::new(parts.total_return)?,
        promise: Finite::new(parts.promise)?,
        stability: Finite::new(parts.stability)?,
        diversification: Finite::new(parts.diversification)?,
        dividend: Finite::new(parts.dividend)?,
        quality: Finite::new(parts.quality)?,
    })
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (&self.outcome, &other.outcome);
        theirs
            .score
            .total_cmp(&mine.score)
            .then_with(|| self.length.cmp(&other.length))
            .then_with(|| up_to_e4(mine.cost).e4().cmp(&up_to_e4(theirs.cost).e4()))
            .then_with(|| self.actions().cmp(other.actions()))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
