//! How old a currency rate is: Saturdays and Sundays do not count, because no rates are made then.
//!
//! Worked example: made on Friday at 16:00, looked at on Monday at 16:00: one day old.

use market::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// A rate is usable up to this age.
const RATE_AGE_MS: i64 = 2 * DAY_MS;

/// Whether a rate is recent enough to trade by; one of the future is not.
#[must_use]
pub(crate) fn is_usable(made: Timestamp, now: Timestamp) -> bool {
    trading_age_ms(made, now).is_some_and(|age| age <= RATE_AGE_MS)
}

/// The age without weekends; nothing for a time that has not come.
fn trading_age_ms(made: Timestamp, now: Timestamp) -> Option<i64> {
    let age = now.checked_minus_ms(made.ms())?.ms();
    let (first, last) = (made.day_utc(), now.day_utc());
    let days = first.days_until(last);
    // Each whole week has two such days; of the rest each day in between is looked at, at most six.
    let rest = (1..days % 7).filter(|ahead| first.plus_days(*ahead).weekday().is_weekend()).count();
    let weekend_days = i64::from(days / 7) * 2 + i64::try_from(rest).unwrap_or(0);
    (age >= 0).then(|| age.saturating_sub(weekend_days * DAY_MS).max(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn weekends_do_not_count() {
        // 6 March 2026 is a Friday.
        let cases = [
            ("2026-03-06T16:00:00Z", "2026-03-06T16:00:00Z", Some(0)),
            ("2026-03-05T16:00:00Z", "2026-03-06T16:00:00Z", Some(24)),
            ("2026-03-06T16:00:00Z", "2026-03-09T16:00:00Z", Some(24)),
            ("2026-03-06T16:00:00Z", "2026-03-16T16:00:00Z", Some(6 * 24)),
            ("2026-03-06T16:00:00Z", "2026-03-20T16:00:00Z", Some(10 * 24)),
            ("2026-03-06T16:00:00Z", "2026-03-06T15:00:00Z", None),
        ];
        for (made, now, hours) in cases {
            let found = trading_age_ms(made.parse().unwrap(), now.parse().unwrap());
            assert_eq!(found, hours.map(|hours| hours * 3_600_000), "{made} {now}");
        }
    }

    #[test]
    fn a_rate_is_usable_for_two_days() {
        let made: Timestamp = "2026-03-03T16:00:00Z".parse().unwrap();
        assert!(is_usable(made, made.saturating_plus_ms(RATE_AGE_MS)));
        assert!(!is_usable(made, made.saturating_plus_ms(RATE_AGE_MS + 1)));
        assert!(!is_usable(made, made.saturating_plus_ms(-1)));
    }
}
