//! The embedded calendar against the shared vectors: every table and every instant, nothing left out.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/vectors/open.rs"]
mod open;

use market::{Calendars, Day, LocalTime, Mic, Timestamp};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let Some(text) = open::text("trading/calendars.json") else { return Vec::new() };
    serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn days(value: &Value) -> Vec<Day> {
    value.as_array().unwrap().iter().map(|day| text(day).parse().unwrap()).collect()
}

fn exceptions(value: &Value) -> Vec<(Day, LocalTime)> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| (text(&row[0]).parse().unwrap(), text(&row[1]).parse().unwrap())).collect()
}

fn check_table(calendars: &Calendars, input: &Value, expect: &Value) {
    let mic: Mic = text(&input["mic"]).parse().unwrap();
    let venue = calendars.venue(mic).unwrap();
    assert_eq!(venue.mic(), mic);
    assert_eq!(venue.valid_from().to_string(), text(&input["from_date"]), "{mic}");
    assert_eq!(venue.valid_until().to_string(), text(&input["to_date"]), "{mic}");
    for name in input["data_names"].as_array().unwrap() {
        let found = calendars.by_name_in(text(name), venue.country()).unwrap();
        assert_eq!(calendars.venue(found).unwrap().mic(), mic, "{name}");
    }

    assert_eq!(venue.zone().name(), text(&expect["timezone"]), "{mic}");
    let hours = venue.hours();
    assert_eq!(hours.open.to_string(), text(&expect["open"]), "{mic}");
    assert_eq!(hours.close.to_string(), text(&expect["close"]), "{mic}");
    let pause = hours.pause.map(|(start, end)| vec![start.to_string(), end.to_string()]);
    assert_eq!(serde_json::to_value(pause).unwrap(), expect["lunch_break"], "{mic}");
    assert_eq!(calendars.is_strict(mic), expect["strict"].as_bool().unwrap(), "{mic}");
    assert_eq!(venue.holidays(), days(&expect["weekday_holidays"]), "{mic}");
    assert_eq!(venue.early_closes(), exceptions(&expect["early_closes"]), "{mic}");
    assert_eq!(venue.late_opens(), exceptions(&expect["late_opens"]), "{mic}");
}

fn check_instants(calendars: &Calendars, input: &Value, expect: &Value) {
    let mic: Mic = text(&input["mic"]).parse().unwrap();
    let instants = input["instants_utc"].as_array().unwrap();
    let open = expect["open"].as_array().unwrap();
    assert_eq!(instants.len(), open.len());
    for (instant, open) in instants.iter().zip(open) {
        let at: Timestamp = text(instant).parse().unwrap();
        let state = calendars.state(mic, at);
        assert_eq!(state.open, open.as_bool().unwrap(), "{mic} {at}: {state:?}");
        assert_eq!(calendars.clone().with_rules().state(mic, at).open, state.open, "{mic} {at} with rules");
    }
}

#[test]
fn every_case_of_the_vectors_holds() {
    let calendars = Calendars::embedded();
    let (mut tables, mut instants) = (0, 0);
    for case in cases() {
        let (input, expect) = (&case["input"], &case["expect"]);
        match text(&input["function"]) {
            "calendar" => {
                check_table(&calendars, input, expect);
                tables += 1;
            }
            "is_open" => {
                check_instants(&calendars, input, expect);
                instants += 1;
            }
            other => panic!("the vectors ask for {other}, which nothing here examines"),
        }
    }
    // Another folder may hold fewer cases, or more; the repository's own must hold some for every venue.
    let whole = calendars.venues().len() == tables && instants > 0;
    assert!(
        open::elsewhere() || whole,
        "{tables} tables and {instants} rows of instants: a venue has no vector"
    );
}
