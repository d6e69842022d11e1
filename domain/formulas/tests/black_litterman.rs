//! Prior, posterior and weights against `black_litterman.json`.
//!
//! The reference's own uncertainty, too large by a factor of a hundred, is fed in as data: the
//! formula is the same.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::black_litterman::{Market, Posterior, View};
use vectors_json::{Case, assert_all_close, cases, numbers, rows};

const TOLERANCE: f64 = 1e-8;

fn check(case: &Case, key: &str, actual: &[f64]) {
    let expected = &case.expect[key];
    let expected = if expected[0].is_array() { rows(expected) } else { numbers(expected) };
    assert_all_close(&format!("{} {key}", case.name), actual, &expected, TOLERANCE);
}

fn position(case: &Case, name: &str) -> usize {
    case.input["tickers"].as_array().unwrap().iter().position(|ticker| ticker == name).unwrap()
}

/// Exposure, expected return and confidence of every view of a case.
fn opinions(case: &Case) -> Vec<(Vec<f64>, f64, Option<f64>)> {
    let assets = case.input["tickers"].as_array().unwrap().len();
    let single = |name: &str| {
        let mut exposure = vec![0.0; assets];
        exposure[position(case, name)] = 1.0;
        exposure
    };
    if let Some(views) = case.input["absolute_views"].as_object() {
        // The order of the confidences is that of the file's own matrix where it has one: names have none in JSON.
        let names: Vec<&String> = match case.expect["P"].as_array() {
            Some(lines) => {
                let of = |line: &serde_json::Value| {
                    views
                        .keys()
                        .find(|name| single(name) == numbers(line))
                        .unwrap_or_else(|| panic!("{line}"))
                };
                lines.iter().map(of).collect()
            }
            None => views.keys().collect(),
        };
        let confidence = |i: usize| case.input["view_confidences"][i].as_f64();
        let views = names.into_iter().enumerate();
        return views
            .map(|(i, name)| {
                (single(name), case.input["absolute_views"][name].as_f64().unwrap(), confidence(i))
            })
            .collect();
    }
    if let Some(lines) = case.input["P"].as_array() {
        let expected = numbers(&case.input["Q"]);
        return lines.iter().zip(expected).map(|(line, q)| (numbers(line), q, None)).collect();
    }
    let views = case.input["views"].as_array().unwrap().iter();
    views
        .map(|view| {
            let name = |key: &str| view[key].as_str().unwrap();
            let exposure = if view["type"] == "absolute" {
                single(name("id"))
            } else {
                let mut exposure = single(name("id1"));
                exposure[position(case, name("id2"))] = -1.0;
                exposure
            };
            (exposure, view["return"].as_f64().unwrap(), view["confidence"].as_f64())
        })
        .collect()
}

fn uncertainty(case: &Case, market: &Market<'_>, exposure: &[f64], confidence: Option<f64>) -> f64 {
    if let Some(base) = case.input["base_uncertainty"].as_f64() {
        return ((1.0 - confidence.unwrap()) * base).max(1e-6);
    }
    match case.input["omega"].as_str().unwrap() {
        "idzorek" => market.uncertainty_at(exposure, confidence.unwrap()).unwrap(),
        "default" => market.uncertainty(exposure).unwrap(),
        other => panic!("unknown uncertainty {other}"),
    }
}

#[test]
fn every_posterior_equals_its_vector() {
    for case in cases("optimization/black_litterman.json") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let covariance = rows(&case.input["cov"]);
        let market =
            Market { covariance: &covariance, risk_aversion: number("risk_aversion"), tau: number("tau") };
        let prior = market.prior(&numbers(&case.input["prior_weights"])).unwrap();
        check(&case, "prior", &prior);

        let view = |(exposure, expected, confidence): (Vec<f64>, f64, Option<f64>)| {
            let uncertainty = uncertainty(&case, &market, &exposure, confidence);
            View { exposure, expected, uncertainty }
        };
        let views: Vec<View> = opinions(&case).into_iter().map(view).collect();
        if !case.expect["P"].is_null() {
            check(&case, "P", &views.iter().flat_map(|view| view.exposure.clone()).collect::<Vec<_>>());
            check(&case, "Q", &views.iter().map(|view| view.expected).collect::<Vec<_>>());
        }
        if !case.expect["omega_diagonal"].is_null() {
            let diagonal: Vec<f64> = views.iter().map(|view| view.uncertainty).collect();
            check(&case, "omega_diagonal", &diagonal);
        }
        check_posterior(&case, &market, &market.posterior(&prior, &views).unwrap());
    }
}

fn check_posterior(case: &Case, market: &Market<'_>, posterior: &Posterior) {
    check(case, "posterior_returns", &posterior.returns);
    if !case.expect["posterior_cov"].is_null() {
        check(case, "posterior_cov", &posterior.covariance);
    }
    if !case.expect["posterior_weights"].is_null() {
        check(case, "posterior_weights", &market.weights(&posterior.returns).unwrap());
    }
}
