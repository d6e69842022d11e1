//! Priorities and their order against `priority.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::priority::priority;
use vectors_json::cases;

#[test]
fn priorities_equal_their_vectors_and_ties_keep_their_order() {
    for case in cases("scoring/priority.json") {
        let securities = case.input["securities"].as_array().unwrap();
        let mut found: Vec<(&str, f64)> = securities
            .iter()
            .map(|one| {
                // The reference reads an absent or zero multiplier as one.
                let multiplier = one["multiplier"].as_f64().filter(|number| *number != 0.0).unwrap_or(1.0);
                (one["symbol"].as_str().unwrap(), priority(one["score"].as_f64(), multiplier).unwrap())
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        let expected: Vec<(&str, f64)> = case.expect["order"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["symbol"].as_str().unwrap(), one["priority"].as_f64().unwrap()))
            .collect();
        assert_eq!(found, expected, "{}", case.name);
    }
}
