//! The trading intervals of one day, in UTC.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::local_time::LocalTime;
use crate::timestamp::Timestamp;
use crate::zone::Zone;

/// A stretch of uninterrupted trading: open from `open` on, closed again from `close` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval {
    /// First instant of trading.
    pub open: Timestamp,
    /// First instant after trading.
    pub close: Timestamp,
}

impl Interval {
    /// True when `open ≤ at < close`.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.open <= at && at < self.close
    }
}

/// The intervals of one day in order: none on a closed day, two around a lunch break. Reads as a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    intervals: [Interval; 2],
    length: usize,
}

impl Sessions {
    /// No trading.
    pub const NONE: Self =
        Self { intervals: [Interval { open: Timestamp::ZERO, close: Timestamp::ZERO }; 2], length: 0 };

    /// Adds an interval unless it is empty, as the afternoon of a half day is.
    fn with(mut self, open: Timestamp, close: Timestamp) -> Self {
        if open < close {
            self.intervals[self.length] = Interval { open, close };
            self.length += 1;
        }
        self
    }
}

impl Deref for Sessions {
    type Target = [Interval];

    fn deref(&self) -> &[Interval] {
        &self.intervals[..self.length]
    }
}

/// The local trading hours of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// First minute of trading.
    pub open: LocalTime,
    /// First minute after trading.
    pub close: LocalTime,
    /// First minute of the lunch break and first minute after it.
    pub pause: Option<(LocalTime, LocalTime)>,
}

impl Hours {
    /// The intervals of `day` in `zone`.
    #[must_use]
    pub fn sessions(&self, zone: &Zone, day: Day) -> Sessions {
        let at = |time| zone.local(day, time);
        match self.pause {
            None => Sessions::NONE.with(at(self.open), at(self.close)),
            Some((start, end)) => Sessions::NONE
                .with(at(self.open), at(start.min(self.close)))
                .with(at(end.max(self.open)), at(self.close)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn minutes(open: &str, close: &str, pause: Option<(&str, &str)>) -> Vec<(String, String)> {
        let time = |text: &str| text.parse::<LocalTime>().unwrap();
        let hours = Hours {
            open: time(open),
            close: time(close),
            pause: pause.map(|(start, end)| (time(start), time(end))),
        };
        let day = Day::from_ymd(2026, 3, 2).unwrap();
        let clock = |at: Timestamp| at.to_string()[11..16].to_owned();
        hours.sessions(&Zone::UTC, day).iter().map(|i| (clock(i.open), clock(i.close))).collect()
    }

    fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(open, close)| ((*open).to_owned(), (*close).to_owned())).collect()
    }

    #[test]
    fn a_lunch_break_splits_the_day() {
        let lunch = Some(("12:00", "13:00"));
        assert_eq!(minutes("09:30", "16:00", None), texts(&[("09:30", "16:00")]));
        assert_eq!(minutes("09:30", "16:00", lunch), texts(&[("09:30", "12:00"), ("13:00", "16:00")]));
    }

    #[test]
    fn a_close_or_opening_in_the_break_leaves_half_a_day() {
        let lunch = Some(("12:00", "13:00"));
        for close in ["12:00", "12:30", "13:00"] {
            assert_eq!(minutes("09:30", close, lunch), texts(&[("09:30", "12:00")]), "{close}");
        }
        assert_eq!(minutes("09:30", "11:00", lunch), texts(&[("09:30", "11:00")]));
        for open in ["12:00", "12:30", "13:00"] {
            assert_eq!(minutes(open, "16:00", lunch), texts(&[("13:00", "16:00")]), "{open}");
        }
        assert_eq!(minutes("14:00", "16:00", lunch), texts(&[("14:00", "16:00")]));
    }
}
