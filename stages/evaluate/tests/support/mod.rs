//! Contexts made of plain numbers.
#![allow(dead_code, clippy::unwrap_used)]

use contracts::{Candidate, Finite, Holding, PlanContext, Sample, Side};
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

/// One holding: worth in 1/10 000 EUR, target in 1/1 000 000, quality.
pub fn holding(n: usize, value_e4: i64, target_e6: i64, quality: f64) -> Holding {
    Holding {
        isin: isin(n),
        value_eur: eur(value_e4),
        target_e6: Weight::from_e6(target_e6).unwrap(),
        quality: Finite::new(quality).unwrap(),
    }
}

pub fn candidate(n: usize, side: Side, value_e4: i64, cost_e4: i64) -> Candidate {
    Candidate {
        isin: isin(n),
        side,
        ccy: Currency::EUR,
        value_eur: eur(value_e4),
        cost_eur: eur(cost_e4),
        ..Candidate::sample()
    }
}

/// A context whose total is all holdings, the cash and a reserve.
pub fn context(
    cash_e4: i64,
    reserve_e4: i64,
    holdings: Vec<Holding>,
    candidates: Vec<Candidate>,
) -> PlanContext {
    let invested: i64 = holdings.iter().map(|holding| holding.value_eur.e4()).sum();
    PlanContext {
        cash_eur: eur(cash_e4),
        total_eur: eur(invested + cash_e4 + reserve_e4),
        holdings,
        candidates,
        ..PlanContext::sample()
    }
}
