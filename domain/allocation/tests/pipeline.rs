//! `pipeline.json`: the projection strictly; the steps and whole runs of the system that came before in a mode
//! that exists only here; and where that system aborted, that ours does not.
#![allow(clippy::unwrap_used)]

mod reference;
#[path = "../../formulas/tests/vectors_json/mod.rs"]
mod vectors_json;

use allocation::Bound;
use allocation::frontier::Frontier;
use allocation::ladder::{Strategy, Targets, climb};
use allocation::project::project_box_sum;
use reference::{Range, Weights, weights};
use serde_json::Value;
use vectors_json::{Case, cases, numbers};

const TOLERANCE: f64 = 1e-9;
/// The solver of the vectors is loose and rounds to five decimals.
const WHOLE_RUN: f64 = 1e-3;

fn assert_weights(place: &str, found: &Weights, expected: &Value, tolerance: f64) {
    let expected = weights(expected);
    let of = |weights: &Weights, name: &String| weights.get(name).copied().unwrap_or(0.0);
    for name in found.keys().chain(expected.keys()) {
        let (found, expected) = (of(found, name), of(&expected, name));
        assert!((found - expected).abs() <= tolerance, "{place} {name}: {found} instead of {expected}");
    }
}

fn assert_ranges(place: &str, found: &[Range], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{place}: {found:?}");
    for one in expected {
        let range = found.iter().find(|range| one["name"] == range.name.as_str()).unwrap();
        let symbols: Vec<&str> =
            one["symbols"].as_array().unwrap().iter().map(|symbol| symbol.as_str().unwrap()).collect();
        assert_eq!(range.symbols, symbols, "{place}");
        for (found, key) in [(range.target, "target"), (range.lower, "lower"), (range.upper, "upper")] {
            let expected = one[key].as_f64().unwrap();
            assert!((found - expected).abs() <= TOLERANCE, "{place} {key}: {found} instead of {expected}");
        }
    }
}

fn bounds(lower: &Value, upper: &Value) -> Vec<Bound> {
    let pairs = numbers(lower).into_iter().zip(numbers(upper));
    pairs.map(|(lower, upper)| Bound { lower, upper }).collect()
}

fn projection(case: &Case) {
    let input = &case.input;
    let sum = input["target_sum"].as_f64().unwrap();
    let found = project_box_sum(&numbers(&input["weights"]), &bounds(&input["lower"], &input["upper"]), sum);
    if let Some(kind) = case.expect["error"]["kind"].as_str() {
        assert_eq!(found.map_err(|refusal| refusal.code()), Err(kind), "{}", case.name);
        return;
    }
    for (weight, expected) in found.unwrap().iter().zip(numbers(&case.expect["weights"])) {
        assert!((weight - expected).abs() <= TOLERANCE, "{}: {weight} instead of {expected}", case.name);
    }
}

fn whole_run(case: &Case) {
    if case.expect["success"] == false {
        // Nothing to choose from, or no answer: the same here.
        assert!(reference::optimise(&case.input).is_err(), "{}: the reference had no answer", case.name);
        return;
    }
    if case.expect["raised"].is_null() {
        let found =
            reference::optimise(&case.input).unwrap_or_else(|refusal| panic!("{}: {refusal}", case.name));
        return assert_weights(&case.name, &found, &case.expect["target_weights"], WHOLE_RUN);
    }
    assert!(reference::optimise(&case.input).is_err(), "{}: the reference aborted", case.name);
    let problem = reference::problem(&case.input);
    let frontier = Frontier::new(&problem.returns, &problem.covariance, &problem.limits).unwrap();
    let annual_return = case.input["target_return"].as_f64().unwrap();
    let chosen = climb(&frontier, &Targets { annual_return, volatility: 0.15, risk_free: 0.02 }).unwrap();
    assert_ne!(chosen.strategy, Strategy::EfficientReturn, "{}", case.name);
    if case.name.contains("target too high") {
        assert_eq!(chosen.strategy, Strategy::EfficientRisk, "{}", case.name);
    }
}

fn weight_changes(case: &Case) {
    let found = reference::changes(&weights(&case.input["targets"]), &case.input);
    let expected = case.expect["changes"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{}", case.name);
    for ((symbol, now, then, change), one) in found.iter().zip(expected) {
        assert_eq!(one["symbol"], symbol.as_str(), "{}", case.name);
        for (found, key) in [(now, "current_weight"), (then, "target_weight"), (change, "change")] {
            assert!((found - one[key].as_f64().unwrap()).abs() <= TOLERANCE, "{} {symbol} {key}", case.name);
        }
    }
}

#[test]
fn every_step_equals_its_vector() {
    for case in cases("optimization/pipeline.json") {
        let (place, input, expect) = (&case.name, &case.input, &case.expect);
        let compare = |found: Weights| assert_weights(place, &found, &expect["weights"], TOLERANCE);
        match input["function"].as_str().unwrap() {
            "project_box_sum" => projection(&case),
            "weight_bounds" => {
                for (symbol, bound) in reference::bounds(&expect["bounds"]) {
                    let found = reference::weight_bounds(input)[&symbol];
                    let far = (found.lower - bound.lower).abs().max((found.upper - bound.upper).abs());
                    assert!(far <= TOLERANCE, "{place} {symbol}: {found:?} instead of {bound:?}");
                }
            }
            "group_constraints" => {
                let (countries, industries) = reference::group_constraints(input);
                assert_ranges(place, &countries, &expect["country"]);
                assert_ranges(place, &industries, &expect["industry"]);
            }
            "transaction_cost_adjustment" => {
                let found = reference::transaction_costs(input, &weights(&input["expected_returns"]));
                assert_weights(place, &found, &expect["adjusted"], TOLERANCE);
            }
            "blend" => {
                let share = input["blend"].as_f64().unwrap();
                compare(reference::blend(&weights(&input["mv"]), &weights(&input["hrp"]), share));
            }
            "clamp" => {
                compare(reference::clamp(&weights(&input["weights"]), &reference::bounds(&input["bounds"])));
            }
            "normalise" => {
                let sum = input["target_sum"].as_f64().unwrap();
                compare(reference::normalise(&weights(&input["weights"]), sum));
            }
            "gradual_adjustment" => compare(reference::gradual(&weights(&input["targets"]), input)),
            "weight_changes" => weight_changes(&case),
            "optimise" => whole_run(&case),
            other => panic!("{place}: function {other} is unknown"),
        }
    }
}
