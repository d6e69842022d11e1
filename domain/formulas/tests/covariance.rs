//! Sample covariance, Ledoit–Wolf, correlations and repair against `covariance.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::correlation::strongest_pairs;
use formulas::covariance::sample_covariance;
use formulas::ledoit_wolf::ledoit_wolf;
use formulas::returns::simple_return;
use formulas::semidefinite::{eigenvalues, repair};
use vectors_json::{Case, assert_all_close, assert_close, cases, rows};

const FILE: &str = "optimization/covariance.json";
const TOLERANCE: f64 = 1e-9;
const REPAIR_TOLERANCE: f64 = 1e-8;

fn assets(case: &Case) -> usize {
    case.input["tickers"].as_array().unwrap().len()
}

/// Returns as given, or made from prices whose gaps are filled forward, then backward.
fn returns(case: &Case) -> Vec<f64> {
    if !case.input["returns"].is_null() {
        return rows(&case.input["returns"]);
    }
    let fill = case.input["fill"].as_str().unwrap_or("forward then backward");
    assert_eq!(fill, "forward then backward", "{}: nobody knows how to fill", case.name);
    let prices = case.input["prices"].as_array().unwrap();
    let filled = |asset: usize| -> Vec<f64> {
        let column: Vec<Option<f64>> = prices.iter().map(|row| row[asset].as_f64()).collect();
        let mut last = column.iter().flatten().copied().next().unwrap();
        let fill = |price: &Option<f64>| {
            last = price.unwrap_or(last);
            last
        };
        column.iter().map(fill).collect()
    };
    let columns: Vec<Vec<f64>> = (0..assets(case)).map(filled).collect();
    (1..prices.len())
        .flat_map(|day| {
            columns.iter().map(move |column| simple_return(column[day - 1], column[day]).unwrap())
        })
        .collect()
}

fn with_returns() -> impl Iterator<Item = Case> {
    cases(FILE).into_iter().filter(|case| case.input["matrix"].is_null())
}

#[test]
fn filled_prices_give_the_returns_of_the_vector() {
    for case in with_returns().filter(|case| !case.expect["returns"].is_null()) {
        assert_all_close(&case.name, &returns(&case), &rows(&case.expect["returns"]), TOLERANCE);
    }
}

#[test]
fn both_covariances_and_the_shrinkage_equal_their_vectors() {
    for case in with_returns() {
        let (returns, n) = (returns(&case), assets(&case));
        let frequency = case.input["frequency"].as_f64().unwrap();
        let (mut centred, mut out) = (vec![0.0; returns.len()], vec![0.0; n * n]);
        sample_covariance(&returns, n, frequency, &mut centred, &mut out).unwrap();
        assert_all_close(&case.name, &out, &rows(&case.expect["sample_cov"]), TOLERANCE);
        let shrinkage = ledoit_wolf(&returns, n, frequency, &mut centred, &mut out);
        assert_close(&case.name, shrinkage, &case.expect["shrinkage"], TOLERANCE);
        assert_all_close(&case.name, &out, &rows(&case.expect["ledoit_wolf_cov"]), TOLERANCE);
    }
}

#[test]
fn the_strongest_correlations_equal_their_vectors() {
    for case in with_returns() {
        let names: Vec<&str> =
            case.input["tickers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let expected = case.expect["high_correlations_050"].as_array().unwrap();
        let pairs = strongest_pairs(&returns(&case), names.len(), 0.5, expected.len().max(5));
        assert_eq!(pairs.len(), expected.len(), "{}", case.name);
        for (pair, expected) in pairs.iter().zip(expected) {
            let found = (Some(names[pair.first]), Some(names[pair.second]));
            let wanted = (expected["symbol1"].as_str(), expected["symbol2"].as_str());
            assert_eq!(found, wanted, "{}", case.name);
            assert_close(&case.name, Some(pair.correlation), &expected["correlation"], 1e-12);
        }
    }
}

#[test]
fn repaired_matrices_equal_their_vectors() {
    for case in cases(FILE).iter().filter(|case| !case.input["matrix"].is_null()) {
        let matrix = rows(&case.input["matrix"]);
        let n = case.input["matrix"].as_array().unwrap().len();
        let expected = vectors_json::numbers(&case.expect["eigenvalues"]);
        assert_all_close(&case.name, &eigenvalues(&matrix, n).unwrap(), &expected, REPAIR_TOLERANCE);
        let mut out = vec![0.0; n * n];
        let change = repair(&matrix, n, &mut out).unwrap();
        let is_broken =
            expected.iter().any(|value| *value < -1e-6 * expected.iter().fold(0.0, |a: f64, b| a.max(*b)));
        assert_eq!(change > 1e-9, is_broken, "{}: only what is broken is repaired", case.name);
        assert_all_close(&case.name, &out, &rows(&case.expect["repaired"]), REPAIR_TOLERANCE);
    }
}
