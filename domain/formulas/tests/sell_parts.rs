//! Each part of the sell score against `sell_parts.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::sell::block::{Holding, Limits, find};
use formulas::sell::instability::Technical;
use formulas::sell::{balance, instability, quantity, time_held, underperformance};
use vectors_json::{Case, assert_close, cases, seconds};

const TOLERANCE: f64 = 1e-9;

fn number(case: &Case, key: &str) -> f64 {
    case.input[key].as_f64().unwrap_or_else(|| panic!("{} {key}", case.name))
}

fn whole(case: &Case, key: &str) -> i64 {
    number(case, key).floor() as i64
}

fn days_since(case: &Case, key: &str) -> Option<i64> {
    let then = seconds(&case.input[key])?;
    Some((seconds(&case.input["now"]).unwrap() - then).div_euclid(86_400))
}

#[test]
fn every_part_equals_its_vectors() {
    for case in cases("scoring/sell_parts.json") {
        let score = |value: f64| assert_close(&case.name, Some(value), &case.expect["score"], TOLERANCE);
        let n = |key: &str| number(&case, key);
        match case.input["part"].as_str().unwrap() {
            "underperformance" => {
                let (price, cost) = (n("current_price"), n("avg_price"));
                score(underperformance::score(price, cost, n("days_held"), n("max_loss_threshold")));
                // Without days nothing is known, not even the gain, in the reference.
                let profit = if n("days_held") > 0.0 { underperformance::profit(price, cost) } else { 0.0 };
                assert_close(&case.name, Some(profit), &case.expect["profit_pct"], TOLERANCE);
            }
            "time_held" => {
                let days = days_since(&case, "first_bought_at");
                score(time_held::score(days, whole(&case, "min_hold_days")));
                let days = days.unwrap_or(time_held::UNKNOWN_DAYS);
                assert_eq!(Some(days), case.expect["days_held"].as_i64(), "{}", case.name);
            }
            "portfolio_balance" => score(reference_balance(&case)),
            "instability" => {
                let technical = Technical {
                    current_volatility: n("current_volatility"),
                    usual_volatility: n("historical_volatility"),
                    stretch: n("distance_from_ma_200"),
                };
                score(instability::score(n("profit_pct"), whole(&case, "days_held"), Some(technical)));
            }
            "eligibility" => {
                let days = days_since(&case, "last_transaction_at");
                let holding = Holding {
                    allow_sell: case.input["allow_sell"].as_bool().unwrap(),
                    profit: n("profit_pct"),
                    days_since_transaction: days,
                    days_since_sale: days,
                    // The reference lets an unknown date pass.
                    predates_ledger: days.is_none(),
                };
                let limits = Limits {
                    max_loss: n("max_loss_threshold"),
                    min_hold_days: whole(&case, "min_hold_days"),
                    cooldown_days: whole(&case, "sell_cooldown_days"),
                };
                let found = find(&holding, &limits);
                assert_eq!(Some(found.is_none()), case.expect["eligible"].as_bool(), "{}", case.name);
                assert_eq!(found.map(|block| block.name()), case.expect["reason"].as_str(), "{}", case.name);
            }
            "quantity" => {
                let found = quantity::sale(
                    n("sell_score"),
                    n("quantity"),
                    n("min_lot"),
                    n("current_price"),
                    n("min_sell_value"),
                );
                assert_close(&case.name, Some(found.quantity), &case.expect["quantity"], TOLERANCE);
                assert_close(&case.name, Some(found.share), &case.expect["sell_pct"], TOLERANCE);
            }
            other => panic!("{}: nobody knows the part `{other}`", case.name),
        }
    }
}

fn reference_balance(case: &Case) -> f64 {
    let total = number(case, "total_value");
    let share = |map: &str, name: &str| case.input[map][name].as_f64().unwrap_or(0.0);
    let industries: Vec<f64> = case.input["industry"]
        .as_str()
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| share("industry_allocations", name))
        .collect();
    let country = case.input["country"].as_str().map_or(0.0, |name| share("country_allocations", name));
    balance::score(country, &industries, (total > 0.0).then(|| number(case, "position_value") / total))
}
