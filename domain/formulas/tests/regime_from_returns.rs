//! Mean, deviation and drawdown of a return window against `regime_from_returns.json`.
//!
//! The labels and scores of the file are rejected as a market regime, because they judge the own
//! portfolio; the three numbers stay as health indicators.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::drawdown::max_drawdown_of_returns;
use formulas::moments::{mean, population_deviation};
use vectors_json::{assert_close, cases, numbers};

#[test]
fn the_three_health_numbers_equal_their_vectors() {
    for case in cases("scoring/regime_from_returns.json") {
        let returns = numbers(&case.input["returns"]);
        let window = case.input["window"].as_u64().unwrap() as usize;
        let start = returns.len().checked_sub(window);
        let last = start.map(|start| &returns[start..]);
        for (key, figure) in [
            ("mean", last.and_then(mean)),
            ("stdev_population", last.and_then(population_deviation)),
            ("max_drawdown", last.and_then(max_drawdown_of_returns)),
        ] {
            assert_close(&format!("{} {key}", case.name), figure, &case.expect[key], 1e-9);
        }
    }
}
