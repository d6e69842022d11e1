//! Walking a sequence: cash, holdings, limits, refusals, and one order of the best.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod support;

use contracts::{
    Concentration, ExchangeTerms, Membership, PlanContext, PlanJob, Sample, Side, SpendableCash,
};
use evaluate::{BadContext, Infeasible, Prepared, Tally, in_eur};
use money::{Currency, Money, Weight};
use proptest::prelude::*;
use support::{candidate, context, eur, holding, isin, share};

const E4: i64 = 10_000;

/// All cash; one security of the first group, another of the second.
fn worked() -> PlanContext {
    context(
        1_000 * E4,
        0,
        vec![holding(0, 0, 0, 0.8), holding(1, 0, 1, 0.6)],
        vec![
            candidate(0, Side::Buy, 300 * E4),
            candidate(0, Side::Sell, 300 * E4),
            candidate(1, Side::Buy, 200 * E4),
        ],
    )
}

fn evaluate(context: &PlanContext, actions: &[u16]) -> Result<evaluate::Outcome, Infeasible> {
    Prepared::of(context).unwrap().walker().evaluate(actions)
}

fn tally(context: &PlanContext, sequences: &[Vec<u16>], keep: u16) -> Tally {
    let job = PlanJob { ranges: vec![], sequences: sequences.to_vec(), keep, ..PlanJob::sample() };
    evaluate::tally(&Prepared::of(context).unwrap(), &context.pool, &job)
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
}

#[test]
fn the_worked_example_holds() {
    let nothing = Prepared::of(&worked()).unwrap().unchanged();
    near(nothing, 0.34 + 0.25 * 0.09 + 0.025);
    // Buys both on target: 0.775 of the constants count linearly, diversification is full, costs are 6.
    let outcome = evaluate(&worked(), &[0, 2]).unwrap();
    let linear = (0.775 * (0.8 * 300.0 + 0.6 * 200.0) + 0.34 * 494.0) / 994.0;
    near(outcome.before_costs, linear + 0.25 * (0.4 + 0.09) + 0.025);
    near(outcome.score, outcome.before_costs - 6.0 / 1_000.0);
    near(in_eur(outcome.cash), 494.0);
    near(in_eur(outcome.cost), 6.0);
}

#[test]
fn spread_and_slippage_cost_score_but_no_cash() {
    let mut context = worked();
    context.costs.impact_e6 = share(2_500);
    let outcome = evaluate(&context, &[0]).unwrap();
    near(in_eur(outcome.impact), 0.75);
    near(in_eur(outcome.cash), 697.0);
    near(outcome.score, outcome.before_costs - 3.75 / 1_000.0);
}

#[test]
fn the_empty_sequence_is_doing_nothing() {
    let prepared = Prepared::of(&worked()).unwrap();
    assert_eq!(prepared.walker().evaluate(&[]).unwrap().score, prepared.unchanged());
}

#[test]
fn a_purchase_needs_its_costs_too() {
    let of = |cash| {
        let held = vec![holding(0, 0, 0, 0.5)];
        let context = context(cash, 1_000 * E4, held, vec![candidate(0, Side::Buy, 300 * E4)]);
        evaluate(&context, &[0]).map(|outcome| outcome.cash)
    };
    assert_eq!(of(303 * E4), Ok(0));
    assert_eq!(of(303 * E4 - 1), Err(Infeasible::Cash));
    assert_eq!(of(-1), Err(Infeasible::Cash));
}

#[test]
fn a_sale_first_pays_for_a_purchase() {
    let held = vec![holding(0, 1_000 * E4, 0, 0.2), holding(1, 0, 1, 0.9)];
    let found = vec![candidate(0, Side::Sell, 500 * E4), candidate(1, Side::Buy, 400 * E4)];
    let context = context(0, 0, held, found);
    assert_eq!(evaluate(&context, &[1, 0]), Err(Infeasible::Cash));
    near(in_eur(evaluate(&context, &[0, 1]).unwrap().cash), 94.0);
}

/// A fund with some dollars and some euros, and what buying for 300 EUR worth of dollars comes to: euros, dollars, costs.
fn in_dollars(dollars: i64, euros: i64, exchange: Option<ExchangeTerms>) -> Result<(f64, f64), Infeasible> {
    let mut found = candidate(0, Side::Buy, 300 * E4);
    found.ccy = Currency::USD;
    let mut context = context(0, 1_000 * E4, vec![holding(0, 0, 0, 0.5)], vec![found]);
    context.cash = vec![
        SpendableCash { ccy: Currency::EUR, value_eur: eur(euros), exchange: None },
        SpendableCash { ccy: Currency::USD, value_eur: eur(dollars), exchange },
    ];
    context.total_eur = eur(2_000 * E4);
    evaluate(&context, &[0]).map(|outcome| (in_eur(outcome.cash), in_eur(outcome.cost)))
}

