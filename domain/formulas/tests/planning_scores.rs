//! The planner's end-state components and the portfolio score against their vectors.
//!
//! Scores with one or three decimals may differ by one last unit only where the unrounded value lies on the tie.
#![allow(clippy::unwrap_used)]

mod vectors_json;

use std::collections::BTreeMap;

use formulas::{
    curves::{calmness, dividend, fall, growth, ratios},
    end_state::{components, mean_components, portfolio_score, weights},
    portfolio_health::{Health, health},
    rounding::round_to,
};
use serde_json::Value;
use vectors_json::{Case, assert_close, cases, end_metrics::metrics};

/// Figures rounded to three decimals from sums of doubles: the tie of section 21, nothing more.
const LAST_UNIT: f64 = 1e-9;

#[test]
fn end_states_equal_their_vectors() {
    for case in cases("planning/end_state.json") {
        let input = &case.input;
        let x = || input["x"].as_f64().unwrap();
        let score = match input["fn"].as_str().unwrap() {
            "end_state" => {
                whole(&case);
                continue;
            }
            "position_components" => {
                let found = components(&metrics(&input["metrics"]));
                for (key, value) in [
                    ("total_return", found.total_return),
                    ("long_term_promise", found.promise),
                    ("stability", found.stability),
                ] {
                    assert_close(&format!("{} {key}", case.name), Some(value), &case.expect[key], LAST_UNIT);
                }
                continue;
            }
            "score_total_return" => growth::total_return(input["total_return"].as_f64().unwrap(), 0.12),
            "convert_payout" => dividend::payout_reference(x()),
            "convert_sortino" => ratios::promise_sortino(x()),
            "convert_volatility" => calmness::end_volatility(x()),
            "convert_drawdown" => fall::score(x()),
            "convert_sharpe" => ratios::sharpe(x()),
            other => panic!("{}: unknown function {other}", case.name),
        };
        assert_close(&case.name, score, &case.expect["score"], LAST_UNIT);
    }
}

fn whole(case: &Case) {
    let positions = case.input["positions"].as_object().unwrap();
    let held = positions
        .iter()
        .map(|(name, value)| (value.as_f64().unwrap(), components(&metrics(&case.input["metrics"][name]))));
    let weights = weights(case.input["risk_profile"].as_str().unwrap());
    let diversification = case.input["diversification_score"].as_f64().unwrap();
    let opinion = case.input["opinion_score"].as_f64().unwrap();
    let Some(mean) = mean_components(held, case.input["total_value"].as_f64().unwrap()) else {
        return assert_close(&case.name, Some(0.5), &case.expect["score"], LAST_UNIT);
    };
    let score = round_to(portfolio_score(&mean, diversification, opinion, &weights), 3);
    assert_close(&case.name, Some(score), &case.expect["score"], LAST_UNIT);
    for (key, value, weight) in [
        ("total_return", mean.total_return, weights.total_return),
        ("long_term_promise", mean.promise, weights.promise),
        ("stability", mean.stability, weights.stability),
    ] {
        let expected = &case.expect["breakdown"][key];
        let place = format!("{} {key}", case.name);
        assert_close(&place, Some(round_to(value, 3)), &expected["weighted_score"], LAST_UNIT);
        assert_close(&place, Some(round_to(value * weight, 3)), &expected["contribution"], LAST_UNIT);
    }
}

#[test]
fn portfolio_scores_equal_their_vectors() {
    for case in cases("planning/portfolio_score.json") {
        let found = portfolio(&case.input);
        for (key, value) in [
            ("diversification_score", found.diversification),
            ("dividend_score", found.dividend),
            ("quality_score", found.quality),
            ("total", found.total),
        ] {
            let place = format!("{} {key}", case.name);
            assert_close(&place, Some(round_to(value, 1)), &case.expect[key], LAST_UNIT);
        }
    }
}

fn portfolio(input: &Value) -> Health {
    let total = input["total_value"].as_f64().unwrap();
    if total <= 0.0 {
        return Health::NEUTRAL;
    }
    let positions: Vec<(&str, f64)> = input["positions"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_f64().unwrap() / total))
        .collect();
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, weight) in &positions {
        let country = input["security_countries"][name].as_str();
        let group = country.and_then(|country| input["country_to_group"][country].as_str());
        *shares.entry(group.unwrap_or("OTHER")).or_default() += weight;
    }
    let targets = input["country_weights"].as_object().unwrap();
    let groups: Vec<(f64, f64)> = targets
        .iter()
        .map(|(name, target)| (target.as_f64().unwrap(), shares.get(name.as_str()).copied().unwrap_or(0.0)))
        .collect();
    let groups = if input["security_countries"].is_null() { Vec::new() } else { groups };
    let weighted = |key: &str, missing: f64| {
        let map = input[key].as_object()?;
        let of = |name: &str| {
            map.get(name).and_then(Value::as_f64).filter(|value| *value != 0.0).unwrap_or(missing)
        };
        Some(positions.iter().map(|(name, weight)| weight * of(name)).sum())
    };
    health(&groups, weighted("security_dividends", 0.0), weighted("security_scores", 0.5))
}
