//! Mean-variance answers against `frontier.json`, `frontier_60.json` and `infeasible.json`: objective to 1e-7,
//! weights to 1e-4 (efficient_risk 1e-3), limits to 1e-7, kinds of refusal exactly.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "../../formulas/tests/vectors_json/mod.rs"]
mod vectors_json;

use allocation::frontier::volatility;
use serde_json::Value;
use support::{limits, matrix, number, numbers, run};
use vectors_json::cases;

const OBJECTIVE: f64 = 1e-7;
const LIMITS: f64 = 1e-7;

fn compare(place: &str, input: &Value, asked: &Value, expect: &Value) {
    let found = run(input, asked);
    if let Some(kind) = expect["error"]["kind"].as_str() {
        assert_eq!(found.map_err(|refusal| refusal.code()), Err(kind), "{place}");
        return;
    }
    let weights = found.unwrap_or_else(|refusal| panic!("{place}: {refusal}"));
    let objective = asked["objective"].as_str().unwrap();
    assert!(limits(input, asked).violation(&weights) <= LIMITS, "{place}: limits");
    let earned: f64 = weights.iter().zip(numbers(&input["mu"])).map(|(w, mu)| w * mu).sum();
    let risk = volatility(&matrix(&input["cov"]), &weights);
    let (expected_return, expected_risk) = (number(&expect["return"]), number(&expect["volatility"]));
    // Positive: worse than the vector.
    let worse = match objective {
        "efficient_risk" => (expected_return - earned) / expected_return.abs(),
        "max_sharpe" => {
            let rate = number(&asked["risk_free_rate"]);
            let (ours, theirs) = ((earned - rate) / risk, (expected_return - rate) / expected_risk);
            (theirs - ours) / theirs.abs()
        }
        _ => (risk - expected_risk) / expected_risk,
    };
    assert!(worse.abs() <= OBJECTIVE, "{place}: objective differs by {worse:e}");
    if objective == "efficient_return" {
        assert!(earned >= number(&asked["target_return"]) - LIMITS, "{place}: return {earned}");
    }
    if objective == "efficient_risk" {
        assert!(risk <= number(&asked["target_volatility"]) * (1.0 + LIMITS), "{place}: risk {risk}");
    }
    let tolerance = if objective == "efficient_risk" { 1e-3 } else { 1e-4 };
    // What does not decide follows from the weights, as near as these.
    let rate = asked["risk_free_rate"].as_f64().unwrap_or(0.0);
    for (name, found, key) in [
        ("return", earned, "return"),
        ("volatility", risk, "volatility"),
        ("ratio", (earned - rate) / risk, "sharpe"),
    ] {
        let expected = number(&expect[key]);
        let near = (found - expected).abs() <= 10.0 * tolerance * expected.abs().max(1.0);
        assert!(near, "{place} {name}: {found} instead of {expected}");
    }
    assert!(
        expect["status"].as_str().is_none_or(|status| status.starts_with("optimal")),
        "{place}: {expect}"
    );
    for (weight, expected) in weights.iter().zip(numbers(&expect["weights"])) {
        assert!((weight - expected).abs() <= tolerance, "{place}: {weight} instead of {expected}");
    }
}

fn compare_all(file: &str) {
    for case in cases(file) {
        let (runs, answers) =
            (case.input["runs"].as_array().unwrap(), case.expect["runs"].as_array().unwrap());
        assert_eq!(runs.len(), answers.len(), "{}", case.name);
        for (asked, expect) in runs.iter().zip(answers) {
            assert_eq!(asked["id"], expect["id"], "{}", case.name);
            compare(&format!("{} {}", case.name, asked["id"]), &case.input, asked, expect);
        }
    }
}

#[test]
fn small_problems_equal_their_vectors() {
    compare_all("optimization/frontier.json");
}

#[test]
fn sixty_assets_equal_their_vectors() {
    compare_all("optimization/frontier_60.json");
}

#[test]
fn impossible_problems_are_refused_by_kind() {
    for case in cases("optimization/infeasible.json") {
        assert_eq!(case.input["run"]["id"], case.expect["id"], "{}", case.name);
        compare(&case.name, &case.input, &case.input["run"], &case.expect);
    }
}