/// A fee of 0.1 %, at least 1 EUR, and 2 % more than is missing.
fn terms() -> ExchangeTerms {
    ExchangeTerms { fee_e6: share(1_000), least_eur: eur(E4), room_e6: share(20_000) }
}

#[test]
fn dollars_are_exchanged_for_a_fee_and_only_if_they_lack() {
    assert_eq!(in_dollars(303 * E4, 0, Some(terms())), Ok((0.0, 3.0)));
    // 203 are missing: 207.06 are exchanged for 1 EUR, and 4.06 of them stay.
    let (cash, cost) = in_dollars(100 * E4, 500 * E4, Some(terms())).unwrap();
    near(cash, 500.0 - 207.06 - 1.0 + 4.06);
    near(cost, 4.0);
    let dearer = ExchangeTerms { fee_e6: share(10_000), ..terms() };
    near(in_dollars(100 * E4, 500 * E4, Some(dearer)).unwrap().1, 3.0 + 2.0706);
}

#[test]
fn an_exchange_needs_euros_for_all_of_it_and_its_fee() {
    assert!(in_dollars(100 * E4, 2_080_600, Some(terms())).is_ok());
    assert_eq!(in_dollars(100 * E4, 2_080_599, Some(terms())), Err(Infeasible::Cash));
    assert_eq!(in_dollars(100 * E4, 5_000 * E4, None), Err(Infeasible::Cash), "there is no such exchange");
}

#[test]
fn what_a_sale_brings_in_dollars_pays_for_nothing_in_euros() {
    let mut sale = candidate(0, Side::Sell, 500 * E4);
    sale.ccy = Currency::USD;
    let found = vec![sale, candidate(1, Side::Buy, 400 * E4)];
    let mut context = context(0, 0, vec![holding(0, 1_000 * E4, 0, 0.2), holding(1, 0, 1, 0.9)], found);
    context.cash.push(SpendableCash { ccy: Currency::USD, value_eur: eur(0), exchange: Some(terms()) });
    assert_eq!(evaluate(&context, &[0, 1]), Err(Infeasible::Cash));
    context.candidates[1].ccy = Currency::USD;
    assert!(evaluate(&context, &[0, 1]).is_ok());
}

#[test]
fn nothing_is_sold_that_is_not_held() {
    assert_eq!(evaluate(&worked(), &[1]), Err(Infeasible::Position));
}

#[test]
fn a_sale_of_slightly_more_than_is_held_sells_what_is_held() {
    let of = |held_e4| {
        let held = vec![holding(0, held_e4, 0, 0.5)];
        let context = context(0, 1_000 * E4, held, vec![candidate(0, Side::Sell, 101 * E4)]);
        let prepared = Prepared::of(&context).unwrap();
        let cash = prepared.walker().evaluate(&[0]).map(|outcome| in_eur(outcome.cash));
        cash.map(|cash| (cash, prepared.walker().end(&[0]).unwrap()[0]))
    };
    assert_eq!(of(100 * E4), Ok((97.0, 0)));
    assert_eq!(of(100 * E4 - 100), Err(Infeasible::Position));
    // What is left of half a cent is nothing; one cent is something.
    assert_eq!(of(101 * E4 + 50).unwrap().1, 0);
    assert_eq!(of(101 * E4 + 100).unwrap().1, 10_000_000);
}

#[test]
fn no_sequence_names_a_security_twice() {
    assert_eq!(evaluate(&worked(), &[0, 1]), Err(Infeasible::Repeated));
    assert!(Prepared::of(&worked()).unwrap().walker().simulate(&[0, 1]).is_ok());
}

#[test]
fn a_purchase_stays_within_the_limit_of_its_position() {
    for (limit, expected) in [(300 * E4, true), (300 * E4 - 1, false)] {
        let mut context = worked();
        context.holdings[0].limit_eur = eur(limit);
        assert_eq!(evaluate(&context, &[0]).is_ok(), expected);
    }
}

