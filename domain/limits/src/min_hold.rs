//! Check 13: a holding is not sold soon after it was last traded.
//!
//! Counted from the last transaction, so each top-up restarts the clock: that prevents buying and
//! selling in turn. A satellite brings its own number of days; a sale for stop-loss brings zero.

use crate::finding::{Finding, days};

/// Passes when the last transaction is at least `min_hold_days` whole days old, or there was none.
///
/// `None` means known never. Unknown history is for the caller to pass as zero days.
pub fn check(days_since_last_transaction: Option<u32>, min_hold_days: u32) -> Finding {
    let passed = days_since_last_transaction.is_none_or(|since| since >= min_hold_days);
    let exempt = if min_hold_days == 0 { " (stop-loss sale, exempt)" } else { "" };
    Finding::new(passed, days(days_since_last_transaction), format!("{min_hold_days} days{exempt}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_until_the_last_day() {
        for (since, limit, passed) in [
            (Some(89), 90, false),
            (Some(90), 90, true),
            (Some(0), 90, false),
            (None, 90, true),
            (Some(0), 0, true),
            (Some(0), 1, false),
            (Some(u32::MAX), u32::MAX, true),
        ] {
            assert_eq!(check(since, limit).passed, passed, "{since:?} {limit}");
        }
    }

    #[test]
    fn says_that_a_stop_loss_sale_is_exempt() {
        assert_eq!(check(Some(3), 0).limit, "0 days (stop-loss sale, exempt)");
        assert_eq!(check(None, 90), Finding::new(true, "never", "90 days"));
    }
}
