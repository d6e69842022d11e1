//! The chain on questions nobody would ask on purpose: whatever comes, weights keep their bounds or there is a code.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use market::Isin;
use optimise::{
    Settings,
    chain::{Decision, Failure, decide},
    groups::Range,
    question::{Asset, Locked, Parameters, Previous, Question},
    risk::risk,
};
use proptest::prelude::*;

const DAYS: usize = 260;

fn isin(number: usize) -> Isin {
    Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
}

/// Returns of one security on one day, in a way of its own.
fn wobble(day: usize, number: usize) -> f64 {
    let mut state = (day * 7_919 + number * 104_729 + 13) as u64;
    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    state = (state ^ (state >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5) * 0.04
}

fn days(n: usize, column: impl Fn(usize) -> usize) -> Vec<f64> {
    (0..DAYS).flat_map(|day| (0..n).map(|i| wobble(day, column(i))).collect::<Vec<_>>()).collect()
}

fn question(expected: &[f64], days: Vec<f64>) -> Question {
    let asset = |(number, expected): (usize, &f64)| Asset {
        isin: isin(number),
        current: 0.0,
        allow_buy: true,
        allow_sell: true,
        own_max: None,
        own_min: None,
        leaves: false,
        expected: *expected,
    };
    let parameters = Parameters { min_trade: 0.005, ..Settings::default().parameters(100_000.0) };
    Question {
        assets: (1..).zip(expected).map(asset).collect(),
        locked: vec![],
        risk: risk(days, expected.len(), false).unwrap(),
        groups: vec![],
        reserve: 0.05,
        parameters,
        previous: None,
    }
}

fn plain(n: usize) -> Question {
    let expected: Vec<f64> = (0..n).map(|i| 0.06 + 0.12 * i as f64 / n as f64).collect();
    question(&expected, days(n, |i| i))
}

fn group(question: &Question, name: &str, members: std::ops::Range<usize>, lower: f64, upper: f64) -> Range {
    let shares: BTreeMap<Isin, f64> =
        question.assets[members].iter().map(|asset| (asset.isin, 1.0)).collect();
    Range { kind: "country", name: name.into(), target: None, lower, upper, shares }
}

fn sum(decision: &Decision) -> f64 {
    decision.weights.iter().sum()
}

/// What must hold of every decision.
fn holds(question: &Question, found: &Result<Decision, Failure>) {
    let decision = match found {
        Ok(decision) => decision,
        Err(failure) => {
            assert!(!failure.code.is_empty() && !failure.why.is_empty());
            return;
        }
    };
    // Only what must not be sold may stand above the budget; what the owner wants never does.
    let forced: f64 =
        question.assets.iter().filter(|asset| !asset.allow_sell).map(|asset| asset.current).sum();
    let free = (1.0 - question.reserve - question.locked_sum()).max(0.0).max(forced);
    assert!(sum(decision) <= free + 1e-9, "{} of {free}", sum(decision));
    for ((asset, bound), weight) in question.assets.iter().zip(&decision.bounds).zip(&decision.weights) {
        assert!(weight.is_finite() && *weight >= bound.lower - 1e-9 && *weight <= bound.upper + 1e-9);
        assert!(asset.allow_buy || *weight <= asset.current + 1e-9);
        assert!(asset.allow_sell || *weight >= asset.current - 1e-9);
    }
    keeps_groups(question, decision);
    drops_dust(question, decision);
}

fn said(decision: &Decision, words: &str) -> bool {
    decision.warnings.iter().any(|said| said.contains(words))
}

/// No group is taken beyond its limits in force by more than a point, unless it stands there already.
fn keeps_groups(question: &Question, decision: &Decision) {
    for group in &decision.groups {
        let share = |isin: &Isin| group.range.shares.get(isin).copied().unwrap_or(0.0);
        let held = question.assets.iter().map(|asset| share(&asset.isin) * asset.current);
        let locked = question.locked.iter().map(|locked| share(&locked.isin) * locked.current);
        let now: f64 = held.chain(locked).sum();
        let fits = group.value <= group.upper.max(now) + 0.01 + 1e-6
            && group.value >= group.lower.min(now) - 0.01 - 1e-6;
        assert!(fits, "{} stands at {now}: {group:?}, {:?}", group.range.name, decision.warnings);
    }
}

/// What was wanted too little to be held ends at nothing or stays what it is, unless the others cannot take its share or
/// the way there is longer than one run.
fn drops_dust(question: &Question, decision: &Decision) {
    let longer = ["too small to hold come back", "a quarter of the fund", "half the way", "breaks a group"];
    if longer.iter().any(|words| said(decision, words)) {
        return;
    }
    let zero = vec![0.0; question.assets.len()];
    let part = |weights: &Option<Vec<f64>>| weights.clone().unwrap_or_else(|| zero.clone());
    let blend = match (&decision.mean_variance, &decision.parity) {
        (Some(_), Some(_)) => decision.blend,
        (Some(_), None) => 0.0,
        (None, _) => 1.0,
    };
    let wanted: Vec<f64> = part(&decision.mean_variance)
        .iter()
        .zip(part(&decision.parity))
        .map(|(mv, hrp)| blend * hrp + (1.0 - blend) * mv)
        .collect();
    let is_dust = |i: usize| wanted[i] < 0.005 && decision.bounds[i].lower <= 0.0;
    let room: f64 = (0..zero.len()).filter(|i| !is_dust(*i)).map(|i| decision.bounds[i].upper).sum();
    for (i, asset) in question.assets.iter().enumerate().filter(|(i, _)| is_dust(*i)) {
        let weight = decision.weights[i];
        let dropped = weight <= 1e-9 || (weight - asset.current).abs() <= 1e-9;
        assert!(dropped || room < decision.budget, "{weight} of {} comes back", wanted[i]);
    }
}

#[test]
fn a_fund_is_invested_up_to_its_budget() {
    let question = plain(12);
    let decision = decide(&question).unwrap();
    assert!((sum(&decision) - 0.95).abs() < 1e-9);
    assert_eq!((decision.level, decision.strategy.unwrap().code()), ("full", "efficient_return"));
    holds(&question, &Ok(decision));
}

#[test]
fn a_target_out_of_reach_takes_the_nearest_question() {
    let mut question = plain(12);
    question.parameters.target_return = 0.28;
    let decision = decide(&question).unwrap();
    assert_eq!(decision.strategy.unwrap().code(), "efficient_risk");
    assert!(decision.warnings.iter().any(|said| said.contains("target_return_too_high")), "{decision:?}");
}

#[test]
fn minima_of_countries_and_industries_describe_the_same_money() {
    let mut question = plain(12);
    question.groups = vec![
        group(&question, "A", 0..6, 0.35, 0.6),
        group(&question, "B", 6..12, 0.35, 0.6),
        group(&question, "X", 0..6, 0.30, 0.6),
        group(&question, "Y", 6..12, 0.30, 0.6),
    ];
    let decision = decide(&question).unwrap();
    assert_eq!(decision.level, "full", "{:?}", decision.relaxed);
}

#[test]
fn minima_that_clash_are_halved_and_named() {
    let mut question = plain(12);
    question.groups = vec![group(&question, "A", 0..6, 0.60, 0.9), group(&question, "B", 6..12, 0.60, 0.9)];
    let decision = decide(&question).unwrap();
    assert_eq!(decision.level, "minima_halved");
    assert_eq!(decision.clash.len(), 3, "{:?}", decision.clash);
    assert_eq!(decision.relaxed.len(), 2, "{:?}", decision.relaxed);
}

#[test]
fn caps_that_leave_no_room_are_widened_as_little_as_possible() {
    let mut question = plain(12);
    question.groups = vec![group(&question, "A", 0..6, 0.0, 0.3), group(&question, "B", 6..12, 0.0, 0.3)];
    let decision = decide(&question).unwrap();
    assert_eq!(decision.level, "caps_widened");
    let widened: f64 = decision.groups.iter().map(|group| group.upper - 0.3).sum();
    assert!((widened - 0.35).abs() < 1e-5, "{widened}");
}

#[test]
fn the_same_series_twice_is_no_trouble() {
    let question = question(&[0.08; 6], days(6, |i| i / 2));
    let decision = decide(&question).unwrap();
    assert_eq!(decide(&question).unwrap(), decision, "the same bits again");
    holds(&question, &Ok(decision));
}

#[test]
fn equal_and_negative_expectations_have_answers() {
    for expected in [0.08, -0.05, 0.02] {
        let question = question(&[expected; 8], days(8, |i| i));
        let decision = decide(&question).unwrap();
        assert!((sum(&decision) - 0.95).abs() < 1e-9, "{expected}");
    }
}

#[test]
fn all_bounds_zero_is_an_answer_of_nothing() {
    let mut question = plain(5);
    question.assets.iter_mut().for_each(|asset| asset.own_max = Some(0.0));
    let decision = decide(&question).unwrap();
    assert!(sum(&decision).abs() < 1e-12);
}

#[test]
fn a_reserve_above_everything_sells_only_what_may_be_sold() {
    let mut question = plain(5);
    question.reserve = 3.0;
    question.assets[0].current = 0.12;
    question.assets[1].current = 0.12;
    question.assets[1].allow_sell = false;
    let decision = decide(&question).unwrap();
    assert!(decision.weights[0].abs() < 1e-9 && (decision.weights[1] - 0.12).abs() < 1e-9, "{decision:?}");
    assert!(decision.warnings.iter().any(|said| said.contains("must not be sold")));
}

fn wants(question: &mut Question, least: f64) {
    question.assets.iter_mut().for_each(|asset| asset.own_min = Some(least));
}

fn is_scaled(decision: &Decision) -> bool {
    decision.warnings.iter().any(|said| said.contains("scaled down"))
}

fn is_kept(decision: &Decision) -> bool {
    decision.warnings.iter().any(|said| said.contains("must not be sold"))
}

#[test]
fn the_least_the_owner_wants_never_touches_the_cash_reserve() {
    let mut question = plain(10);
    for (least, scaled) in [(0.094, false), (0.095, false), (0.096, true), (0.12, true)] {
        wants(&mut question, least);
        let decision = decide(&question).unwrap();
        assert!(sum(&decision) <= 0.95 + 1e-9, "{least}: {}", sum(&decision));
        assert_eq!((is_scaled(&decision), is_kept(&decision)), (scaled, false), "{:?}", decision.warnings);
        assert!(decision.weights.iter().all(|weight| *weight >= least.min(0.095) - 1e-9), "{least}");
        holds(&question, &Ok(decision));
    }
}

#[test]
fn what_must_not_be_sold_comes_before_what_the_owner_wants() {
    let mut question = plain(10);
    wants(&mut question, 0.12);
    (question.assets[0].current, question.assets[0].allow_sell) = (0.50, false);
    let decision = decide(&question).unwrap();
    assert!(
        (decision.weights[0] - 0.50).abs() < 1e-9 && (sum(&decision) - 0.95).abs() < 1e-9,
        "{decision:?}"
    );
    assert!(decision.weights[1..].iter().all(|weight| (*weight - 0.05).abs() < 1e-9), "{decision:?}");
    assert!(is_scaled(&decision) && !is_kept(&decision), "{:?}", decision.warnings);
    question.assets[0].current = 0.97;
    let decision = decide(&question).unwrap();
    assert!(decision.weights[1..].iter().all(|weight| weight.abs() < 1e-9), "{decision:?}");
    assert!(is_scaled(&decision) && is_kept(&decision), "{:?}", decision.warnings);
    holds(&question, &Ok(decision));
}

#[test]
fn what_is_locked_counts_in_its_group() {
    let mut question = plain(12);
    question.locked = vec![Locked { isin: isin(99), current: 0.30, reason: "kept".into() }];
    let mut range = group(&question, "A", 0..6, 0.0, 0.35);
    range.shares.insert(isin(99), 1.0);
    question.groups = vec![range];
    let decision = decide(&question).unwrap();
    let inside: f64 = decision.weights[..6].iter().sum();
    assert!(inside <= 0.05 + 0.011, "{inside}");
    assert!((sum(&decision) - 0.65).abs() < 1e-9);
}

#[test]
fn too_few_and_not_a_number_have_codes() {
    let mut one = plain(2);
    one.assets.pop();
    assert_eq!(decide(&one).unwrap_err().code, "too_few_securities");
    let mut unknown = plain(3);
    unknown.assets[1].expected = f64::NAN;
    assert_eq!(decide(&unknown).unwrap_err().code, "invalid_input");
}

#[test]
fn a_fund_that_must_move_far_goes_half_the_way() {
    let mut question = plain(12);
    question.assets[0].current = 0.9;
    let decision = decide(&question).unwrap();
    assert!(decision.weights[0] >= 0.45 - 1e-9, "{}", decision.weights[0]);
    assert!(decision.warnings.iter().any(|said| said.contains("half the way")));
}

#[test]
fn a_run_moves_at_most_a_quarter_of_what_was_said_before() {
    let mut question = plain(12);
    let weights: BTreeMap<Isin, f64> = (1..=6).map(|number| (isin(number), 0.158)).collect();
    question.previous = Some(Previous { weights: weights.clone(), age_days: 1.0 });
    let decision = decide(&question).unwrap();
    let moved: f64 = question
        .assets
        .iter()
        .zip(&decision.weights)
        .map(|(asset, weight)| (weight - weights.get(&asset.isin).copied().unwrap_or(0.0)).abs())
        .sum();
    assert!(moved <= 0.5 + 0.06, "{moved}");
}

#[test]
fn more_risk_parity_when_the_worst_days_lose_too_much() {
    let mut question = plain(12);
    question.parameters.max_tail_loss = Some(0.01);
    let decision = decide(&question).unwrap();
    assert!((decision.blend - 0.75).abs() < 1e-12, "{:?}", decision.tail);
    question.parameters.max_tail_loss = Some(0.9);
    assert!((decide(&question).unwrap().blend - 0.5).abs() < 1e-12);
}

#[test]
fn the_order_of_securities_does_not_matter_to_the_sums() {
    let forward = decide(&plain(10)).unwrap();
    let again = decide(&plain(10)).unwrap();
    assert_eq!(forward, again);
}

type AnyAsset = (f64, f64, bool, bool, (Option<f64>, Option<f64>), usize);

fn any_asset() -> impl Strategy<Value = AnyAsset> {
    let own = prop_oneof![3 => Just(None), 1 => (0.0_f64..0.4).prop_map(Some), 1 => Just(Some(0.0))];
    let wish = prop_oneof![3 => Just(None), 1 => (0.0_f64..0.3).prop_map(Some)];
    (
        -0.1_f64..0.3,
        prop_oneof![2 => Just(0.0), 1 => 0.0_f64..0.25],
        any::<bool>(),
        any::<bool>(),
        (own, wish),
        0_usize..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_question_has_weights_within_bounds_or_a_code(
        all in proptest::collection::vec(any_asset(), 2..14),
        ranges in proptest::collection::vec((0_usize..14, 0_usize..14, 0.0_f64..1.0, 0.0_f64..1.0), 0..6),
        reserve in 0.0_f64..1.2,
        locked in prop_oneof![Just(0.0), 0.0_f64..1.0],
        blend in prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0],
        kelly in any::<bool>(),
        before in proptest::option::of(proptest::collection::vec(0.0_f64..0.2, 14)),
    ) {
        let expected: Vec<f64> = all.iter().map(|one| one.0).collect();
        // Few columns for many securities: duplicates and singular matrices.
        let mut question = question(&expected, days(all.len(), |i| all[i].5));
        for (asset, one) in question.assets.iter_mut().zip(&all) {
            (asset.current, asset.allow_buy, asset.allow_sell) = (one.1, one.2, one.3);
            (asset.own_max, asset.own_min) = one.4;
        }
        let n = all.len();
        question.groups = ranges
            .iter()
            .map(|(from, to, lower, upper)| {
                let (from, to) = ((*from).min(n), (*to).min(n));
                group(&question, &format!("{from}-{to}"), from.min(to)..from.max(to), lower.min(*upper), *upper)
            })
            .collect();
        if locked > 0.0 {
            question.locked = vec![Locked { isin: isin(99), current: locked, reason: "kept".into() }];
        }
        question.reserve = reserve;
        question.previous = before.map(|before| Previous {
            weights: question.assets.iter().map(|asset| asset.isin).zip(before).collect(),
            age_days: 1.0,
        });
        (question.parameters.blend, question.parameters.kelly_cap) = (blend, kelly);
        holds(&question, &decide(&question));
    }

    /// A fund near its targets, whose groups are as large as they may be: here weights stay, and what stays moves the others.
    #[test]
    fn a_fund_near_its_targets_keeps_its_groups_and_buys_no_dust(
        all in proptest::collection::vec((0.0_f64..0.2, 0.6_f64..1.4, 0.0_f64..0.01), 15),
        cap in 0.15_f64..0.35,
        blend in 0.0_f64..1.0,
    ) {
        let expected: Vec<f64> = all.iter().map(|one| one.0).collect();
        // Those that move nine times as much as others are hardly wanted.
        let mut days = days(15, |i| i);
        days.iter_mut().enumerate().for_each(|(at, value)| *value *= [1.0, 2.0, 3.0, 5.0, 9.0][at % 5]);
        let mut question = question(&expected, days);
        question.parameters.blend = blend;
        question.groups = (0..3)
            .map(|at| group(&question, &format!("{at}"), 5 * at..5 * at + 5, 0.0, if at == 0 { cap } else { 0.6 }))
            .collect();
        let first = decide(&question).unwrap();
        for (asset, (weight, one)) in question.assets.iter_mut().zip(first.weights.iter().zip(&all)) {
            asset.current = weight * one.1 + one.2;
        }
        let second = decide(&question);
        prop_assert!(second.is_ok());
        holds(&question, &second);
    }
}
