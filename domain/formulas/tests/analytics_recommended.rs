//! Regime, attribution, money-weighted return and daily profit and loss against
//! `analytics_recommended.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::attribution::{earned, link};
use formulas::daily_pnl::{Band, band, daily_pnl};
use formulas::regime::{Label, Regime, region_distance, weighted_distance};
use formulas::xirr::{Flow, xirr};
use std::collections::BTreeMap;
use vectors_json::{assert_close, cases_of, day, numbers, rows};

const FILE: &str = "scoring/analytics_recommended.json";
const TOLERANCE: f64 = 1e-9;
const XIRR_TOLERANCE: f64 = 1e-6;

#[test]
fn regimes_equal_their_vectors_day_by_day() {
    for case in cases_of(FILE, "regime") {
        // Equal where none is said.
        let weight = |name: &str| case.input["region_weights"][name].as_f64().unwrap_or(1.0);
        let closes: BTreeMap<&String, Vec<f64>> = case.input["closes"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, list)| (name, numbers(list)))
            .collect();
        let mut regime = Regime::new(0.05, -0.05);
        let days = case.expect["days_from_bar_200"].as_array().unwrap();
        for (i, expected) in days.iter().enumerate() {
            let regions: Vec<(f64, Option<f64>)> = closes
                .iter()
                .map(|(name, list)| {
                    let until = list.len().min(200 + i);
                    (weight(name), region_distance(&list[..until]))
                })
                .collect();
            let day = regime.push(weighted_distance(&regions).unwrap()).unwrap();
            let place = format!("{} day {i}", case.name);
            assert_close(&place, Some(day.distance), &expected["distance"], TOLERANCE);
            assert_close(&place, Some(day.smoothed), &expected["smoothed"], TOLERANCE);
            assert_close(&place, Some(day.score), &expected["score"], TOLERANCE);
            let label = match day.label {
                Label::Bull => "bull",
                Label::Sideways => "sideways",
                Label::Bear => "bear",
            };
            assert_eq!(label, expected["label"].as_str().unwrap(), "{place}");
        }
    }
}

#[test]
fn attributions_equal_their_vectors_and_add_up() {
    for case in cases_of(FILE, "attribution") {
        let weights = rows(&case.input["start_of_day_weights"]);
        let returns = rows(&case.input["returns"]);
        let categories = case.input["category"].as_array().unwrap();
        let days = weights.chunks_exact(categories.len()).zip(returns.chunks_exact(categories.len()));
        let totals: Vec<f64> = days.map(|(w, r)| earned(w, r).unwrap()).collect();
        let mut parts = vec![0.0; categories.len()];
        let linked = link(&weights, &returns, &totals, &mut parts).unwrap();

        assert_close(&case.name, Some(linked.total), &case.expect["total_return"], TOLERANCE);
        let mut by_category = BTreeMap::new();
        for (i, (part, category)) in parts.iter().zip(categories).enumerate() {
            assert_close(&case.name, Some(*part), &case.expect["by_security"][i], TOLERANCE);
            *by_category.entry(category.as_str().unwrap()).or_insert(0.0) += part;
        }
        for (category, part) in by_category {
            assert_close(&case.name, Some(part), &case.expect["by_category"][category], TOLERANCE);
        }
        assert!(linked.residual.abs() < 1e-12, "{}", case.name);
    }
}

#[test]
fn money_weighted_returns_equal_their_vectors() {
    for case in cases_of(FILE, "xirr") {
        let paid = case.input["flows_in"].as_array().unwrap().iter();
        let paid = paid.map(|row| Flow { day: day(&row[0]), amount: -row[1].as_f64().unwrap() });
        let amount = case.input["final_value"].as_f64().unwrap();
        let end = Flow { day: day(&case.input["final_date"]), amount };
        let flows: Vec<Flow> = paid.chain([end]).collect();
        assert_close(&case.name, xirr(&flows), &case.expect["xirr"], XIRR_TOLERANCE);
    }
}

#[test]
fn daily_losses_equal_their_vectors_and_the_unknown_allows_nothing() {
    for case in cases_of(FILE, "daily_pnl") {
        let number = |key: &str| case.input[key].as_f64();
        let pnl = number("previous_close_total")
            .zip(number("current_total"))
            .zip(number("external_flow_today"))
            .and_then(|((previous, current), flow)| daily_pnl(previous, current, flow));
        assert_close(&case.name, pnl, &case.expect["pnl"], TOLERANCE);
        let band = band(pnl, -0.02, -0.05);
        let status = match band {
            Band::Unknown => "unknown",
            Band::Normal => "normal",
            Band::SellsBlocked => "dip_buying",
            Band::Halted => "halted",
        };
        assert_eq!(status, case.expect["status"].as_str().unwrap(), "{}", case.name);
        assert_eq!(Some(band.can_buy()), case.expect["can_buy"].as_bool(), "{}", case.name);
        assert_eq!(Some(band.can_sell()), case.expect["can_sell"].as_bool(), "{}", case.name);
    }
}

#[test]
fn no_kind_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["regime", "attribution", "xirr", "daily_pnl"]);
}
