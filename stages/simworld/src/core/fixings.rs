//! The reference rates of a day: the middle at 14:15 Frankfurt time on working days.

use super::calendar::Venue;
use super::dates::start_of;
use super::fixed::E6;
use super::world::World;

/// Minute of the fixing, local time.
const FIXING_MIN: i64 = 14 * 60 + 15;
/// Minute from which the European Central Bank shows it, local time.
const PUBLISHED_MIN: i64 = 16 * 60;
/// Longest run of days without a fixing.
const REST_MAX: i32 = 14;

/// Currencies in the bank's file with the decimals it writes.
pub(crate) const FIXED: [(&str, u32); 6] =
    [("USD", 4), ("JPY", 2), ("DKK", 4), ("GBP", 5), ("CHF", 4), ("HKD", 4)];

impl World {
    /// Returns the instant of a day's fixing, absent on days without one.
    pub(crate) fn fixing_of(&self, day: i32) -> Option<i64> {
        let working = self.market.calendar.sessions(Venue::Paris, day).open().is_some();
        working.then(|| frankfurt(day, FIXING_MIN))
    }

    /// Returns the last fixing on or before a day that has happened by now.
    pub(crate) fn fixing(&self, day: i32) -> Option<i64> {
        (0..REST_MAX).find_map(|back| self.fixing_of(day - back).filter(|at| *at <= self.now))
    }

    /// Returns the last day on or before another whose fixing the bank has published by now.
    pub(crate) fn published_day(&self, day: i32) -> Option<i32> {
        let published =
            |day: &i32| self.fixing_of(*day).is_some() && frankfurt(*day, PUBLISHED_MIN) <= self.now;
        (0..REST_MAX).map(|back| day - back).find(published)
    }

    /// Returns units of a currency per euro as the bank publishes them, at scale e6, rounded to its decimals.
    pub(crate) fn published_rate(&self, currency: &str, day: i32) -> Option<i64> {
        let (_, decimals) = FIXED.iter().find(|(code, _)| *code == currency)?;
        let exact = self.market.rates.at(currency, self.fixing_of(day)?)?;
        let step = 10_f64.powi(6 - i32::try_from(*decimals).ok()?);
        Some((exact * E6 as f64 / step).round() as i64 * step as i64)
    }
}

fn frankfurt(day: i32, minute: i64) -> i64 {
    let local = start_of(day) + minute * 60_000;
    local - Venue::Frankfurt.utc_offset_min(local) * 60_000
}
