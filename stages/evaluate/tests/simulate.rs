//! The score of a sequence: worked examples, refusals, and the agreement with a plain recomputation.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod support;

use contracts::{PlanContext, Side};
use evaluate::{BadContext, Infeasible, Prepared, tally};
use money::{Currency, Money};
use proptest::prelude::*;
use support::{candidate, context, eur, holding, isin};

const E4: i64 = 10_000;

/// All cash, one security wanted at 30 %.
fn worked() -> PlanContext {
    context(
        1_000 * E4,
        0,
        vec![holding(0, 0, 300_000, 0.8)],
        vec![candidate(0, Side::Buy, 300 * E4, 3 * E4), candidate(0, Side::Sell, 300 * E4, 3 * E4)],
    )
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
}

/// From −1…1 to 0…1.
fn scaled(sum: f64) -> f64 {
    f64::midpoint(sum, 1.0)
}

#[test]
fn the_worked_example_holds() {
    let prepared = Prepared::of(&worked()).unwrap();
    near(prepared.unchanged(), scaled(0.19));
    let outcome = prepared.evaluate(&[0]).unwrap();
    near(outcome.before_costs, scaled(0.8 * 0.3 + 0.34 * 0.697));
    near(outcome.score, scaled(0.8 * 0.3 + 0.34 * 0.697 - 0.003));
    assert_eq!(outcome.cost_eur, eur(3 * E4));
    assert_eq!(outcome.cash_eur, eur(697 * E4));
}

#[test]
fn the_empty_sequence_is_doing_nothing() {
    let prepared = Prepared::of(&worked()).unwrap();
    assert_eq!(prepared.evaluate(&[]).unwrap().score, prepared.unchanged());
}

#[test]
fn a_purchase_needs_its_costs_too() {
    let of = |cash| {
        let context = context(
            cash,
            1_000 * E4,
            vec![holding(0, 0, 0, 0.5)],
            vec![candidate(0, Side::Buy, 300 * E4, 3 * E4)],
        );
        Prepared::of(&context).unwrap().evaluate(&[0]).map(|outcome| outcome.cash_eur)
    };
    assert_eq!(of(303 * E4), Ok(eur(0)));
    assert_eq!(of(303 * E4 - 1), Err(Infeasible::Cash));
    assert_eq!(of(-1), Err(Infeasible::Cash));
}

#[test]
fn a_sale_first_pays_for_a_purchase() {
    let context = context(
        0,
        0,
        vec![holding(0, 1_000 * E4, 0, 0.2), holding(1, 0, 500_000, 0.9)],
        vec![candidate(0, Side::Sell, 500 * E4, 3 * E4), candidate(1, Side::Buy, 400 * E4, 3 * E4)],
    );
    let prepared = Prepared::of(&context).unwrap();
    assert_eq!(prepared.evaluate(&[1, 0]), Err(Infeasible::Cash));
    assert_eq!(prepared.evaluate(&[0, 1]).unwrap().cash_eur, eur(94 * E4));
}

#[test]
fn proceeds_in_dollars_pay_for_nothing_in_euro() {
    let mut context = context(
        0,
        0,
        vec![holding(0, 1_000 * E4, 0, 0.2), holding(1, 0, 500_000, 0.9)],
        vec![candidate(0, Side::Sell, 500 * E4, 3 * E4), candidate(1, Side::Buy, 400 * E4, 3 * E4)],
    );
    context.candidates[0].ccy = Currency::USD;
    let prepared = Prepared::of(&context).unwrap();
    assert_eq!(prepared.evaluate(&[0, 1]), Err(Infeasible::Cash));
    assert_eq!(prepared.evaluate(&[0]).unwrap().cash_eur, eur(0));
}

#[test]
fn nothing_is_sold_that_is_not_held() {
    let prepared = Prepared::of(&worked()).unwrap();
    assert_eq!(prepared.evaluate(&[1]), Err(Infeasible::Position));
    assert!(prepared.evaluate(&[0, 1]).is_ok());
    assert_eq!(prepared.evaluate(&[0, 1, 1]), Err(Infeasible::Position));
}

