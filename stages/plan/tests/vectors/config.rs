//! V19: planner configurations: what is wrong with one, and what sliders mean.

use plan::configuration::{
    read::{Severity, read},
    sliders::Sliders,
};
use serde_json::{Value, json};

use crate::case::{self, Case, close, number, text};

const FILE: &str = "planning/config.json";

#[test]
fn configurations_are_judged_and_sliders_mapped_as_the_vectors_say() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        match text(&input["fn"]) {
            // Syntax is syntax, whatever becomes of the keys.
            "parse_toml" if expect["error"] == "invalid_toml" => {
                let read = read(text(&input["toml"]));
                let codes: Vec<_> = read.errors().iter().map(|problem| problem.code).collect();
                assert_eq!(codes, ["invalid_toml"], "{name}");
            }
            "parse_toml" => case::not_built(
                FILE,
                &name,
                "unknown keys are errors here, and every section is read; the old parser skipped both",
            ),
            "validate" => validate(&name, &input["overrides"], &expect),
            "sliders" => same(&name, &sliders(&input), &expect),
            "trading_parameters" => same(&name, &trading(&input), &expect),
            other => panic!("{name}: {other} is no function"),
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 29, "{run} ran");
}

#[test]
fn each_slider_and_the_recommended_sets_are_those_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all("satellites/planner_sliders.json") {
        let got = match input.get("slider") {
            Some(slider) => sliders(&input)[text(slider)].clone(),
            None => {
                let set = Sliders::recommended(text(&input["strategy"]));
                json!({
                    "risk_appetite": set.risk, "hold_duration": set.hold, "entry_style": set.entry,
                    "position_spread": set.spread, "profit_taking_aggressiveness": set.profit,
                })
            }
        };
        same(&name, &got, &expect);
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 37, "{run} ran");
}

/// The document of a case: every module on, as where the old system judged it, and what the case changes.
fn document(overrides: &Value) -> String {
    let mut text = String::from("[planner]\n");
    let overrides = overrides.as_object().unwrap();
    if !overrides.contains_key("diversity_weight") {
        // The old default is always there; ours has an effect only where it is named.
        text.push_str("diversity_weight = 0.3\n");
    }
    for (key, value) in overrides {
        text.push_str(&format!("{key} = {value}\n"));
    }
    for module in [
        "pattern_generators.adaptive",
        "sequence_generators.enhanced_combinatorial",
        "filters.correlation_aware",
        "filters.diversity",
    ] {
        text.push_str(&format!("[{module}]\nenabled = true\n"));
    }
    text
}

fn validate(name: &str, overrides: &Value, expect: &Value) {
    let read = read(&document(overrides));
    let codes = |severity: Severity| -> Vec<&str> {
        let of_it = read.problems.iter().filter(|problem| problem.severity == severity);
        of_it.map(|problem| problem.code).filter(|code| *code != "not_built").collect()
    };
    assert_eq!(json!(codes(Severity::Error)), expect["errors"], "{name}");
    assert_eq!(json!(codes(Severity::Warning)), expect["warnings"], "{name}");
}

fn sliders(input: &Value) -> Value {
    let all = Sliders::all(number(&input["value"])).planner();
    json!({
        "risk_appetite": {
            "priority_threshold": all.priority_threshold, "cost_penalty_factor": all.cost_penalty_factor,
            "max_position_concentration": all.max_position_concentration,
        },
        "hold_duration": {
            "min_hold_days": all.min_hold_days, "profit_taking_threshold": all.profit_taking_threshold,
        },
        "entry_style": {
            "dip_weight": all.dip_weight, "breakout_weight": all.breakout_weight,
            "momentum_threshold": all.momentum_threshold,
        },
        "position_spread": {
            "max_opportunities_per_category": all.max_opportunities_per_category,
            "diversity_weight": all.diversity_weight, "max_position_size": all.max_position_size,
        },
        "profit_taking": {
            "windfall_threshold": all.windfall_threshold, "windfall_sell_pct": all.windfall_sell_pct,
            "trailing_stop_distance": all.trailing_stop_distance,
        },
    })
}

fn trading(input: &Value) -> Value {
    let all = Sliders::all(number(&input["value"])).trading();
    json!({
        "position_size_max": all.position_size_max, "stop_loss_pct": all.stop_loss_pct,
        "target_hold_days": all.target_hold_days, "patience_factor": all.patience_factor,
        "buy_dip_threshold": all.buy_dip_threshold, "breakout_threshold": all.breakout_threshold,
        "max_positions": all.max_positions, "diversification_factor": all.diversification_factor,
        "take_profit_threshold": all.take_profit_threshold,
        "trailing_stop_distance": all.trailing_stop_distance,
    })
}

/// The same keys, and each number within the tolerance.
fn same(name: &str, got: &Value, expected: &Value) {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
            for (key, value) in got {
                same(&format!("{name} {key}"), value, &expected[key]);
            }
        }
        _ => assert!(close(number(got), number(expected)), "{name}: {got} instead of {expected}"),
    }
}
