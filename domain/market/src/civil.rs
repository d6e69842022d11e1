//! Arithmetic of the proleptic Gregorian calendar on plain integers.
//!
//! Written out here, on `i64`, so that a timestamp of any size can be shown and no conversion can fail;
//! the tests compare it with the time zone library over its whole range.

/// A calendar date as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ymd {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

/// Days in a cycle of 400 years, after which the Gregorian calendar repeats itself.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01, where the cycle starts here, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

/// Days since 1970-01-01 of a date; the date must exist.
pub(crate) const fn days_of(date: Ymd) -> i64 {
    // Years start in March here, so that the leap day is the last day of a year.
    let month = date.month as i64;
    let year = if month <= 2 { date.year - 1 } else { date.year };
    let month_from_march = (month + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + date.day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH
}

/// The date that lies `days` days after 1970-01-01; exact for every number of days that a timestamp can name.
pub(crate) const fn date_of(days: i64) -> Ymd {
    let shifted = days + DAYS_TO_EPOCH;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    Ymd { year, month: month as u8, day: day as u8 }
}

/// Number of days of a month; `None` where there is no such month.
pub(crate) const fn days_in_month(year: i64, month: u8) -> Option<u8> {
    let is_leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Reads `width` digits at the start of `text` and gives the rest; no sign, no blank.
pub(crate) fn digits(text: &str, width: usize) -> Option<(u32, &str)> {
    let head = text.get(..width)?;
    if !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((head.parse().ok()?, &text[width..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn knows_the_landmarks() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1969, 12, 31, -1),
            (2000, 2, 29, 11_016),
            (2026, 1, 1, 20_454),
            (1, 1, 1, -719_162),
        ] {
            let date = Ymd { year, month, day };
            assert_eq!(days_of(date), days, "{date:?}");
            assert_eq!(date_of(days), date);
        }
    }

    #[test]
    fn shows_the_days_of_the_largest_timestamps() {
        for ms in [i64::MIN, i64::MAX] {
            let days = ms.div_euclid(86_400_000);
            assert_eq!(days_of(date_of(days)), days);
        }
    }

    #[test]
    fn leap_years_follow_the_rule_of_400() {
        for (year, length) in [(1900, 28), (2000, 29), (2024, 29), (2026, 28), (2100, 28)] {
            assert_eq!(days_in_month(year, 2), Some(length));
        }
        assert_eq!(days_in_month(2026, 0), None);
        assert_eq!(days_in_month(2026, 13), None);
    }
}
