//! V10b: the first thing that keeps a sequence from being carried out.

use std::collections::BTreeMap;

use limits::Fine;
use plan::feasibility::{Action, Infeasible, Known, check};
use serde_json::Value;

use crate::case::{self, Case, fine, number, quantity, side, text};

const FILE: &str = "planning/feasibility.json";

#[test]
fn every_verdict_is_that_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        let verdicts = expect["verdicts"].as_array().unwrap();
        let sequences = input["sequences"].as_array().unwrap();
        assert_eq!(verdicts.len(), sequences.len(), "{name}");
        for (sequence, expected) in sequences.iter().zip(verdicts) {
            assert_eq!(verdict(&input, sequence.as_array().unwrap()), text(expected), "{name}: {sequence}");
            run += 1;
        }
    }
    assert!(crate::open::elsewhere() || run > 100, "only {run} ran");
}

/// The verdict on a sequence; the mean priority is tested here only, because Steward drops candidates, not sequences.
pub fn verdict(input: &Value, sequence: &[Value]) -> &'static str {
    let mut numbers: BTreeMap<&str, u16> = BTreeMap::new();
    for action in sequence {
        let next = u16::try_from(numbers.len()).unwrap();
        numbers.entry(text(&action["symbol"])).or_insert(next);
    }
    let securities = input["securities"].as_array().unwrap();
    let known = |security: u16| {
        let symbol = numbers.iter().find(|(_, number)| **number == security)?.0;
        let found = securities.iter().find(|one| one["symbol"] == *symbol)?;
        let held = &input["position_quantities"][*symbol];
        Some(Known {
            allow_buy: found["allow_buy"].as_bool().unwrap(),
            allow_sell: found["allow_sell"].as_bool().unwrap(),
            held: if held.is_null() { money::Quantity::ZERO } else { quantity(held) },
        })
    };
    let actions: Vec<Action> = sequence
        .iter()
        .map(|action| Action {
            security: numbers[text(&action["symbol"])],
            side: side(&action["side"]),
            quantity: quantity(&action["quantity"]),
            value: fine(&action["value_eur"]),
            cost: Fine::ZERO,
        })
        .collect();
    let outcome = check(&actions, fine(&input["available_cash"]), known);
    let priorities = sequence.iter().map(|action| number(&action["priority"])).sum::<f64>();
    #[allow(clippy::cast_precision_loss, clippy::as_conversions)]
    let low = priorities / (sequence.len() as f64) < number(&input["priority_threshold"]);
    match outcome {
        Err(Infeasible::DuplicateSymbol) => "duplicate_symbol",
        _ if low => "low_priority",
        Err(why) => why.code(),
        Ok(()) => "ok",
    }
}
