//! A time zone by its IANA name, from the database built into the program.
//!
//! The device's own zone files are never read: two machines with the same release agree on every session.

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use thiserror::Error;

use crate::day::Day;
use crate::local_time::LocalTime;
use crate::timestamp::{DAY_MS, MINUTE_MS, Timestamp};

/// A time zone, for example `Europe/Berlin`.
///
/// # Examples
///
/// ```
/// use market::{Day, LocalTime, Zone};
///
/// let berlin = Zone::named("Europe/Berlin")?;
/// let day: Day = "2026-03-29".parse().unwrap();
/// let nine = LocalTime::from_hm(9, 0).unwrap();
/// // On this day the clocks went from 02:00 to 03:00, so nine o'clock is 07:00 in UTC.
/// assert_eq!(berlin.local(day, nine).to_string(), "2026-03-29T07:00:00.000Z");
/// # Ok::<(), market::ZoneError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Why a zone is not usable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// The built-in database has no zone of this name.
    #[error("time zone {0:?} is not in the built-in database: use an IANA name such as Europe/Berlin")]
    Unknown(String),
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Finds a zone by its IANA name.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Unknown`] when the built-in database does not have it.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        TimeZoneDatabase::bundled().get(name).map(Self).map_err(|_| ZoneError::Unknown(name.to_owned()))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Milliseconds by which local clocks are ahead of UTC at `at`; zero beyond the years the database covers.
    #[must_use]
    pub fn offset_ms(&self, at: Timestamp) -> i64 {
        jiff::Timestamp::from_millisecond(at.ms())
            .map_or(0, |instant| i64::from(self.0.to_offset(instant).seconds()) * 1_000)
    }

    /// The instant at which local clocks show `time` on `day`.
    ///
    /// A local time that the change of clocks skips is read with the offset before the change; one that occurs
    /// twice is its first occurrence. No exchange opens or closes at such a time. Beyond the years that the
    /// database covers the offset of UTC is used.
    #[must_use]
    pub fn local(&self, day: Day, time: LocalTime) -> Timestamp {
        let clock_ms = i64::from(time.minute_of_day()) * MINUTE_MS;
        let as_if_utc = Timestamp::from_ms(i64::from(day.epoch_days()) * DAY_MS + clock_ms);
        // The offset a day before (always the one before a change of clocks on this day) and the one a day after.
        let before = self.offset_ms(as_if_utc.saturating_minus_ms(DAY_MS));
        let after = self.offset_ms(as_if_utc.saturating_plus_ms(DAY_MS));
        let early = as_if_utc.saturating_minus_ms(before);
        if before == after || self.offset_ms(early) == before {
            return early;
        }
        let late = as_if_utc.saturating_minus_ms(after);
        if self.offset_ms(late) == after { late } else { early }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_a_zone_it_does_not_know() {
        assert_eq!(Zone::named("Europe/Atlantis"), Err(ZoneError::Unknown("Europe/Atlantis".to_owned())));
        assert!(Zone::named("").is_err());
    }

    #[test]
    fn skipped_and_doubled_local_times_have_one_answer() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let spring = Day::from_ymd(2026, 3, 29).unwrap();
        let autumn = Day::from_ymd(2026, 10, 25).unwrap();
        for (day, (hour, minute), shown) in [
            (spring, (1, 59), "2026-03-29T00:59:00.000Z"),
            (spring, (2, 30), "2026-03-29T01:30:00.000Z"),
            (spring, (3, 0), "2026-03-29T01:00:00.000Z"),
            (autumn, (1, 59), "2026-10-24T23:59:00.000Z"),
            (autumn, (2, 30), "2026-10-25T00:30:00.000Z"),
            (autumn, (3, 0), "2026-10-25T02:00:00.000Z"),
        ] {
            let time = LocalTime::from_hm(hour, minute).unwrap();
            assert_eq!(berlin.local(day, time).to_string(), shown, "{day} {time}");
        }
    }

    proptest! {
        #[test]
        fn local_times_agree_with_the_zone_library(
            days in 0_i32..40_000,
            hour in 0_u8..24,
            minute in 0_u8..60,
            name in prop::sample::select(vec![
                "America/New_York", "Europe/Berlin", "Europe/London", "Asia/Hong_Kong", "Australia/Sydney",
            ]),
        ) {
            let zone = Zone::named(name).unwrap();
            let day = Day::from_epoch_days(days).unwrap();
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let time = LocalTime::from_hm(hour, minute).unwrap();
            let theirs = date
                .at(i8::try_from(hour).unwrap(), i8::try_from(minute).unwrap(), 0, 0)
                .to_zoned(TimeZone::get(name).unwrap())
                .unwrap();
            prop_assert_eq!(zone.local(day, time).ms(), theirs.timestamp().as_millisecond());
        }
    }
}
