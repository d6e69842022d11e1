//! Historical, normal and regime-adjusted CVaR against `cvar.json`.
//!
//! The minimum-CVaR portfolios of the file are a linear program and checked where that lives; here they prove
//! that contributions add up to the CVaR of the portfolio's own returns.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::cvar::{Space, contributions, historical_cvar, normal_cvar, regime_adjusted};
use vectors_json::{assert_close, cases, numbers, rows};

const FILE: &str = "optimization/cvar.json";
const TOLERANCE: f64 = 1e-8;

#[test]
fn every_formula_equals_its_vectors() {
    for case in cases(FILE) {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let has = |key: &str| !case.input[key].is_null();
        let cvar = if has("series") {
            let series = numbers(&case.input["series"]);
            let mut sorted = vec![0.0; series.len()];
            // The file has 0 for no returns; the formula has nothing.
            let nothing = series.is_empty().then_some(0.0);
            historical_cvar(&series, number("confidence"), &mut sorted).or(nothing)
        } else if has("stdev") {
            normal_cvar(number("mean"), number("stdev"), number("confidence"))
        } else if has("regime_score") {
            regime_adjusted(number("cvar"), number("regime_score"))
        } else {
            assert!(has("runs"), "{}: nobody knows what is asked", case.name);
            continue;
        };
        assert_close(&case.name, cvar, &case.expect["cvar"], TOLERANCE);
    }
}

#[test]
fn contributions_add_up_to_the_cvar_of_the_portfolio() {
    for case in cases(FILE).iter().filter(|case| !case.input["runs"].is_null()) {
        let returns = rows(&case.input["returns"]);
        let runs = case.expect["runs"].as_array().unwrap();
        for run in runs.iter().filter(|run| run["weights_example"].is_array()) {
            let weights = numbers(&run["weights_example"]);
            let days = returns.len() / weights.len();
            let (mut daily, mut order) = (vec![0.0; days], vec![0; days]);
            let mut parts = vec![0.0; weights.len()];
            let space = Space { daily: &mut daily, order: &mut order };
            let total = contributions(&weights, &returns, 0.95, space, &mut parts).unwrap();
            let mut sorted = vec![0.0; days];
            let whole = historical_cvar(&daily, 0.95, &mut sorted).unwrap();
            assert!((total - whole).abs() < 1e-12, "{}", case.name);
        }
    }
}
