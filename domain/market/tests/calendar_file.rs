//! What a calendar file may contain: every rule fires on its fault and names venue and field.
#![allow(clippy::unwrap_used)]

use market::{CALENDAR_BYTES_MAX, CalendarError, Calendars, VENUES_MAX};
use serde_json::{Value, json};

fn venue() -> Value {
    json!({
        "mic": "XHKG",
        "aliases": [{"mic": "XHKX", "names": ["HKX"]}],
        "names": ["HKSE"],
        "country": "HK",
        "zone": "Asia/Hong_Kong",
        "session": ["09:30", "16:00"],
        "break": ["12:00", "13:00"],
        "strict": true,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "holidays": ["2026-01-01", "2026-02-17"],
        "early_closes": [{"day": "2026-02-16", "at": "12:00"}],
        "late_opens": [{"day": "2026-03-02", "at": "10:30"}],
    })
}

fn file(venues: Vec<Value>) -> String {
    json!({"source": "a test", "venues": venues}).to_string()
}

fn check(field: &str, value: Value, named: &str, problem: &str) {
    let mut broken = venue();
    broken[field] = value.clone();
    match Calendars::from_json(&file(vec![broken])).unwrap_err() {
        CalendarError::Venue { mic, field: found, problem: text } => {
            let shown = format!("{field} = {value}: {mic}, {found}: {text}");
            assert_eq!(found, named, "{shown}");
            assert!(mic == "XHKG" || field == "mic", "{shown}");
            assert!(text.contains(problem), "{shown}");
        }
        other => panic!("{field} = {value}: {other}"),
    }
}

#[test]
fn a_whole_file_is_read() {
    let calendars = Calendars::from_json(&file(vec![venue()])).unwrap();
    let hours = calendars.sessions("XHKX".parse().unwrap(), "2026-03-02".parse().unwrap()).unwrap();
    let texts: Vec<String> = hours.iter().map(|interval| interval.open.to_string()).collect();
    assert_eq!(texts, ["2026-03-02T02:30:00.000Z", "2026-03-02T05:00:00.000Z"]);
    assert_eq!(calendars.by_name("hkx").unwrap().as_str(), "XHKX");
}

#[test]
fn each_fault_is_named() {
    let early = |day: &str, at: &str| json!([{"day": day, "at": at}]);
    for (field, value, named, problem) in [
        ("mic", json!("xhkg"), "mic", "four capital letters"),
        ("aliases", json!([{"mic": "XHKG", "names": []}]), "aliases", "twice"),
        ("names", json!([" "]), "names", "empty"),
        ("country", json!("Hong Kong"), "country", "two capital letters"),
        ("zone", json!("Asia/Atlantis"), "zone", "not in the built-in database"),
        ("session", json!(["16:00", "09:30"]), "session", "not before close"),
        ("session", json!(["09:30", "24:00"]), "session", "not of the form"),
        ("session", json!(["09:30"]), "fields", "invalid length"),
        ("break", json!(["09:30", "13:00"]), "break", "inside the session"),
        ("break", json!(["13:00", "12:00"]), "break", "inside the session"),
        ("break", json!(["12:00", "16:00"]), "break", "inside the session"),
        ("strict", json!("yes"), "fields", "invalid type"),
        ("valid_from", json!("2027-01-01"), "valid_until", "lies before"),
        ("valid_until", json!("soon"), "valid_until", "not of the form"),
        ("holidays", json!(["2026-02-30"]), "holidays", "does not exist"),
        ("holidays", json!(["2026-02-17", "2026-01-01"]), "holidays", "does not come after"),
        ("holidays", json!(["2026-01-01", "2026-01-01"]), "holidays", "does not come after"),
        ("holidays", json!(["2026-01-03"]), "holidays", "Saturday"),
        ("holidays", json!(["2027-01-01"]), "holidays", "outside"),
        ("early_closes", early("2026-02-17", "12:00"), "early_closes", "holidays too"),
        ("early_closes", early("2026-02-16", "16:00"), "early_closes", "inside the session"),
        ("early_closes", early("2026-02-16", "09:30"), "early_closes", "inside the session"),
        ("early_closes", early("2026-02-15", "12:00"), "early_closes", "Sunday"),
        ("early_closes", early("2025-12-31", "12:00"), "early_closes", "outside"),
        ("late_opens", early("2026-02-16", "12:00"), "late_opens", "nothing of 2026-02-16 is left"),
        ("late_opens", early("2026-02-18", "09:30"), "late_opens", "inside the session"),
        ("other", json!(1), "fields", "unknown field `other`"),
    ] {
        check(field, value, named, problem);
    }
}

#[test]
fn a_missing_field_is_named_even_where_null_is_allowed() {
    for field in ["zone", "break", "holidays", "late_opens", "valid_until"] {
        let mut broken = venue();
        broken.as_object_mut().unwrap().remove(field);
        let refusal = Calendars::from_json(&file(vec![broken])).unwrap_err().to_string();
        assert!(refusal.contains("XHKG") && refusal.contains(&format!("`{field}`")), "{refusal}");
    }
    let mut nameless = venue();
    nameless.as_object_mut().unwrap().remove("mic");
    let refusal = Calendars::from_json(&file(vec![nameless])).unwrap_err().to_string();
    assert!(refusal.contains("venue 1") && refusal.contains("`mic`"), "{refusal}");
}

#[test]
fn a_break_may_be_null() {
    let mut without = venue();
    without["break"] = Value::Null;
    assert!(Calendars::from_json(&file(vec![without])).is_ok());
}

#[test]
fn two_venues_cannot_share_a_code() {
    let refusal = Calendars::from_json(&file(vec![venue(), venue()])).unwrap_err();
    assert!(refusal.to_string().contains("XHKG occurs twice"), "{refusal}");
}

#[test]
fn what_is_no_calendar_file_is_refused() {
    for text in ["", "[]", "{}", "null", "{\"venues\": []}", "{\"source\": \"\", \"venues\": {}}"] {
        assert!(matches!(Calendars::from_json(text), Err(CalendarError::Unreadable(_))), "{text}");
    }
    assert_eq!(Calendars::from_json(&file(vec![])).unwrap_err(), CalendarError::VenueCount(0));
    let crowd = vec![json!({}); VENUES_MAX + 1];
    assert_eq!(Calendars::from_json(&file(crowd)).unwrap_err(), CalendarError::VenueCount(VENUES_MAX + 1));
    let long = " ".repeat(CALENDAR_BYTES_MAX + 1);
    assert_eq!(Calendars::from_json(&long).unwrap_err(), CalendarError::TooLong(CALENDAR_BYTES_MAX + 1));
}
