//! The secondary turnover figure and its status against `turnover.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::turnover::{Status, Year, gross_turnover, status};
use vectors_json::{Case, assert_close, cases, day};

const TOLERANCE: f64 = 1e-9;
const DAYS_PER_YEAR: i32 = 365;

/// Sums the trades and averages the valuations of the year; `None` when either is missing.
fn year(case: &Case) -> Option<Year> {
    let end = day(&case.input["end_date"]);
    let is_inside = |at: i32| (end - DAYS_PER_YEAR..=end).contains(&at);
    let (mut buys, mut sells, mut trades) = (0.0, 0.0, 0);
    for trade in case.input["trades"].as_array().unwrap() {
        if !is_inside(day(&trade["executed_at"])) {
            continue;
        }
        let number = |key: &str| trade[key].as_f64();
        let native = || number("quantity").unwrap() * number("price").unwrap();
        let rate = || number("currency_rate").filter(|rate| *rate > 0.0).unwrap_or(1.0);
        let value = number("value_eur").filter(|value| *value > 0.0).unwrap_or_else(|| native() * rate());
        let is_buy = trade["side"].as_str().unwrap().eq_ignore_ascii_case("buy");
        *(if is_buy { &mut buys } else { &mut sells }) += value;
        trades += 1;
    }
    let snapshots = case.input["snapshots"].as_array().unwrap().iter();
    let totals: Vec<f64> = snapshots
        .filter(|row| is_inside(day(&row["date"])))
        .map(|row| row["total_value"].as_f64().unwrap())
        .collect();
    let mean_nav = formulas::moments::mean(&totals)?;
    (trades > 0).then_some(Year { buys, sells, mean_nav })
}

#[test]
fn turnover_and_status_equal_their_vectors() {
    for case in cases("scoring/turnover.json") {
        let turnover = if case.input.get("turnover_only").is_some() {
            case.input["turnover_only"].as_f64()
        } else {
            let turnover = year(&case).and_then(|year| gross_turnover(&year));
            assert_close(&case.name, turnover, &case.expect["turnover"], TOLERANCE);
            turnover
        };
        let (label, alert) = match status(turnover) {
            Status::Unknown => ("unknown", None),
            Status::Normal => ("normal", None),
            Status::Warning => ("warning", Some("warning")),
            Status::Critical => ("critical", Some("critical")),
        };
        assert_eq!(Some(label), case.expect["status"].as_str(), "{}", case.name);
        assert_eq!(alert, case.expect["alert"].as_str(), "{}", case.name);
    }
}
