//! What holds for every plan of every fund.

use std::collections::BTreeMap;

use contracts::{PlanProposed, Side};
use money::Currency;
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    exhaustive,
    fund::{Fund, RESERVE, Seeded},
};

/// The depth of the plans of [`Fund::planned`].
const DEPTH: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_plans_with_the_cash_reserve(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        let rig = fund.planned();
        let (context, plan) = (rig.context.clone().unwrap(), rig.plan());
        let spendable: i64 = context.cash.iter().map(|one| one.value_eur.e4()).sum();
        let invested: i64 = fund.state.positions.iter().filter_map(|one| one.value_eur).map(|one| one.e4()).sum();
        let cash = fund.state.nav.unwrap().e4() - invested;
        // An unknown regime keeps 5 % of the fund.
        let reserve = (RESERVE * 10_000).max(fund.state.nav.unwrap().e4() / 20);
        prop_assert!(spendable <= (cash - reserve).max(0), "{spendable} of {cash} with {reserve} in reserve");
        prop_assert!(plan.cash_after_eur.e4() >= 0);
    }

    #[test]
    fn never_trades_less_than_one_lot_or_a_part_of_one(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        for step in &fund.planned().plan().steps {
            let lot = fund.security(step.candidate.isin).lot_e6.e6();
            prop_assert!(step.candidate.qty_e6.e6() >= lot);
            prop_assert_eq!(step.candidate.qty_e6.e6() % lot, 0);
        }
    }

    #[test]
    fn never_sells_what_is_not_held_and_never_trades_what_is_not_allowed(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        for step in &fund.planned().plan().steps {
            let (one, security) = (&step.candidate, fund.security(step.candidate.isin));
            match one.side {
                Side::Sell => prop_assert!(security.allow_sell && one.qty_e6 <= fund.held(one.isin)),
                Side::Buy => prop_assert!(security.allow_buy),
            }
        }
    }

    #[test]
    fn never_proposes_what_is_not_better_than_doing_nothing_after_costs(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        let rig = fund.planned();
        let (plan, context) = (rig.plan(), rig.context.clone().unwrap());
        let gain = plan.score_after.get() - plan.score_unchanged.get();
        if plan.steps.is_empty() {
            prop_assert!(gain.abs() < 1e-12);
        } else {
            prop_assert!(gain >= plan.min_improvement.get() - 1e-12, "{gain}");
            let actions: Vec<u16> = places(plan, &context);
            let ours = exhaustive::score(&context, &actions).expect("a plan can be carried out");
            prop_assert!((ours - plan.score_after.get()).abs() < 1e-8, "{ours} {:?}", plan.score_after);
        }
    }

    #[test]
    fn cash_is_never_negative_in_any_currency_at_any_step(seed in any::<u64>()) {
        let rig = Fund::of(seed).planned();
        let purses = rig.context.clone().unwrap().cash;
        let mut cash: BTreeMap<Currency, i64> = purses.iter().map(|one| (one.ccy, one.value_eur.e4())).collect();
        for step in &rig.plan().steps {
            let one = &step.candidate;
            let purse = cash.entry(one.ccy).or_default();
            *purse += if one.side == Side::Sell { one.value_eur.e4() } else { -one.value_eur.e4() };
            *purse -= one.cost_eur.e4();
            let missing = -*purse;
            if missing > 0 {
                prop_assert_eq!(one.side, Side::Buy);
                let terms = purses.iter().find(|purse| purse.ccy == one.ccy).and_then(|purse| purse.exchange);
                prop_assert!(terms.is_some(), "{} cannot be had for EUR", one.ccy);
                // As much as the exchange itself would take: more than is missing, and its fee.
                let terms = terms.unwrap();
                let exchanged = missing + missing * terms.room_e6.e6() / 1_000_000;
                let fee = (exchanged * terms.fee_e6.e6() / 1_000_000).max(terms.least_eur.e4());
                *purse += exchanged;
                *cash.entry(Currency::EUR).or_default() -= exchanged + fee;
            }
            // A ten-thousandth for each rounding.
            prop_assert!(cash.values().all(|purse| *purse >= -2), "{cash:?}");
        }
    }

    #[test]
    fn the_same_input_makes_the_same_plan(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        prop_assert_eq!(fund.planned().plans, fund.planned().plans);
    }

    #[test]
    fn the_order_of_inputs_changes_nothing(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        let mut other = fund.clone();
        let mut seeded = Seeded(seed ^ 1);
        seeded.shuffle(&mut other.universe.securities);
        seeded.shuffle(&mut other.quotes);
        seeded.shuffle(&mut other.scores);
        seeded.shuffle(&mut other.targets.weights);
        seeded.shuffle(&mut other.state.positions);
        seeded.shuffle(&mut other.state.cash);
        prop_assert_eq!(said(fund.planned().plan()), said(other.planned().plan()));
    }

    #[test]
    fn the_choice_is_that_of_looking_at_everything(seed in any::<u64>()) {
        let fund = Fund::of(seed);
        let rig = fund.planned();
        let (plan, context) = (rig.plan(), rig.context.clone().unwrap());
        let unchanged = exhaustive::score(&context, &[]).unwrap();
        prop_assert!((unchanged - plan.score_unchanged.get()).abs() < 1e-9);
        let best = exhaustive::best(&context, DEPTH).unwrap_or(unchanged);
        let hurdle = plan.min_improvement.get();
        let gain = best - unchanged;
        if fund.configuration.no_subsets {
            // Patterns look at a part of everything, so there may be better; never is there a plan that is not there.
            let pool = (0_u16..).zip(&context.candidates).map(|(place, _)| place).collect();
            let all = exhaustive::best(&contracts::PlanContext { pool, ..context }, DEPTH).unwrap_or(unchanged);
            prop_assert!(plan.score_after.get() <= all.max(unchanged) + 1e-8, "{all} {:?}", plan.score_after);
        } else if plan.steps.is_empty() {
            prop_assert!(gain < hurdle + 1e-8, "{gain} was there to be gained");
        } else {
            // A pattern may reach a candidate that the pool cut away, and only gain by it.
            let within = places(plan, &context).iter().all(|place| context.pool.contains(place));
            let more = plan.score_after.get() - best;
            prop_assert!(more.abs() < 1e-8 || (!within && more > 0.0), "{best} {:?}", plan.score_after);
        }
    }
}

