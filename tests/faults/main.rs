//! Seeded fault runs of the money path. A seed chooses what goes wrong: any process ended at any message and any write,
//! the bus losing, doubling, delaying and forgetting, the broker late, silent, wrong or dead, clocks that jump, prices
//! that stop, halts in the middle, and somebody on the bus who claims to be the gate. After every step independent
//! checkers compare the stores with the simulated broker's own books; when the faults stop, everything must settle.
//!
//! `make soak SEEDS=1000 FIRST=1` runs many, `SEED=4711 cargo test -p steward-tests --test faults soak` one. A failing run
//! prints its seed, its checker and that command. What failed once stays in `REGRESSIONS` by name.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod books;
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

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use run::{Outcome, run, run_in};
use weather::Weather;

/// Runs that belong to every change.
const SEEDS: u64 = 12;

/// What failed once, with the seed and the weather that showed it.
type Regression = (&'static str, u64, fn(&mut Weather));

const REGRESSIONS: &[Regression] = &[
    ("a holding that lags behind is no proof that an order arrived", 451, |_| ()),
    ("the same, of a sale of one piece", 773, |_| ()),
    ("books that begin with an empty answer differ from the account for ever", 141, |weather| {
        weather.calm();
        weather.broker = vec![serde_json::json!({
            "id": "reading-empty", "cmd": "getPositionJson", "when": {"prob": 1.0}, "max": 6,
            "effect": {"kind": "empty_ok"},
        })];
    }),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn soak() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("FIRST").unwrap_or(1);
            first..first + number("SEEDS").unwrap_or(SEEDS)
        }
    };
    let (begin, total) = (Instant::now(), seeds.end - seeds.start);
    let (mut sum, mut broken) = (Outcome::default(), Vec::new());
    each(seeds, |seed, outcome| {
        if let Some(violation) = &outcome.violation {
            println!(
                "seed {seed}: {violation}\n  again: SEED={seed} cargo test --profile ci -p steward-tests --test faults soak -- --nocapture\n  {}",
                outcome.story
            );
            broken.push(seed);
        }
        sum.add(&outcome);
        if sum.runs.is_multiple_of(100) {
            println!("{} of {total} runs: {}", sum.runs, sum.line(begin.elapsed()));
        }
    });
    println!("{total} runs: {}", sum.line(begin.elapsed()));
    println!("refused: {:?}\norders ended: {:?}", sum.refusals, sum.ends);
    broken.sort_unstable();
    assert!(broken.is_empty(), "{} of {total} runs broke a rule, seeds {broken:?}", broken.len());
    assert!(sum.sent > 0, "no order reached the broker in any run, so nothing was proved");
}

/// Runs every seed, as many at once as there are cores; `heard` gets the outcomes one by one.
fn each(seeds: std::ops::Range<u64>, mut heard: impl FnMut(u64, Outcome)) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (say, listen) = std::sync::mpsc::sync_channel(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || say.send((seed, run(seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        listen.into_iter().for_each(|(seed, outcome)| heard(seed, outcome));
    });
}

#[test]
fn what_failed_once_holds_for_ever() {
    for (name, seed, weather) in REGRESSIONS {
        let outcome = run_in(*seed, weather);
        assert!(
            outcome.violation.is_none(),
            "{name}, seed {seed}: {:?}\n{}",
            outcome.violation,
            outcome.story
        );
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
