//! V4 and V6: sizes of trades and what keeps a holding from being sold.

use limits::{
    Costs, Fine, SellCode, SellQuestion, SellTerms, SizeError, buy_quantity, sell_eligibility, sell_quantity,
};
use money::{Price, Quantity, Weight};
use serde_json::{Value, json};

use crate::case::{self, Case, as_f64, close, eur, fine, price, quantity, scaled, text};

const SIZING: &str = "planning/sizing.json";
const SELL: &str = "planning/sell_eligibility.json";

#[test]
fn every_size_is_that_of_the_vectors() {
    let mut run = 0;
    for (at, Case { name, input, expect }) in case::all(SIZING).into_iter().enumerate() {
        let place = format!("{name} #{at}");
        let got = match text(&input["fn"]) {
            "buy_quantity" => bought(&input),
            "sell_quantity" => {
                let held = quantity(&input["current_holdings"]);
                // In the reference zero holdings mean no limit.
                let held = if held.is_zero() { Quantity::from_e6(i64::MAX).unwrap() } else { held };
                let sold =
                    sell_quantity(quantity(&input["target_quantity"]), quantity(&input["min_lot"]), held);
                json!({ "quantity": as_f64(sold.into()) })
            }
            "min_trade_amount" => {
                let amount =
                    limits::min_trade_amount(&costs(&input), weight(&input["max_cost_ratio"])).unwrap();
                json!({ "amount": as_f64(amount) })
            }
            "is_trade_worthwhile" => {
                let why = "at 4.02 EUR half of the trade would be costs; the smallest trade decides instead";
                case::not_built(SIZING, &place, why);
                continue;
            }
            other => panic!("{other} is no function"),
        };
        assert!(agrees(&got, &expect), "{place}: {got}, expected {expect}");
        run += 1;
    }
    assert!(case::all(SIZING).is_empty() || run > 20, "only {run} ran");
}

fn agrees(got: &Value, expected: &Value) -> bool {
    let expected = expected.as_object().unwrap();
    got.as_object().unwrap().len() == expected.len()
        && expected.iter().all(|(key, value)| match value.as_f64() {
            Some(value) => got[key].as_f64().is_some_and(|got| close(got, value)),
            None => got[key] == *value,
        })
}

fn weight(value: &Value) -> Weight {
    Weight::from_e6(i64::try_from(scaled(value, 6)).unwrap()).unwrap()
}

fn costs(input: &Value) -> Costs {
    Costs { fixed_eur: eur(&input["fixed"]), percent: weight(&input["percent"]) }
}

fn bought(input: &Value) -> Value {
    let rate = fine(&input["exchange_rate"]);
    let rate = if rate.is_positive() { rate } else { Fine::ONE };
    if scaled(&input["price"], 6) <= 0 {
        // A price below zero cannot be written down; nothing is bought at one of zero.
        let lot = quantity(&input["min_lot"]);
        let refused = buy_quantity(eur(&input["target_value_eur"]), Price::ZERO, lot, rate);
        assert_eq!(refused, Err(SizeError::InvalidPrice));
        return json!({ "error": "price_not_positive" });
    }
    let size = buy_quantity(
        eur(&input["target_value_eur"]),
        price(&input["price"]),
        quantity(&input["min_lot"]),
        rate,
    )
    .unwrap();
    json!({
        "quantity": as_f64(size.quantity.into()),
        "value_native": as_f64(size.value_native),
        "value_eur": as_f64(size.value_eur),
        "num_lots": size.lots,
    })
}

#[test]
fn every_block_of_a_sale_is_that_of_the_vectors() {
    let mut run = 0;
    for (at, Case { name, input, expect }) in case::all(SELL).into_iter().enumerate() {
        // One unit paid: the price is then one plus the profit.
        let price =
            Price::from_e6(1_000_000 + i64::try_from(scaled(&input["profit_pct"], 6)).unwrap()).unwrap();
        let since = input["last_transaction_at"].as_str().and_then(|then| days(then, text(&input["now"])));
        let question = SellQuestion {
            allow_sell: input["allow_sell"].as_bool().unwrap(),
            price,
            avg_price: Price::from_e6(1_000_000).ok(),
            days_since_last_transaction: since,
            // The reference counts every transaction as a sale here.
            days_since_last_sell: since,
        };
        let count = |name: &str| u32::try_from(scaled(&input[name], 0)).unwrap();
        let terms = SellTerms {
            loss_max: Weight::from_e6(-i64::try_from(scaled(&input["max_loss_threshold"], 6)).unwrap())
                .unwrap(),
            min_hold_days: count("min_hold_days"),
            sell_cooldown_days: count("sell_cooldown_days"),
        };
        let block = sell_eligibility(&question, &terms).code.map(|code| match code {
            SellCode::SideNotAllowed => "not_allowed",
            SellCode::CostBasisUnknown => "cost_basis_unknown",
            SellCode::MaxLoss => "max_loss",
            SellCode::MinHold => "min_hold",
            SellCode::SellCooldown => "cooldown",
        });
        assert_eq!(json!({ "eligible": block.is_none(), "block": block }), expect, "{name} #{at}");
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 11, "{run} ran");
}

/// Whole days between two local times; what is no time is never.
fn days(then: &str, now: &str) -> Option<u32> {
    let seconds = |text: &str| {
        let is_time = text.len() >= 19 && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T';
        is_time.then(|| crate::filters::minutes(text) * 60 + text[17..19].parse::<i64>().unwrap())
    };
    Some(u32::try_from((seconds(now)? - seconds(then)?) / 86_400).unwrap())
}
