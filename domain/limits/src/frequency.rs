//! How often the system may trade: a pause between orders, and so many per day and week.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// Names the limit that is reached, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyCode {
    /// The last order is too recent.
    MinGap,
    /// Enough orders today.
    DailyLimit,
    /// Enough orders in seven days.
    WeeklyLimit,
}

/// Live orders sent, without currency exchanges and simulated ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrequencyCounts {
    /// Whole seconds since the last one; `None` = known never.
    pub since_last_s: Option<u64>,
    /// Today, in the configured zone.
    pub today: u32,
    /// In 7 × 24 hours.
    pub week: u32,
}

/// The limits in force; switched-off limits are passed as ones that cannot bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrequencyLimits {
    /// Minutes between two orders.
    pub min_gap_min: u32,
    /// Orders per day.
    pub per_day: u32,
    /// Orders per week.
    pub per_week: u32,
}

impl FrequencyLimits {
    /// Limits that never bind.
    pub const NONE: Self = Self { min_gap_min: 0, per_day: u32::MAX, per_week: u32::MAX };
}

/// Seconds in a minute.
const MINUTE_S: u64 = 60;

/// Passes when an event is at least so many minutes old, or never happened.
pub fn check_gap(since_s: Option<u64>, minutes: u32) -> Finding {
    let limit_s = gap_s(minutes);
    let found = since_s.map_or_else(|| "never".to_owned(), |since| format!("{since} s ago"));
    Finding::new(since_s.is_none_or(|since| since >= limit_s), found, format!("{limit_s} s"))
}

/// Gives the seconds that are still to be waited for.
#[must_use]
pub fn remaining_s(since_s: Option<u64>, minutes: u32) -> u64 {
    since_s.map_or(0, |since| gap_s(minutes).saturating_sub(since))
}

/// Passes while fewer than `limit` orders were sent.
pub fn check_count(sent: u32, limit: u32) -> Finding {
    Finding::new(sent < limit, format!("{sent} sent"), format!("fewer than {limit}"))
}

/// Judges gap, day and week; the first limit that is reached wins.
///
/// # Errors
/// The limit and its numbers, when another order has to wait.
pub fn trade_frequency(
    counts: &FrequencyCounts,
    limits: &FrequencyLimits,
) -> Result<(), (FrequencyCode, Finding)> {
    let findings = [
        (FrequencyCode::MinGap, check_gap(counts.since_last_s, limits.min_gap_min)),
        (FrequencyCode::DailyLimit, check_count(counts.today, limits.per_day)),
        (FrequencyCode::WeeklyLimit, check_count(counts.week, limits.per_week)),
    ];
    findings.into_iter().find(|(_, finding)| !finding.passed).map_or(Ok(()), Err)
}

fn gap_s(minutes: u32) -> u64 {
    u64::from(minutes).checked_mul(MINUTE_S).expect("32 bits of minutes fit 64 bits of seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_ends_at_the_full_minute() {
        for (since, passed) in [(Some(3599), false), (Some(3600), true), (None, true), (Some(0), false)] {
            assert_eq!(check_gap(since, 60).passed, passed, "{since:?}");
        }
        assert_eq!(remaining_s(Some(3599), 60), 1);
        assert_eq!(remaining_s(Some(7200), 60), 0);
        assert_eq!(remaining_s(None, 60), 0);
    }

    #[test]
    fn limits_that_cannot_bind_never_do() {
        let busy = FrequencyCounts { since_last_s: Some(0), today: 900, week: 9000 };
        assert_eq!(trade_frequency(&busy, &FrequencyLimits::NONE), Ok(()));
    }
}
