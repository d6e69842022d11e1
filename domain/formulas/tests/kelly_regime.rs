//! Kelly sizes, regime blend and weighted covariance against `kelly_regime.json`.
//!
//! Steward clusters by one rule in every market; the rule of the file that followed the regime lives here only.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::kelly::{Adaptation, adaptive_multiplier, bear_factor, raw_fraction, upper_bound};
use formulas::regime_blend::{risk_parity_share, short_horizon_weight};
use formulas::weighted_covariance::{Weighting, day_weights, weighted_covariance};
use vectors_json::{assert_all_close, assert_close, cases_of, numbers, rows};

const FILE: &str = "optimization/kelly_regime.json";
const TOLERANCE: f64 = 1e-10;

#[test]
fn kelly_parts_equal_their_vectors_and_no_edge_means_nothing() {
    for case in cases_of(FILE, "kelly") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let setting = |key: &str| case.input["params"][key].as_f64().unwrap();
        let adaptation = Adaptation {
            base: setting("base_multiplier"),
            confidence_range: setting("confidence_range"),
            regime_range: setting("regime_range"),
            bull_above: setting("bull_threshold"),
            bear_below: setting("bear_threshold"),
        };
        let raw =
            raw_fraction(number("expected_return"), number("risk_free_rate"), number("variance")).unwrap();
        let multiplier = match case.input["params"]["mode"].as_str().unwrap() {
            "fixed" => setting("fixed_fractional"),
            _ => adaptive_multiplier(&adaptation, number("confidence"), number("regime_score")).unwrap(),
        };
        let bear = bear_factor(number("regime_score"), setting("bear_max_reduction")).unwrap();
        assert_close(&case.name, Some(raw), &case.expect["raw_fraction"], TOLERANCE);
        assert_close(&case.name, Some(multiplier), &case.expect["multiplier"], TOLERANCE);
        assert_close(&case.name, Some(bear), &case.expect["bear_factor"], TOLERANCE);
        let size = (raw * multiplier * bear).clamp(setting("min_size"), setting("max_size"));
        assert_close(&case.name, Some(size), &case.expect["size"], TOLERANCE);
        let bound = upper_bound(raw, setting("max_size")).unwrap();
        assert!((bound - (0.25 * raw).min(setting("max_size"))).abs() < TOLERANCE, "{}", case.name);
    }
}

#[test]
fn blends_equal_their_vectors() {
    for case in cases_of(FILE, "regime_blend") {
        let score = case.input["regime_score"].as_f64().unwrap();
        assert_close(&case.name, risk_parity_share(score), &case.expect["adaptive_blend"], TOLERANCE);
        let short = short_horizon_weight(score);
        assert_close(&case.name, short, &case.expect["short_horizon_weight"], TOLERANCE);
        let linkage = match score {
            score if score <= -0.4 => "complete",
            score if score >= 0.4 => "average",
            _ => "single",
        };
        assert_eq!(case.expect["hrp_linkage"], linkage, "{}", case.name);
    }
}

#[test]
fn weighted_covariances_equal_their_vectors() {
    for case in cases_of(FILE, "regime_weighted_covariance") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let weighting = Weighting {
            half_life_days: number("half_life_days"),
            regime: number("current_regime"),
            bandwidth: number("bandwidth"),
        };
        let regimes = numbers(&case.input["regime_scores"]);
        let returns = rows(&case.input["returns"]);
        let assets = returns.len() / regimes.len();
        let mut weights = vec![0.0; regimes.len()];
        let size = day_weights(&regimes, &weighting, &mut weights);
        assert_close(&case.name, size, &case.expect["effective_sample_size"], TOLERANCE);
        assert_all_close(&case.name, &weights, &numbers(&case.expect["weights"]), TOLERANCE);
        let (mut means, mut out) = (vec![0.0; assets], vec![0.0; assets * assets]);
        weighted_covariance(&returns, &weights, &mut means, &mut out).unwrap();
        assert_all_close(&case.name, &out, &rows(&case.expect["covariance"]), TOLERANCE);
    }
}

#[test]
fn no_function_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["kelly", "regime_blend", "regime_weighted_covariance"]);
}
