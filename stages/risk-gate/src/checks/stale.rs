//! Checks 5 and 6: the account and the price are known as they are now.

use limits::Finding;

use super::{Answer, Case};

/// Passes when the snapshot's age is known and within its limit.
pub(super) fn state(case: &Case<'_>) -> Answer {
    fresh(case.state.snapshot_age_s, case.settings.max_snapshot_age_s)
}

/// Passes when the price's age is known and within its limit.
pub(super) fn price(case: &Case<'_>) -> Answer {
    fresh(case.state.price_age_s, case.settings.max_price_age_s)
}

/// Passes when an age is known and within its limit.
pub(super) fn fresh(age_s: Option<u64>, limit_s: u64) -> Answer {
    let found = age_s.map_or_else(|| "unknown age".to_owned(), |age| format!("{age} s"));
    Finding::new(age_s.is_some_and(|age| age <= limit_s), found, format!("{limit_s} s")).into()
}
