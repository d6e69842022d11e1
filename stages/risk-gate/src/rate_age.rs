//! Whether a currency rate is recent enough to trade by: two days old at most, days on which no rates are made left out.

use market::{Timestamp, rate_age_ms};

const DAY_MS: i64 = 86_400_000;
/// A rate is usable up to this age.
const RATE_AGE_MS: i64 = 2 * DAY_MS;

/// Whether a rate is recent enough to trade by; one of the future is not.
#[must_use]
pub(crate) fn is_usable(made: Timestamp, now: Timestamp) -> bool {
    rate_age_ms(made, now).is_some_and(|age| age <= RATE_AGE_MS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_usable_for_two_days() {
        let made: Timestamp = "2026-03-03T16:00:00Z".parse().unwrap();
        assert!(is_usable(made, made.saturating_plus_ms(RATE_AGE_MS)));
        assert!(!is_usable(made, made.saturating_plus_ms(RATE_AGE_MS + 1)));
        assert!(!is_usable(made, made.saturating_plus_ms(-1)));
    }
}
