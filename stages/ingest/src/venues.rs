//! What is said about a venue, and when it must be said again.

use contracts::Venue;
use market::{Calendars, Mic, Timestamp, VenueReason, VenueState};

use crate::limits::{EDGE_MS, VENUE_EVERY_MS, VENUE_UNKNOWN_MS, WARM_MS};
use crate::schedule::grid_after;

const MINUTE_MS: i64 = 60_000;

/// Describes a venue as it is now.
pub(crate) fn describe(calendars: &Calendars, mic: Mic, now: Timestamp) -> Venue {
    let state = calendars.state(mic, now);
    let minutes = |ms: i64| ms.div_euclid(MINUTE_MS);
    let today = calendars.session_day(mic, now).unwrap_or_else(|| now.day_utc());
    Venue {
        mic,
        open: state.open,
        reason: word(state.reason).to_owned(),
        since_open_min: state.edge.map(|edge| minutes(edge.since_open_ms)),
        until_close_min: state.edge.map(|edge| minutes(edge.until_close_ms)),
        next_change: state.next_change,
        strict: calendars.is_strict(mic),
        calendar_days_left: calendars.days_left(mic, today).map_or(0, i64::from),
    }
}

/// When the description changes in a way that matters: opening and close, half-hour marks while open, and the instants at
/// which trading comes near to or leaves the edges of the session. Whoever needs the minutes in between counts on from
/// when it was said; the gate needs none, only when they pass ten.
pub(crate) fn again_at(calendars: &Calendars, mic: Mic, now: Timestamp) -> Timestamp {
    let state = calendars.state(mic, now);
    let unknown = now.saturating_plus_ms(VENUE_UNKNOWN_MS);
    let change = state.next_change.filter(|then| *then > now).unwrap_or(unknown);
    let marks = if state.open { marks(&state, now) } else { Vec::new() };
    // A reason may change without opening, at midnight above all; an hour is soon enough for that.
    let look = if state.open { change } else { grid_after(now, VENUE_UNKNOWN_MS) };
    marks.into_iter().filter(|then| *then > now).fold(change.min(look), Timestamp::min)
}

fn marks(state: &VenueState, now: Timestamp) -> Vec<Timestamp> {
    let mut marks = vec![grid_after(now, VENUE_EVERY_MS)];
    if let Some(edge) = state.edge {
        let opened = now.saturating_minus_ms(edge.since_open_ms);
        let closes = now.saturating_plus_ms(edge.until_close_ms);
        marks.push(opened.saturating_plus_ms(EDGE_MS));
        marks.push(opened.saturating_plus_ms(WARM_MS));
        // One millisecond later fewer minutes than the edge are left.
        marks.push(closes.saturating_minus_ms(EDGE_MS - 1));
    }
    marks
}

/// The latest instant at which the venue traded, when that is known: the end of the last stretch before now.
pub(crate) fn last_close(calendars: &Calendars, mic: Mic, now: Timestamp) -> Option<Timestamp> {
    let today = calendars.session_day(mic, now)?;
    let ended = |day| {
        let sessions = calendars.sessions(mic, day)?;
        sessions.iter().rev().map(|interval| interval.close).find(|close| *close <= now)
    };
    ended(today).or_else(|| ended(calendars.previous_session(mic, today)?))
}

