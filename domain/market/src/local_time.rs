//! A time of day on local clocks, to the minute.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::civil;
use crate::text_form::text_form;

/// A local time of day from 00:00 to 23:59, without date or zone.
///
/// # Examples
///
/// ```
/// use market::LocalTime;
///
/// let opening: LocalTime = "09:30".parse()?;
/// assert_eq!(opening.minute_of_day(), 570);
/// # Ok::<(), market::LocalTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u16);

text_form!(LocalTime, "LocalTime", "Local time of day", r"^[0-2][0-9]:[0-5][0-9]$", "09:30");

/// Why a text or two numbers are not a time of day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LocalTimeError {
    /// Not of the form `HH:MM`, or beyond 23:59.
    #[error("time of day {0:?} is not of the form 09:30, from 00:00 to 23:59: correct it")]
    Form(String),
}

impl LocalTime {
    /// 00:00.
    pub const MIDNIGHT: Self = Self(0);

    /// The time at `hour` and `minute`; `None` beyond 23:59.
    #[must_use]
    pub const fn from_hm(hour: u8, minute: u8) -> Option<Self> {
        if hour > 23 || minute > 59 { None } else { Some(Self(hour as u16 * 60 + minute as u16)) }
    }

    /// Minutes since midnight, 0 to 1 439.
    #[must_use]
    pub const fn minute_of_day(self) -> u16 {
        self.0
    }
}

impl FromStr for LocalTime {
    type Err = LocalTimeError;

    fn from_str(text: &str) -> Result<Self, LocalTimeError> {
        numbers_of(text)
            .and_then(|(hour, minute)| Self::from_hm(hour, minute))
            .ok_or_else(|| LocalTimeError::Form(text.to_owned()))
    }
}

fn numbers_of(text: &str) -> Option<(u8, u8)> {
    let (hour, rest) = civil::digits(text, 2)?;
    let (minute, rest) = civil::digits(rest.strip_prefix(':')?, 2)?;
    let numbers = (u8::try_from(hour).ok()?, u8::try_from(minute).ok()?);
    rest.is_empty().then_some(numbers)
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTime({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_times_of_one_day_only() {
        for text in ["00:00", "09:30", "23:59"] {
            assert_eq!(text.parse::<LocalTime>().unwrap().to_string(), text);
        }
        for text in ["", "9:30", "24:00", "23:60", "09:30:00", "09-30", "+9:30"] {
            assert_eq!(text.parse::<LocalTime>(), Err(LocalTimeError::Form(text.to_owned())));
        }
    }
}