/// 400 held of an industry at its limit of 40 %, and something else to buy of the same industry.
fn concentrated(limit_e6: i64, elsewhere: i64) -> PlanContext {
    let mut context = context(
        600 * E4,
        0,
        vec![holding(0, 400 * E4, 0, 0.5), holding(1, 0, 1, 0.5)],
        vec![candidate(0, Side::Sell, 100 * E4), candidate(1, Side::Buy, 100 * E4)],
    );
    context.concentrations = vec![Concentration {
        kind: "industry".into(),
        name: "Tech".into(),
        elsewhere_eur: eur(elsewhere * E4),
        limit_e6: share(limit_e6),
    }];
    for holding in &mut context.holdings {
        holding.counts_in = vec![Membership { place: 0, share_e6: share(1_000_000) }];
    }
    context
}

#[test]
fn no_industry_is_lifted_above_its_limit() {
    assert!(evaluate(&concentrated(500_000, 0), &[1]).is_ok());
    assert_eq!(evaluate(&concentrated(499_999, 0), &[1]), Err(Infeasible::IndustryLimit));
    assert_eq!(evaluate(&concentrated(500_000, 1), &[1]), Err(Infeasible::IndustryLimit));
}

#[test]
fn an_industry_above_its_limit_may_stay_or_fall() {
    assert!(evaluate(&concentrated(300_000, 0), &[0]).is_ok());
    // What is sold of it is bought again elsewhere in it: it does not rise.
    assert!(evaluate(&concentrated(300_000, 0), &[0, 1]).is_ok());
    let mut country = concentrated(300_000, 0);
    country.concentrations[0].kind = "country".into();
    assert_eq!(evaluate(&country, &[1]), Err(Infeasible::CountryLimit));
}

#[test]
fn bad_indexes_and_endless_sequences_are_refused() {
    assert_eq!(evaluate(&worked(), &[3]), Err(Infeasible::BadIndex));
    assert_eq!(evaluate(&worked(), &[u16::MAX]), Err(Infeasible::BadIndex));
    assert_eq!(Prepared::of(&worked()).unwrap().walker().simulate(&[0; 17]), Err(Infeasible::TooLong));
    let mut stranger = worked();
    stranger.candidates[0].isin = isin(3);
    assert_eq!(evaluate(&stranger, &[0]), Err(Infeasible::BadIndex));
    for amount in [-1, 0, i64::MAX] {
        let mut impossible = worked();
        impossible.candidates[0].value_eur = eur(amount);
        assert_eq!(evaluate(&impossible, &[0]), Err(Infeasible::BadIndex), "{amount}");
    }
}

#[test]
fn an_implausible_context_is_refused() {
    for total in [0, -1] {
        let context = PlanContext { total_eur: eur(total), ..worked() };
        assert!(matches!(Prepared::of(&context), Err(BadContext::NoTotal(_))));
    }
    let dollars = PlanContext { nav_eur: Money::zero(Currency::USD), ..worked() };
    assert!(matches!(Prepared::of(&dollars), Err(BadContext::NotEur(_))));
    let mut vast = worked();
    vast.holdings = vec![holding(0, i64::MAX, 0, 0.5)];
    assert!(matches!(Prepared::of(&vast), Err(BadContext::TooLarge(_))));
    let mut many = worked();
    many.holdings = (0..2).map(|n| holding(n, 60_000_000 * E4, 0, 0.5)).collect();
    assert!(matches!(Prepared::of(&many), Err(BadContext::TooLarge(_))));
    let mut lost = worked();
    lost.holdings[0].group = Some(2);
    assert!(matches!(Prepared::of(&lost), Err(BadContext::BadPlace(_))));
    let mut lost = worked();
    lost.holdings[0].counts_in = vec![Membership { place: 0, share_e6: Weight::ZERO }];
    assert!(matches!(Prepared::of(&lost), Err(BadContext::BadPlace(_))));
}

#[test]
fn equal_scores_are_settled_by_length_cost_and_list() {
    // Four equal securities of one group: sequences of one length score the same.
    let held = (0..4).map(|n| holding(n, 0, 0, 0.5)).collect();
    let found = (0..4).map(|n| candidate(n, Side::Buy, E4)).collect();
    let context = context(100 * E4, 0, held, found);
    let sequences = vec![vec![2, 3], vec![1], vec![0, 1], vec![3], vec![0]];
    let order: Vec<_> = tally(&context, &sequences, 4).best.iter().map(|best| best.actions.clone()).collect();
    assert_eq!(order, [vec![0], vec![1], vec![3], vec![0, 1]]);
}

