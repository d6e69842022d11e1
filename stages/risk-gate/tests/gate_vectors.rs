//! The order gate against every `gate` case of the shared trading vectors.
//!
//! The adapter reads decimals exactly and refuses fields it does not know, so that no part of a case
//! is silently ignored.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/vectors/open.rs"]
mod open;

use std::collections::BTreeMap;

use contracts::{Breaker, Mode, OrderKind, Side};
use money::{Currency, Money, Price, Quantity, Rate, Weight};
use risk_gate::checks::{GateOrder, GateSecurity, GateSettings, GateState, gate};
use serde_json::{Map, Value, json};

/// The number of `gate` cases in the file; a shorter file would test less.
const CASES: usize = 120;

/// Takes each field once; what is left over was not understood.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(value: &Value) -> Self {
        Self(value.as_object().unwrap().clone())
    }

    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_else(|| panic!("the case has no field {name}"))
    }

    fn text(&mut self, name: &str) -> String {
        self.take(name).as_str().unwrap().to_owned()
    }

    fn flag(&mut self, name: &str) -> bool {
        self.take(name).as_bool().unwrap()
    }

    fn whole(&mut self, name: &str) -> u64 {
        self.take(name).as_u64().unwrap()
    }

    fn count(&mut self, name: &str) -> u32 {
        u32::try_from(self.whole(name)).unwrap()
    }

    fn maybe_whole(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name);
        if value.is_null() { None } else { Some(value.as_u64().unwrap()) }
    }

    fn maybe_days(&mut self, name: &str) -> Option<u32> {
        self.maybe_whole(name).map(|days| u32::try_from(days).unwrap())
    }

    fn maybe_minutes_as_s(&mut self, name: &str) -> Option<u64> {
        self.maybe_whole(name).map(|minutes| minutes * 60)
    }

    fn weight(&mut self, name: &str) -> Weight {
        decimal(&self.take(name)).trim_start_matches('-').parse().unwrap()
    }

    fn eur(&mut self, name: &str) -> Money {
        money(&self.take(name), Currency::EUR)
    }

    fn amounts(&mut self, name: &str) -> BTreeMap<Currency, Money> {
        let amounts = self.take(name);
        let entries = amounts.as_object().unwrap().iter();
        entries
            .map(|(code, value)| (Currency::new(code).unwrap(), money(value, Currency::new(code).unwrap())))
            .collect()
    }

    fn finish(self) {
        assert!(self.0.is_empty(), "fields not understood: {:?}", self.0.keys());
    }
}

