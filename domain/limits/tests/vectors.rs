//! The shared trading vectors for every function of this crate.
//!
//! Adapters between the vectors and the interface live here, and with them the fallbacks of the
//! reference system that some `ref:` cases keep (a missing rate counting as one, no holdings meaning
//! no limit). The crate itself has no such fallback.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../../tests/vectors/open.rs"]
mod open;

use std::collections::BTreeSet;

use limits::{
    Costs, Fine, FrequencyCounts, FrequencyLimits, FxError, FxNeed, FxOrder, LossTier, SellQuestion,
    SellTerms, Side, SizeError,
};
use money::{Currency, Money, Price, Quantity, Rate, Weight};
use serde_json::{Value, json};

/// Reads a number of a vector as exact decimal text in 1/10^digits, rounding what lies beyond.
fn scaled(value: &Value, digits: usize) -> i128 {
    let text = value.to_string();
    let (mantissa, exponent) =
        text.split_once('e').map_or((text.as_str(), 0), |(m, e)| (m, e.parse().unwrap()));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or((1, mantissa), |rest| (-1, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = i32::try_from(digits).unwrap() + exponent - i32::try_from(fraction.len()).unwrap();
    let number: i128 = format!("{whole}{fraction}").parse().unwrap();
    let power = 10_i128.pow(point.unsigned_abs());
    let magnitude = if point >= 0 { number * power } else { (number + power / 2) / power };
    sign * magnitude
}

fn narrow(value: &Value, digits: usize) -> i64 {
    i64::try_from(scaled(value, digits)).unwrap()
}

fn fine(value: &Value) -> Fine {
    Fine::from_e12(scaled(value, 12))
}

fn money(value: &Value, currency: Currency) -> Money {
    Money::from_e4(narrow(value, 4), currency)
}

fn eur(value: &Value) -> Money {
    money(value, Currency::EUR)
}

fn price(value: &Value) -> Option<Price> {
    Price::from_e6(narrow(value, 6)).ok()
}

fn quantity(value: &Value) -> Quantity {
    Quantity::from_e6(narrow(value, 6)).unwrap()
}

fn weight(value: &Value) -> Weight {
    Weight::from_e6(narrow(value, 6).abs()).unwrap()
}

fn rate(value: &Value) -> Option<Rate> {
    if value.is_null() { None } else { Rate::from_e9(narrow(value, 9)).ok() }
}

fn currency(value: &Value) -> Currency {
    Currency::new(value.as_str().unwrap()).unwrap()
}

fn count(value: &Value) -> u32 {
    u32::try_from(scaled(value, 0)).unwrap()
}

fn costs(input: &Value) -> Costs {
    let fixed = if input["fixed_eur"].is_null() { &input["fixed"] } else { &input["fixed_eur"] };
    Costs { fixed_eur: eur(fixed), percent: weight(&input["percent"]) }
}

fn number(value: Fine) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// Compares exactly, and real numbers within 1e-9, relative or near zero absolute.
fn agrees(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            got.len() == expected.len()
                && expected.iter().all(|(key, value)| got.get(key).is_some_and(|other| agrees(other, value)))
        }
        (Value::Number(_), Value::Number(_)) => {
            let (got, expected) = (scaled(got, 15), scaled(expected, 15));
            (got - expected).abs() <= (expected.abs() / 1_000_000_000).max(1_000_000)
        }
        _ => got == expected,
    }
}

fn sell_eligibility(input: &Value) -> Value {
    // One unit paid: the price is then one plus the profit of the vector.
    let paid = Price::from_e6(1_000_000).unwrap();
    let since = days_between(&input["last_transaction_at"], &input["now"]);
    let question = SellQuestion {
        allow_sell: input["allow_sell"].as_bool().unwrap(),
        price: Price::from_e6(1_000_000 + narrow(&input["profit"], 6)).unwrap(),
        avg_price: Some(paid),
        days_since_last_transaction: since,
        days_since_last_sell: since,
    };
    let terms = SellTerms {
        loss_max: weight(&input["max_loss"]),
        min_hold_days: count(&input["min_hold_days"]),
        sell_cooldown_days: count(&input["sell_cooldown_days"]),
    };
    let answer = limits::sell_eligibility(&question, &terms);
    json!({ "eligible": answer.is_eligible(), "code": answer.code })
}

