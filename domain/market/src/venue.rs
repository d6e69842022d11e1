//! What the calendar knows of one trading venue.

use crate::day::Day;
use crate::local_time::LocalTime;
use crate::mic::Mic;
use crate::sessions::Hours;
use crate::zone::Zone;

/// A venue: its hours, its exceptions and the days for which both are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venue {
    pub(crate) mic: Mic,
    pub(crate) aliases: Vec<Mic>,
    pub(crate) country: String,
    pub(crate) zone: Zone,
    pub(crate) hours: Hours,
    pub(crate) is_strict: bool,
    pub(crate) valid_from: Day,
    pub(crate) valid_until: Day,
    /// Weekdays without trading, ascending.
    pub(crate) holidays: Vec<Day>,
    /// Days with an early close, ascending.
    pub(crate) early_closes: Vec<(Day, LocalTime)>,
    /// Days with a late opening, ascending.
    pub(crate) late_opens: Vec<(Day, LocalTime)>,
}

/// What a day is at a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayPlan {
    /// The calendar does not say; treated as closed.
    Beyond,
    /// Saturday or Sunday.
    Weekend,
    /// A weekday without trading.
    Holiday,
    /// A trading day with these local hours.
    Trading(Hours),
}

impl Venue {
    /// The code under which the calendar knows the venue.
    #[must_use]
    pub fn mic(&self) -> Mic {
        self.mic
    }

    /// Other codes that share this calendar.
    #[must_use]
    pub fn aliases(&self) -> &[Mic] {
        &self.aliases
    }

    /// The country, two letters.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The zone of the local times.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The local hours of a day without exception.
    #[must_use]
    pub fn hours(&self) -> Hours {
        self.hours
    }

    /// True when the venue refuses orders while it is shut.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// The first day for which the file speaks.
    #[must_use]
    pub fn valid_from(&self) -> Day {
        self.valid_from
    }

    /// The last day for which the file speaks.
    #[must_use]
    pub fn valid_until(&self) -> Day {
        self.valid_until
    }

    /// Weekdays without trading, ascending.
    #[must_use]
    pub fn holidays(&self) -> &[Day] {
        &self.holidays
    }

    /// Days with an early close, ascending.
    #[must_use]
    pub fn early_closes(&self) -> &[(Day, LocalTime)] {
        &self.early_closes
    }

    /// Days with a late opening, ascending.
    #[must_use]
    pub fn late_opens(&self) -> &[(Day, LocalTime)] {
        &self.late_opens
    }

    /// What `day` is by the file.
    #[must_use]
    pub fn plan(&self, day: Day) -> DayPlan {
        if day < self.valid_from || day > self.valid_until {
            DayPlan::Beyond
        } else if day.weekday().is_weekend() {
            DayPlan::Weekend
        } else if self.holidays.binary_search(&day).is_ok() {
            DayPlan::Holiday
        } else {
            DayPlan::Trading(Hours {
                open: exception(&self.late_opens, day).unwrap_or(self.hours.open),
                close: exception(&self.early_closes, day).unwrap_or(self.hours.close),
                pause: self.hours.pause,
            })
        }
    }
}

fn exception(rows: &[(Day, LocalTime)], day: Day) -> Option<LocalTime> {
    let index = rows.binary_search_by_key(&day, |row| row.0).ok()?;
    Some(rows[index].1)
}
