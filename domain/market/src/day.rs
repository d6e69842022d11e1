//! A calendar date without time or zone.
//!
//! Kept as days since 1970-01-01, so that differences are subtractions; shown, stored and sent as `YYYY-MM-DD`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::civil::{self, Ymd};
use crate::text_form::text_form;
use crate::weekday::Weekday;

/// A calendar date from 0001-01-01 to 9999-12-31.
///
/// # Examples
///
/// ```
/// use market::{Day, Weekday};
///
/// let day = Day::from_ymd(2026, 2, 28)?;
/// assert_eq!(day.next().to_string(), "2026-03-01");
/// assert_eq!(day.weekday(), Weekday::Saturday);
/// assert_eq!(day.days_until("2026-12-31".parse()?), 306);
/// # Ok::<(), market::DayError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

text_form!(Day, "Day", "Calendar date", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2026-03-02");

/// Why a text or three numbers are not a date.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DayError {
    /// The text does not have the form `YYYY-MM-DD`.
    #[error("date {0:?} is not of the form 2026-03-02: write four, two and two digits")]
    Form(String),
    /// The form is right but there is no such date in the years 1 to 9999.
    #[error("date {0} does not exist: correct year (1 to 9999), month or day")]
    Range(String),
}

impl Day {
    /// 0001-01-01.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The date of a year, a month (1–12) and a day of the month.
    ///
    /// # Errors
    ///
    /// [`DayError::Range`] when there is no such date in the years 1 to 9999.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Result<Self, DayError> {
        let range = || DayError::Range(format!("{year:04}-{month:02}-{day:02}"));
        let year_wide = i64::from(year);
        let length = civil::days_in_month(year_wide, month).ok_or_else(range)?;
        if !(1..=9_999).contains(&year) || !(1..=length).contains(&day) {
            return Err(range());
        }
        i32::try_from(civil::days_of(Ymd { year: year_wide, month, day })).map(Self).map_err(|_| range())
    }

    /// The date `days` days after 1970-01-01; `None` beyond the years 1 to 9999.
    #[must_use]
    pub const fn from_epoch_days(days: i32) -> Option<Self> {
        if days < Self::MIN.0 || days > Self::MAX.0 { None } else { Some(Self(days)) }
    }

    pub(crate) fn from_epoch_days_saturating(days: i32) -> Self {
        Self(days.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub fn year(self) -> i32 {
        i32::try_from(self.ymd().year).expect("a Day lies in the years 1 to 9999")
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.ymd().month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.ymd().day
    }

    const fn ymd(self) -> Ymd {
        civil::date_of(self.0 as i64)
    }

    /// The following day; the last day has itself.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus_days(1)
    }

    /// The day before; the first day has itself.
    #[must_use]
    pub fn prev(self) -> Self {
        self.plus_days(-1)
    }

    /// The day `days` later (earlier when negative), held at [`Day::MIN`] or [`Day::MAX`].
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self::from_epoch_days_saturating(self.0.saturating_add(days))
    }

    /// The day `days` later (earlier when negative); `None` beyond the years 1 to 9999.
    #[must_use]
    pub fn checked_plus_days(self, days: i32) -> Option<Self> {
        self.0.checked_add(days).and_then(Self::from_epoch_days)
    }

    /// Days from this one to `later`; negative when `later` is in truth earlier.
    #[must_use]
    pub const fn days_until(self, later: Self) -> i32 {
        later.0 - self.0 // Both lie within 3 700 000 of zero.
    }

    /// The day of the week.
    #[must_use]
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match (self.0 + 3).rem_euclid(7) {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ymd { year, month, day } = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let (year, month, day) = numbers_of(text).ok_or_else(|| DayError::Form(text.to_owned()))?;
        Self::from_ymd(year, month, day)
    }
}

fn numbers_of(text: &str) -> Option<(i32, u8, u8)> {
    let (year, rest) = civil::digits(text, 4)?;
    let (month, rest) = civil::digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = civil::digits(rest.strip_prefix('-')?, 2)?;
    let numbers = (i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    rest.is_empty().then_some(numbers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_are_the_first_and_last_date() {
        assert_eq!(Day::from_ymd(1, 1, 1).unwrap(), Day::MIN);
        assert_eq!(Day::from_ymd(9999, 12, 31).unwrap(), Day::MAX);
        assert_eq!(Day::MAX.next(), Day::MAX);
        assert_eq!(Day::MIN.prev(), Day::MIN);
        assert_eq!(Day::MAX.checked_plus_days(1), None);
        assert_eq!(Day::MIN.plus_days(i32::MIN), Day::MIN);
    }

    #[test]
    fn refuses_what_is_not_a_date() {
        for text in ["", "2026-3-2", "2026-03-02 ", "20260302", "+026-03-02", "2026/03/02", "2026-03-0é"] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Form(text.to_owned())));
        }
        for text in ["2026-02-29", "2026-00-01", "2026-13-01", "2026-04-31", "2026-01-00", "0000-12-31"] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Range(text.to_owned())));
        }
        assert!("2028-02-29".parse::<Day>().is_ok());
    }

    #[test]
    fn travels_as_text() {
        let day = Day::from_ymd(2026, 3, 2).unwrap();
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2026-03-02\"");
        assert_eq!(serde_json::from_str::<Day>("\"2026-03-02\"").unwrap(), day);
        assert!(serde_json::from_str::<Day>("\"2026-02-30\"").is_err());
        assert!(serde_json::from_str::<Day>("20514").is_err());
        let packed = rmp_serde::to_vec(&day).unwrap();
        assert_eq!(rmp_serde::from_slice::<Day>(&packed).unwrap(), day);
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_the_zone_library(start in -719_162_i32..=2_932_896, step in -100_000_i32..=100_000) {
            let day = Day::from_epoch_days(start).unwrap();
            let epoch = jiff::civil::date(1970, 1, 1);
            let theirs = epoch.checked_add(jiff::Span::new().days(start)).unwrap();
            prop_assert_eq!(day.to_string(), theirs.to_string());
            prop_assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
            prop_assert_eq!(
                i8::try_from(day.weekday() as usize).unwrap(),
                theirs.weekday().to_monday_zero_offset()
            );
            if let Some(sum) = day.checked_plus_days(step) {
                let their_sum = theirs.checked_add(jiff::Span::new().days(step)).unwrap();
                prop_assert_eq!(sum.to_string(), their_sum.to_string());
                prop_assert_eq!(day.days_until(sum), step);
                prop_assert_eq!(sum, day.plus_days(step));
            }
        }
    }
}