/// Whole days between two local times; the reference passes a missing time as never.
fn days_between(from: &Value, to: &Value) -> Option<u32> {
    let minutes = |value: &Value| {
        let text = value.as_str()?;
        let field = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
        let (year, month, day) = (field(0..4), field(5..7), field(8..10));
        // Days of the proleptic Gregorian calendar, with the year starting in March.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
        Some(days * 1440 + field(11..13) * 60 + field(14..16))
    };
    Some(u32::try_from((minutes(to)? - minutes(from)?) / 1440).unwrap())
}

fn daily_loss_tier(input: &Value) -> Value {
    let pnl = if input["pnl"].is_null() { None } else { Some(fine(&input["pnl"])) };
    let tier = limits::daily_loss_tier(pnl, weight(&input["sell_halt"]), weight(&input["full_halt"]));
    let status = match tier {
        LossTier::Normal => "normal",
        LossTier::SellsBlocked => "dip_buying", // The reference's name.
        LossTier::Halted => "halted",
        LossTier::Unknown => "unknown",
    };
    // The reference allows everything when the loss is unknown.
    let (can_buy, can_sell) = (tier.can_buy().unwrap_or(true), tier.can_sell().unwrap_or(true));
    json!({ "status": status, "can_buy": can_buy, "can_sell": can_sell, "display": limits::display_pnl(pnl) })
}

fn daily_pnl(input: &Value) -> Value {
    let total = |a: &str, b: &str| eur(&input[a]).checked_add(eur(&input[b])).unwrap();
    let start = total("prev_positions_eur", "prev_cash_eur");
    let now = total("positions_eur", "cash_eur");
    let pnl = limits::daily_pnl(start, now, eur(&input["net_external_flow_eur"])).unwrap();
    json!({ "pnl": pnl.map(number) })
}

fn trade_frequency(input: &Value) -> Value {
    let settings = &input["settings"];
    let setting = |name: &str, default: u32| settings.get(name).map_or(default, count);
    let limits = if setting("trade_frequency_limits_enabled", 1) == 0 {
        FrequencyLimits::NONE
    } else {
        FrequencyLimits {
            min_gap_min: setting("min_time_between_trades_minutes", 60),
            per_day: setting("max_trades_per_day", 4),
            per_week: setting("max_trades_per_week", 10),
        }
    };
    let since = &input["minutes_since_last"];
    let counts = FrequencyCounts {
        since_last_s: if since.is_null() {
            None
        } else {
            Some(u64::try_from(scaled(since, 2) * 60 / 100).unwrap())
        },
        today: count(&input["trades_today"]),
        week: count(&input["trades_week"]),
    };
    let answer = limits::trade_frequency(&counts, &limits);
    json!({ "allowed": answer.is_ok(), "code": answer.err().map(|(code, _)| code) })
}

fn buy_quantity(input: &Value) -> Value {
    let given = fine(&input["native_per_eur"]);
    let native_per_eur = if given.is_positive() { given } else { Fine::ONE };
    let Some(price) = price(&input["price"]) else {
        return json!({ "error": "invalid_price" });
    };
    let target = eur(&input["target_value_eur"]);
    match limits::buy_quantity(target, price, quantity(&input["min_lot"]), native_per_eur) {
        Ok(size) => json!({
            "quantity": number(size.quantity.into()),
            "value_native": number(size.value_native),
            "value_eur": number(size.value_eur),
            "num_lots": size.lots,
        }),
        Err(SizeError::InvalidPrice) => json!({ "error": "invalid_price" }),
        Err(other) => panic!("{other}"),
    }
}

