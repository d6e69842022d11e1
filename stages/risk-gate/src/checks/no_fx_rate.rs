//! Check 20: a buy needs a rate of its currency, which for EUR is exactly one.

use std::collections::BTreeMap;

use limits::Finding;
use money::{Currency, Rate};

use super::{Answer, Case};

/// Passes when the rate of the order's currency is known.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    known(&case.state.eur_per_unit, case.currency).into()
}

/// Passes when the rate of a currency is known.
pub(super) fn known(eur_per_unit: &BTreeMap<Currency, Rate>, currency: Currency) -> Finding {
    let rate = eur_per_unit.get(&currency);
    let plausible = rate.is_some_and(|rate| currency != Currency::EUR || *rate == Rate::ONE);
    let found =
        rate.map_or_else(|| format!("no rate for {currency}"), |rate| format!("{rate} EUR per {currency}"));
    let limit = if currency == Currency::EUR { "exactly 1" } else { "more than 0" };
    Finding::new(plausible, found, limit)
}
