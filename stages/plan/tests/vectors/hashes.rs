//! V18: the hashes of the old system. Steward's own are `state_id` and `context_id`; these live here, to show that an
//! import could still name what an old store names.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    case::{self, Case, close, number, text},
    old_text::{canonical, md5_of, number_text, shown},
};

const FILE: &str = "planning/hashes.json";

#[test]
fn the_old_hashes_are_those_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        match text(&input["fn"]) {
            "portfolio_hash" => assert_eq!(json!(portfolio_hash(&input)), expect["hash"], "{name}"),
            "apply_pending_orders" => {
                let allow_negative = input["allow_negative_cash"].as_bool().unwrap();
                let (positions, cash) = after_orders(&input, allow_negative);
                let listed: Vec<Value> =
                    positions.iter().map(|(symbol, n)| json!({ "symbol": symbol, "quantity": n })).collect();
                assert_eq!(json!(listed), expect["positions"], "{name}");
                let expected = expect["cash_balances"].as_object().unwrap();
                assert_eq!(cash.len(), expected.len(), "{name}");
                for (currency, amount) in &cash {
                    assert!(close(*amount, number(&expected[currency])), "{name} {currency}: {amount}");
                }
            }
            "settings_hash" => assert_eq!(json!(settings_hash(&input["settings"])), expect["hash"], "{name}"),
            "allocations_hash" => {
                assert_eq!(json!(allocations_hash(&input["allocations"])), expect["hash"], "{name}");
            }
            "recommendation_cache_key" => {
                let parts = [
                    portfolio_hash(&input),
                    settings_hash(&input["settings"]),
                    allocations_hash(&input["allocations"]),
                ];
                assert_eq!(json!(parts.join(":")), expect["key"], "{name}");
            }
            "sequence_hash" => {
                let canonical = canonical(input["actions"].as_array().unwrap());
                assert_eq!(json!(canonical), expect["canonical"], "{name}");
                assert_eq!(json!(md5_of(&canonical)), expect["hash"], "{name}");
            }
            other => panic!("{name}: {other} is no function"),
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 26, "{run} ran");
}

fn short(text: &str) -> String {
    md5_of(text)[..8].to_string()
}

/// Positions with whole pieces, and cash, once all pending orders are filled.
fn after_orders(input: &Value, allow_negative: bool) -> (BTreeMap<String, i64>, BTreeMap<String, f64>) {
    let mut positions: BTreeMap<String, f64> = BTreeMap::new();
    for one in input["positions"].as_array().into_iter().flatten() {
        positions.insert(text(&one["symbol"]).to_uppercase(), one["quantity"].as_f64().unwrap_or(0.0));
    }
    let mut cash: BTreeMap<String, f64> = BTreeMap::new();
    for (currency, amount) in input["cash_balances"].as_object().into_iter().flatten() {
        cash.insert(currency.clone(), number(amount));
    }
    for order in input["pending_orders"].as_array().into_iter().flatten() {
        let symbol = order["symbol"].as_str().unwrap_or("").to_uppercase();
        let quantity = order["quantity"].as_f64().unwrap_or(0.0);
        let price = order["price"].as_f64().unwrap_or(0.0);
        if symbol.is_empty() || quantity <= 0.0 || price <= 0.0 {
            continue;
        }
        match order["side"].as_str().unwrap_or("").to_lowercase().as_str() {
            "buy" => {
                let currency = order["currency"].as_str().filter(|text| !text.is_empty()).unwrap_or("EUR");
                let balance = cash.entry(currency.to_string()).or_default();
                *balance -= quantity * price;
                if !allow_negative {
                    *balance = balance.max(0.0);
                }
                *positions.entry(symbol).or_default() += quantity;
            }
            "sell" => {
                let held = positions.entry(symbol).or_default();
                *held = (*held - quantity).max(0.0);
            }
            _ => {}
        }
    }
    let whole =
        positions.into_iter().filter(|(_, held)| *held > 0.0).map(|(symbol, held)| (symbol, trunc(held)));
    (whole.collect(), cash)
}

#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // Quantities of the old system are small.
fn trunc(number: f64) -> i64 {
    number as i64
}

fn portfolio_hash(input: &Value) -> String {
    let has_orders = input["pending_orders"].as_array().is_some_and(|orders| !orders.is_empty());
    let (mut held, cash): (BTreeMap<String, i64>, BTreeMap<String, f64>) = if has_orders {
        after_orders(input, true)
    } else {
        let mut held = BTreeMap::new();
        for one in input["positions"].as_array().into_iter().flatten() {
            let quantity = trunc(one["quantity"].as_f64().unwrap_or(0.0));
            held.insert(text(&one["symbol"]).to_uppercase(), quantity);
        }
        let cash = input["cash_balances"].as_object().into_iter().flatten();
        (held, cash.map(|(currency, amount)| (currency.clone(), number(amount))).collect())
    };
    let mut known: BTreeMap<String, &Value> = BTreeMap::new();
    for security in input["securities"].as_array().into_iter().flatten() {
        let symbol = text(&security["symbol"]).to_uppercase();
        held.entry(symbol.clone()).or_default();
        known.insert(symbol, security);
    }
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    for (symbol, quantity) in &held {
        let plain = |key: &str, missing: &str| {
            known.get(symbol).map_or(missing.to_string(), |one| match &one[key] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => shown(other),
            })
        };
        let rest = [
            plain("allow_buy", "True"),
            plain("allow_sell", "False"),
            plain("min_portfolio_target", ""),
            plain("max_portfolio_target", ""),
            plain("country", ""),
            plain("industry", ""),
        ];
        parts.insert(symbol.clone(), format!("{symbol}:{quantity}:{}", rest.join(":")));
    }
    for (currency, amount) in cash.iter().filter(|(_, amount)| **amount > 0.0) {
        let key = format!("CASH.{}", currency.to_uppercase());
        parts.insert(key.clone(), format!("{key}:{}", number_text(rounded(*amount, 2))));
    }
    short(&parts.into_values().collect::<Vec<_>>().join(","))
}

const SETTINGS: [&str; 11] = [
    "max_loss_threshold",
    "max_plan_depth",
    "min_cash_reserve",
    "min_hold_days",
    "min_security_score",
    "optimizer_blend",
    "optimizer_target_return",
    "sell_cooldown_days",
    "target_annual_return",
    "transaction_cost_fixed",
    "transaction_cost_percent",
];

fn settings_hash(settings: &Value) -> String {
    let part = |key: &&str| match &settings[*key] {
        Value::Null => format!("{key}:"),
        value => format!("{key}:{}", shown(value)),
    };
    short(&SETTINGS.iter().map(part).collect::<Vec<_>>().join(","))
}

fn allocations_hash(allocations: &Value) -> String {
    let none = Map::new();
    let allocations = allocations.as_object().unwrap_or(&none);
    if allocations.is_empty() {
        return "00000000".into();
    }
    let sorted: BTreeMap<&String, &Value> = allocations.iter().collect();
    let part = |(key, value): (&String, &Value)| format!("{key}:{}", number_text(rounded(number(value), 4)));
    short(&sorted.into_iter().map(part).collect::<Vec<_>>().join(","))
}

/// Decimal rounding of the exact binary value, ties to even.
fn rounded(number: f64, digits: usize) -> f64 {
    format!("{number:.digits$}").parse().unwrap()
}
