//! CVaR, Kelly size, Black–Litterman, adaptive weights, growth with a bubble cap, concentration, beta and radar axes
//! against `later_additions.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::black_litterman::{Market, View};
use formulas::concentration::{herfindahl, top_share};
use formulas::curves::growth;
use formulas::kelly::{Adaptation, adaptive_multiplier, bear_factor, raw_fraction, upper_bound};
use formulas::radar::{Axis, place};
use formulas::{adaptive_weights, beta, cvar};
use vectors_json::{assert_all_close, assert_close, cases_of, numbers, rows};

const FILE: &str = "scoring/later_additions.json";
const TOLERANCE: f64 = 1e-9;

#[test]
fn historical_cvar_equals_its_vectors() {
    for case in cases_of(FILE, "cvar") {
        let returns = numbers(&case.input["returns"]);
        let confidence = case.input["confidence"].as_f64().unwrap();
        let mut sorted = vec![0.0; returns.len()];
        let cvar = cvar::historical_cvar(&returns, confidence, &mut sorted);
        assert_close(&case.name, cvar.or(Some(0.0)), &case.expect["cvar"], TOLERANCE);
    }
}

/// The reference's minimum gave weight to securities without edge; here only the bound counts.
#[test]
fn kelly_parts_equal_their_vectors_and_no_edge_means_nothing() {
    let adaptation =
        Adaptation { base: 0.5, confidence_range: 0.3, regime_range: 0.2, bull_above: 0.5, bear_below: -0.5 };
    for case in cases_of(FILE, "kelly") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let raw = raw_fraction(number("expected_return"), number("risk_free"), number("variance")).unwrap();
        let multiplier =
            adaptive_multiplier(&adaptation, number("confidence"), number("regime_score")).unwrap();
        let bear = bear_factor(number("regime_score"), 0.25).unwrap();
        assert_close(&case.name, Some(raw), &case.expect["raw_fraction"], TOLERANCE);
        assert_close(&case.name, Some(multiplier), &case.expect["multiplier"], TOLERANCE);
        assert_close(&case.name, Some(bear), &case.expect["bear_factor"], TOLERANCE);
        let size = (raw * multiplier * bear).clamp(number("min_size"), number("max_size"));
        assert_close(&case.name, Some(size), &case.expect["size"], TOLERANCE);
        let bound = upper_bound(raw, number("max_size")).unwrap();
        assert!(if raw > 0.0 { bound > 0.0 } else { bound.abs() < 1e-300 }, "{}", case.name);
    }
}

#[test]
fn black_litterman_equals_its_vectors_with_both_uncertainties() {
    for case in cases_of(FILE, "black_litterman") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let covariance = rows(&case.input["covariance"]);
        let market =
            Market { covariance: &covariance, risk_aversion: number("risk_aversion"), tau: number("tau") };
        let prior = market.prior(&numbers(&case.input["weights"])).unwrap();
        assert_all_close(&case.name, &prior, &numbers(&case.expect["equilibrium"]), TOLERANCE);

        let confidences = numbers(&case.input["view_confidences"]);
        let exposures: Vec<Vec<f64>> =
            case.input["views_matrix"].as_array().unwrap().iter().map(numbers).collect();
        let expected = numbers(&case.input["view_returns"]);
        let posterior = |uncertainty: &dyn Fn(&[f64], f64) -> f64| {
            let views = exposures.iter().zip(&expected).zip(&confidences);
            let views: Vec<View> = views
                .map(|((exposure, &expected), &confidence)| View {
                    exposure: exposure.clone(),
                    expected,
                    uncertainty: uncertainty(exposure, confidence),
                })
                .collect();
            market.posterior(&prior, &views).unwrap().returns
        };
        let decided = posterior(&|exposure, confidence| market.uncertainty_at(exposure, confidence).unwrap());
        let wanted = numbers(&case.expect["posterior_idzorek_omega"]);
        assert_all_close(&case.name, &decided, &wanted, TOLERANCE);
        let reference = posterior(&|_, confidence| ((1.0 - confidence) * 0.5).max(1e-6));
        let wanted = numbers(&case.expect["posterior_reference_omega"]);
        assert_all_close(&case.name, &reference, &wanted, TOLERANCE);
    }
}

#[test]
fn concentration_equals_its_vectors_and_is_absent_for_nothing() {
    for case in cases_of(FILE, "hhi") {
        let positions = case.input["positions"].as_object().unwrap();
        let values: Vec<f64> = positions.values().map(|value| value.as_f64().unwrap()).collect();
        for (key, share) in [
            ("hhi", herfindahl(&values)),
            ("top5", top_share::<5>(&values)),
            ("top10", top_share::<10>(&values)),
        ] {
            assert_eq!(share.is_none(), values.is_empty(), "{}", case.name);
            assert_close(&case.name, share.or(Some(0.0)), &case.expect[key], TOLERANCE);
        }
    }
}

#[test]
fn beta_equals_its_vectors() {
    for case in cases_of(FILE, "beta") {
        let beta = beta::beta(&numbers(&case.input["portfolio"]), &numbers(&case.input["benchmark"]));
        assert_close(&case.name, beta, &case.expect["beta"], TOLERANCE);
    }
}

#[test]
fn adaptive_weights_equal_their_vectors() {
    for case in cases_of(FILE, "adaptive_weights") {
        let found = adaptive_weights::weights(case.input["regime_score"].as_f64().unwrap());
        for (group, weight) in adaptive_weights::GROUPS.iter().zip(found) {
            assert_close(&format!("{} {group}", case.name), Some(weight), &case.expect[group], TOLERANCE);
        }
    }
}

/// The file holds the unrepaired form; the repaired one never exceeds it and agrees from the target on.
#[test]
fn growth_with_its_bubble_cap_equals_its_vectors() {
    for case in cases_of(FILE, "cagr_bubble") {
        let number = |key: &str| case.input[key].as_f64();
        let health = growth::Health {
            sharpe: number("sharpe"),
            sortino: number("sortino"),
            volatility: number("volatility"),
        };
        let (rate, target) = (number("cagr").unwrap(), number("target").unwrap());
        let old = growth::unrepaired(rate, target, health);
        assert_close(&case.name, old, &case.expect["score"], TOLERANCE);
        let decided = growth::score(rate, target, health);
        assert!(decided <= old && (rate < target || decided == old), "{}", case.name);
    }
}

#[test]
fn radar_axes_equal_their_vectors() {
    for case in cases_of(FILE, "radar") {
        let number = |key: &str| case.input["metrics"][key].as_f64();
        for (key, axis) in [
            ("return_1y", number("return_1y").map(Axis::Return)),
            ("sharpe", number("sharpe").map(Axis::Sharpe)),
            ("alpha", number("alpha_1y_vs_home").map(Axis::Alpha)),
            ("low_volatility", number("volatility").map(Axis::LowVolatility)),
            ("low_drawdown", number("max_drawdown").map(Axis::LowDrawdown)),
            ("low_concentration", number("hhi").map(Axis::LowConcentration)),
        ] {
            assert_close(&format!("{} {key}", case.name), axis.and_then(place), &case.expect[key], TOLERANCE);
        }
    }
}

#[test]
fn no_kind_of_the_file_is_left_out() {
    vectors_json::assert_kinds(
        FILE,
        &["cvar", "kelly", "black_litterman", "adaptive_weights", "cagr_bubble", "hhi", "beta", "radar"],
    );
}