/// A plan's steps as places of candidates.
fn places(plan: &PlanProposed, context: &contracts::PlanContext) -> Vec<u16> {
    let place = |step: &contracts::PlanStep| {
        let at = context.candidates.iter().position(|one| *one == step.candidate).unwrap();
        u16::try_from(at).unwrap()
    };
    plan.steps.iter().map(place).collect()
}

/// Everything that a plan says, but the identity of quotes in its grounds.
fn said(plan: &PlanProposed) -> Value {
    let mut said = serde_json::to_value(plan).unwrap();
    for step in said["steps"].as_array_mut().unwrap() {
        step.as_object_mut().unwrap().remove("order_id");
    }
    said
}

#[test]
fn the_funds_of_these_tests_are_worth_testing() {
    let plans: Vec<_> = (0..60).map(|seed| Fund::of(seed).planned().plan().clone()).collect();
    let with = |wish: &dyn Fn(&PlanProposed) -> bool| plans.iter().filter(|plan| wish(plan)).count();
    let steps = with(&|plan| !plan.steps.is_empty());
    let sales = with(&|plan| plan.steps.iter().any(|step| step.candidate.side == Side::Sell));
    let several = with(&|plan| plan.steps.len() > 1);
    let exchanges = (0..60).filter(|seed| {
        let rig = Fund::of(*seed).planned();
        let context = rig.context.clone().unwrap();
        exhaustive::exchanges(&context, &places(rig.plan(), &context))
    });
    let exchanges = exchanges.count();
    let reinvested = with(&|plan| plan.steps.iter().any(|step| step.candidate.finder.contains("dividend")));
    let drawn = |wish: &dyn Fn(&Fund) -> bool| {
        let wished = |(seed, plan): &(u64, &PlanProposed)| wish(&Fund::of(*seed)) && !plan.steps.is_empty();
        (0_u64..).zip(&plans).filter(wished).count()
    };
    let no_subsets = drawn(&|fund| fund.configuration.no_subsets);
    let profiles = drawn(&|fund| matches!(fund.configuration.profile, Some("conservative" | "aggressive")));
    let grouped = drawn(&|fund| !fund.targets.groups.is_empty());
    println!(
        "of 60 funds {steps} have a plan, {sales} with a sale, {several} with several steps, {exchanges} with an \
         exchange, {reinvested} with dividends, {no_subsets} without subsets, {profiles} by another profile, {grouped} with groups"
    );
    assert!(
        steps >= 20 && sales >= 3 && several >= 5 && exchanges >= 3,
        "{steps} {sales} {several} {exchanges}"
    );
    assert!(
        reinvested >= 1 && no_subsets >= 5 && profiles >= 5 && grouped >= 5,
        "{reinvested} {no_subsets} {profiles} {grouped}"
    );
}
