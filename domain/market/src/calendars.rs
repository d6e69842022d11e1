//! When the venues trade: the questions that stages ask of the calendar.
//!
//! The table is a data file (`data/calendars.json`) that a release ships; the device never scrapes one.
//! **Unknown means closed**: a venue that is not in the file, and a day that the file does not cover, are closed
//! and say so in their reason, so that an alarm can follow.

use std::collections::BTreeMap;

use crate::calendar_file::{self, CalendarError};
use crate::day::Day;
use crate::mic::Mic;
use crate::rule_calendar;
use crate::sessions::Sessions;
use crate::timestamp::Timestamp;
use crate::venue::{DayPlan, Venue};
use crate::venue_names::{NameError, VenueNames};
use crate::venue_state::{Edge, VenueReason, VenueState};

/// Fewer days of data than this ahead are an alarm: the file for the next year is overdue.
pub const RENEWAL_ALARM_DAYS: i32 = 30;

/// The longest closure across which the next session is searched; the longest known, the lunar new year, is 12 days.
pub const CLOSURE_DAYS_MAX: i32 = 40;

/// The file that this release ships.
const EMBEDDED: &str = include_str!("../data/calendars.json");

/// The calendars of all known venues.
///
/// # Examples
///
/// ```
/// use market::{Calendars, Mic, VenueReason};
///
/// let calendars = Calendars::embedded();
/// let hong_kong: Mic = "XHKG".parse().unwrap();
/// // The day before the lunar new year ends at noon, and the next session is after the holidays.
/// let state = calendars.state(hong_kong, "2026-02-16T04:00:00.000Z".parse().unwrap());
/// assert_eq!((state.open, state.reason), (false, VenueReason::AfterClose));
/// assert_eq!(state.next_change, Some("2026-02-20T01:30:00.000Z".parse().unwrap()));
/// ```
#[derive(Clone, Debug)]
pub struct Calendars {
    venues: Vec<Venue>,
    /// Index into `venues` by code, aliases included.
    by_mic: BTreeMap<Mic, usize>,
    names: VenueNames,
    uses_rules: bool,
}

impl Default for Calendars {
    fn default() -> Self {
        Calendars::embedded()
    }
}

impl Calendars {
    /// The calendars that this release ships.
    ///
    /// Reads and examines the text at each call: call it once and keep the result.
    #[must_use]
    pub fn embedded() -> Self {
        Self::from_json(EMBEDDED).expect("a release ships a valid calendar file")
    }

    /// Reads calendars from the text of a file.
    ///
    /// # Errors
    ///
    /// A [`CalendarError`] naming MIC and field of the first fault.
    pub fn from_json(text: &str) -> Result<Self, CalendarError> {
        let (venues, names) = calendar_file::read(text)?;
        let mut by_mic = BTreeMap::new();
        for (index, venue) in venues.iter().enumerate() {
            for mic in venue.aliases.iter().copied().chain([venue.mic]) {
                by_mic.insert(mic, index);
            }
        }
        Ok(Self { venues, by_mic, names, uses_rules: false })
    }

    /// Fills the days that the file does not cover by the general rules of `rule_calendar`.
    ///
    /// For simulated worlds only, which need sessions from 2015 on: rules miss lunar holidays and everything
    /// that was decided for one occasion. A live stage must refuse calendars that use rules.
    ///
    /// # Examples
    ///
    /// ```
    /// use market::{Calendars, Mic};
    ///
    /// let xetra: Mic = "XETR".parse().unwrap();
    /// let monday = "2019-06-03".parse().unwrap();
    /// assert!(Calendars::embedded().sessions(xetra, monday).is_none());
    /// assert_eq!(Calendars::embedded().with_rules().sessions(xetra, monday).unwrap().len(), 1);
    /// ```
    #[must_use]
    pub fn with_rules(self) -> Self {
        Self { uses_rules: true, ..self }
    }

    /// True when days that the file does not cover are filled by rules; never the case in live operation.
    #[must_use]
    pub fn uses_rules(&self) -> bool {
        self.uses_rules
    }

    /// All venues, in the order of the file.
    #[must_use]
    pub fn venues(&self) -> &[Venue] {
        &self.venues
    }

    /// The venue with the code `mic`, or whose calendar that code shares.
    #[must_use]
    pub fn venue(&self, mic: Mic) -> Option<&Venue> {
        self.by_mic.get(&mic).map(|&index| &self.venues[index])
    }

