//! Reading and examining the calendar file.
//!
//! Form of the file, one object per venue under `venues`:
//!
//! | Field | Meaning |
//! |---|---|
//! | `mic`, `aliases` | the code; further codes that share the calendar, each with names of its own |
//! | `names` | what data sources call the venue; a name may belong to several venues and is then ambiguous |
//! | `country` | two capital letters, deciding between venues of one name |
//! | `zone` | IANA time zone of all times |
//! | `session`, `break` | opening and close; start and end of the lunch break, or null |
//! | `strict` | true when the venue refuses orders while it is shut |
//! | `valid_from`, `valid_until` | first and last day that the file covers |
//! | `holidays` | weekdays without trading |
//! | `early_closes`, `late_opens` | `{"day", "at"}`: days with another close or opening |
//!
//! A file with any fault is refused whole: half a calendar would open a venue on a holiday.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::day::Day;
use crate::local_time::LocalTime;
use crate::mic::Mic;
use crate::sessions::Hours;
use crate::venue::Venue;
use crate::venue_names::VenueNames;
use crate::zone::Zone;

/// The longest text accepted; the shipped file has about 21 000 bytes.
pub const CALENDAR_BYTES_MAX: usize = 1_000_000;
/// The most venues accepted.
pub const VENUES_MAX: usize = 100;
/// The most days one venue's list can have; about 30 holidays and early closes occur in a year.
pub const EXCEPTIONS_MAX: usize = 1_000;

