//! Check 12: two buys of one security keep their distance.

use limits::Finding;

use super::{Answer, Case};

/// Passes when the last buy is at least the cooldown old, or there was none.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let (since, limit) = (case.state.days_since_last_buy, case.settings.buy_cooldown_days);
    let found = since.map_or_else(|| "never".to_owned(), |days| format!("{days} days ago"));
    Finding::new(since.is_none_or(|days| days >= limit), found, format!("{limit} days")).into()
}
