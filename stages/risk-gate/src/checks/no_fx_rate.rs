//! Check 20: a buy needs a rate of its currency, which for EUR is exactly one.

use limits::Finding;
use money::{Currency, Rate};

use super::{Answer, Case};

/// Passes when the rate of the order's currency is known.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let rate = case.state.eur_per_unit.get(&case.currency);
    let plausible = rate.is_some_and(|rate| case.currency != Currency::EUR || *rate == Rate::ONE);
    let found = rate.map_or_else(
        || format!("no rate for {}", case.currency),
        |rate| format!("{rate} EUR per {}", case.currency),
    );
    let limit = if case.currency == Currency::EUR { "exactly 1" } else { "more than 0" };
    Finding::new(plausible, found, limit).into()
}