    /// The venue that data sources call `name`, capital letters or not; a known MIC is a name too.
    ///
    /// Codes that merely share a calendar are kept apart ("Frankfurt" is `XFRA`, with the calendar of `XETR`).
    ///
    /// # Errors
    ///
    /// [`NameError::Unknown`], and [`NameError::Ambiguous`] for "TSE", which is Tokyo and Toronto.
    pub fn by_name(&self, name: &str) -> Result<Mic, NameError> {
        self.names.find(name, None)
    }

    /// As [`Calendars::by_name`], with the country (two letters, for example the first two of the ISIN) deciding
    /// between venues of the same name; it is not looked at otherwise.
    ///
    /// # Errors
    ///
    /// [`NameError::Unknown`], and [`NameError::Ambiguous`] when the country is none of the candidates' either.
    ///
    /// # Examples
    ///
    /// ```
    /// use market::Calendars;
    ///
    /// let calendars = Calendars::embedded();
    /// assert!(calendars.by_name("TSE").is_err());
    /// assert_eq!(calendars.by_name_in("TSE", "JP").unwrap().as_str(), "XTKS");
    /// assert!(calendars.by_name_in("TSE", "US").is_err());
    /// ```
    pub fn by_name_in(&self, name: &str, country: &str) -> Result<Mic, NameError> {
        self.names.find(name, Some(country))
    }

    /// Whether the venue trades at `at`, why, and until when.
    #[must_use]
    pub fn state(&self, mic: Mic, at: Timestamp) -> VenueState {
        let Some(venue) = self.venue(mic) else {
            return VenueState::closed(VenueReason::UnknownVenue, None);
        };
        let day = at.day_in(&venue.zone);
        let sessions = match self.plan(venue, day) {
            DayPlan::Beyond => return VenueState::closed(VenueReason::BeyondCalendar, None),
            DayPlan::Weekend => return VenueState::closed(VenueReason::Weekend, self.next_open(venue, day)),
            DayPlan::Holiday => return VenueState::closed(VenueReason::Holiday, self.next_open(venue, day)),
            DayPlan::Trading(hours) => hours.sessions(&venue.zone, day),
        };
        if let Some(current) = sessions.iter().find(|interval| interval.contains(at)) {
            let edge =
                Edge { since_open_ms: at.since(current.open), until_close_ms: current.close.since(at) };
            let next_change = Some(current.close);
            return VenueState { open: true, reason: VenueReason::Regular, next_change, edge: Some(edge) };
        }
        let upcoming = sessions.iter().position(|interval| at < interval.open);
        match upcoming {
            Some(0) => VenueState::closed(VenueReason::BeforeOpen, Some(sessions[0].open)),
            Some(index) => VenueState::closed(VenueReason::LunchBreak, Some(sessions[index].open)),
            None => VenueState::closed(VenueReason::AfterClose, self.next_open(venue, day)),
        }
    }

    /// True while the venue trades; unknown means closed.
    #[must_use]
    pub fn is_open(&self, mic: Mic, at: Timestamp) -> bool {
        self.state(mic, at).open
    }

    /// True when the venue refuses orders while it is shut; an unknown venue counts as strict.
    #[must_use]
    pub fn is_strict(&self, mic: Mic) -> bool {
        self.venue(mic).is_none_or(Venue::is_strict)
    }

    /// The trading intervals of a day in UTC, none on a closed day; `None` when venue or day are not known.
    #[must_use]
    pub fn sessions(&self, mic: Mic, day: Day) -> Option<Sessions> {
        let venue = self.venue(mic)?;
        match self.plan(venue, day) {
            DayPlan::Beyond => None,
            DayPlan::Weekend | DayPlan::Holiday => Some(Sessions::NONE),
            DayPlan::Trading(hours) => Some(hours.sessions(&venue.zone, day)),
        }
    }

    /// How many sessions of a venue have ended between a day and an instant, the day's own left out. A venue without a
    /// calendar is taken to trade on every weekday until midnight, so doubt counts more sessions, not fewer.
    ///
    /// # Examples
    /// ```
    /// use market::Calendars;
    /// let (xetra, friday) = ("XETR".parse().unwrap(), "2026-02-27".parse().unwrap());
    /// let since = |now: &str| {
    ///     Calendars::embedded().with_rules().completed_since(xetra, friday, now.parse().unwrap())
    /// };
    /// assert_eq!(since("2026-03-02T12:00:00Z"), 0);
    /// assert_eq!(since("2026-03-03T20:00:00Z"), 2);
    /// ```
    #[must_use]
    pub fn completed_since(&self, mic: Mic, day: Day, now: Timestamp) -> usize {
        // Venues in the east are in their next day already.
        let days = 1..=day.days_until(now.day_utc()).saturating_add(1);
        let ended = days.map(|ahead| day.plus_days(ahead)).filter(|day| match self.sessions(mic, *day) {
            Some(sessions) => sessions.last().is_some_and(|last| last.close <= now),
            None => !day.weekday().is_weekend() && *day < now.day_utc(),
        });
        ended.count()
    }

