//! Seeded fault runs: stages killed, the broker restarted, messages lost, doubled and late, answers of the simulated
//! broker lost. After each run independent checkers compare what our stores say with the simulator's own books.
//! `SEEDS=1000` runs more of them, `SEED=4711` one; a failing run prints its seed.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod checkers;

use bus_client::transport::local::Faults;
use steward_tests::{pipeline::Pipeline, stages::STAGES};

/// Runs that belong to every change.
const SEEDS: u64 = 6;
/// Virtual days per run.
const DAYS: u32 = 3;

#[test]
fn whatever_fails_no_order_is_doubled_and_no_fill_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SEEDS").unwrap_or(SEEDS)).collect(),
    };
    let total = seeds.len();
    let mut orders = 0;
    for (done, seed) in seeds.into_iter().enumerate() {
        orders += run(seed);
        if total > 20 && done % 10 == 9 {
            println!("{} of {total} runs held, {orders} orders so far", done + 1);
        }
    }
    assert!(orders > 0, "no order was placed in any run, so nothing was proved");
}

/// A small generator of its own, so that a seed means the same run for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn run(seed: u64) -> usize {
    println!("seed {seed} (again: SEED={seed} cargo test -p steward-tests --test faults)");
    let mut dice = Dice(seed);
    let mut pipeline = Pipeline::new(seed, 1 + u32::try_from(dice.roll(3)).unwrap());
    pipeline.set_faults(Faults { drop: 20, double: 60, delay: 60 });
    broker_moods(&pipeline, seed);
    let end = pipeline.now().saturating_plus_ms(i64::from(DAYS) * 86_400_000);
    while pipeline.now() < end {
        let pause = 60_000 * (1 + i64::try_from(dice.roll(90)).unwrap());
        pipeline.run_until(pipeline.now().saturating_plus_ms(pause).min(end));
        match dice.roll(10) {
            0 => pipeline.restart_bus(),
            1..=4 => {
                let stage = STAGES[usize::try_from(dice.roll(STAGES.len() as u64)).unwrap()];
                let name = if stage == "evaluate" { "evaluate-1" } else { stage };
                pipeline.kill(name);
                // It stays away for up to some minutes, or comes back at once.
                let away = 1_000 * i64::try_from(dice.roll(300)).unwrap();
                pipeline.run_until(pipeline.now().saturating_plus_ms(away.max(1)).min(end));
                pipeline.start_missing();
            }
            _ => {}
        }
        checkers::always(&pipeline, seed);
    }
    // When the faults stop, everything must come to rest and agree.
    pipeline.set_faults(Faults::default());
    pipeline.start_missing();
    pipeline.restart_bus();
    pipeline.run_until(pipeline.now().saturating_plus_ms(2 * 3_600_000));
    checkers::always(&pipeline, seed);
    checkers::at_rest(&pipeline, seed)
}

/// Answers get lost before and after the broker has acted, and it is out of order now and then.
fn broker_moods(pipeline: &Pipeline, seed: u64) {
    use serde_json::json;
    let rules = [
        json!({"id": "lost-after", "target": "tn", "cmd": "putTradeOrder", "ticker": "*", "when": {"prob": 0.2}, "effect": {"kind": "timeout_after", "ms": 1}}),
        json!({"id": "lost-before", "target": "tn", "cmd": "putTradeOrder", "ticker": "*", "when": {"prob": 0.1}, "effect": {"kind": "timeout_before", "ms": 1}}),
        json!({"id": "ill", "target": "tn", "cmd": "getPositionJson", "ticker": "*", "when": {"prob": 0.05}, "effect": {"kind": "http", "status": 503, "processed": false}}),
    ];
    for rule in rules {
        match serde_json::from_value(rule.clone()) {
            Ok(rule) => pipeline.world.borrow_mut().put_fault(rule).unwrap(),
            Err(error) => panic!("seed {seed}: the rule {rule} is not understood: {error}"),
        }
    }
}