#[test]
fn infeasible_sequences_are_counted_by_reason() {
    let tally = tally(&worked(), &[vec![0], vec![9], vec![1], vec![8], vec![0, 1]], 20);
    assert_eq!(tally.evaluated, 1);
    let counts: Vec<_> = tally.infeasible.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    assert_eq!(counts, [("bad_index", 2), ("duplicate_symbol", 1), ("position", 1)]);
}

fn contexts() -> impl Strategy<Value = PlanContext> {
    let holdings = prop::collection::vec((0..50_000_i64, 0..2_u16, 0.0..1.0_f64), 6);
    let candidates = prop::collection::vec((0..6_usize, any::<bool>(), 1..8_000_i64), 8);
    (holdings, candidates, 0..30_000_i64, 1..5_000_i64).prop_map(|(held, found, cash, reserve)| {
        let holdings = held
            .into_iter()
            .enumerate()
            .map(|(n, (value, group, good))| holding(n, value * E4, group, good))
            .collect();
        let candidates = found
            .into_iter()
            .map(|(n, buys, value)| candidate(n, if buys { Side::Buy } else { Side::Sell }, value * E4))
            .collect();
        context(cash * E4, reserve * E4, holdings, candidates)
    })
}

fn sequences() -> impl Strategy<Value = Vec<Vec<u16>>> {
    prop::collection::vec(prop::collection::vec(0..9_u16, 0..5), 1..60)
}

proptest! {
    #[test]
    fn a_walker_forgets_the_sequences_before(context in contexts(), sequences in sequences()) {
        let prepared = Prepared::of(&context).unwrap();
        let mut used = prepared.walker();
        for actions in sequences {
            prop_assert_eq!(used.evaluate(&actions), prepared.walker().evaluate(&actions));
        }
    }

    #[test]
    fn the_best_do_not_depend_on_the_split_into_jobs(
        context in contexts(), sequences in sequences(), size in 1..20_usize,
    ) {
        let mut sequences = sequences;
        sequences.sort();
        sequences.dedup();
        let whole = tally(&context, &sequences, 10);
        let parts: Vec<_> = sequences.chunks(size).map(|chunk| tally(&context, chunk, 10)).collect();
        let mut kept: Vec<Vec<u16>> =
            parts.iter().flat_map(|part| part.best.iter().map(|best| best.actions.clone())).collect();
        kept.reverse();
        prop_assert_eq!(&tally(&context, &kept, 10).best, &whole.best);
        prop_assert_eq!(parts.iter().map(|part| part.evaluated).sum::<u32>(), whole.evaluated);
    }

    #[test]
    fn cash_never_goes_below_nothing(context in contexts(), sequences in sequences()) {
        for actions in sequences {
            if let Ok(outcome) = evaluate(&context, &actions) {
                prop_assert!(outcome.cash >= 0);
            }
        }
    }

    #[test]
    fn hostile_figures_never_panic(value in any::<i64>(), held in any::<i64>(), cash in any::<i64>(), limit in any::<i64>()) {
        let mut context = context(0, E4, vec![holding(0, E4, 0, 0.5)], vec![
            candidate(0, Side::Buy, value),
            candidate(0, Side::Sell, value),
        ]);
        context.cash[0].value_eur = eur(cash);
        context.holdings[0].value_eur = eur(held);
        context.holdings[0].limit_eur = eur(limit);
        if let Ok(prepared) = Prepared::of(&context) {
            for actions in [vec![0], vec![1], vec![0, 1], vec![1, 0, 0]] {
                if let Ok(outcome) = prepared.walker().simulate(&actions) {
                    prop_assert!((0.0..=1.0).contains(&outcome.score));
                }
            }
        }
    }
}

#[test]
fn two_purchases_that_move_alike_are_in_no_sequence_together() {
    let held = vec![holding(0, 0, 0, 0.8), holding(1, 0, 1, 0.2)];
    let found = vec![candidate(0, Side::Buy, 300 * E4), candidate(1, Side::Buy, 200 * E4)];
    let mut both = context(10_000 * E4, 0, held, found);
    assert!(Prepared::of(&both).unwrap().walker().evaluate(&[0, 1]).is_ok());
    both.apart = vec![[0, 1]];
    let prepared = Prepared::of(&both).unwrap();
    assert_eq!(prepared.walker().evaluate(&[0, 1]), Err(Infeasible::Alike));
    assert!(prepared.walker().evaluate(&[0]).is_ok() && prepared.walker().evaluate(&[1]).is_ok());
}
