//! Rebuilt days against the corrected values of `reconstruction.json`.
//!
//! The file's `expect` shows the old system with its known faults; it is not reproduced.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::reconstruction::{Closes, Flow, Reconstruction, Trade, reconstruct};
use serde_json::Value;
use vectors_json::{Case, assert_close, cases, day, left_out, numbers};

const FILE: &str = "scoring/reconstruction.json";
const TOLERANCE: f64 = 1e-8;

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn trade(row: &Value) -> Trade<'_> {
    let buys = row["side"].as_str().unwrap().eq_ignore_ascii_case("buy");
    let quantity = number(&row["quantity"]);
    let rate = row["currency_rate"].as_f64().unwrap_or(1.0);
    let worth = row["value_eur"].as_f64().unwrap_or_else(|| quantity * number(&row["price"]) * rate);
    let security = row["symbol"].as_str().unwrap();
    let sign = if buys { 1.0 } else { -1.0 };
    Trade { day: day(&row["executed_at"]), security, quantity: sign * quantity, cash: -sign * worth }
}

fn flow(row: &Value) -> Flow {
    let kind = row["transaction_type"].as_str().unwrap().to_ascii_lowercase();
    let written = number(&row["amount_eur"]);
    let amount = if kind == "withdrawal" { -written.abs() } else { written };
    Flow { day: day(&row["date"]), amount, is_external: kind == "deposit" || kind == "withdrawal" }
}

fn rebuilt(case: &Case) -> Reconstruction {
    let input = &case.input;
    let mut rows: Vec<&Value> = list(&input["trades"]).iter().collect();
    rows.sort_by_key(|row| row["executed_at"].as_str().unwrap());
    let trades: Vec<Trade<'_>> = rows.into_iter().map(trade).collect();
    let flows: Vec<Flow> = list(&input["cash_flows"]).iter().map(flow).collect();
    let series = |rows: &Value| list(rows).iter().map(|row| (day(&row[0]), number(&row[1]))).collect();
    let closes: Closes<'_> = input["closes"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, rows)| (name.as_str(), series(rows)))
        .collect();
    let span = (day(&input["start"]), day(&input["end"]));
    reconstruct(span, number(&input["initial_cash"]), &trades, &flows, &closes)
}

#[test]
fn rebuilt_days_equal_their_corrected_vectors() {
    for case in cases(FILE) {
        if case.recommended.is_null() {
            left_out(FILE, &case.name, "documents the old system alone, whose faults are not rebuilt");
            continue;
        }
        if !case.expect.is_null() {
            left_out(
                FILE,
                &case.name,
                "the values of the old system hold its faults; the corrected ones are compared",
            );
        }
        let built = rebuilt(&case);
        let wanted = &case.recommended;
        let flows = numbers(&wanted["external_flow_by_day"]);
        assert_eq!(built.days.len(), flows.len(), "{}", case.name);
        for (at, day) in built.days.iter().enumerate() {
            let place = format!("{} day {at}", case.name);
            assert_close(&place, Some(day.value), &wanted["value_by_day"][at], TOLERANCE);
            assert_close(&place, Some(day.external_flow), &wanted["external_flow_by_day"][at], TOLERANCE);
            assert_eq!(Some(day.is_incomplete), wanted["price_missing_by_day"][at].as_bool(), "{place}");
            if at > 0 {
                let expected = &wanted["daily_return_by_day_from_second"][at - 1];
                assert_close(&place, day.day_return, expected, TOLERANCE);
            }
        }
        assert_close(&case.name, built.twr(), &wanted["twr"], TOLERANCE);
    }
}
