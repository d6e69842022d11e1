//! Whatever the numbers are: an answer keeps every limit, or there is a named refusal; never a panic, never NaN.
#![allow(clippy::unwrap_used)]

use allocation::feasibility::relax;
use allocation::frontier::Frontier;
use allocation::ladder::{Targets, climb};
use allocation::project::{project_box_sum, project_onto};
use allocation::tail_loss::TailLoss;
use allocation::{Bound, Group, Limits};
use proptest::prelude::*;

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -1.0..1.0_f64,
        1 => Just(0.0),
        1 => Just(1e9),
        1 => Just(-1e9),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::MIN_POSITIVE),
    ]
}

fn any_bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        6 => (0.0..0.3_f64, 0.0..0.7_f64).prop_map(|(lower, more)| Bound { lower, upper: lower + more }),
        2 => Just(Bound { lower: 0.0, upper: 0.0 }),
        1 => (0.0..0.4_f64).prop_map(|at| Bound { lower: at, upper: at }),
        1 => (any_number(), any_number()).prop_map(|(lower, upper)| Bound { lower, upper }),
    ]
}

fn any_limits(n: usize) -> impl Strategy<Value = Limits> {
    let share = prop_oneof![3 => Just(0.0), 3 => Just(1.0), 1 => 0.0..1.0_f64];
    let group = (prop::collection::vec(share, n), 0.0..1.0_f64, 0.0..1.0_f64)
        .prop_map(|(shares, lower, more)| Group { name: "g".into(), shares, lower, upper: lower + more });
    let budget = prop_oneof![4 => Just(1.0), 2 => 0.0..1.2_f64, 1 => any_number()];
    (prop::collection::vec(any_bound(), n), prop::collection::vec(group, 0..4), budget)
        .prop_map(|(bounds, groups, budget)| Limits { bounds, groups, budget })
}

/// A covariance AᵀA of few columns: singular as a rule; sometimes flat, huge or broken.
fn any_covariance(n: usize) -> impl Strategy<Value = Vec<f64>> {
    let of = move |factors: Vec<f64>| -> Vec<f64> {
        let rank = factors.len() / n;
        let entry = |i: usize, j: usize| (0..rank).map(|k| factors[k * n + i] * factors[k * n + j]).sum();
        (0..n * n).map(|at| entry((at / n).min(at % n), (at / n).max(at % n))).collect()
    };
    prop_oneof![
        6 => prop::collection::vec(-0.4..0.4_f64, n..=4 * n).prop_map(of),
        1 => Just(vec![0.04; n * n]),
        1 => Just(vec![0.0; n * n]),
        1 => prop::collection::vec(any_number(), n * n),
        1 => prop::collection::vec(-4e4..4e4_f64, n..=n).prop_map(of),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_question_has_an_answer_within_its_limits_or_a_refusal(
        (returns, covariance, limits) in (1_usize..9).prop_flat_map(|n| {
            (prop::collection::vec(prop_oneof![5 => -0.1..0.3_f64, 1 => any_number()], n), any_covariance(n), any_limits(n))
        }),
        target in prop_oneof![4 => -0.1..0.3_f64, 1 => any_number()],
        volatility in prop_oneof![4 => 0.0..0.5_f64, 1 => any_number()],
    ) {
        if let Ok(frontier) = Frontier::new(&returns, &covariance, &limits) {
            let answers = [
                frontier.min_volatility(), frontier.efficient_return(target), frontier.efficient_risk(volatility),
                frontier.max_sharpe(target), frontier.highest_return(),
            ];
            for (which, answer) in answers.into_iter().enumerate() {
                if let Ok(weights) = answer {
                    prop_assert!(weights.iter().all(|weight| weight.is_finite()));
                    prop_assert!(limits.violation(&weights) <= 1e-6, "{which}: {}", limits.violation(&weights));
                }
            }
            let targets = Targets { annual_return: target, volatility, risk_free: 0.02 };
            if let Ok(chosen) = climb(&frontier, &targets) {
                prop_assert!(limits.violation(&chosen.weights) <= 1e-6);
            }
        }
    }

    #[test]
    fn what_gives_way_leaves_something_possible(limits in (1_usize..9).prop_flat_map(any_limits)) {
        if let Ok(found) = relax(&limits) {
            let relaxed = Limits { groups: found.groups, ..limits.clone() };
            let wanted = vec![limits.budget / limits.bounds.len() as f64; limits.bounds.len()];
            let near = project_onto(&wanted, &relaxed);
            let near = near.map_err(|refusal| TestCaseError::fail(format!("{:?} {refusal:?}", found.level)))?;
            prop_assert!(relaxed.violation(&near) <= 1e-6);
        }
    }

    #[test]
    fn a_projection_keeps_bounds_and_sum_or_is_refused(
        all in prop::collection::vec((any_number(), any_bound()), 0..12), budget in any_number(),
    ) {
        let wanted: Vec<f64> = all.iter().map(|one| one.0).collect();
        let bounds: Vec<Bound> = all.iter().map(|one| one.1).collect();
        if let Ok(near) = project_box_sum(&wanted, &bounds, budget) {
            prop_assert!(near.iter().zip(&bounds).all(|(weight, bound)| *weight >= bound.lower && *weight <= bound.upper));
            let scale = 1.0 + budget.abs() + bounds.iter().map(|bound| bound.upper.abs()).sum::<f64>();
            prop_assert!((near.iter().sum::<f64>() - budget).abs() <= 2e-9 * scale);
        }
    }

    #[test]
    fn the_worst_days_of_anything_are_finite_or_refused(
        (days, returns, limits) in (1_usize..5).prop_flat_map(|n| {
            (prop::collection::vec(prop_oneof![8 => -0.1..0.1_f64, 1 => any_number()], 0..12 * n), prop::collection::vec(-0.1..0.3_f64, n), any_limits(n))
        }),
        confidence in prop_oneof![4 => 0.5..0.99_f64, 1 => any_number()],
    ) {
        let tail = TailLoss { days: &days, returns: &returns, limits: &limits, confidence };
        for weights in [tail.least(), tail.with_return(0.05), tail.within_loss(0.02)].into_iter().flatten() {
            prop_assert!(limits.violation(&weights) <= 1e-6);
        }
    }
}
