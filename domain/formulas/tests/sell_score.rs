//! The whole sell score against `sell_score.json`, put together as the reference did.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::drawdown::drawdown;
use formulas::rounding::round_to;
use formulas::sell::block::{Holding, Limits, find};
use formulas::sell::instability::Technical;
use formulas::sell::{
    Parts, WEIGHTS, balance, instability, quantity, reference, time_held, underperformance,
};
use vectors_json::{Case, assert_close, cases, day, numbers, seconds};

const SCORE: f64 = 0.00101;
const EXACT: f64 = 1e-9;
const NAMES: [&str; 5] = ["underperformance", "time_held", "portfolio_balance", "instability", "drawdown"];

fn days_since(case: &Case, key: &str) -> Option<i64> {
    let then = seconds(&case.input[key])?;
    Some((seconds(&case.input["now"]).unwrap() - then).div_euclid(86_400))
}

/// The closes of the last 365 calendar days; they stand on consecutive weekdays.
fn closes_of_a_year(case: &Case) -> Vec<f64> {
    let closes = numbers(&case.input["history_close_business_days"]);
    let begin = day(&case.input["now"]) - 365;
    let mut on = day(&case.input["history_last_date"]);
    let mut used = Vec::new();
    for close in closes.iter().rev() {
        // 1970-01-01 was a Thursday.
        while (on + 3).rem_euclid(7) >= 5 {
            on -= 1;
        }
        if on < begin {
            break;
        }
        used.push(*close);
        on -= 1;
    }
    used.reverse();
    used
}

#[test]
fn sell_scores_equal_their_vectors() {
    for case in cases("scoring/sell_score.json") {
        let name = &case.name;
        let number = |key: &str| case.input[key].as_f64();
        let setting = |key: &str, otherwise: f64| case.input["settings"][key].as_f64().unwrap_or(otherwise);
        let check = |key: &str, value: f64, tolerance: f64| {
            assert_close(&format!("{name} {key}"), Some(value), &case.expect[key], tolerance);
        };
        let (pieces, cost) = (number("quantity").unwrap(), number("avg_price").unwrap());
        let price = number("current_price").unwrap_or(cost);
        let lot = number("min_lot").unwrap_or(1.0);
        let limits = Limits {
            max_loss: setting("max_loss_threshold", -0.20),
            min_hold_days: setting("min_hold_days", 90.0) as i64,
            cooldown_days: setting("sell_cooldown_days", 180.0) as i64,
        };
        let (bought, sold) = (days_since(&case, "first_bought_at"), days_since(&case, "last_sold_at"));
        let last = [bought, sold].into_iter().flatten().min();
        let days = bought.unwrap_or(time_held::UNKNOWN_DAYS);
        let profit = underperformance::profit(price, cost);

        let state = drawdown(&closes_of_a_year(&case));
        let enough = closes_of_a_year(&case).len() >= 2;
        let (current, bars) = (state.current().filter(|_| enough), state.bars_under_water());
        let expected = &case.expect["drawdown"];
        assert_close(name, current, &expected["current_drawdown"], 1e-8);
        assert_close(name, state.max().filter(|_| enough), &expected["max_drawdown"], 1e-8);
        assert_eq!(bars.map(|bars| bars as u64), expected["days_in_drawdown"].as_u64(), "{name}");

        let holding = Holding {
            allow_sell: case.input["allow_sell"].as_bool().unwrap_or(false),
            profit,
            days_since_transaction: last,
            days_since_sale: last,
            predates_ledger: last.is_none(),
        };
        assert_eq!(Some(days), case.expect["days_held"].as_i64(), "{name}");
        let parts = parts(&case, price, cost, days, bought, limits, current, bars);
        let points = |score: f64| round_to(score, 3);
        check("drawdown_score", points(parts.drawdown), SCORE);
        if let Some(block) = find(&holding, &limits) {
            assert_eq!(case.expect["reason"].as_str(), Some(block.name()), "{name}");
            assert_eq!(case.expect["eligible"], false, "{name}");
            for key in
                ["total_score", "suggested_sell_pct", "suggested_sell_quantity", "suggested_sell_value"]
            {
                check(key, 0.0, EXACT);
            }
            for key in NAMES.iter().filter(|name| **name != "drawdown") {
                check(&format!("{key}_score"), 0.0, EXACT);
            }
            check("profit_pct", profit, EXACT);
            continue;
        }
        let weights: [f64; 5] =
            std::array::from_fn(|i| case.input["weights"][NAMES[i]].as_f64().unwrap_or(WEIGHTS[i]));
        let total = reference(&parts, &weights);
        let sale = quantity::sale(total, pieces, lot, price, setting("min_sell_value", 100.0));
        check("underperformance_score", points(parts.underperformance), SCORE);
        check("time_held_score", points(parts.time_held), SCORE);
        check("portfolio_balance_score", points(parts.balance), SCORE);
        check("instability_score", points(parts.instability), SCORE);
        check("total_score", points(total), SCORE);
        check("suggested_sell_quantity", sale.quantity, EXACT);
        check("suggested_sell_pct", points(sale.share), SCORE);
        check("suggested_sell_value", round_to(sale.quantity * price, 2), EXACT);
        check("profit_pct", round_to(profit, 4), EXACT);
        assert_eq!(Some(sale.quantity > 0.0), case.expect["eligible"].as_bool(), "{name}");
        let reason = (sale.quantity == 0.0).then_some("below_min_value");
        assert_eq!(reason, case.expect["reason"].as_str(), "{name}");
    }
}

#[allow(clippy::too_many_arguments)]
fn parts(
    case: &Case,
    price: f64,
    cost: f64,
    days: i64,
    bought: Option<i64>,
    limits: Limits,
    fall: Option<f64>,
    bars: Option<usize>,
) -> Parts {
    let share = |map: &str, name: &str| case.input[map][name].as_f64().unwrap_or(0.0);
    let listed = case.input["industry"].as_str().unwrap_or("").split(',').map(str::trim);
    let industries: Vec<f64> =
        listed.filter(|name| !name.is_empty()).map(|name| share("industry_allocations", name)).collect();
    let country = case.input["country"].as_str().map_or(0.0, |name| share("country_allocations", name));
    let total = case.input["total_portfolio_value"].as_f64().unwrap_or(0.0);
    let value = case.input["quantity"].as_f64().unwrap() * price;
    let technical = &case.input["technical"];
    let technical = technical.is_object().then(|| Technical {
        current_volatility: technical["current_volatility"].as_f64().unwrap(),
        usual_volatility: technical["historical_volatility"].as_f64().unwrap(),
        stretch: technical["distance_from_ma_200"].as_f64().unwrap(),
    });
    Parts {
        underperformance: underperformance::score(price, cost, days as f64, limits.max_loss),
        time_held: time_held::score(bought, limits.min_hold_days),
        balance: balance::score(country, &industries, (total > 0.0).then_some(value / total)),
        instability: instability::score(underperformance::profit(price, cost), days, technical),
        drawdown: formulas::sell::drawdown::score(fall, bars),
    }
}
