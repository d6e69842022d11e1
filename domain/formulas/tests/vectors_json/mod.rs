//! Reads the shared vector files and compares numbers within a stated tolerance.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../../../tests/vectors/open.rs"]
mod open;

pub mod end_metrics;
pub mod indicators;
pub mod reference_fit;

use serde_json::Value;

/// One case of a vector file.
pub struct Case {
    pub name: String,
    pub input: Value,
    pub expect: Value,
    pub recommended: Value,
    pub helper: Value,
    pub raw: Value,
}

/// Loads every case of `tests/vectors/{file}` and insists that there is at least one.
pub fn cases(file: &str) -> Vec<Case> {
    let Some(text) = open::text(file) else { return Vec::new() };
    let document: Value = serde_json::from_str(&text).unwrap();
    let cases: Vec<Case> = document["cases"].as_array().unwrap().iter().map(case).collect();
    assert!(!cases.is_empty(), "{file} holds no cases");
    cases
}

/// Loads the cases whose input names this kind (or function), at least one.
pub fn cases_of(file: &str, kind: &str) -> Vec<Case> {
    let mut cases = cases(file);
    cases.retain(|case| case.input["kind"] == kind || case.input["function"] == kind);
    assert!(open::elsewhere() || !cases.is_empty(), "{file} holds no cases of kind {kind}");
    cases
}

/// Insists that every case of the file names one of these kinds (or functions): an unknown one is never skipped.
pub fn assert_kinds(file: &str, known: &[&str]) {
    for case in cases(file) {
        let kind = case.input["kind"].as_str().or(case.input["function"].as_str());
        assert!(kind.is_some_and(|kind| known.contains(&kind)), "{file} {}: kind {kind:?}", case.name);
    }
}

/// Whether the files are the repository's own, of which more is known than of others.
pub fn are_own() -> bool {
    !open::elsewhere()
}

/// Says which case documents what Steward does not do, and why.
#[allow(clippy::print_stdout)]
pub fn left_out(file: &str, case: &str, why: &str) {
    println!("{file} {case}: {why}");
}

fn case(value: &Value) -> Case {
    Case {
        name: value["name"].as_str().unwrap().to_owned(),
        input: value["input"].clone(),
        expect: value["expect"].clone(),
        recommended: value["recommended"].clone(),
        helper: value["helper"].clone(),
        raw: value.clone(),
    }
}

/// Reads a list of numbers; anything else is a broken vector file.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Reads a list of rows as one row-major list.
pub fn rows(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

/// Reads `YYYY-MM-DD…` as days since 1970-01-01.
pub fn day(value: &Value) -> i32 {
    let text = value.as_str().unwrap();
    let part = |range: std::ops::Range<usize>| text[range].parse::<i32>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // Years are counted from March so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// Asserts that a value equals the expected one (null = absent) within `tolerance·max(1, |expected|)`.
pub fn assert_close(place: &str, actual: Option<f64>, expected: &Value, tolerance: f64) {
    match (actual, expected.as_f64()) {
        (None, None) => assert!(expected.is_null(), "{place}: the file says {expected}"),
        (Some(actual), Some(expected)) => {
            let allowed = tolerance * expected.abs().max(1.0);
            assert!((actual - expected).abs() <= allowed, "{place}: {actual} instead of {expected}");
        }
        _ => panic!("{place}: {actual:?} instead of {expected}"),
    }
}

/// Asserts that two lists agree, each value relative to the largest one of the expected list.
pub fn assert_all_close(place: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{place}: lengths");
    let scale = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let far = (actual - expected).abs() > tolerance * scale;
        assert!(!far && actual.is_finite(), "{place}[{i}]: {actual} instead of {expected}");
    }
}

/// Reads `YYYY-MM-DDTHH:MM:SS` (a trailing Z is accepted) as seconds since 1970; `None` if it is none.
pub fn seconds(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    part(0..4)?;
    let clock = part(11..13)
        .zip(part(14..16))
        .map_or(0, |(hour, minute)| hour * 3_600 + minute * 60 + part(17..19).unwrap_or(0));
    Some(i64::from(day(value)) * 86_400 + clock)
}
