//! Reads problems out of vector files.
#![allow(dead_code, clippy::unwrap_used)]

use allocation::frontier::Frontier;
use allocation::{Bound, Group, Limits, Refusal};
use serde_json::Value;

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub fn matrix(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

pub fn bounds(value: &Value) -> Vec<Bound> {
    let bound = |pair: &Value| Bound { lower: number(&pair[0]), upper: number(&pair[1]) };
    value.as_array().unwrap().iter().map(bound).collect()
}

/// Groups named in the tables of limits; a side that is not named is open.
pub fn groups(input: &Value) -> Vec<Group> {
    let tickers: Vec<&str> =
        input["tickers"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let mut groups = Vec::new();
    for kind in input["sectors"].as_array().unwrap() {
        let (lower, upper) = (kind["lower"].as_object().unwrap(), kind["upper"].as_object().unwrap());
        let names: std::collections::BTreeSet<&String> = lower.keys().chain(upper.keys()).collect();
        for name in names {
            let member = |ticker: &&str| f64::from(kind["mapper"][*ticker].as_str() == Some(name));
            groups.push(Group {
                name: format!("{} {name}", kind["kind"].as_str().unwrap_or("group")),
                shares: tickers.iter().map(member).collect(),
                lower: lower.get(name).map_or(0.0, number),
                upper: upper.get(name).map_or(1.0, number),
            });
        }
    }
    groups
}

pub fn limits(input: &Value, run: &Value) -> Limits {
    let groups = if run["use_sectors"] == true { groups(input) } else { vec![] };
    Limits { bounds: bounds(&input["bounds"]), groups, budget: 1.0 }
}

/// Runs the objective that a vector names.
pub fn run(input: &Value, run: &Value) -> Result<Vec<f64>, Refusal> {
    let (returns, covariance, limits) = (numbers(&input["mu"]), matrix(&input["cov"]), limits(input, run));
    let frontier = Frontier::new(&returns, &covariance, &limits)?;
    match run["objective"].as_str().unwrap() {
        "min_volatility" => frontier.min_volatility(),
        "efficient_return" => frontier.efficient_return(number(&run["target_return"])),
        "efficient_risk" => frontier.efficient_risk(number(&run["target_volatility"])),
        "max_sharpe" => frontier.max_sharpe(number(&run["risk_free_rate"])),
        other => panic!("objective {other}"),
    }
}