fn sell_quantity(input: &Value) -> Value {
    let held = quantity(&input["holdings"]);
    // In the reference zero holdings mean no limit.
    let held = if held.is_zero() { Quantity::from_e6(i64::MAX).unwrap() } else { held };
    let sold = limits::sell_quantity(quantity(&input["target_quantity"]), quantity(&input["min_lot"]), held);
    json!({ "quantity": number(sold.into()) })
}

fn round_to_lots(input: &Value) -> Value {
    let whole = limits::round_to_lots(quantity(&input["quantity"]), quantity(&input["min_lot"]));
    json!({ "quantity": number(whole.into()) })
}

fn commission(input: &Value) -> Value {
    let rate = rate(&input["eur_per_native"]).unwrap_or(Rate::ONE);
    let value = fine(&input["trade_value_native"]);
    let fee = limits::commission_fine(value, &costs(input), rate, money::Rounding::HalfEven).unwrap();
    json!({ "commission_native": number(fee) })
}

fn min_trade_amount(input: &Value) -> Value {
    let amount = limits::min_trade_amount(&costs(input), weight(&input["max_cost_ratio"])).unwrap();
    json!({ "amount": number(amount) })
}

fn max_trades(input: &Value) -> Value {
    let (cash, least) = (eur(&input["cash"]), eur(&input["min_trade_amount"]));
    json!({ "trades": limits::max_trades(cash, least, count(&input["max_trades_per_cycle"])).unwrap() })
}

fn round_trip_cost_ratio(input: &Value) -> Value {
    let ratio = limits::round_trip_cost_ratio(eur(&input["trade_value_eur"]), &costs(input)).unwrap();
    json!({ "ratio": number(ratio) })
}

fn rate_of(input: &Value, side: &str) -> Rate {
    rate(&input["eur_per_unit"][input[side].as_str().unwrap()]).unwrap()
}

fn cross_rate(input: &Value) -> Value {
    let cross = limits::cross_rate(rate_of(input, "source"), rate_of(input, "target")).unwrap();
    json!({ "target_per_source": number(cross) })
}

fn fx_route(input: &Value) -> Value {
    match limits::fx_route(currency(&input["source"]), currency(&input["target"])) {
        Ok(steps) => {
            let steps: Vec<Value> =
                steps.iter().map(|(source, target)| json!({ "source": source, "target": target })).collect();
            json!({ "steps": steps })
        }
        Err(error) => fx_error(&error),
    }
}

fn fx_need(input: &Value) -> FxNeed {
    let given = &input["target_per_source"];
    FxNeed {
        source: currency(&input["source"]),
        target: currency(&input["target"]),
        need: fine(&input["need_target"]),
        target_per_source: if given.is_null() { Fine::ZERO } else { fine(given) },
        available: fine(&input["available_source"]),
        buffer: weight(&input["buffer"]),
        lot: Quantity::ZERO,
    }
}

fn fx_error(error: &FxError) -> Value {
    let code = match error {
        FxError::InvalidRequest { .. } => "invalid_request",
        FxError::NoDirectPair { .. } => "no_direct_pair",
        FxError::NoConversionPath { .. } => "no_conversion_path",
        FxError::InsufficientSource { .. } => "insufficient_source",
        FxError::Arithmetic(_) => "arithmetic",
    };
    json!({ "error": code })
}

fn fx_order_value(order: &FxOrder) -> Value {
    let side = match order.side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    };
    json!({
        "symbol": order.pair.to_string(),
        "side": side,
        "quantity": number(order.quantity.into()),
        "spend_estimate": number(order.spend),
        "receive_estimate": number(order.receive),
    })
}

fn fx_order(input: &Value) -> Value {
    limits::fx_order(&fx_need(input)).map_or_else(|error| fx_error(&error), |order| fx_order_value(&order))
}

fn fx_two_leg(input: &Value) -> Value {
    let legs =
        limits::fx_two_leg(&fx_need(input), rate_of(input, "source"), rate_of(input, "target")).unwrap();
    json!({
        "leg1": fx_order_value(&legs.leg1),
        "leg2": fx_order_value(&legs.leg2),
        "leg1_need_eur": number(legs.leg1_need_eur),
    })
}

