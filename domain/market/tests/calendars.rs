//! The calendar's answers on the days that are easy to get wrong, and their invariants on all days.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use market::{Calendars, Day, Mic, NameError, Timestamp, VenueReason};
use proptest::prelude::*;

fn mic(text: &str) -> Mic {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The sessions of a day as `HH:MM-HH:MM` in UTC.
fn sessions(venue: &str, on: &str) -> Vec<String> {
    let clock = |at: Timestamp| at.to_string()[11..16].to_owned();
    let sessions = Calendars::embedded().sessions(mic(venue), day(on)).unwrap();
    sessions.iter().map(|interval| format!("{}-{}", clock(interval.open), clock(interval.close))).collect()
}

#[test]
fn sessions_follow_the_clocks_of_the_venue() {
    for (venue, on, expected) in [
        // Berlin changes on 29 March and 25 October 2026, New York on 8 March and 1 November.
        ("XETR", "2026-03-27", "08:00-16:30"),
        ("XETR", "2026-03-30", "07:00-15:30"),
        ("XETR", "2026-10-23", "07:00-15:30"),
        ("XETR", "2026-10-26", "08:00-16:30"),
        ("XNYS", "2026-03-06", "14:30-21:00"),
        ("XNYS", "2026-03-09", "13:30-20:00"),
        ("XNYS", "2026-10-30", "13:30-20:00"),
        ("XNYS", "2026-11-02", "14:30-21:00"),
        // Sydney goes the other way, on 5 April and 4 October.
        ("XASX", "2026-04-02", "23:00-05:00"),
        ("XASX", "2026-04-07", "00:00-06:00"),
        ("XASX", "2026-10-02", "00:00-06:00"),
        ("XASX", "2026-10-05", "23:00-05:00"),
        ("XDUB", "2026-06-15", "07:00-15:28"),
    ] {
        assert_eq!(sessions(venue, on), [expected], "{venue} {on}");
    }
    assert_eq!(sessions("XHKG", "2026-06-15"), ["01:30-04:00", "05:00-08:00"]);
}

#[test]
fn a_half_day_in_hong_kong_has_no_afternoon() {
    assert_eq!(sessions("XHKG", "2026-12-24"), ["01:30-04:00"]);
    let calendars = Calendars::embedded();
    for (instant, reason) in [
        ("2026-12-24T03:59:59.999Z", VenueReason::Regular),
        ("2026-12-24T04:00:00.000Z", VenueReason::AfterClose),
        ("2026-12-24T05:00:00.000Z", VenueReason::AfterClose),
    ] {
        assert_eq!(calendars.state(mic("XHKG"), at(instant)).reason, reason, "{instant}");
    }
}

#[test]
fn every_reason_occurs_with_its_next_change() {
    let calendars = Calendars::embedded();
    for (venue, instant, reason, next) in [
        ("XETR", "2026-03-02T07:59:59.999Z", VenueReason::BeforeOpen, "2026-03-02T08:00:00Z"),
        ("XETR", "2026-03-02T08:00:00.000Z", VenueReason::Regular, "2026-03-02T16:30:00Z"),
        ("XETR", "2026-03-02T16:30:00.000Z", VenueReason::AfterClose, "2026-03-03T08:00:00Z"),
        ("XETR", "2026-03-06T20:00:00.000Z", VenueReason::AfterClose, "2026-03-09T08:00:00Z"),
        ("XETR", "2026-03-07T12:00:00.000Z", VenueReason::Weekend, "2026-03-09T08:00:00Z"),
        ("XETR", "2026-04-03T12:00:00.000Z", VenueReason::Holiday, "2026-04-07T07:00:00Z"),
        ("XTKS", "2026-03-02T02:29:59.999Z", VenueReason::Regular, "2026-03-02T02:30:00Z"),
        ("XTKS", "2026-03-02T02:30:00.000Z", VenueReason::LunchBreak, "2026-03-02T03:30:00Z"),
        ("XTKS", "2026-03-02T03:30:00.000Z", VenueReason::Regular, "2026-03-02T06:30:00Z"),
        ("XSHG", "2026-02-14T03:00:00.000Z", VenueReason::Weekend, "2026-02-24T01:30:00Z"),
    ] {
        let state = calendars.state(mic(venue), at(instant));
        assert_eq!((state.reason, state.next_change), (reason, Some(at(next))), "{venue} {instant}");
        assert_eq!(state.open, reason == VenueReason::Regular);
    }
}

#[test]
fn an_unknown_venue_is_closed_and_strict() {
    let calendars = Calendars::embedded().with_rules();
    let nowhere = mic("XXXX");
    let state = calendars.state(nowhere, at("2026-03-02T12:00:00Z"));
    assert_eq!((state.open, state.reason, state.next_change), (false, VenueReason::UnknownVenue, None));
    assert!(state.reason.is_unknown());
    assert!(calendars.is_strict(nowhere));
    assert_eq!(calendars.sessions(nowhere, day("2026-03-02")), None);
    assert_eq!(calendars.session_day(nowhere, at("2026-03-02T12:00:00Z")), None);
    assert_eq!(calendars.next_session(nowhere, day("2026-03-02")), None);
    assert_eq!(calendars.days_left(nowhere, day("2026-03-02")), None);
}

#[test]
fn days_beyond_the_file_are_closed_on_both_sides() {
    let calendars = Calendars::embedded();
    for (venue, instant) in [
        ("XETR", "2025-12-30T12:00:00Z"),
        ("XETR", "2029-01-02T12:00:00Z"),
        ("XSHG", "2027-01-04T02:00:00Z"),
        ("XSHE", "2027-01-04T02:00:00Z"),
    ] {
        let state = calendars.state(mic(venue), at(instant));
        assert_eq!((state.open, state.reason), (false, VenueReason::BeyondCalendar), "{venue} {instant}");
        assert_eq!(state.next_change, None);
    }
    assert_eq!(calendars.sessions(mic("XETR"), day("2029-01-02")), None);
    for instant in [Timestamp::MIN, Timestamp::ZERO, Timestamp::MAX] {
        assert_eq!(calendars.state(mic("XETR"), instant).reason, VenueReason::BeyondCalendar);
        assert!(!calendars.clone().with_rules().state(mic("XETR"), instant).reason.is_unknown());
    }
}

#[test]
fn after_the_last_session_of_the_file_the_next_change_is_unknown() {
    let calendars = Calendars::embedded();
    let evening = calendars.state(mic("XSHG"), at("2026-12-31T12:00:00Z"));
    assert_eq!((evening.reason, evening.next_change), (VenueReason::AfterClose, None));
    assert_eq!(calendars.next_session(mic("XSHG"), day("2026-12-31")), None);
    assert_eq!(calendars.previous_session(mic("XSHG"), day("2026-01-05")), None);
    assert_eq!(calendars.next_session(mic("XSHG"), day("2026-02-13")), Some(day("2026-02-24")));
    assert_eq!(calendars.previous_session(mic("XSHG"), day("2026-02-24")), Some(day("2026-02-13")));
}

/// In Sydney the new year begins while the old one still runs in UTC.
#[test]
fn the_session_day_is_the_date_at_the_venue() {
    let calendars = Calendars::embedded();
    let sydney = mic("XASX");
    let last = at("2026-12-31T03:09:00Z");
    assert!(calendars.is_open(sydney, last));
    assert_eq!(calendars.session_day(sydney, last), Some(day("2026-12-31")));
    let new_year = calendars.state(sydney, at("2026-12-31T23:30:00Z"));
    assert_eq!((new_year.reason, new_year.open), (VenueReason::Holiday, false));
    let first = new_year.next_change.unwrap();
    assert_eq!(first, at("2027-01-03T23:00:00Z"));
    assert_eq!(calendars.session_day(sydney, first), Some(day("2027-01-04")));
    // The calendar ends at Sydney's midnight, not at that of UTC.
    assert_eq!(calendars.state(sydney, at("2028-12-31T12:59:59Z")).reason, VenueReason::Weekend);
    assert_eq!(calendars.state(sydney, at("2028-12-31T13:00:00Z")).reason, VenueReason::BeyondCalendar);
}

#[test]
fn edges_are_measured_around_the_lunch_break_too() {
    let calendars = Calendars::embedded();
    for (instant, is_inside) in [
        ("2026-03-02T01:39:59.999Z", false),
        ("2026-03-02T01:40:00.000Z", true),
        ("2026-03-02T03:50:00.000Z", true),
        ("2026-03-02T03:50:00.001Z", false),
        ("2026-03-02T04:30:00.000Z", false),
        ("2026-03-02T05:09:59.999Z", false),
        ("2026-03-02T05:10:00.000Z", true),
        ("2026-03-02T07:50:00.001Z", false),
    ] {
        let state = calendars.state(mic("XHKG"), at(instant));
        assert_eq!(state.is_open_inside(10), is_inside, "{instant}");
        assert_eq!(state.is_open_inside(0), state.open);
        assert_eq!(state.edge.is_some(), state.open);
    }
}

#[test]
fn the_alarm_comes_below_thirty_days_of_data() {
    let calendars = Calendars::embedded();
    let shanghai = mic("XSHG");
    for (today, left, alarms) in
        [("2026-12-01", 30, 0), ("2026-12-02", 29, 2), ("2026-12-31", 0, 2), ("2027-01-01", -1, 2)]
    {
        assert_eq!(calendars.days_left(shanghai, day(today)), Some(left));
        let expiring: Vec<_> = calendars.expiring(day(today)).collect();
        assert_eq!(expiring.len(), alarms, "{today}: {expiring:?}");
        assert!(expiring.iter().all(|(venue, _)| ["XSHG", "XSHE"].contains(&venue.as_str())));
    }
    assert_eq!(calendars.with_rules().days_left(shanghai, day("2027-01-01")), Some(-1));
}

#[test]
fn aliases_share_the_calendar_of_their_venue() {
    let calendars = Calendars::embedded();
    for (alias, venue) in [
        ("ARCX", "XNYS"),
        ("XASE", "XNYS"),
        ("XFRA", "XETR"),
        ("MTAA", "XMIL"),
        ("BMEX", "XMAD"),
        ("XVIE", "XWBO"),
        ("XATH", "ASEX"),
    ] {
        assert_eq!(calendars.venue(mic(alias)).unwrap().mic(), mic(venue));
        let noon = at("2026-03-02T15:00:00Z");
        assert_eq!(calendars.state(mic(alias), noon), calendars.state(mic(venue), noon));
    }
}

#[test]
fn names_of_data_sources_lead_to_venues() {
    let calendars = Calendars::embedded();
    for (name, venue) in [
        ("NYSE", "XNYS"),
        ("NYSE Arca", "XNYS"),
        ("AMEX", "XNYS"),
        ("NasdaqCM", "XNAS"),
        ("XETRA", "XETR"),
        ("Frankfurt", "XFRA"),
        ("PARIS", "XPAR"),
        ("LSE", "XLON"),
        ("HKEX", "XHKG"),
        ("HKSE", "XHKG"),
        ("Shanghai", "XSHG"),
        ("Shenzhen", "XSHE"),
        ("Tokyo", "XTKS"),
        ("Toronto", "XTSE"),
        ("XHKG", "XHKG"),
        ("ARCX", "ARCX"),
    ] {
        assert_eq!(calendars.by_name(name), Ok(mic(venue)), "{name}");
    }
    assert!(matches!(calendars.by_name("TSE"), Err(NameError::Ambiguous { .. })));
    assert_eq!(calendars.by_name_in("TSE", "CA"), Ok(mic("XTSE")));
    assert_eq!(calendars.by_name("Atlantis"), Err(NameError::Unknown("Atlantis".to_owned())));
}

#[test]
fn rules_fill_the_years_of_a_simulated_history() {
    let calendars = Calendars::embedded().with_rules();
    for venue in calendars.venues() {
        for year in 2015..=2027 {
            let mut on = Day::from_ymd(year, 1, 1).unwrap();
            let mut trading_days = 0;
            while on.year() == year {
                trading_days += usize::from(!calendars.sessions(venue.mic(), on).unwrap().is_empty());
                on = on.next();
            }
            assert!((240..=261).contains(&trading_days), "{} {year}: {trading_days}", venue.mic());
        }
    }
}

fn shared() -> &'static Calendars {
    static SHARED: LazyLock<Calendars> = LazyLock::new(Calendars::embedded);
    &SHARED
}