#[test]
fn bad_indexes_and_endless_sequences_are_refused() {
    let prepared = Prepared::of(&worked()).unwrap();
    assert_eq!(prepared.evaluate(&[2]), Err(Infeasible::BadIndex));
    assert_eq!(prepared.evaluate(&[u16::MAX]), Err(Infeasible::BadIndex));
    assert_eq!(prepared.evaluate(&[0; 17]), Err(Infeasible::TooLong));
    let mut stranger = worked();
    stranger.candidates[0].isin = isin(3);
    assert_eq!(Prepared::of(&stranger).unwrap().evaluate(&[0]), Err(Infeasible::BadIndex));
    let mut negative = worked();
    negative.candidates[0].value_eur = eur(-1);
    assert_eq!(Prepared::of(&negative).unwrap().evaluate(&[0]), Err(Infeasible::BadIndex));
}

#[test]
fn overflow_is_a_refusal() {
    let mut context = worked();
    context.holdings[0].value_eur = eur(1);
    context.candidates = vec![candidate(0, Side::Buy, i64::MAX, 1), candidate(0, Side::Buy, i64::MAX, 0)];
    assert_eq!(Prepared::of(&context).unwrap().evaluate(&[0]), Err(Infeasible::Overflow));
    context.cash_eur = eur(i64::MAX);
    assert_eq!(Prepared::of(&context).unwrap().evaluate(&[1]), Err(Infeasible::Overflow));
}

#[test]
fn a_context_without_total_or_in_dollars_is_refused() {
    for total in [0, -1] {
        let context = PlanContext { total_eur: eur(total), ..worked() };
        assert!(matches!(Prepared::of(&context), Err(BadContext::NoTotal(_))));
    }
    let dollars = PlanContext { cash_eur: Money::zero(Currency::USD), ..worked() };
    assert!(matches!(Prepared::of(&dollars), Err(BadContext::NotEur(_))));
    let mut vast = worked();
    vast.holdings = vec![holding(0, i64::MAX, 0, 0.5), holding(1, i64::MAX, 0, 0.5)];
    assert!(matches!(Prepared::of(&vast), Err(BadContext::Overflow(_))));
}

#[test]
fn the_score_stays_between_nothing_and_one() {
    let context = context(0, 0, vec![holding(0, E4, 0, 0.0), holding(1, 0, 1_000_000, 1.0)], vec![]);
    assert_eq!(Prepared::of(&context).unwrap().unchanged(), 0.0);
}

#[test]
fn equal_scores_are_settled_by_length_cost_and_list() {
    // Four purchases of nothing that cost nothing: every sequence scores the same.
    let context = context(
        E4,
        0,
        (0..4).map(|n| holding(n, 0, 0, 0.5)).collect(),
        (0..4).map(|n| candidate(n, Side::Buy, 0, 0)).collect(),
    );
    let sequences = vec![vec![2, 3], vec![1], vec![0, 1], vec![3], vec![0]];
    let tally = tally(&Prepared::of(&context).unwrap(), &sequences, 4);
    let order: Vec<_> = tally.best.iter().map(|best| best.actions.clone()).collect();
    assert_eq!(order, [vec![0], vec![1], vec![3], vec![0, 1]]);
}

#[test]
fn infeasible_sequences_are_counted_by_reason() {
    let sequences = vec![vec![0], vec![9], vec![1], vec![8]];
    let tally = tally(&Prepared::of(&worked()).unwrap(), &sequences, 20);
    assert_eq!(tally.evaluated, 1);
    assert_eq!(tally.infeasible.get("bad_index"), Some(&2));
    assert_eq!(tally.infeasible.get("position"), Some(&1));
}