/// Units of the currency per EUR, as the reference stored it; a rate of zero is an error here and the amount itself there.
fn convert_to_eur(input: &Value) -> Value {
    let (amount, native_per_eur) = (fine(&input["amount"]), fine(&input["native_per_eur"]));
    let eur = amount.over(native_per_eur, money::Rounding::HalfEven);
    assert_eq!(eur.is_err(), native_per_eur == Fine::ZERO, "only a rate of zero has no answer");
    json!({ "eur": number(eur.unwrap_or(amount)) })
}

type Adapter = fn(&Value) -> Value;

/// The functions of this crate, by the names of the vectors; `convert_to_eur` is one division and lives in this test.
const ADAPTERS: [(&str, Adapter); 16] = [
    ("buy_quantity", buy_quantity),
    ("commission", commission),
    ("convert_to_eur", convert_to_eur),
    ("cross_rate", cross_rate),
    ("daily_loss_tier", daily_loss_tier),
    ("daily_pnl", daily_pnl),
    ("fx_order", fx_order),
    ("fx_route", fx_route),
    ("fx_two_leg", fx_two_leg),
    ("max_trades", max_trades),
    ("min_trade_amount", min_trade_amount),
    ("round_to_lots", round_to_lots),
    ("round_trip_cost_ratio", round_trip_cost_ratio),
    ("sell_eligibility", sell_eligibility),
    ("sell_quantity", sell_quantity),
    ("trade_frequency", trade_frequency),
];

/// Functions of the vectors that live elsewhere or exist for import only.
const ELSEWHERE: [&str; 6] = [
    "fallback_rate",
    "gate",
    "market_hours_required",
    "outside_rebalance_band",
    "position_size",
    "sell_quantity_by_score",
];

/// Those of them that are modes of the old system, which nothing here does.
const NOT_BUILT: [(&str, &str); 5] = [
    ("fallback_rate", "an invented rate is never used: a rate that is missing stays missing"),
    ("market_hours_required", "every venue needs hours, for buying and for selling: its calendar says them"),
    ("outside_rebalance_band", "tiers of 5 points and more never bind beside a drift of 5 %"),
    ("position_size", "a purchase is a share of the fund, not of its volatility"),
    ("sell_quantity_by_score", "a gap decides how much is sold, not a score"),
];

fn cases(file: &str) -> Vec<Value> {
    let Some(text) = open::text(&format!("trading/{file}")) else { return Vec::new() };
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

#[test]
fn every_trading_vector_of_this_crate_holds() {
    let (mut failures, mut run, mut seen) = (Vec::new(), 0, BTreeSet::new());
    for case in ["safety.json", "sizing.json", "costs.json", "fx.json"].into_iter().flat_map(cases) {
        let (input, expected) = (&case["input"], &case["expect"]);
        let function = input["function"].as_str().unwrap();
        let Some((name, adapter)) = ADAPTERS.iter().find(|(name, _)| *name == function) else {
            assert!(ELSEWHERE.contains(&function), "the function {function} has no adapter");
            if let Some((_, why)) = NOT_BUILT.iter().find(|(name, _)| *name == function) {
                println!("not built  trading {} ({function}): {why}", case["name"]);
            }
            continue;
        };
        let got = adapter(input);
        if !agrees(&got, expected) {
            failures.push(format!("{}: got {got}, expected {expected}", case["name"]));
        }
        seen.insert(*name);
        run += 1;
    }
    assert!(failures.is_empty(), "{} of {run} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(open::elsewhere() || seen.len() == ADAPTERS.len(), "each adapter has a vector");
    assert!(open::elsewhere() || run > 200, "only {run} vectors ran");
}

#[test]
fn a_missing_rate_has_no_stand_in() {
    let (eur, sek) = (Currency::EUR, Currency::new("SEK").unwrap());
    assert!(matches!(limits::fx_route(sek, eur), Err(FxError::NoConversionPath { .. })));
    assert!(Rate::from_e9(0).is_err(), "a rate of zero cannot even be written");
}
