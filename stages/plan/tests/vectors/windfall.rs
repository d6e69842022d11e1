//! V5 and the profits of V21: gain beyond what the past explains.

use formulas::{
    rounding::round_to,
    windfall::{excess, score, take_profits},
};
use limits::Fine;
use plan::{opportunities::profit_taking, sizing::Terms};
use serde_json::{Value, json};

use crate::case::{self, Case, as_f64, close, fine, number, price, quantity, scaled, text};
use crate::opportunities::{min_trade, whole};

const FILE: &str = "planning/windfall.json";

#[test]
fn every_windfall_is_that_of_the_vectors() {
    let mut run = 0;
    for (at, Case { name, input, expect }) in case::all(FILE).into_iter().enumerate() {
        let gain = number(&input["current_gain"]);
        let excess = excess(gain, number(&input["years_held"]), number(&input["historical_cagr"])).unwrap();
        let taken = take_profits(gain, excess);
        let place = format!("{name} #{at}");
        assert!(close(excess, number(&expect["excess"])), "{place}: {excess}");
        assert!(close(round_to(score(excess).unwrap(), 3), number(&expect["windfall_score"])), "{place}");
        assert_eq!(taken.share > 0.0, expect["take_profits"].as_bool().unwrap(), "{place}");
        assert!(close(taken.share, number(&expect["sell_fraction"])), "{place}");
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 25, "{run} ran");
}

/// The profits that a corrected case takes: the reference's growth without bounds and its gain by price.
pub fn corrected(input: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for position in input["positions"].as_array().unwrap() {
        let symbol = text(&position["symbol"]);
        let Some(security) =
            input["securities"].as_array().unwrap().iter().find(|one| one["symbol"] == symbol)
        else {
            continue;
        };
        if !security["allow_sell"].as_bool().unwrap() || number(&position["market_value_eur"]) <= 0.0 {
            continue;
        }
        let at = if position["current_price"].is_null() {
            &position["avg_price"]
        } else {
            &position["current_price"]
        };
        if scaled(at, 6) <= 0 {
            continue;
        }
        let paid = number(&position["avg_price"]);
        let gain = (number(at) - paid) / paid;
        let growth = round_to(input["cagr_5y"][symbol].as_f64().unwrap_or(0.10), 4);
        let excess = excess(gain, years(input, position), growth).unwrap();
        let taken = take_profits(gain, excess);
        if taken.share <= 0.0 {
            continue;
        }
        let ccy = text(&security["currency"]);
        let native_per_eur = if ccy == "EUR" { Fine::ONE } else { fine(&input["rates"][ccy]) };
        let terms = Terms { price: price(at), native_per_eur, lot: quantity(&security["min_lot"]) };
        let size = profit_taking::sold(whole(&position["quantity"]), taken.share, &terms).unwrap();
        if !size.quantity.is_positive() || size.value_eur < min_trade(input) {
            continue;
        }
        // The reference's scale: Steward's own is one and a half times finer.
        let windfall = profit_taking::priority(round_to(score(excess).unwrap(), 3)) * 1.5;
        let priority = windfall * number(&input["profit_taking_priority_weight"])
            / number(&security["priority_multiplier"]);
        let quantity = as_f64(size.quantity.into());
        let value = as_f64(size.value_eur);
        found.push(json!({ "side": "SELL", "symbol": symbol, "quantity": quantity, "value_eur": value, "priority": priority }));
    }
    found
}

fn years(input: &Value, position: &Value) -> f64 {
    let Some(opened) = position["first_bought_at"].as_str() else { return 1.0 };
    let minutes = crate::filters::minutes(text(&input["now"])) - crate::filters::minutes(opened);
    let days = i32::try_from(minutes.div_euclid(1_440)).unwrap();
    (f64::from(days) / 365.0).max(0.1)
}