fn any_venue() -> impl Strategy<Value = Mic> {
    let venues: Vec<Mic> = shared().venues().iter().map(market::Venue::mic).collect();
    prop::sample::select(venues)
}

/// Instants from before the file to after it, in milliseconds.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    (1_764_547_200_000_i64..1_864_547_200_000).prop_map(Timestamp::from_ms)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_next_change_is_the_first_change(venue in any_venue(), instant in any_instant(), share in 0_i64..1_000) {
        let calendars = shared();
        let state = calendars.state(venue, instant);
        if let Some(next) = state.next_change {
            prop_assert!(next > instant);
            prop_assert_eq!(calendars.is_open(venue, next), !state.open);
            prop_assert_eq!(calendars.is_open(venue, next.saturating_minus_ms(1)), state.open);
            let between = instant.saturating_plus_ms(next.since(instant) / 1_000 * share);
            prop_assert_eq!(calendars.is_open(venue, between), state.open);
        } else {
            prop_assert!(!state.open, "an open venue always has a close");
        }
    }

    #[test]
    fn state_agrees_with_the_sessions_of_its_day(venue in any_venue(), instant in any_instant()) {
        let calendars = shared();
        let on = calendars.session_day(venue, instant).unwrap();
        let sessions = calendars.sessions(venue, on);
        let is_inside = sessions.is_some_and(|day| day.iter().any(|interval| interval.contains(instant)));
        let state = calendars.state(venue, instant);
        prop_assert_eq!(state.open, is_inside);
        prop_assert_eq!(state.reason == VenueReason::BeyondCalendar, sessions.is_none());
    }

    #[test]
    fn rules_never_change_what_the_file_says(venue in any_venue(), instant in any_instant()) {
        let calendars = shared();
        let state = calendars.state(venue, instant);
        if !state.reason.is_unknown() {
            let ruled = calendars.clone().with_rules().state(venue, instant);
            prop_assert_eq!((ruled.open, ruled.reason), (state.open, state.reason));
        }
    }
}

