//! Groups, deviations, dividends: what the fund is made of and what becomes of its income.

use std::collections::{BTreeMap, BTreeSet};

use formulas::{
    concentration_alert::{self, Severity},
    dividend_history, rounding,
    turnover::{Year, gross_turnover, status},
};
use limits::Fine;
use plan::{
    groups::{Groups, Kind, Member, OTHER},
    opportunities::dividend_reinvestment::{Use, use_of},
};
use serde_json::{Map, Value, json};

use crate::case::{self, Case, as_f64, close, eur, fine, number, text};

const FILE: &str = "trading/allocation.json";

#[test]
fn every_allocation_figure_is_that_of_the_vectors() {
    let (mut failures, mut run) = (Vec::new(), 0);
    for Case { name, input, expect } in case::all(FILE) {
        let got = match text(&input["function"]) {
            "concentration_alerts" => alerts(&input),
            "aggregate_positions" => aggregate(&input),
            "annual_turnover" => turnover(&input),
            "dividend_stability" => dividends(&input),
            "drip_split" => split(&input),
            "allocation_rows" => rows(&input),
            "deviation_status" => deviation(number(&input["deviation"])),
            "pending_bonus" => bonus(&input),
            other => panic!("{other} is no function"),
        };
        run += 1;
        if !agrees(&got, &expect) {
            failures.push(format!("{name}: {got}, expected {expect}"));
        }
    }
    assert!(failures.is_empty(), "{} of {run} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(crate::open::elsewhere() || run == 45, "{run} ran");
}

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

fn alerts(input: &Value) -> Value {
    let total = number(&input["total_value_eur"]);
    let mut alerts = Vec::new();
    for (field, kind, limit, divisor) in [
        ("country_weights", "country", 0.35, 1.0),
        ("industry_weights", "sector", 0.30, 1.0),
        ("positions_eur", "position", 0.15, total),
    ] {
        for (name, value) in input[field].as_object().unwrap().iter().filter(|_| total > 0.0) {
            let Some(share) = value.as_f64().map(|value| value / divisor) else { continue };
            let Some(severity) = concentration_alert::severity(share, limit) else { continue };
            // The reference calls a breach critical.
            let severity = if severity == Severity::Warning { "warning" } else { "critical" };
            let alert = json!({
                "type": kind, "name": name, "current_pct": share, "limit_pct": limit,
                "alert_threshold_pct": 0.8 * limit, "severity": severity,
            });
            alerts.push(alert);
        }
    }
    json!({ "alerts": alerts })
}

fn aggregate(input: &Value) -> Value {
    let positions = input["positions"].as_array().unwrap();
    // The reference values what has no value by pieces and price, in whatever currency.
    let value = |one: &Value| {
        let known = one["market_value_eur"].as_f64().filter(|value| *value > 0.0);
        known.unwrap_or_else(|| {
            let at = one["current_price"].as_f64().or_else(|| one["avg_price"].as_f64()).unwrap_or(0.0);
            one["quantity"].as_f64().unwrap_or(0.0) * at
        })
    };
    let members: Vec<Member<'_>> = positions
        .iter()
        .map(|one| Member {
            country: one["country"].as_str(),
            industry: one["industry"].as_str(),
            value: fine(&json!(value(one))),
            target: Fine::ZERO,
        })
        .collect();
    let groups = Groups::new(members);
    // The reference counts a security without a country nowhere.
    let of = |kind: Kind| -> Map<String, Value> {
        let named = groups.all(kind).filter(|(name, _)| *name != OTHER);
        named.map(|(name, value)| (name.to_string(), json!(as_f64(value)))).collect()
    };
    json!({ "country": of(Kind::Country), "industry": of(Kind::Industry), "total": as_f64(groups.invested()) })
}

/// A table of the old pages. Steward's plan shows groups against their targets, so the old rule lives here.
fn rows(input: &Value) -> Value {
    let share = |key: &str, name: &str| input[key].get(name).map_or(0.0, number);
    let total = number(&input["total"]);
    let listed = |key: &str| input[key].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    let universe = input["universe"].as_array().unwrap().iter().map(text);
    let names: BTreeSet<&str> =
        listed("targets").into_iter().chain(listed("values")).chain(universe).collect();
    let row = |name: &str| {
        let (target, value) = (share("targets", name), share("values", name));
        let current = if total > 0.0 { value / total } else { 0.0 };
        json!({
            "name": name, "target_pct": target, "current_pct": rounding::round_to(current, 4),
            "current_value": rounding::round_to(value, 2), "deviation": rounding::round_to(current - target, 4),
        })
    };
    json!({ "rows": names.into_iter().map(row).collect::<Vec<_>>() })
}

/// What the old pages called a distance from a target; both limits are strict.
fn deviation(deviation: f64) -> Value {
    let status = match deviation {
        under if under < -0.02 => "underweight",
        over if over > 0.02 => "overweight",
        _ => "balanced",
    };
    json!({ "need": (-deviation).max(0.0), "status": status })
}

/// The bonus for dividends that wait. Steward pays none, its cap is 0: a paid dividend says nothing about future return.
fn bonus(input: &Value) -> Value {
    let [waiting, value, cap] =
        ["unreinvested_eur", "position_value_eur", "cap"].map(|name| number(&input[name]));
    json!({ "bonus": if value > 0.0 { (waiting / value).min(cap) } else { 0.0 } })
}

fn turnover(input: &Value) -> Value {
    let values: Vec<f64> = input["snapshot_values"].as_array().unwrap().iter().map(number).collect();
    let count = f64::from(u32::try_from(values.len().max(1)).unwrap());
    let year = Year {
        buys: number(&input["buys_eur"]),
        sells: number(&input["sells_eur"]),
        mean_nav: values.iter().sum::<f64>() / count,
    };
    // The reference calls a year without trades unknown.
    let turnover = gross_turnover(&year).filter(|turnover| *turnover > 0.0);
    let status = format!("{:?}", status(turnover)).to_lowercase();
    json!({ "turnover": turnover, "status": status })
}

fn dividends(input: &Value) -> Value {
    let annual: Vec<f64> = input["annual_dividends"].as_array().unwrap().iter().map(number).collect();
    let first = dividend_history::first_cut(&annual);
    let average = number(&input["portfolio_avg_yield"]);
    // The reference takes the first cut; Steward's own figure takes the last.
    let judged = dividend_history::judge_after(&annual, first, input["current_yield"].as_f64(), average);
    json!({
        "has_big_cut": judged.years_since_cut.is_some(),
        "years_since_cut": judged.years_since_cut,
        "growth_rate": judged.growth,
        "score": rounding::round_to(judged.stability, 3),
    })
}

fn split(input: &Value) -> Value {
    let mut order: Vec<&str> = Vec::new();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for dividend in input["dividends"].as_array().unwrap() {
        let symbol = text(&dividend["symbol"]);
        if !order.contains(&symbol) {
            order.push(symbol);
        }
        *sums.entry(symbol).or_default() += number(&dividend["amount_eur"]);
    }
    let (mut same, mut pooled, mut waits, mut pool) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for symbol in order {
        let amount = sums[symbol];
        let least = number(&input["same_security_yield"]);
        let becomes = use_of(
            eur(&json!(amount)),
            input["yields"][symbol].as_f64(),
            eur(&input["min_trade_eur"]),
            least,
        );
        match becomes {
            Use::Same => same.push(json!({ "symbol": symbol, "amount_eur": amount })),
            Use::Pooled => {
                pooled.push(json!({ "symbol": symbol, "amount_eur": amount }));
                pool += amount;
            }
            Use::Waits => waits.push(symbol),
        }
    }
    json!({ "same_security": same, "pooled": pooled, "below_minimum": waits, "pool_total_eur": pool })
}