/// The same score, computed from scratch over the end state.
fn naive(context: &PlanContext, actions: &[u16]) -> f64 {
    let total = context.total_eur.to_f64();
    let mut values: Vec<f64> = context.holdings.iter().map(|holding| holding.value_eur.to_f64()).collect();
    let mut cash = total - values.iter().sum::<f64>();
    let mut costs = 0.0;
    for index in actions {
        let action = &context.candidates[usize::from(*index)];
        let place = context.holdings.iter().position(|holding| holding.isin == action.isin).unwrap();
        let sign = if action.side == Side::Buy { 1.0 } else { -1.0 };
        values[place] += sign * action.value_eur.to_f64();
        cash -= sign * action.value_eur.to_f64() + action.cost_eur.to_f64();
        costs += action.cost_eur.to_f64();
    }
    let mut score = 0.34 * cash / total - costs / total;
    for (holding, value) in context.holdings.iter().zip(&values) {
        let weight = value / total;
        score += holding.quality.get() * weight - 0.5 * (weight - holding.target_e6.to_f64()).abs();
    }
    scaled(score).clamp(0.0, 1.0)
}

fn contexts() -> impl Strategy<Value = PlanContext> {
    let holdings = prop::collection::vec((0..50_000_i64, 0..300_000_i64, 0.0..1.0_f64), 6);
    let candidates = prop::collection::vec((0..6_usize, any::<bool>(), 0..8_000_i64), 8);
    (holdings, candidates, 0..30_000_i64, 1..5_000_i64).prop_map(|(held, found, cash, reserve)| {
        let holdings = held
            .into_iter()
            .enumerate()
            .map(|(n, (value, target, quality))| holding(n, value * E4, target, quality))
            .collect();
        let candidates = found
            .into_iter()
            .map(|(n, buys, value)| {
                let side = if buys { Side::Buy } else { Side::Sell };
                candidate(n, side, value * E4, 2 * E4 + value * 20)
            })
            .collect();
        context(cash * E4, reserve * E4, holdings, candidates)
    })
}

fn sequences() -> impl Strategy<Value = Vec<Vec<u16>>> {
    prop::collection::vec(prop::collection::vec(0..9_u16, 0..5), 1..60)
}

proptest! {
    #[test]
    fn the_incremental_score_is_the_naive_one(context in contexts(), sequences in sequences()) {
        let prepared = Prepared::of(&context).unwrap();
        for actions in sequences {
            if let Ok(outcome) = prepared.evaluate(&actions) {
                let expected = naive(&context, &actions);
                prop_assert!((outcome.score - expected).abs() < 1e-12, "{} {}", outcome.score, expected);
            }
        }
    }

    #[test]
    fn the_best_do_not_depend_on_the_split_into_jobs(
        context in contexts(), sequences in sequences(), size in 1..20_usize,
    ) {
        let prepared = Prepared::of(&context).unwrap();
        let mut sequences = sequences;
        sequences.sort();
        sequences.dedup();
        let whole = tally(&prepared, &sequences, 10);
        let parts: Vec<_> = sequences.chunks(size).map(|chunk| tally(&prepared, chunk, 10)).collect();
        let mut kept: Vec<Vec<u16>> =
            parts.iter().flat_map(|part| part.best.iter().map(|best| best.actions.clone())).collect();
        kept.reverse();
        prop_assert_eq!(&tally(&prepared, &kept, 10).best, &whole.best);
        prop_assert_eq!(parts.iter().map(|part| part.evaluated).sum::<u32>(), whole.evaluated);
    }

    #[test]
    fn hostile_figures_never_panic(value in any::<i64>(), cost in any::<i64>(), cash in any::<i64>()) {
        let mut context = context(0, E4, vec![holding(0, E4, 0, 0.5)], vec![
            candidate(0, Side::Buy, value, cost),
            candidate(0, Side::Sell, value, cost),
        ]);
        context.cash_eur = eur(cash);
        if let Ok(prepared) = Prepared::of(&context) {
            for actions in [vec![0], vec![1], vec![0, 1], vec![1, 0, 0]] {
                if let Ok(outcome) = prepared.evaluate(&actions) {
                    prop_assert!((0.0..=1.0).contains(&outcome.score));
                }
            }
        }
    }
}
