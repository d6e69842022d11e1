//! Calendar arithmetic on day numbers (days since 1970-01-01) and milliseconds since then, UTC.
//!
//! The simulator keeps its own few lines of it, so that it cannot share a mistake with its clients.

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Returns the day number of a civil date (proleptic Gregorian).
pub(crate) fn day_of(year: i32, month: i32, day: i32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Returns (year, month, day) of a day number.
pub(crate) fn civil(day: i32) -> (i32, i32, i32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i32::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Returns the weekday, Monday = 0 … Sunday = 6.
pub(crate) fn weekday(day: i32) -> i32 {
    (day + 3).rem_euclid(7)
}

/// Returns the day number that contains an instant.
pub(crate) fn day_at(ms: i64) -> i32 {
    i32::try_from(ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

/// Returns the instant at which a day begins in UTC.
pub(crate) fn start_of(day: i32) -> i64 {
    i64::from(day) * DAY_MS
}

/// Writes a day as `YYYY-MM-DD`.
pub(crate) fn iso(day: i32) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// Writes an instant as `YYYY-MM-DD{separator}hh:mm:ss`.
pub(crate) fn iso_second(ms: i64, separator: char) -> String {
    let s = ms.div_euclid(1000).rem_euclid(86_400);
    format!("{}{separator}{:02}:{:02}:{:02}", iso(day_at(ms)), s / 3600, s / 60 % 60, s % 60)
}

/// Writes an instant as `YYYY-MM-DDThh:mm:ss.mmm`.
pub(crate) fn iso_ms(ms: i64) -> String {
    format!("{}.{:03}", iso_second(ms, 'T'), ms.rem_euclid(1000))
}

/// Reads `YYYY-MM-DD` at the beginning of a text.
pub(crate) fn parse_iso(text: &str) -> Option<i32> {
    let year = text.get(0..4)?.parse().ok()?;
    let month = text.get(5..7)?.parse().ok()?;
    let day = text.get(8..10)?.parse().ok()?;
    valid(year, month, day, text.get(4..5)? == "-" && text.get(7..8)? == "-")
}

/// Reads `DD.MM.YYYY` at the beginning of a text.
pub(crate) fn parse_dotted(text: &str) -> Option<i32> {
    let day = text.get(0..2)?.parse().ok()?;
    let month = text.get(3..5)?.parse().ok()?;
    let year = text.get(6..10)?.parse().ok()?;
    valid(year, month, day, text.get(2..3)? == "." && text.get(5..6)? == ".")
}

/// Reads `hh:mm` or `hh:mm:ss` after the date of a text, in milliseconds; absent means midnight.
pub(crate) fn parse_time_of_day(text: &str) -> Option<i64> {
    let Some(time) = text.get(11..) else { return Some(0) };
    let mut total = 0_i64;
    for (index, part) in time.trim_end_matches('Z').split(':').take(3).enumerate() {
        let value: i64 = part.split('.').next()?.parse().ok()?;
        total += value * [3_600_000, 60_000, 1000][index];
    }
    Some(total)
}

fn valid(year: i32, month: i32, day: i32, punctuated: bool) -> Option<i32> {
    let number = day_of(year, month, day);
    (punctuated && civil(number) == (year, month, day)).then_some(number)
}

/// Returns the `n`-th (1-based) given weekday of a month; `n = 0` means the last one.
pub(crate) fn nth_weekday(year: i32, month: i32, wanted: i32, n: i32) -> i32 {
    if n == 0 {
        let next = if month == 12 { day_of(year + 1, 1, 1) } else { day_of(year, month + 1, 1) };
        return next - 1 - (weekday(next - 1) - wanted).rem_euclid(7);
    }
    let first = day_of(year, month, 1);
    first + (wanted - weekday(first)).rem_euclid(7) + 7 * (n - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn civil_dates_and_day_numbers_are_inverse() {
        assert_eq!(day_of(1970, 1, 1), 0);
        assert_eq!(iso(day_of(2024, 2, 29)), "2024-02-29");
        for day in day_of(2014, 1, 1)..day_of(2029, 1, 1) {
            let (y, m, d) = civil(day);
            assert_eq!(day_of(y, m, d), day);
        }
        assert_eq!(weekday(day_of(2026, 3, 2)), 0);
        assert_eq!(iso(nth_weekday(2026, 3, 6, 2)), "2026-03-08");
        assert_eq!(iso(nth_weekday(2026, 3, 6, 0)), "2026-03-29");
    }

    #[test]
    fn reads_both_date_forms_and_refuses_impossible_dates() {
        assert_eq!(parse_iso("2026-03-02T10:00:00"), Some(day_of(2026, 3, 2)));
        assert_eq!(parse_dotted("02.03.2026 10:00"), Some(day_of(2026, 3, 2)));
        assert_eq!(parse_time_of_day("02.03.2026 10:30").unwrap(), 37_800_000);
        assert_eq!(parse_iso("2026-02-30"), None);
        assert_eq!(parse_iso("02.03.2026"), None);
    }
}
