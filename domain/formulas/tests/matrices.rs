//! What a covariance must be, whatever the returns were.
#![allow(clippy::unwrap_used)]

use formulas::cholesky::{factor, solve};
use formulas::covariance::sample_covariance;
use formulas::ledoit_wolf::ledoit_wolf;
use formulas::semidefinite::{eigenvalues, repair};
use proptest::prelude::*;

fn returns() -> impl Strategy<Value = (usize, Vec<f64>)> {
    (1_usize..8, 2_usize..30).prop_flat_map(|(assets, rows)| {
        prop::collection::vec(-0.1..0.1_f64, assets * rows).prop_map(move |returns| (assets, returns))
    })
}

/// Swaps the first two columns of row-major rows.
fn swapped(values: &[f64], assets: usize) -> Vec<f64> {
    let mut out = values.to_vec();
    out.chunks_exact_mut(assets).for_each(|row| row.swap(0, 1));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn covariances_are_symmetric_without_negative_eigenvalues((n, returns) in returns()) {
        let (mut centred, mut out) = (vec![0.0; returns.len()], vec![0.0; n * n]);
        for shrunk in [false, true] {
            if shrunk {
                ledoit_wolf(&returns, n, 252.0, &mut centred, &mut out).unwrap();
            } else {
                sample_covariance(&returns, n, 252.0, &mut centred, &mut out).unwrap();
            }
            prop_assert!((0..n * n).all(|at| out[at].to_bits() == out[at % n * n + at / n].to_bits()));
            let values = eigenvalues(&out, n).unwrap();
            prop_assert!(values[0] > -1e-12, "{values:?}");
            let trace: f64 = out.iter().step_by(n + 1).sum();
            prop_assert!((values.iter().sum::<f64>() - trace).abs() < 1e-10);
        }
    }

    #[test]
    fn order_of_assets_does_not_matter((n, returns) in returns()) {
        prop_assume!(n >= 2);
        let (mut centred, mut one, mut two) = (vec![0.0; returns.len()], vec![0.0; n * n], vec![0.0; n * n]);
        let first = ledoit_wolf(&returns, n, 252.0, &mut centred, &mut one).unwrap();
        let second = ledoit_wolf(&swapped(&returns, n), n, 252.0, &mut centred, &mut two).unwrap();
        prop_assert!((first - second).abs() < 1e-9);
        prop_assert!((one[0] - two[n + 1]).abs() < 1e-12 && (one[1] - two[1]).abs() < 1e-12);
    }

    #[test]
    fn solutions_solve_their_system((n, returns) in returns()) {
        let (mut centred, mut matrix) = (vec![0.0; returns.len()], vec![0.0; n * n]);
        sample_covariance(&returns, n, 252.0, &mut centred, &mut matrix).unwrap();
        matrix.iter_mut().step_by(n + 1).for_each(|variance| *variance += 0.1);
        let right: Vec<f64> = returns[..n].to_vec();
        let (mut root, mut x) = (matrix.clone(), right.clone());
        factor(&mut root, n).unwrap();
        solve(&root, n, &mut x).unwrap();
        for i in 0..n {
            let product: f64 = (0..n).map(|j| matrix[i * n + j] * x[j]).sum();
            prop_assert!((product - right[i]).abs() < 1e-10);
        }
    }

    #[test]
    fn repaired_matrices_have_no_negative_eigenvalue((n, values) in returns()) {
        prop_assume!(values.len() >= n * n);
        let symmetric: Vec<f64> =
            (0..n * n).map(|at| values[at] + values[at % n * n + at / n]).collect();
        let mut out = vec![0.0; n * n];
        repair(&symmetric, n, &mut out).unwrap();
        prop_assert!(eigenvalues(&out, n).unwrap()[0] > -1e-12);
        let mut again = vec![0.0; n * n];
        prop_assert!(repair(&out, n, &mut again).unwrap() < 1e-7, "a second repair changes nothing");
    }
}
