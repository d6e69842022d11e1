//! Both covariances of sixty assets against `covariance_60.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::covariance::sample_covariance;
use formulas::ledoit_wolf::ledoit_wolf;
use vectors_json::{assert_all_close, assert_close, cases, numbers, rows};

const TOLERANCE: f64 = 1e-9;

fn upper(matrix: &[f64], size: usize) -> Vec<f64> {
    (0..size).flat_map(|i| matrix[i * size + i..(i + 1) * size].to_vec()).collect()
}

#[test]
fn both_covariances_of_sixty_assets_equal_their_vector() {
    for case in cases("optimization/covariance_60.json") {
        let (returns, n) = (rows(&case.input["returns"]), case.input["tickers"].as_array().unwrap().len());
        let (mut centred, mut out) = (vec![0.0; returns.len()], vec![0.0; n * n]);
        sample_covariance(&returns, n, 252.0, &mut centred, &mut out).unwrap();
        assert_all_close(&case.name, &upper(&out, n), &numbers(&case.expect["sample_cov_upper"]), TOLERANCE);
        let shrinkage = ledoit_wolf(&returns, n, 252.0, &mut centred, &mut out);
        assert_close(&case.name, shrinkage, &case.expect["shrinkage"], TOLERANCE);
        let expected = numbers(&case.expect["ledoit_wolf_cov_upper"]);
        assert_all_close(&case.name, &upper(&out, n), &expected, TOLERANCE);
    }
}
