//! An instant: milliseconds since 1970-01-01 in UTC.
//!
//! The only form in which time crosses a crate boundary, a message or a store. It has no zone and no clock:
//! "now" is always an argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::civil::{self, Ymd};
use crate::day::Day;
use crate::zone::Zone;

/// Milliseconds of one day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Milliseconds of one minute.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// An instant in milliseconds since 1970-01-01T00:00:00Z; an integer on the wire, RFC 3339 as text.
///
/// # Examples
///
/// ```
/// use market::Timestamp;
///
/// let filled: Timestamp = "2026-03-02T14:31:07.250Z".parse()?;
/// assert_eq!(filled.ms(), 1_772_461_867_250);
/// assert_eq!(filled.checked_plus_ms(750).unwrap().to_string(), "2026-03-02T14:31:08.000Z");
/// # Ok::<(), market::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(description = "Milliseconds since 1970-01-01T00:00:00Z"))]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Why a text is not a timestamp.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimestampError {
    /// The text does not have the form `YYYY-MM-DDTHH:MM:SS[.fff]Z`.
    #[error(
        "timestamp {0:?} is not of the form 2026-03-02T14:31:07.250Z: write it in UTC with at most 3 decimals"
    )]
    Form(String),
    /// The form is right but there is no such date or time of day.
    #[error("timestamp {0:?} names a date or time of day that does not exist: correct it")]
    Range(String),
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const ZERO: Self = Self(0);
    /// The earliest instant that can be named.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be named.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant `ms` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The instant `ms` later (earlier when negative); `None` when it cannot be named.
    #[must_use]
    pub const fn checked_plus_ms(self, ms: i64) -> Option<Self> {
        match self.0.checked_add(ms) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The instant `ms` later, held at [`Timestamp::MIN`] or [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `ms` earlier (later when negative); `None` when it cannot be named.
    #[must_use]
    pub const fn checked_minus_ms(self, ms: i64) -> Option<Self> {
        match self.0.checked_sub(ms) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The instant `ms` earlier, held at [`Timestamp::MIN`] or [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_minus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds since `earlier`: negative when `earlier` is in truth later, held at the ends of `i64`.
    ///
    /// A caller that judges an age must treat a negative one as a fault of a clock, not as "fresh".
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar date in `zone` at this instant; beyond the years 1–9999 the first or last [`Day`].
    ///
    /// # Examples
    ///
    /// ```
    /// use market::{Timestamp, Zone};
    ///
    /// let sydney = Zone::named("Australia/Sydney")?;
    /// let late_evening_utc: Timestamp = "2026-12-31T22:59:00.000Z".parse().unwrap();
    /// assert_eq!(late_evening_utc.day_in(&sydney).to_string(), "2027-01-01");
    /// # Ok::<(), market::ZoneError>(())
    /// ```
    #[must_use]
    pub fn day_in(self, zone: &Zone) -> Day {
        self.saturating_plus_ms(zone.offset_ms(self)).day_utc()
    }

    /// The calendar date in UTC at this instant; beyond the years 1–9999 the first or last [`Day`].
    #[must_use]
    pub fn day_utc(self) -> Day {
        let days = self.0.div_euclid(DAY_MS);
        i32::try_from(days)
            .map_or(if days < 0 { Day::MIN } else { Day::MAX }, Day::from_epoch_days_saturating)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds; years beyond 0–9999, which RFC 3339 cannot name, carry a sign and six digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ymd { year, month, day } = civil::date_of(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        let (hour, minute) = (ms / 3_600_000, ms / MINUTE_MS % 60);
        let (second, milli) = (ms / 1_000 % 60, ms % 1_000);
        if (0..=9_999).contains(&year) {
            write!(f, "{year:04}")?;
        } else {
            write!(f, "{year:+07}")?;
        }
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads `2026-03-02T14:31:07.250Z`; the decimals may be absent, or one to three.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let form = || TimestampError::Form(text.to_owned());
        let range = || TimestampError::Range(text.to_owned());
        let date = text.get(..10).ok_or_else(form)?;
        let day = match date.parse::<Day>() {
            Ok(day) => day,
            Err(crate::DayError::Form(_)) => return Err(form()),
            Err(crate::DayError::Range(_)) => return Err(range()),
        };
        let clock = text[10..].strip_prefix('T').and_then(|rest| rest.strip_suffix('Z')).ok_or_else(form)?;
        let [hour, minute, second, milli] = clock_of(clock).ok_or_else(form)?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(range());
        }
        let clock_ms = ((hour * 60 + minute) * 60 + second) * 1_000 + milli;
        Ok(Self(i64::from(day.epoch_days()) * DAY_MS + clock_ms))
    }
}

/// Reads `HH:MM:SS[.f[f[f]]]` as hour, minute, second, millisecond, without looking at their ranges.
fn clock_of(text: &str) -> Option<[i64; 4]> {
    let (hour, rest) = civil::digits(text, 2)?;
    let (minute, rest) = civil::digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = civil::digits(rest.strip_prefix(':')?, 2)?;
    let milli = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        None => return None,
        Some(decimals) => {
            let scale = match decimals.len() {
                1 => 100,
                2 => 10,
                3 => 1,
                _ => return None,
            };
            civil::digits(decimals, decimals.len())?.0 * scale
        }
    };
    Some([hour, minute, second, milli].map(i64::from))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        for (text, ms, shown) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"),
            ("2026-03-02T14:31:07.250Z", 1_772_461_867_250, "2026-03-02T14:31:07.250Z"),
            ("2026-03-02T14:31:07.2Z", 1_772_461_867_200, "2026-03-02T14:31:07.200Z"),
        ] {
            let timestamp: Timestamp = text.parse().unwrap();
            assert_eq!((timestamp.ms(), timestamp.to_string().as_str()), (ms, shown));
        }
    }

    #[test]
    fn refuses_other_forms_and_impossible_times() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T14:31:07",
            "2026-03-02T14:31:07+01:00",
            "2026-03-02 14:31:07Z",
            "2026-03-02T14:31:07.Z",
            "2026-03-02T14:31:07.2500Z",
            "2026-03-02T+4:31:07Z",
            "2026-03-0éT14:31:07Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::Form(text.to_owned())));
        }
        for text in
            ["2026-02-29T00:00:00Z", "2026-03-02T24:00:00Z", "2026-03-02T23:60:00Z", "2026-03-02T23:59:60Z"]
        {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::Range(text.to_owned())));
        }
    }

    #[test]
    fn sums_beyond_the_range_are_none_or_held() {
        assert_eq!(Timestamp::MAX.checked_plus_ms(1), None);
        assert_eq!(Timestamp::MIN.checked_minus_ms(1), None);
        assert_eq!(Timestamp::MAX.saturating_plus_ms(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_minus_ms(1), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), i64::MAX);
        assert_eq!(Timestamp::ZERO.since(Timestamp::from_ms(5)), -5);
    }

    #[test]
    fn the_ends_can_be_shown_and_have_a_day() {
        assert_eq!(Timestamp::MAX.to_string(), "+292278994-08-17T07:12:55.807Z");
        assert_eq!(Timestamp::MIN.day_utc(), Day::MIN);
        assert_eq!(Timestamp::MAX.day_utc(), Day::MAX);
        assert_eq!(Timestamp::MAX.day_in(&Zone::UTC), Day::MAX);
    }

    #[test]
    fn travels_as_an_integer() {
        let timestamp = Timestamp::from_ms(1_772_461_867_250);
        assert_eq!(serde_json::to_string(&timestamp).unwrap(), "1772461867250");
        assert_eq!(serde_json::from_str::<Timestamp>("1772461867250").unwrap(), timestamp);
        let packed = rmp_serde::to_vec(&timestamp).unwrap();
        assert_eq!(rmp_serde::from_slice::<Timestamp>(&packed).unwrap(), timestamp);
    }

    proptest! {
        #[test]
        fn text_round_trips_and_agrees_with_the_zone_library(ms in -62_135_596_800_000_i64..=253_402_207_200_999) {
            let timestamp = Timestamp::from_ms(ms);
            prop_assert_eq!(timestamp.to_string().parse::<Timestamp>().unwrap(), timestamp);
            let theirs = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(timestamp.to_string(), format!("{theirs:.3}"));
        }
    }
}
