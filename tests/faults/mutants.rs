//! Would the checkers notice? Each deliberately broken variant of the money path is run on seed after seed until one of
//! them does; one that survives 200 seeds means that the checkers are blind there.
//!
//! `make mutants` runs it and rewrites docs/mutants.md; `MUTANT=skip_mac` looks at one.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::run::{Violation, run};

/// Seeds that a variant may survive at most.
const SEEDS: u64 = 200;

/// Name, what is broken, and where.
const MUTANTS: &[(&str, &str)] = &[
    ("resend_on_timeout", "a placement without an answer is sent again"),
    ("skip_mac", "any signature is taken for the gate's"),
    ("ignore_expiry", "an approval is good for ever"),
    ("long_life", "the gate gives approvals for twenty minutes, and they are taken"),
    ("forget_sending", "after a restart an order on its way counts as never sent"),
    ("sending_unsaved", "the broker is asked before it is on disk that it will be"),
    ("reuse_approval", "an order id that was used is used again"),
    ("two_at_once", "orders go out while another is on its way"),
    ("larger_quantity", "one lot more is sent than was approved"),
    ("count_fill_twice", "a fill that is listed again is counted again"),
    ("failure_is_absence", "a list that cannot be read counts as an empty one"),
    ("ignore_halt", "halts are heard and not obeyed"),
    ("ignore_frequency", "neither gate nor execute counts orders"),
    ("sell_unheld", "nobody looks whether what is sold is held"),
    ("spend_unowned", "nobody looks whether the money is there"),
    ("closed_venue", "venues count as open at any time"),
    ("far_limit", "a limit may be anywhere"),
    ("book_by_order_id", "only one fill of each order is booked"),
    ("accept_empty_account", "an empty answer is an empty account"),
];

#[test]
fn every_mutant_is_caught_by_a_named_checker() {
    // Panics of broken stages are expected here and say nothing new.
    std::panic::set_hook(Box::new(|_| ()));
    let only = std::env::var("MUTANT").ok();
    let mutants: Vec<_> =
        MUTANTS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)).collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, _)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = catch(name);
                    match &caught {
                        Some((seed, violation)) => {
                            println!(
                                "{name}: caught by `{}` with seed {seed}: {}",
                                violation.checker, violation.text
                            );
                        }
                        None => println!("{name}: SURVIVES {SEEDS} seeds"),
                    }
                    found.lock().unwrap().insert(*name, caught);
                }
            });
        }
    });
    let _ = std::panic::take_hook();
    let found = found.into_inner().unwrap();
    let mut rows = String::new();
    for (name, what) in &mutants {
        if let Some((seed, violation)) = &found[name] {
            let _ = writeln!(rows, "| `{name}` | {what} | `{}` | {seed} |", violation.checker);
        }
    }
    let survivors: Vec<_> =
        found.iter().filter(|(_, caught)| caught.is_none()).map(|(name, _)| name).collect();
    if std::env::var_os("STEWARD_UPDATE").is_some() && survivors.is_empty() && only.is_none() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mutants.md");
        std::fs::write(file, format!("{HEAD}{rows}")).unwrap();
    }
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
}

/// The first seed with which the variant is noticed; the switch holds in this thread only.
fn catch(name: &'static str) -> Option<(u64, Violation)> {
    contracts::mutants::choose(Some(name));
    let caught = (1..=SEEDS).find_map(|seed| Some((seed, run(seed).violation?)));
    contracts::mutants::choose(None);
    caught
}

const HEAD: &str = "# Mutants

Deliberately broken variants of the money path. Each is compiled in only with the feature `mutants` of `contracts`, which
nothing but `make mutants` sets, and each must be noticed by a checker of `tests/faults/checkers/` within 200 seeds.
`make mutants` runs them again and rewrites this list.

| Variant | What is broken | Caught by | With seed |
|---|---|---|---|
";
