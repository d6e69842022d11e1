//! Hierarchical risk parity against `hrp.json`: order exactly, heights to 1e-9, weights to 1e-10.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::covariance::sample_covariance;
use formulas::hrp::{correlations, risk_parity};
use formulas::linkage::Linkage;
use vectors_json::{Case, cases, numbers, rows};

const HEIGHTS: f64 = 1e-9;
const WEIGHTS: f64 = 1e-10;

fn linkage(case: &Case) -> Linkage {
    match case.input["linkage"].as_str().unwrap() {
        "single" => Linkage::Single,
        "complete" => Linkage::Complete,
        "average" => Linkage::Average,
        "ward" => Linkage::Ward,
        other => panic!("{}: linkage {other}", case.name),
    }
}

/// Covariance and correlation; given covariances have their correlations rounded to six decimals.
fn risk(case: &Case, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut rho = vec![0.0; n * n];
    if case.input["mode"] == "cov" {
        let covariance = rows(&case.input["cov"]);
        correlations(&covariance, n, &mut rho).unwrap();
        rho.iter_mut().for_each(|rho| *rho = (*rho * 1e6).round_ties_even() / 1e6);
        return (covariance, rho);
    }
    let returns = rows(&case.input["returns"]);
    let (mut centred, mut covariance) = (vec![0.0; returns.len()], vec![0.0; n * n]);
    sample_covariance(&returns, n, 1.0, &mut centred, &mut covariance).unwrap();
    correlations(&covariance, n, &mut rho).unwrap();
    (covariance, rho)
}

#[test]
fn trees_orders_and_weights_equal_their_vectors() {
    for case in cases("optimization/hrp.json") {
        let n = case.input["tickers"].as_array().unwrap().len();
        let (covariance, rho) = risk(&case, n);
        let parity = risk_parity(&covariance, &rho, n, linkage(&case)).unwrap();
        let expected = case.expect["linkage_matrix"].as_array().unwrap();
        assert_eq!(parity.merges.len(), expected.len(), "{}", case.name);
        for (merge, row) in parity.merges.iter().zip(expected) {
            let row = numbers(row);
            let ids = [merge.first, merge.second, merge.size];
            assert_eq!(ids, [row[0], row[1], row[3]].map(|id| id as usize), "{}", case.name);
            assert!(
                (merge.distance - row[2]).abs() <= HEIGHTS,
                "{}: {} {}",
                case.name,
                merge.distance,
                row[2]
            );
        }
        let order: Vec<usize> =
            numbers(&case.expect["leaf_order"]).iter().map(|leaf| *leaf as usize).collect();
        assert_eq!(parity.order, order, "{}", case.name);
        for (weight, expected) in parity.weights.iter().zip(numbers(&case.expect["weights"])) {
            assert!(
                (weight - expected).abs() <= WEIGHTS * expected.abs(),
                "{}: {weight} {expected}",
                case.name
            );
        }
    }
}
