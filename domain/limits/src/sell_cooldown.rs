//! Check 14: two sales of one security keep their distance.

use crate::finding::{Finding, days};

/// Passes when the last sale is at least `sell_cooldown_days` whole days old, or there was none.
///
/// `None` means known never. Unknown history is for the caller to pass as zero days.
pub fn check(days_since_last_sell: Option<u32>, sell_cooldown_days: u32) -> Finding {
    let passed = days_since_last_sell.is_none_or(|since| since >= sell_cooldown_days);
    Finding::new(passed, days(days_since_last_sell), format!("{sell_cooldown_days} days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cools_down_until_the_last_day() {
        for (since, limit, passed) in
            [(Some(179), 180, false), (Some(180), 180, true), (None, 180, true), (Some(0), 0, true)]
        {
            assert_eq!(check(since, limit).passed, passed, "{since:?} {limit}");
        }
        assert_eq!(check(Some(179), 180).found, "179 days ago");
    }
}