/// Why a calendar file is refused, in the order in which it is examined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// Longer than [`CALENDAR_BYTES_MAX`].
    #[error("calendar file has {0} bytes, more than 1000000: it is not a calendar file")]
    TooLong(usize),
    /// Not JSON of the right outer form; the reason is given.
    #[error("calendar file is not readable ({0}): restore the file that came with the release")]
    Unreadable(String),
    /// No venue, or more than [`VENUES_MAX`].
    #[error("calendar file has {0} venues instead of 1 to 100: restore the file that came with the release")]
    VenueCount(usize),
    /// A venue breaks a rule.
    #[error("calendar of {mic}, {field}: {problem}; correct the file, until then it is not used")]
    Venue {
        /// The venue's code as the file has it, or its place in the file.
        mic: String,
        /// The field.
        field: &'static str,
        /// The rule and what breaks it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(rename = "source")]
    _source: String,
    venues: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVenue {
    mic: String,
    aliases: Vec<RawAlias>,
    names: Vec<String>,
    country: String,
    zone: String,
    session: [String; 2],
    // Not `Option` by default: a forgotten lunch break must not read as "none".
    #[serde(rename = "break", deserialize_with = "Option::deserialize")]
    pause: Option<[String; 2]>,
    strict: bool,
    valid_from: String,
    valid_until: String,
    holidays: Vec<String>,
    early_closes: Vec<RawException>,
    late_opens: Vec<RawException>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlias {
    mic: String,
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    day: String,
    at: String,
}

/// Reads the file's text into venues and their names.
pub(crate) fn read(text: &str) -> Result<(Vec<Venue>, VenueNames), CalendarError> {
    if text.len() > CALENDAR_BYTES_MAX {
        return Err(CalendarError::TooLong(text.len()));
    }
    let file: RawFile =
        serde_json::from_str(text).map_err(|error| CalendarError::Unreadable(error.to_string()))?;
    if file.venues.is_empty() || file.venues.len() > VENUES_MAX {
        return Err(CalendarError::VenueCount(file.venues.len()));
    }
    let mut venues = Vec::new();
    let mut names = VenueNames::default();
    let mut codes = BTreeSet::new();
    for (index, value) in file.venues.into_iter().enumerate() {
        let label = value["mic"].as_str().map_or_else(|| format!("venue {}", index + 1), str::to_owned);
        let context = Context { mic: label };
        let raw: RawVenue =
            serde_json::from_value(value).map_err(|error| context.fault("fields", error.to_string()))?;
        venues.push(context.venue(&raw, &mut names, &mut codes)?);
    }
    Ok((venues, names))
}

/// The venue under examination, for the errors to name it.
struct Context {
    mic: String,
}

impl Context {
    fn fault(&self, field: &'static str, problem: impl Into<String>) -> CalendarError {
        CalendarError::Venue { mic: self.mic.clone(), field, problem: problem.into() }
    }

    fn ensure(
        &self,
        holds: bool,
        field: &'static str,
        problem: impl Fn() -> String,
    ) -> Result<(), CalendarError> {
        if holds { Ok(()) } else { Err(self.fault(field, problem())) }
    }

    fn value<T: FromStr<Err: Display>>(&self, field: &'static str, text: &str) -> Result<T, CalendarError> {
        text.parse().map_err(|error: T::Err| self.fault(field, error.to_string()))
    }

    fn venue(
        &self,
        raw: &RawVenue,
        names: &mut VenueNames,
        codes: &mut BTreeSet<Mic>,
    ) -> Result<Venue, CalendarError> {
        let is_country = raw.country.len() == 2 && raw.country.bytes().all(|byte| byte.is_ascii_uppercase());
        self.ensure(is_country, "country", || format!("{:?} is not two capital letters", raw.country))?;
        let mic = self.code("mic", &raw.mic, &raw.names, &raw.country, names, codes)?;
        let mut aliases = Vec::new();
        for alias in &raw.aliases {
            aliases.push(self.code("aliases", &alias.mic, &alias.names, &raw.country, names, codes)?);
        }
        let (valid_from, valid_until) =
            (self.value("valid_from", &raw.valid_from)?, self.value("valid_until", &raw.valid_until)?);
        self.ensure(valid_from <= valid_until, "valid_until", || {
            format!("{valid_until} lies before valid_from {valid_from}")
        })?;
        let venue = Venue {
            mic,
            aliases,
            country: raw.country.clone(),
            zone: Zone::named(&raw.zone).map_err(|error| self.fault("zone", error.to_string()))?,
            hours: self.hours(raw)?,
            is_strict: raw.strict,
            valid_from,
            valid_until,
            holidays: self.holidays(&raw.holidays)?,
            early_closes: self.exceptions("early_closes", &raw.early_closes)?,
            late_opens: self.exceptions("late_opens", &raw.late_opens)?,
        };
        self.examine_days(&venue)?;
        self.examine_exceptions(&venue)?;
        Ok(venue)
    }

    /// Reads a code, which no other venue of the file may have, and enters its names.
    fn code(
        &self,
        field: &'static str,
        text: &str,
        own_names: &[String],
        country: &str,
        names: &mut VenueNames,
        codes: &mut BTreeSet<Mic>,
    ) -> Result<Mic, CalendarError> {
        let mic: Mic = self.value(field, text)?;
        self.ensure(codes.insert(mic), field, || format!("{mic} occurs twice in the file"))?;
        names.add(text, mic, country);
        for name in own_names {
            self.ensure(!name.trim().is_empty(), "names", || "a name is empty".to_owned())?;
            names.add(name, mic, country);
        }
        Ok(mic)
    }

    fn hours(&self, raw: &RawVenue) -> Result<Hours, CalendarError> {
        let [open, close] =
            [self.value("session", &raw.session[0])?, self.value::<LocalTime>("session", &raw.session[1])?];
        self.ensure(open < close, "session", || format!("opening {open} is not before close {close}"))?;
        let Some([start, end]) = &raw.pause else {
            return Ok(Hours { open, close, pause: None });
        };
        let (start, end): (LocalTime, LocalTime) = (self.value("break", start)?, self.value("break", end)?);
        self.ensure(open < start && start < end && end < close, "break", || {
            format!("{start} to {end} does not lie inside the session {open} to {close}")
        })?;
        Ok(Hours { open, close, pause: Some((start, end)) })
    }

    fn holidays(&self, texts: &[String]) -> Result<Vec<Day>, CalendarError> {
        texts.iter().map(|text| self.value("holidays", text)).collect()
    }

    fn exceptions(
        &self,
        field: &'static str,
        rows: &[RawException],
    ) -> Result<Vec<(Day, LocalTime)>, CalendarError> {
        rows.iter().map(|row| Ok((self.value(field, &row.day)?, self.value(field, &row.at)?))).collect()
    }

    /// Every list ascends, lies in the days covered and has no weekend: what is not on a weekday is a slip.
    fn examine_days(&self, venue: &Venue) -> Result<(), CalendarError> {
        let first = |rows: &[(Day, LocalTime)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        for (field, days) in [
            ("holidays", venue.holidays.clone()),
            ("early_closes", first(&venue.early_closes)),
            ("late_opens", first(&venue.late_opens)),
        ] {
            self.ensure(days.len() <= EXCEPTIONS_MAX, field, || {
                format!("{} days, more than 1000", days.len())
            })?;
            for pair in days.windows(2) {
                self.ensure(pair[0] < pair[1], field, || {
                    format!("{} does not come after {}", pair[1], pair[0])
                })?;
            }
            for day in days {
                let is_covered = venue.valid_from <= day && day <= venue.valid_until;
                self.ensure(is_covered, field, || format!("{day} lies outside valid_from and valid_until"))?;
                self.ensure(!day.weekday().is_weekend(), field, || format!("{day} is a {}", day.weekday()))?;
            }
        }
        Ok(())
    }

    /// An exception is on a trading day, shortens it, and leaves some of it.
    fn examine_exceptions(&self, venue: &Venue) -> Result<(), CalendarError> {
        let Hours { open, close, pause } = venue.hours;
        let rows = |field, rows: &[(Day, LocalTime)]| {
            rows.iter().map(move |&(day, at)| (field, day, at)).collect::<Vec<_>>()
        };
        let early = rows("early_closes", &venue.early_closes);
        for (field, day, at) in early.into_iter().chain(rows("late_opens", &venue.late_opens)) {
            self.ensure(venue.holidays.binary_search(&day).is_err(), field, || {
                format!("{day} is in holidays too")
            })?;
            self.ensure(open < at && at < close, field, || {
                format!("{at} on {day} does not lie inside the session {open} to {close}")
            })?;
        }
        for &(day, opens) in &venue.late_opens {
            let closes = venue.early_closes.iter().find(|row| row.0 == day).map_or(close, |row| row.1);
            let opens = match pause {
                Some((start, end)) if start <= opens && opens < end => end,
                _ => opens,
            };
            self.ensure(opens < closes, "late_opens", || format!("nothing of {day} is left"))?;
        }
        Ok(())
    }
}