fn word(reason: VenueReason) -> &'static str {
    match reason {
        VenueReason::Regular => "regular",
        VenueReason::LunchBreak => "lunch_break",
        VenueReason::Weekend => "weekend",
        VenueReason::Holiday => "holiday",
        VenueReason::BeforeOpen => "before_open",
        VenueReason::AfterClose => "after_close",
        VenueReason::UnknownVenue => "unknown_venue",
        VenueReason::BeyondCalendar => "beyond_calendar",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// All instants at which a venue is described between two others.
    fn said(mic: &str, from: &str, until: &str) -> Vec<(String, bool, Option<i64>, Option<i64>)> {
        let calendars = Calendars::embedded();
        let mic: Mic = mic.parse().unwrap();
        let (mut now, until) = (at(from), at(until));
        let mut all = Vec::new();
        while now <= until {
            let venue = describe(&calendars, mic, now);
            all.push((now.to_string(), venue.open, venue.since_open_min, venue.until_close_min));
            let then = again_at(&calendars, mic, now);
            assert!(then > now, "time stands still at {now}");
            now = then;
        }
        all
    }

    #[test]
    fn minutes_count_in_steps_and_exactly_at_the_edges() {
        let all = said("XDUB", "2026-03-02T07:55:00Z", "2026-03-02T16:28:00Z");
        let line = |text: &str| all.iter().find(|(at, ..)| at.starts_with(text)).cloned();
        assert_eq!(line("2026-03-02T08:00:00.000").unwrap().2, Some(0));
        assert_eq!(line("2026-03-02T08:10:00.000").unwrap().2, Some(10));
        assert_eq!(line("2026-03-02T08:30:00.000").unwrap().2, Some(30));
        assert_eq!(line("2026-03-02T12:00:00.000").unwrap().2, Some(240));
        assert!(all.len() < 25, "{}", all.len());
        let near = line("2026-03-02T16:18:00.001").unwrap();
        assert_eq!((near.1, near.3), (true, Some(9)), "inside the edge as soon as it begins");
        assert!(!line("2026-03-02T16:28:00.000").unwrap().1);
    }

    #[test]
    fn opening_and_close_are_said_at_their_very_instant_across_a_change_of_clocks() {
        // New York leaves winter time on 2026-03-08, Frankfurt on 2026-03-29.
        for (mic, closed, open) in [
            ("XNYS", "2026-03-06T14:29:59.999Z", "2026-03-06T14:30:00.000Z"),
            ("XNYS", "2026-03-09T13:29:59.999Z", "2026-03-09T13:30:00.000Z"),
            ("XETR", "2026-03-27T07:59:59.999Z", "2026-03-27T08:00:00.000Z"),
            ("XETR", "2026-03-30T06:59:59.999Z", "2026-03-30T07:00:00.000Z"),
        ] {
            let calendars = Calendars::embedded();
            let mic: Mic = mic.parse().unwrap();
            assert!(!describe(&calendars, mic, at(closed)).open, "{mic} {closed}");
            assert_eq!(again_at(&calendars, mic, at(closed)), at(open));
            assert!(describe(&calendars, mic, at(open)).open, "{mic} {open}");
        }
    }

    #[test]
    fn a_lunch_break_is_closed_with_its_reason() {
        let calendars = Calendars::embedded();
        let venue = describe(&calendars, "XHKG".parse().unwrap(), at("2026-03-02T04:00:00Z"));
        assert_eq!((venue.open, venue.reason.as_str(), venue.strict), (false, "lunch_break", true));
        assert_eq!(venue.since_open_min, None);
    }

    #[test]
    fn an_unknown_venue_is_closed_and_looked_at_again() {
        let calendars = Calendars::embedded();
        let (mic, now) = ("XXXX".parse().unwrap(), at("2026-03-02T12:00:00Z"));
        let venue = describe(&calendars, mic, now);
        assert_eq!(
            (venue.open, venue.reason.as_str(), venue.calendar_days_left),
            (false, "unknown_venue", 0)
        );
        assert!(again_at(&calendars, mic, now) > now);
        assert_eq!(last_close(&calendars, mic, now), None);
    }

    #[test]
    fn the_last_close_is_todays_or_that_of_the_session_before() {
        let calendars = Calendars::embedded();
        let xetra = "XETR".parse().unwrap();
        for (now, close) in [
            ("2026-03-02T16:30:00Z", "2026-03-02T16:30:00Z"),
            ("2026-03-02T16:29:59Z", "2026-02-27T16:30:00Z"),
            ("2026-03-01T12:00:00Z", "2026-02-27T16:30:00Z"),
        ] {
            assert_eq!(last_close(&calendars, xetra, at(now)), Some(at(close)), "{now}");
        }
        let hong_kong = "XHKG".parse().unwrap();
        let noon = last_close(&calendars, hong_kong, at("2026-03-02T04:30:00Z"));
        assert_eq!(noon, Some(at("2026-03-02T04:00:00Z")), "the lunch break ends a stretch");
    }
}
