//! Dates and times as the broker writes them: many formats, mostly without a zone.
//!
//! A time without a zone stays one until a caller who knows the offset turns it into an instant.

use market::{Day, Timestamp};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Longest text looked at; the longest format has 26 characters.
const CHARS_MAX: usize = 40;

/// Holds a date and a time of day whose zone the broker does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime {
    day: Day,
    /// Milliseconds since midnight.
    of_day_ms: i64,
}

impl WallTime {
    /// Reads any of the broker's formats; 1970-01-01 means "none" and gives `None`, as does text
    /// that is no date.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > CHARS_MAX || !text.is_ascii() {
            return None;
        }
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
        let day = day_of(date)?;
        let is_none = day.epoch_days() == 0;
        let of_day_ms = if time.trim().is_empty() { 0 } else { of_day_ms(time.trim())? };
        (!is_none).then_some(Self { day, of_day_ms })
    }

    /// Returns the date as written.
    pub fn day(self) -> Day {
        self.day
    }

    /// Returns the milliseconds since midnight as written.
    pub fn of_day_ms(self) -> i64 {
        self.of_day_ms
    }

    /// Turns the time into an instant, given how many minutes its zone is ahead of UTC.
    pub fn at_offset_minutes(self, ahead_of_utc: i32) -> Timestamp {
        let as_if_utc = i64::from(self.day.epoch_days()) * DAY_MS + self.of_day_ms;
        Timestamp::from_ms(as_if_utc - i64::from(ahead_of_utc) * MINUTE_MS)
    }
}

/// Steps to which a measured offset is rounded; no zone differs by less.
const OFFSET_STEP_MIN: i64 = 15;
/// Offsets ahead of UTC that the broker's server may have.
const OFFSETS_MIN: std::ops::RangeInclusive<i64> = 0..=300;

/// Measures how many minutes the broker's clock is ahead of UTC, from an order's own date and the
/// instant it was sent; `None` outside 0 to 5 hours, which no server of the broker has.
pub fn measured_offset_minutes(broker: WallTime, sent: Timestamp) -> Option<i32> {
    let ahead_ms = broker.at_offset_minutes(0).ms().checked_sub(sent.ms())?;
    let step_ms = OFFSET_STEP_MIN * MINUTE_MS;
    let minutes = ahead_ms.checked_add(step_ms / 2)?.div_euclid(step_ms) * OFFSET_STEP_MIN;
    OFFSETS_MIN.contains(&minutes).then(|| i32::try_from(minutes).ok())?
}

/// Reads a date in one of the broker's formats, ignoring a time behind it.
pub(crate) fn parse_day(text: &str) -> Option<Day> {
    WallTime::parse(text).map(WallTime::day)
}

/// Reads a time of day such as `17:30:00` as seconds since midnight.
pub(crate) fn parse_seconds_of_day(text: &str) -> Option<u32> {
    u32::try_from(of_day_ms(text.trim())? / SECOND_MS).ok()
}

fn day_of(date: &str) -> Option<Day> {
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    let parts: Vec<u32> = date.splitn(3, separator).map(number).collect::<Option<_>>()?;
    let [first, second, third] = parts[..] else { return None };
    let (year, month, day) = match separator {
        '-' => (first, second, third),
        '.' => (third, second, first),
        '/' => (third, first, second),
        _ => return None,
    };
    Day::from_ymd(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()
}

fn of_day_ms(time: &str) -> Option<i64> {
    let (clock, half) = match time.split_once(' ') {
        Some((clock, half)) => (clock, Some(half.trim())),
        None => (time, None),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(number);
    let hour = in_half(parts.next()??, half)?;
    let minute = parts.next()??;
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * SECOND_MS + milliseconds(fraction)?)
}

/// Applies AM or PM; anything else behind the time, a zone for instance, is not understood.
fn in_half(hour: u32, half: Option<&str>) -> Option<u32> {
    match half {
        None => Some(hour),
        Some(half) if !(1..=12).contains(&hour) => half.is_empty().then_some(hour),
        Some(half) if half.eq_ignore_ascii_case("AM") => Some(hour % 12),
        Some(half) if half.eq_ignore_ascii_case("PM") => Some(hour % 12 + 12),
        Some(_) => None,
    }
}

fn milliseconds(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    padded.parse().ok()
}

fn number(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_documented_format() {
        let table = [
            ("2026-03-02", "2026-03-02", 0),
            ("2026-03-02T17:41:05", "2026-03-02", 63_665_000),
            ("2026-03-02T17:41:05.130", "2026-03-02", 63_665_130),
            ("2026-03-02 17:41:05.13", "2026-03-02", 63_665_130),
            ("02.01.2015", "2015-01-02", 0),
            ("02.01.2015 09:30", "2015-01-02", 34_200_000),
            ("3/2/2026 5:41:05 PM", "2026-03-02", 63_665_000),
            ("3/2/2026 12:00:01 AM", "2026-03-02", 1_000),
            ("3/2/2026 12:00:00 PM", "2026-03-02", 43_200_000),
        ];
        for (text, day, of_day_ms) in table {
            let time = WallTime::parse(text).unwrap();
            assert_eq!((time.day().to_string().as_str(), time.of_day_ms()), (day, of_day_ms), "{text}");
        }
    }

    #[test]
    fn treats_the_epoch_and_nonsense_as_no_date() {
        for text in [
            "",
            "-",
            "1970-01-01T00:00:00",
            "1970-01-01",
            "2026-02-30",
            "2026-13-01",
            "2026-03-02T25:00:00",
            "2026-03-02T10:60:00",
            "2026-03-02T10:00:00+03:00",
            "0000-00-00",
            "3/2/2026 13:00:00 PM",
            "today",
            "٢٠٢٦-03-02",
        ] {
            assert_eq!(WallTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn becomes_an_instant_only_with_an_offset() {
        let time = WallTime::parse("2026-03-02T00:30:00").unwrap();
        assert_eq!(time.at_offset_minutes(180).ms() - time.at_offset_minutes(0).ms(), -10_800_000);
        assert_eq!(time.at_offset_minutes(180).day_utc().to_string(), "2026-03-01");
    }

    #[test]
    fn measures_the_offset_in_quarters_of_an_hour_within_reason() {
        let broker = WallTime::parse("2026-03-02T17:41:05.130").unwrap();
        let sent = |ahead_ms| Timestamp::from_ms(broker.at_offset_minutes(0).ms() - ahead_ms);
        let hour_ms = 60 * MINUTE_MS;
        let table = [
            (3 * hour_ms + 800, Some(180)),
            (3 * hour_ms - 400_000, Some(180)),
            (3 * hour_ms + 450_000, Some(195)),
            (0, Some(0)),
            (-1_000, Some(0)),
            (5 * hour_ms, Some(300)),
            (5 * hour_ms + 450_000, None),
            (-450_001, None),
            (i64::MAX, None),
        ];
        for (ahead_ms, expected) in table {
            assert_eq!(measured_offset_minutes(broker, sent(ahead_ms)), expected, "{ahead_ms}");
        }
        assert_eq!(measured_offset_minutes(broker, Timestamp::MIN), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,45}") {
            let _ = WallTime::parse(&text);
            let _ = parse_seconds_of_day(&text);
        }
    }
}