fn decimal(value: &Value) -> String {
    let text = value.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn money(value: &Value, currency: Currency) -> Money {
    Money::parse(&format!("{} {currency}", decimal(value))).unwrap()
}

fn order(value: &Value) -> GateOrder {
    let mut fields = Fields::of(value);
    let order = GateOrder {
        symbol: fields.text("symbol"),
        side: match fields.text("side").as_str() {
            "BUY" => Some(Side::Buy),
            "SELL" => Some(Side::Sell),
            _ => None,
        },
        quantity: decimal(&fields.take("quantity")).parse::<Quantity>().unwrap(),
        price: decimal(&fields.take("price")).parse::<Price>().ok(),
        currency: Currency::new(&fields.text("currency")).unwrap(),
        kind: match fields.text("kind").as_str() {
            "normal" => OrderKind::Normal,
            "manual" => OrderKind::Manual,
            "emergency" => OrderKind::Emergency,
            other => panic!("unknown kind {other}"),
        },
    };
    fields.finish();
    order
}

fn security(value: &Value) -> GateSecurity {
    let mut fields = Fields::of(value);
    let security = GateSecurity {
        known: fields.flag("known"),
        allow_buy: fields.flag("allow_buy"),
        allow_sell: fields.flag("allow_sell"),
        min_lot: decimal(&fields.take("min_lot")).parse().unwrap(),
        // The vectors know no tick: every price that can be written lies on the finest one.
        tick: Price::from_e6(1).ok(),
        strict_hours: fields.flag("strict_hours"),
        market_open: fields.flag("market_open"),
    };
    fields.finish();
    security
}

fn state(value: &Value) -> GateState {
    let mut fields = Fields::of(value);
    let rates = fields.take("eur_per_unit");
    let avg_price = fields.take("avg_price");
    let state = GateState {
        mode: match fields.text("mode").as_str() {
            "live" => Some(Mode::Live),
            "research" => Some(Mode::Research),
            _ => None,
        },
        snapshot_age_s: fields.maybe_whole("snapshot_age_s"),
        price_age_s: fields.maybe_whole("price_age_s"),
        breaker: match fields.text("breaker").as_str() {
            "normal" => Breaker::Normal,
            "sells_blocked" => Breaker::SellsBlocked,
            "halted" => Breaker::Halted,
            _ => Breaker::Unknown,
        },
        since_last_trade_s: fields.maybe_minutes_as_s("minutes_since_last_trade"),
        trades_today: fields.count("trades_today"),
        trades_week: fields.count("trades_week"),
        pending_order: Some(fields.flag("pending_order_same_security")),
        since_submission_s: fields.maybe_minutes_as_s("minutes_since_submission_same_security"),
        since_last_sell_s: fields.maybe_minutes_as_s("minutes_since_last_sell_same_security"),
        days_since_last_buy: fields.maybe_days("days_since_last_buy"),
        days_since_last_transaction: fields.maybe_days("days_since_last_transaction"),
        days_since_last_sell: fields.maybe_days("days_since_last_sell"),
        position_quantity: decimal(&fields.take("position_quantity")).parse().unwrap(),
        avg_price: if avg_price.is_null() { None } else { Some(decimal(&avg_price).parse().unwrap()) },
        position_value_eur: Some(fields.eur("position_value_eur")),
        portfolio_value_eur: Some(fields.eur("portfolio_value_eur")),
        balances: fields.amounts("balances"),
        pending_buy_value: fields.amounts("pending_buy_value"),
        limiting_bucket: BTreeMap::new(),
        eur_per_unit: rates
            .as_object()
            .unwrap()
            .iter()
            .map(|(code, rate)| (Currency::new(code).unwrap(), decimal(rate).parse::<Rate>().unwrap()))
            .collect(),
    };
    fields.finish();
    state
}

fn settings(value: &Value) -> GateSettings {
    let mut fields = Fields::of(value);
    assert!(
        fields.0["max_loss"].to_string().starts_with('-'),
        "the vectors write a loss as a negative number"
    );
    let settings = GateSettings {
        max_snapshot_age_s: fields.whole("max_snapshot_age_s"),
        max_price_age_s: fields.whole("max_price_age_s"),
        min_gap_min: fields.count("min_gap_min"),
        max_per_day: fields.count("max_per_day"),
        max_per_week: fields.count("max_per_week"),
        buy_cooldown_days: fields.count("buy_cooldown_days"),
        min_hold_days: fields.count("min_hold_days"),
        sell_cooldown_days: fields.count("sell_cooldown_days"),
        max_loss: fields.weight("max_loss"),
        max_sell: fields.weight("max_sell_pct"),
        max_position: fields.weight("max_position_pct"),
        fixed_eur: fields.eur("fixed_eur"),
        percent: fields.weight("percent"),
        reserve_eur: fields.eur("reserve_eur"),
        duplicate_window_min: fields.count("duplicate_window_min"),
        sell_window_min: fields.count("sell_window_min"),
        allow_offhours_buys: fields.flag("allow_offhours_buys"),
        cost_margin: fields.weight("cost_margin"),
        fx_buffer: fields.weight("fx_buffer"),
    };
    fields.finish();
    settings
}

fn cases() -> Vec<Value> {
    let Some(text) = open::text("trading/safety.json") else { return Vec::new() };
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["input"]["function"] == "gate").cloned().collect()
}

#[test]
fn every_gate_vector_gets_its_decision_and_code() {
    let cases = cases();
    assert!(open::elsewhere() || cases.len() == CASES);
    let mut failures = Vec::new();
    for case in &cases {
        let input = &case["input"];
        let verdict = gate(
            &order(&input["order"]),
            &security(&input["security"]),
            &state(&input["state"]),
            &settings(&input["settings"]),
        );
        let got = json!({ "decision": verdict.decision, "code": verdict.code });
        if got != case["expect"] {
            failures.push(format!("{}: got {got}, expected {}", case["name"], case["expect"]));
        }
    }
    assert!(failures.is_empty(), "{} of {CASES} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_default_settings_are_those_of_the_vectors() {
    assert_eq!(settings(&cases()[0]["input"]["settings"]), GateSettings::default());
}