#[test]
fn time_of_trading_leaves_out_breaks_nights_and_holidays() {
    let calendars = Calendars::embedded();
    let minutes = |venue: &str, from: &str, till: &str| {
        calendars.open_ms_between(mic(venue), at(from), at(till)).map(|ms| ms / 60_000)
    };
    // Hong Kong rests from 04:00 to 05:00 UTC.
    assert_eq!(minutes("XHKG", "2026-03-05T03:50:00Z", "2026-03-05T05:20:00Z"), Some(30));
    // Good Friday and Easter Monday lie between these two sessions.
    assert_eq!(minutes("XETR", "2026-04-02T15:20:00Z", "2026-04-07T07:05:00Z"), Some(15));
    // A session in Sydney begins on the evening before, by UTC.
    assert_eq!(minutes("XASX", "2026-04-01T22:50:00Z", "2026-04-01T23:10:00Z"), Some(10));
    assert_eq!(minutes("XETR", "2026-03-05T12:00:00Z", "2026-03-05T11:00:00Z"), Some(0), "backwards");
    assert_eq!(
        minutes("XETR", "2026-03-05T12:00:00Z", "2026-03-01T11:00:00Z"),
        None,
        "no time is not no age"
    );
    assert_eq!(minutes("XETR", "2026-01-05T12:00:00Z", "2026-03-05T11:00:00Z"), None, "too far");
    assert_eq!(minutes("XETR", "2019-03-05T12:00:00Z", "2019-03-05T13:00:00Z"), None, "no calendar");
    assert_eq!(minutes("XXXX", "2026-03-05T12:00:00Z", "2026-03-05T13:00:00Z"), None, "no venue");
}
