//! Check 8: a pause between orders, and so many per day and week.

use limits::frequency::{check_count, check_gap, remaining_s};

use super::{Answer, Case};

/// Passes when the last order of any security is old enough.
pub(super) fn min_gap(case: &Case<'_>) -> Answer {
    let (since, minutes) = (case.state.since_last_trade_s, case.settings.min_gap_min);
    Answer { finding: check_gap(since, minutes), code: None, wait_s: Some(remaining_s(since, minutes)) }
}

/// Passes while the day's orders are not used up.
pub(super) fn daily_limit(case: &Case<'_>) -> Answer {
    check_count(case.state.trades_today, case.settings.max_per_day).into()
}

/// Passes while the week's orders are not used up.
pub(super) fn weekly_limit(case: &Case<'_>) -> Answer {
    check_count(case.state.trades_week, case.settings.max_per_week).into()
}
