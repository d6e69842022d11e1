//! Contexts made of plain numbers.
#![allow(dead_code, clippy::unwrap_used)]

use contracts::{
    Candidate, Finite, Holding, PlanContext, PlanCosts, PlanGroup, Sample, ScoreConstants, Side,
    SpendableCash,
};
use market::Isin;
use money::{Currency, Money, Weight};

/// The n-th security.
pub fn isin(n: usize) -> Isin {
    let all =
        ["DE000SMX0015", "US0378331005", "DE0007164600", "NL0010273215", "FR0000120271", "US5949181045"];
    all[n].parse().unwrap()
}

pub fn eur(e4: i64) -> Money {
    Money::from_e4(e4, Currency::EUR)
}

pub fn number(number: f64) -> Finite {
    Finite::new(number).unwrap()
}

pub fn share(e6: i64) -> Weight {
    Weight::from_e6(e6).unwrap()
}

/// One holding: worth in 1/10 000 EUR, place of its group, and one figure for all its constants but the yield.
pub fn holding(n: usize, value_e4: i64, group: u16, good: f64) -> Holding {
    let good = number(good);
    Holding {
        isin: isin(n),
        value_eur: eur(value_e4),
        target_e6: Weight::ZERO,
        constants: ScoreConstants {
            total_return: good,
            promise: good,
            stability: good,
            dividend_yield: Finite::ZERO,
            quality: good,
        },
        group: Some(group),
        counts_in: Vec::new(),
        limit_eur: eur(1_000_000_000_000),
    }
}

pub fn candidate(n: usize, side: Side, value_e4: i64) -> Candidate {
    Candidate { isin: isin(n), side, ccy: Currency::EUR, value_eur: eur(value_e4), ..Candidate::sample() }
}

/// A context of two groups whose total is all holdings, the cash and a reserve. Trades cost 3 EUR.
pub fn context(
    cash_e4: i64,
    reserve_e4: i64,
    holdings: Vec<Holding>,
    candidates: Vec<Candidate>,
) -> PlanContext {
    let invested: i64 = holdings.iter().map(|holding| holding.value_eur.e4()).sum();
    let group = |name: &str, e6| PlanGroup { name: name.into(), target_e6: Some(share(e6)) };
    PlanContext {
        cash: vec![SpendableCash { ccy: Currency::EUR, value_eur: eur(cash_e4), exchange: None }],
        total_eur: eur(invested + cash_e4 + reserve_e4),
        nav_eur: eur(invested + cash_e4 + reserve_e4),
        costs: PlanCosts {
            fixed_eur: eur(30_000),
            percent_e6: Weight::ZERO,
            impact_e6: Weight::ZERO,
            ..PlanCosts::sample()
        },
        groups: vec![group("EU", 600_000), group("US", 400_000)],
        concentrations: Vec::new(),
        holdings,
        pool: (0..u16::try_from(candidates.len()).unwrap()).collect(),
        candidates,
        ..PlanContext::sample()
    }
}
