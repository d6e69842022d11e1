//! The control interface: ground truth and levers for tests and the demo, never for a production client.
//!
//! One function from a call to an answer, so that HTTP and any other carrier behave the same.

use serde::Deserialize;
use serde_json::{Value, json};

use market::Timestamp;

use crate::core::faults::instant;
use crate::core::fixed;
use crate::{FaultRule, World};

/// An answer of the control interface.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Value,
}

impl ControlReply {
    fn done(body: Value) -> Self {
        Self { status: 200, body }
    }

    fn refused(text: impl std::fmt::Display) -> Self {
        Self { status: 400, body: json!({ "error": text.to_string() }) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CashCall {
    ccy: String,
    amount: String,
    #[serde(default = "bank")]
    type_code: String,
}

fn bank() -> String {
    "bank".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HaltCall {
    ticker: String,
    from: String,
    to: String,
}

/// Does one control call; `path` is what follows `/sim/`, with its query.
pub fn control(world: &mut World, method: &str, path: &str, body: &[u8]) -> ControlReply {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match (method, path) {
        ("GET", "health") => ControlReply::done(json!({ "ok": true, "version": env!("CARGO_PKG_VERSION") })),
        ("GET", "info") => info(world),
        ("GET", "orders") => ControlReply::done(json!(world.orders())),
        ("GET", "fills") => ControlReply::done(json!(world.fills())),
        ("GET", "ledger") => ControlReply::done(json!(world.ledger(number(query, "since")))),
        ("GET", "positions") => ControlReply::done(json!(world.positions())),
        ("GET", "truth/price") => price(world, query),
        ("GET", "truth") => ControlReply::done(world.truth()),
        ("GET", "invariants") => ControlReply::done(json!(world.invariants())),
        ("GET", "cash") => ControlReply::done(json!(world.cash())),
        ("POST", "cash") => cash(world, body),
        ("GET", "requests") => {
            let since = u64::try_from(number(query, "since")).unwrap_or(0);
            ControlReply::done(json!(world.requests(since)))
        }
        ("GET", "faults/log") => ControlReply::done(json!(world.fault_log())),
        ("POST", "faults") => faults(world, body),
        ("DELETE", other) if other.starts_with("faults/") => {
            let removed = world.remove_fault(other.trim_start_matches("faults/"));
            ControlReply::done(json!({ "removed": removed }))
        }
        ("POST", "halt") => halt(world, body),
        ("GET", "knobs") => ControlReply::done(json!(world.knobs())),
        ("POST", "knobs") => knobs(world, body),
        _ => {
            ControlReply { status: 404, body: json!({ "error": format!("no control call {method} {path}") }) }
        }
    }
}

fn parameter<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

fn number(query: &str, key: &str) -> usize {
    parameter(query, key).and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn info(world: &World) -> ControlReply {
    let config = world.config();
    ControlReply::done(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": config.seed,
        "scenario": config.scenario,
        "profile": config.profile,
        "start": config.start.to_string(),
        "now": world.now().to_string(),
        "unmodelled": world.unmodelled(),
    }))
}

fn price(world: &World, query: &str) -> ControlReply {
    let at = match parameter(query, "t") {
        None => Some(world.now()),
        Some(text) => instant(&text.replace("%3A", ":")).map(Timestamp::from_ms),
    };
    let ticker = parameter(query, "ticker").unwrap_or("").replace("%2F", "/");
    match at.and_then(|at| world.truth_price(&ticker, at)) {
        Some(e6) => ControlReply::done(json!({ "ticker": ticker, "price": fixed::text(e6, 6, 2) })),
        None => ControlReply::refused("ticker or t is unknown; t looks like 2026-03-02T15:00:00Z"),
    }
}

fn cash(world: &mut World, body: &[u8]) -> ControlReply {
    let call: CashCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let Some(e4) = fixed::parse(&call.amount, 4).filter(|e4| *e4 % 100 == 0) else {
        return ControlReply::refused(
            "amount must be a decimal text with at most 2 digits, such as \"-150.00\"",
        );
    };
    match world.book_cash(&call.ccy, e4, &call.type_code) {
        Ok(()) => ControlReply::done(json!(world.cash())),
        Err(error) => ControlReply::refused(error),
    }
}

fn faults(world: &mut World, body: &[u8]) -> ControlReply {
    let rules: Vec<FaultRule> = match serde_json::from_slice(body) {
        Ok(rules) => rules,
        Err(error) => return ControlReply::refused(error),
    };
    let count = rules.len();
    for rule in rules {
        if let Err(error) = world.put_fault(rule) {
            return ControlReply::refused(error);
        }
    }
    ControlReply::done(json!({ "rules": count }))
}

/// Sets the named knobs; those left out go back to their rest.
fn knobs(world: &mut World, body: &[u8]) -> ControlReply {
    match serde_json::from_slice(body) {
        Ok(knobs) => {
            world.set_knobs(knobs);
            ControlReply::done(json!(world.knobs()))
        }
        Err(error) => ControlReply::refused(error),
    }
}

fn halt(world: &mut World, body: &[u8]) -> ControlReply {
    let call: HaltCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let (Some(from), Some(to)) = (instant(&call.from), instant(&call.to)) else {
        return ControlReply::refused("from and to look like 2026-03-02T15:00:00Z");
    };
    match world.halt(&call.ticker, Timestamp::from_ms(from), Timestamp::from_ms(to)) {
        Ok(()) => ControlReply::done(json!({ "halted": call.ticker })),
        Err(error) => ControlReply::refused(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::{ask, world_at};

    #[test]
    fn levers_change_the_world_and_the_truth_shows_it() {
        let mut world = world_at("2026-03-02T15:00:00");
        let before = world.cash()["EUR"];
        let body = br#"{"ccy":"EUR","amount":"150.00"}"#;
        assert_eq!(control(&mut world, "POST", "cash", body).body["EUR"], before + 1_500_000);
        let halt = br#"{"ticker":"NRDW.US","from":"2026-03-02T15:00:00Z","to":"2026-03-02T16:00:00Z"}"#;
        assert_eq!(control(&mut world, "POST", "halt", halt).status, 200);
        assert_eq!(
            ask(&mut world, "checkAllowedTickerAndBanOnTrade", r#"{"ticker":"NRDW.US"}"#)["allowed"],
            0
        );
        let rules = br#"[{"id":"a","when":{"nth":[1]},"effect":{"kind":"error","code":14,"text":"busy"}}]"#;
        assert_eq!(control(&mut world, "POST", "faults", rules).body["rules"], 1);
        assert_eq!(ask(&mut world, "getPositionJson", "{}")["code"], 14);
        assert_eq!(control(&mut world, "GET", "faults/log", b"").body[0]["rule"], "a");
        assert_eq!(control(&mut world, "DELETE", "faults/a", b"").body["removed"], true);
        let price =
            control(&mut world, "GET", "truth/price?ticker=EUR%2FUSD&t=2026-03-02T12%3A00%3A00Z", b"");
        assert!(price.body["price"].is_string(), "{price:?}");
        assert_eq!(control(&mut world, "GET", "requests?since=1", b"").body.as_array().unwrap().len(), 1);
        assert!(control(&mut world, "GET", "truth", b"").body["decisions_digest"].is_string());
    }

    #[test]
    fn calls_that_mean_nothing_are_refused_and_change_nothing() {
        let mut world = world_at("2026-03-02T15:00:00");
        let before = world.truth();
        for (method, path, body, status) in [
            ("POST", "cash", r#"{"ccy":"EUR","amount":"1.005"}"#, 400),
            ("POST", "cash", r#"{"ccy":"XXX","amount":"1"}"#, 400),
            ("POST", "cash", "not json", 400),
            ("POST", "halt", r#"{"ticker":"NOPE","from":"2026-03-02","to":"2026-03-03"}"#, 400),
            ("POST", "faults", "{}", 400),
            ("GET", "truth/price?ticker=NOPE", "", 400),
            ("PUT", "orders", "", 404),
        ] {
            assert_eq!(control(&mut world, method, path, body.as_bytes()).status, status, "{method} {path}");
        }
        assert_eq!(world.truth(), before);
    }
}
