//! How many sequences one evaluator scores, by the size of the fund, and what a job weighs on the bus.

use std::{hint::black_box, time::Instant};

use contracts::{
    Candidate, Holding, PlanContext, PlanCosts, PlanGroup, PlanJob, Sample, ScoreConstants, Side,
    SpendableCash, SubsetRange, subset_count,
};
use evaluate::{Prepared, tally};
use market::Isin;
use money::{Currency, Money, Weight};

use crate::{Figures, to_f64};

/// Candidates of which every subset up to [`DEPTH`] is tried: 21 699 sequences.
const POOL: usize = 20;
const DEPTH: usize = 5;

/// Sequences per second on one core, for funds of several sizes.
pub fn sequences(figures: &mut Figures) {
    let rounds = if figures.small { 1 } else { 100 };
    for holdings in [5, 15, 40, 200] {
        let context = context(holdings);
        let prepared = Prepared::of(&context).unwrap();
        let jobs: Vec<PlanJob> = (1..=DEPTH).map(job).collect();
        let start = Instant::now();
        let mut count = 0_u64;
        for _ in 0..rounds {
            for job in &jobs {
                let found = black_box(tally(&prepared, &context.pool, black_box(job)));
                count += u64::from(found.evaluated)
                    + found.infeasible.values().map(|n| u64::from(*n)).sum::<u64>();
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        figures.note(format!("sequences on one core, {holdings} holdings"), to_f64(count) / seconds, "1/s");
    }
}

fn job(size: usize) -> PlanJob {
    let count = u32::try_from(subset_count(POOL, size)).unwrap();
    let ranges = vec![SubsetRange { size: u16::try_from(size).unwrap(), first: 0, count }];
    PlanJob { ranges, sequences: Vec::new(), keep: 20, ..PlanJob::sample() }
}

/// A fund of so many holdings in three groups, with purchases and sales that the cash pays for.
fn context(count: usize) -> PlanContext {
    let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
    let share = |e6| Weight::from_e6(e6).unwrap();
    let number = |n: usize| contracts::Finite::new(f64::from(u32::try_from(n % 97).unwrap()) / 97.0).unwrap();
    let isins: Vec<Isin> = (0..10_000)
        .flat_map(|n| (0..10).map(move |check| format!("US{n:09}{check}")))
        .filter_map(|text| text.parse().ok())
        .take(count.max(POOL))
        .collect();
    let holdings = isins.iter().enumerate().map(|(n, isin)| Holding {
        isin: *isin,
        value_eur: eur(if n < count { 2_000 } else { 0 }),
        target_e6: share(0),
        constants: ScoreConstants {
            total_return: number(n * 7),
            promise: number(n * 11),
            stability: number(n * 13),
            quality: number(n * 17),
            ..ScoreConstants::sample()
        },
        group: Some(u16::try_from(n % 3).unwrap()),
        counts_in: Vec::new(),
        limit_eur: eur(1_000_000),
    });
    let found = isins.iter().take(POOL).enumerate().map(|(n, isin)| Candidate {
        isin: *isin,
        side: if n < POOL / 4 { Side::Sell } else { Side::Buy },
        value_eur: eur(1_000),
        ..Candidate::sample()
    });
    let group = |name: &str, e6| PlanGroup { name: name.into(), target_e6: Some(share(e6)) };
    let total = eur(i64::try_from(count).unwrap() * 2_000 + 10_000);
    PlanContext {
        cash: vec![SpendableCash { ccy: Currency::EUR, value_eur: eur(8_000), exchange: None }],
        total_eur: total,
        nav_eur: total,
        costs: PlanCosts::sample(),
        groups: vec![group("EU", 500_000), group("US", 300_000), group("ASIA", 200_000)],
        concentrations: Vec::new(),
        holdings: holdings.collect(),
        candidates: found.collect(),
        pool: (0..u16::try_from(POOL).unwrap()).collect(),
        ..PlanContext::sample()
    }
}
