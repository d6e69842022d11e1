//! Whether a venue trades at an instant, why, and until when.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::timestamp::{MINUTE_MS, Timestamp};

/// Why a venue is open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VenueReason {
    /// Open: regular trading.
    Regular,
    /// Closed for the lunch break of a trading day.
    LunchBreak,
    /// Closed: Saturday or Sunday.
    Weekend,
    /// Closed: a weekday without trading.
    Holiday,
    /// Closed: a trading day before its opening.
    BeforeOpen,
    /// Closed: a trading day after its close.
    AfterClose,
    /// Closed because the calendar has no such venue; a person must look.
    UnknownVenue,
    /// Closed because the calendar does not cover the day; a person must renew it.
    BeyondCalendar,
}

/// The distance of an instant to both ends of the interval in which it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edge {
    /// Milliseconds since the opening, or since the end of the lunch break.
    pub since_open_ms: i64,
    /// Milliseconds until the close, or until the lunch break.
    pub until_close_ms: i64,
}

/// What the calendar says of a venue at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VenueState {
    /// True while the venue trades.
    pub open: bool,
    /// Why.
    pub reason: VenueReason,
    /// When `open` changes next; absent when the calendar does not reach that far.
    pub next_change: Option<Timestamp>,
    /// The distance to opening and close; present exactly while open.
    pub edge: Option<Edge>,
}

impl VenueReason {
    /// True for the two reasons that mean a fault of the calendar and must raise an alarm.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::UnknownVenue | Self::BeyondCalendar)
    }
}

impl fmt::Display for VenueReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "regular trading",
            Self::LunchBreak => "lunch break",
            Self::Weekend => "weekend",
            Self::Holiday => "holiday",
            Self::BeforeOpen => "before the opening",
            Self::AfterClose => "after the close",
            Self::UnknownVenue => "venue unknown to the calendar",
            Self::BeyondCalendar => "day not covered by the calendar",
        })
    }
}

impl VenueState {
    pub(crate) const fn closed(reason: VenueReason, next_change: Option<Timestamp>) -> Self {
        Self { open: false, reason, next_change, edge: None }
    }

    /// True when the venue is open and `edge_min` minutes or more away from opening, break and close.
    ///
    /// # Examples
    ///
    /// ```
    /// use market::{Calendars, Mic};
    ///
    /// let calendars = Calendars::embedded();
    /// let xetra: Mic = "XETR".parse().unwrap();
    /// let at = |text: &str| calendars.state(xetra, text.parse().unwrap());
    /// assert!(!at("2026-03-02T08:09:59.999Z").is_open_inside(10));
    /// assert!(at("2026-03-02T08:10:00.000Z").is_open_inside(10));
    /// assert!(at("2026-03-02T16:20:00.000Z").is_open_inside(10));
    /// assert!(!at("2026-03-02T16:20:00.001Z").is_open_inside(10));
    /// ```
    #[must_use]
    pub fn is_open_inside(&self, edge_min: u32) -> bool {
        let least = i64::from(edge_min) * MINUTE_MS;
        self.open && self.edge.is_some_and(|edge| edge.since_open_ms >= least && edge.until_close_ms >= least)
    }
}
