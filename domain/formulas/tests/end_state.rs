//! End components of securities and scores of portfolios against `end_state.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::end_state::{components, mean_components, parts, portfolio_score, weights};
use formulas::rounding::round_to;
use serde_json::Value;
use vectors_json::{assert_close, cases_of, end_metrics::metrics};

const FILE: &str = "scoring/end_state.json";
const TOLERANCE: f64 = 0.00101;

#[test]
fn components_of_securities_equal_their_vectors() {
    for case in cases_of(FILE, "security") {
        let known = metrics(&case.input["metrics"]);
        let (found, parts) = (components(&known), parts(&known));
        let check = |place: &str, value: f64, expected: &Value| {
            assert_close(&format!("{} {place}", case.name), Some(value), expected, TOLERANCE);
        };
        check("return", found.total_return, &case.expect["total_return"]["score"]);
        let known_parts = &case.expect["total_return"]["parts"];
        check("growth", known.growth.unwrap_or(0.0), &known_parts["cagr"]);
        check("yield", known.dividend_yield.unwrap_or(0.0), &known_parts["dividend_yield"]);
        check("score of the return", found.total_return, &known_parts["score"]);
        check("total", parts.total_return, &case.expect["total_return"]["parts"]["total_return"]);
        check("promise", found.promise, &case.expect["promise"]["score"]);
        check("stability", found.stability, &case.expect["stability"]["score"]);
        let names = ["consistency", "financial_strength", "dividend_consistency", "sortino"];
        for (name, part) in names.iter().zip(parts.promise) {
            check(name, round_to(part, 3), &case.expect["promise"]["parts"][name]);
        }
        for (name, part) in ["volatility", "drawdown", "sharpe"].iter().zip(parts.stability) {
            check(name, round_to(part, 3), &case.expect["stability"]["parts"][name]);
        }
    }
}

#[test]
fn scores_of_portfolios_equal_their_vectors() {
    for case in cases_of(FILE, "portfolio") {
        let positions = case.input["positions"].as_object().unwrap();
        let held = positions.iter().map(|(name, value)| {
            (value.as_f64().unwrap(), components(&metrics(&case.input["metrics"][name])))
        });
        let total = case.input["total_value"].as_f64().unwrap();
        let weights = weights(case.input["risk_profile"].as_str().unwrap_or("balanced"));
        let diversification = case.input["diversification_score"].as_f64().unwrap();
        let opinion = case.input["opinion_score"].as_f64().unwrap_or(0.5);
        let Some(mean) = mean_components(held, total) else {
            assert_close(&case.name, Some(0.5), &case.expect["score"], TOLERANCE);
            continue;
        };
        let score = round_to(portfolio_score(&mean, diversification, opinion, &weights), 3);
        assert_close(&case.name, Some(score), &case.expect["score"], TOLERANCE);
        let breakdown = &case.expect["breakdown"];
        if !breakdown.is_null() {
            assert_close(&case.name, Some(score), &breakdown["end_state_score"], TOLERANCE);
        }
        for (key, value, weight) in [
            ("diversification", diversification, weights.diversification),
            ("opinion", opinion, weights.opinion),
        ] {
            let expected = &breakdown[key];
            if expected.is_null() {
                continue;
            }
            let place = format!("{} {key}", case.name);
            assert_close(&place, Some(round_to(value, 3)), &expected["score"], TOLERANCE);
            assert_close(&place, Some(weight), &expected["weight"], 1e-9);
            assert_close(&place, Some(round_to(value * weight, 3)), &expected["contribution"], TOLERANCE);
        }
        for (key, value, weight) in [
            ("total_return", mean.total_return, weights.total_return),
            ("long_term_promise", mean.promise, weights.promise),
            ("stability", mean.stability, weights.stability),
        ] {
            let expected = &case.expect["breakdown"][key];
            if expected.is_null() {
                continue;
            }
            let place = format!("{} {key}", case.name);
            assert_close(&place, Some(round_to(value, 3)), &expected["weighted_score"], TOLERANCE);
            assert_close(&place, Some(weight), &expected["weight"], 1e-9);
            assert_close(&place, Some(round_to(value * weight, 3)), &expected["contribution"], TOLERANCE);
        }
    }
}

#[test]
fn no_kind_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["security", "portfolio"]);
}
