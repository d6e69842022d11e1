//! Triggers, exchanges and sales of the rescue.

use std::collections::BTreeMap;

use limits::{Fine, Side};
use money::Currency;
use plan::{
    rescue::{exchange, sale},
    trigger,
};
use serde_json::{Map, Value, json};

use crate::case::{self, Case, as_f64, close, fine, number, price, quantity, text};

const FILE: &str = "trading/rebalancer.json";

#[test]
fn every_trigger_exchange_and_sale_is_that_of_the_vectors() {
    let (mut failures, mut run) = (Vec::new(), 0);
    for Case { name, input, expect } in case::all(FILE) {
        let got = match text(&input["function"]) {
            "exchange_plan" => exchanges(&input),
            "sale_plan" => sales(&input),
            "rebalance_trigger" => triggered(&input),
            "shortfalls_reference" => {
                case::not_built(
                    FILE,
                    &name,
                    "it asks for 5 units of every currency, whatever they are worth",
                );
                continue;
            }
            other => panic!("{other} is no function"),
        };
        run += 1;
        if !agrees(&got, &expect) {
            failures.push(format!("{name}: {got}, expected {expect}"));
        }
    }
    assert!(failures.is_empty(), "{} of {run} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(crate::open::elsewhere() || run == 38, "{run} ran");
}

/// Amounts within 1e-9, everything else exactly.
fn agrees(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            got.len() == expected.len()
                && expected.iter().all(|(key, value)| got.get(key).is_some_and(|other| agrees(other, value)))
        }
        (Value::Array(got), Value::Array(expected)) => {
            got.len() == expected.len() && got.iter().zip(expected).all(|(one, other)| agrees(one, other))
        }
        (Value::Number(_), Value::Number(_)) => close(number(got), number(expected)),
        _ => got == expected,
    }
}

fn currency(text: &str) -> Currency {
    Currency::new(text).unwrap()
}

fn amounts(value: &Value) -> BTreeMap<Currency, Fine> {
    value.as_object().unwrap().iter().map(|(ccy, amount)| (currency(ccy), fine(amount))).collect()
}

fn exchanges(input: &Value) -> Value {
    let trading = input["trading_currencies"].as_array().unwrap();
    let known = exchange::Balances {
        balances: amounts(&input["balances"]),
        trading: trading.iter().map(|ccy| currency(text(ccy))).collect(),
        reserve_eur: fine(&input["reserve_eur"]),
        eur_per_unit: amounts(&input["eur_per_unit"]),
        buffer: fine(&input["buffer"]),
        least_eur: fine(&input["min_leg_eur"]),
    };
    let plan = match exchange::plan(&known) {
        Ok(plan) => plan,
        Err(exchange::NoExchange::NoRate(_)) => return json!({ "error": "no_rate" }),
        Err(other) => panic!("{other}"),
    };
    let orders: Vec<Value> = plan
        .legs
        .iter()
        .map(|leg| {
            let mut order = json!({
                "symbol": leg.pair.to_string(),
                "side": if leg.side == Side::Buy { "BUY" } else { "SELL" },
                "quantity": leg.units,
                "source": leg.source.as_str(),
                "target": leg.target.as_str(),
            });
            if let Some(then) = leg.then {
                order["then"] = json!(then.as_str());
            }
            order
        })
        .collect();
    let remaining: Map<String, Value> =
        plan.remaining.iter().map(|(ccy, left)| (ccy.as_str().to_string(), json!(as_f64(*left)))).collect();
    json!({ "orders": orders, "remaining": remaining, "sale_need_eur": as_f64(plan.sale_need_eur) })
}

fn sales(input: &Value) -> Value {
    let rates = amounts(&input["eur_per_unit"]);
    let holding = |one: &Value| {
        let ccy = currency(text(&one["currency"]));
        sale::Holding {
            key: text(&one["symbol"]).to_string(),
            held: quantity(&one["quantity"]),
            price: price(&one["price"]),
            ccy,
            eur_per_unit: rates.get(&ccy).copied().unwrap_or(Fine::ZERO),
            lot: quantity(&one["min_lot"]),
            allow_sell: one["allow_sell"].as_bool().unwrap(),
            open: one["market_open"].as_bool().unwrap(),
        }
    };
    let holdings: Vec<_> = input["positions"].as_array().unwrap().iter().map(holding).collect();
    let costs = sale::Costs { fixed: fine(&input["fixed_eur"]), percent: fine(&input["percent"]) };
    let short = currency(text(&input["shortfall_currency"]));
    let plan = sale::plan(&holdings, fine(&input["need_eur"]), short, costs).unwrap();
    let sold: Vec<Value> = plan
        .sales
        .iter()
        .map(|(symbol, quantity)| json!({ "symbol": symbol, "quantity": as_f64((*quantity).into()) }))
        .collect();
    json!({ "sales": sold, "uncovered_eur": as_f64(plan.uncovered) })
}

/// The reference's test, which looks at holdings only and knows no band; the switch is the caller's.
fn triggered(input: &Value) -> Value {
    let setting = |name: &str, default: f64| input["settings"][name].as_f64().unwrap_or(default);
    #[allow(clippy::float_cmp)] // A switch is exactly one.
    let enabled = setting("event_driven_rebalancing_enabled", 1.0) == 1.0;
    if !enabled {
        return json!({ "triggered": false, "code": "disabled" });
    }
    let positions = input["positions"].as_object().unwrap().iter();
    let values =
        positions.map(|(symbol, value)| (symbol.clone(), (!value.is_null()).then(|| fine(value)))).collect();
    let targets = input["targets"].as_object().unwrap().iter();
    let targets = targets.map(|(symbol, target)| (symbol.clone(), number(target))).collect();
    let thresholds = trigger::Thresholds {
        drift: setting("rebalance_position_drift_threshold", 0.05),
        min_trade: Fine::from_e12(250 * Fine::SCALE),
        cash_trades: setting("rebalance_cash_threshold_multiplier", 2.0),
        band: false,
    };
    let (fund, cash) = (fine(&input["portfolio_value_eur"]), fine(&input["cash_eur"]));
    let fired = trigger::look(&values, &targets, fund, cash, thresholds, true);
    json!({ "triggered": fired.is_some(), "code": fired.map_or("none", |fired| fired.code()) })
}
