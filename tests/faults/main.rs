//! Seeded fault runs of the money path. A seed chooses what goes wrong: any process ended at any message and any write,
//! the bus losing, doubling, delaying and forgetting, the broker late, silent, wrong or dead, clocks that jump, prices
//! that stop, halts in the middle, and somebody on the bus who claims to be the gate. After every step independent
//! checkers compare the stores with the simulated broker's own books; when the faults stop, everything must settle.
//!
//! `make soak SEEDS=1000 FIRST=1` runs many, `SEED=4711 cargo test -p steward-tests --test faults soak` one. A failing run
//! prints its seed, its checker and that command. What failed once stays in `REGRESSIONS` by name.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod checkers;
mod dice;
mod intruder;
#[cfg(feature = "mutants")]
mod mutants;
mod proposer;
mod rig;
mod run;
mod security;
mod weather;
mod witness;

use std::time::Instant;

use run::{Outcome, run};

/// Runs that belong to every change.
const SEEDS: u64 = 12;

/// Runs that failed once, by what they showed.
const REGRESSIONS: &[(&str, u64)] = &[];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn soak() {
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = number("FIRST").unwrap_or(1);
            (first..first + number("SEEDS").unwrap_or(SEEDS)).collect()
        }
    };
    let (begin, total) = (Instant::now(), seeds.len());
    let mut sum = Outcome::default();
    let mut broken = Vec::new();
    for (done, seed) in (1_usize..).zip(seeds) {
        let outcome = run(seed);
        if let Some(violation) = &outcome.violation {
            println!(
                "seed {seed}: {violation}\n  again: SEED={seed} cargo test --profile ci -p steward-tests --test faults soak -- --nocapture"
            );
            broken.push(seed);
        }
        sum.add(&outcome);
        if total > 100 && done % 100 == 0 {
            println!("{done} of {total} runs: {}", sum.line(begin.elapsed()));
        }
    }
    println!("{total} runs: {}", sum.line(begin.elapsed()));
    assert!(broken.is_empty(), "{} of {total} runs broke a rule, seeds {broken:?}", broken.len());
    assert!(sum.sent > 0, "no order reached the broker in any run, so nothing was proved");
}

#[test]
fn what_failed_once_holds_for_ever() {
    for (name, seed) in REGRESSIONS {
        let outcome = run(*seed);
        assert!(outcome.violation.is_none(), "{name}, seed {seed}: {:?}", outcome.violation);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let digest = |seed| {
        let outcome = run(seed);
        (outcome.sent, outcome.asked, outcome.deaths, outcome.steps, outcome.violation)
    };
    assert_eq!(digest(3), digest(3));
}
