//! How old a currency rate is: the time of days on which no rates are made does not count, Saturdays, Sundays and the
//! closing days of the European Central Bank (1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December).
//!
//! Worked example: made on Friday at 16:00, looked at on Monday at 16:00: one day old. Days are days in UTC. A rate of the
//! future has no age.

use crate::day::Day;
use crate::rule_calendar::easter_sunday;
use crate::timestamp::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// Days looked at one by one; whatever is older is too old for everybody.
const DAYS_MAX: i32 = 400;

/// The age of a rate without the days that do not count; `None` for a time that has not come.
///
/// # Examples
///
/// ```
/// let (friday, monday) = ("2026-03-06T16:00:00Z".parse()?, "2026-03-09T16:00:00Z".parse()?);
/// assert_eq!(market::rate_age_ms(friday, monday), Some(24 * 3_600_000));
/// assert_eq!(market::rate_age_ms(monday, friday), None);
/// # Ok::<(), market::TimestampError>(())
/// ```
#[must_use]
pub fn rate_age_ms(made: Timestamp, now: Timestamp) -> Option<i64> {
    let age = now.checked_minus_ms(made.ms())?.ms();
    if age < 0 {
        return None;
    }
    let first = made.day_utc();
    let idle = (0..=first.days_until(now.day_utc()).min(DAYS_MAX))
        .map(|ahead| first.plus_days(ahead))
        .filter(|day| is_idle(*day))
        .map(|day| {
            let begin = i64::from(day.epoch_days()) * DAY_MS;
            now.ms().min(begin + DAY_MS) - made.ms().max(begin)
        });
    Some(age - idle.sum::<i64>())
}

/// Whether no rates are made on this day.
fn is_idle(day: Day) -> bool {
    let fixed = [(1, 1), (5, 1), (12, 25), (12, 26)].contains(&(day.month(), day.day()));
    fixed || day.weekday().is_weekend() || [-2, 1].contains(&easter_sunday(day.year()).days_until(day))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hours(made: &str, now: &str) -> Option<i64> {
        rate_age_ms(made.parse().unwrap(), now.parse().unwrap()).map(|ms| ms / 3_600_000)
    }

    #[test]
    fn weekends_do_not_count() {
        // 6 March 2026 is a Friday.
        let friday = "2026-03-06T16:00:00Z";
        for (now, expected) in [
            ("2026-03-06T16:00:00Z", Some(0)),
            ("2026-03-07T16:00:00Z", Some(8)),
            ("2026-03-08T23:00:00Z", Some(8)),
            ("2026-03-09T16:00:00Z", Some(24)),
            ("2026-03-16T16:00:00Z", Some(6 * 24)),
            ("2026-03-20T16:00:00Z", Some(10 * 24)),
            ("2026-03-06T15:00:00Z", None),
        ] {
            assert_eq!(hours(friday, now), expected, "{now}");
        }
        assert_eq!(hours("2026-03-05T16:00:00Z", friday), Some(24));
        assert_eq!(hours("2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"), Some(12), "made on a Saturday");
    }

    #[test]
    fn closing_days_of_the_central_bank_do_not_count() {
        // Good Friday is 3 April 2026, Easter Monday the 6th.
        assert_eq!(hours("2026-04-02T16:00:00Z", "2026-04-07T16:00:00Z"), Some(24));
        assert_eq!(hours("2026-04-30T16:00:00Z", "2026-05-04T16:00:00Z"), Some(24), "1 May is a Friday");
        assert_eq!(hours("2025-12-24T16:00:00Z", "2025-12-29T16:00:00Z"), Some(24));
        assert_eq!(hours("2025-12-31T16:00:00Z", "2026-01-02T16:00:00Z"), Some(24));
        assert_eq!(hours("2026-05-13T16:00:00Z", "2026-05-15T16:00:00Z"), Some(48), "Ascension counts");
    }

    #[test]
    fn whatever_is_older_than_a_year_is_old() {
        assert!(hours("1970-01-01T00:00:00Z", "2026-03-06T16:00:00Z").unwrap() > 300 * 24);
        let (first, last) = (Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX));
        assert_eq!(rate_age_ms(first, last), None, "no number says how old");
    }
}
