//! From what the finders say to the few candidates that sequences are made of.
//!
//! Two proposals for the same side of a security become one: the larger priority, the smaller sale, the larger
//! purchase. The best by priority stay; they are then put in the order of execution (sales first, then by priority),
//! so that every ascending list of indexes is a sequence in its right order.

use std::collections::BTreeMap;

use contracts::{Candidate, LeftOut, Side};
use market::Isin;

use crate::{opportunities::ALL, sequences, snapshot::Snapshot};

/// What a run starts from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    /// In the order of execution.
    pub candidates: Vec<Candidate>,
    /// Every other security, by ISIN.
    pub left_out: Vec<LeftOut>,
}

/// Asks every finder and keeps the best.
#[must_use]
pub fn gather(snapshot: &Snapshot<'_>) -> Pool {
    let mut merged: BTreeMap<(Isin, Side), Candidate> = BTreeMap::new();
    let mut not: BTreeMap<Isin, LeftOut> = BTreeMap::new();
    for (_, propose) in ALL {
        let report = propose(snapshot);
        for candidate in report.found {
            merge(&mut merged, candidate);
        }
        for left_out in report.not {
            // The first finder's reason stays, unless it is only that nothing is to be done and another has more to say.
            let says_more = not
                .get(&left_out.isin)
                .is_none_or(|known| known.code == "on_target" && left_out.code != "score_low");
            if says_more {
                not.insert(left_out.isin, left_out);
            }
        }
    }
    let mut candidates: Vec<Candidate> = merged.into_values().collect();
    candidates.sort_by(by_priority);
    let most = sequences::pool_that_fits(snapshot.rules.max_pool, snapshot.rules.max_depth);
    for candidate in candidates.drain(most.min(candidates.len())..) {
        let text = format!("{most} better candidates fill the pool.");
        not.insert(candidate.isin, LeftOut { isin: candidate.isin, code: "pool_full".into(), text });
    }
    candidates.sort_by(in_order);
    not.retain(|isin, _| candidates.iter().all(|candidate| candidate.isin != *isin));
    for left_out in &snapshot.left_out {
        not.insert(left_out.isin, left_out.clone());
    }
    Pool { candidates, left_out: not.into_values().collect() }
}

fn merge(merged: &mut BTreeMap<(Isin, Side), Candidate>, candidate: Candidate) {
    let key = (candidate.isin, candidate.side);
    let Some(known) = merged.remove(&key) else {
        merged.insert(key, candidate);
        return;
    };
    let priority = if candidate.priority > known.priority { candidate.priority } else { known.priority };
    let finder = format!("{}, {}", known.finder, candidate.finder);
    let reason = format!("{} {}", known.reason, candidate.reason);
    let sells = candidate.side == Side::Sell;
    let size = if (candidate.qty_e6 > known.qty_e6) == sells { known } else { candidate };
    merged.insert(key, Candidate { priority, finder, reason, ..size });
}

fn by_priority(one: &Candidate, other: &Candidate) -> std::cmp::Ordering {
    other
        .priority
        .get()
        .total_cmp(&one.priority.get())
        .then_with(|| one.isin.cmp(&other.isin))
        .then_with(|| other.side.cmp(&one.side))
}

fn in_order(one: &Candidate, other: &Candidate) -> std::cmp::Ordering {
    // `Sell` is the greater side.
    other.side.cmp(&one.side).then_with(|| by_priority(one, other))
}