    /// How long a venue trades between two instants, in milliseconds; `None` when a day between them is not known, or when
    /// they lie more than [`CLOSURE_DAYS_MAX`] days apart.
    ///
    /// # Examples
    /// ```
    /// use market::Calendars;
    /// let xetra = "XETR".parse().unwrap();
    /// // From ten minutes before the end of a Friday to five minutes after the beginning of the Monday.
    /// let (friday, monday) = ("2026-03-06T16:20:00Z".parse().unwrap(), "2026-03-09T08:05:00Z".parse().unwrap());
    /// assert_eq!(Calendars::embedded().open_ms_between(xetra, friday, monday), Some(15 * 60_000));
    /// ```
    #[must_use]
    pub fn open_ms_between(&self, mic: Mic, from: Timestamp, till: Timestamp) -> Option<i64> {
        // The local day at a venue may be the one before or after that of UTC.
        let (first, last) = (from.day_utc().plus_days(-1), till.day_utc().plus_days(1));
        let days = first.days_until(last);
        if !(0..=CLOSURE_DAYS_MAX).contains(&days) {
            return None;
        }
        (0..=days).try_fold(0_i64, |sum, ahead| {
            let sessions = self.sessions(mic, first.plus_days(ahead))?;
            let within = sessions.iter().map(|one| one.close.min(till).since(one.open.max(from)).max(0));
            Some(sum + within.sum::<i64>())
        })
    }

    /// The date at the venue, under which trades at `at` count; `None` for an unknown venue.
    #[must_use]
    pub fn session_day(&self, mic: Mic, at: Timestamp) -> Option<Day> {
        self.venue(mic).map(|venue| at.day_in(&venue.zone))
    }

    /// The first trading day after `day`; `None` when the calendar does not reach that far.
    #[must_use]
    pub fn next_session(&self, mic: Mic, day: Day) -> Option<Day> {
        self.search(self.venue(mic)?, day, 1)
    }

    /// The last trading day before `day`; `None` when the calendar does not reach that far.
    #[must_use]
    pub fn previous_session(&self, mic: Mic, day: Day) -> Option<Day> {
        self.search(self.venue(mic)?, day, -1)
    }

    /// Days of data that the file has after `today`, negative once it has ended; rules do not count.
    #[must_use]
    pub fn days_left(&self, mic: Mic, today: Day) -> Option<i32> {
        self.venue(mic).map(|venue| today.days_until(venue.valid_until))
    }

    /// The venues with fewer than [`RENEWAL_ALARM_DAYS`] days of data left, and how many.
    pub fn expiring(&self, today: Day) -> impl Iterator<Item = (Mic, i32)> + '_ {
        let left = move |venue: &Venue| (venue.mic, today.days_until(venue.valid_until));
        self.venues.iter().map(left).filter(|(_, days)| *days < RENEWAL_ALARM_DAYS)
    }

    fn plan(&self, venue: &Venue, day: Day) -> DayPlan {
        match venue.plan(day) {
            DayPlan::Beyond if self.uses_rules => rule_calendar::plan(venue, day),
            plan => plan,
        }
    }

    /// The first opening on a day after `day`.
    fn next_open(&self, venue: &Venue, day: Day) -> Option<Timestamp> {
        let next = self.search(venue, day, 1)?;
        match self.plan(venue, next) {
            DayPlan::Trading(hours) => {
                hours.sessions(&venue.zone, next).first().map(|interval| interval.open)
            }
            DayPlan::Beyond | DayPlan::Weekend | DayPlan::Holiday => None,
        }
    }

    /// The nearest trading day in the direction of `step`, never across a day that is not known.
    fn search(&self, venue: &Venue, day: Day, step: i32) -> Option<Day> {
        for distance in 1..=CLOSURE_DAYS_MAX {
            let candidate = day.checked_plus_days(distance * step)?;
            match self.plan(venue, candidate) {
                DayPlan::Trading(_) => return Some(candidate),
                DayPlan::Beyond => return None,
                DayPlan::Weekend | DayPlan::Holiday => {}
            }
        }
        None
    }
}
