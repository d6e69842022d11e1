//! The control interface: ground truth and levers for tests and the demo, never for a production client.
//!
//! One function from a call to an answer, so that HTTP and any other carrier behave the same.

use serde::Deserialize;
use serde_json::{Value, json};

use market::Timestamp;

use crate::core::dates::parse_iso;
use crate::core::faults::instant;
use crate::core::fixed;
use crate::core::scenarios::{SCENARIOS, scenario};
use crate::{FaultRule, ForcedRegime, Profile, Regime, World};

/// An answer of the control interface.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Value,
}

impl ControlReply {
    pub(crate) fn done(body: Value) -> Self {
        Self { status: 200, body }
    }

    pub(crate) fn refused(text: impl std::fmt::Display) -> Self {
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

/// Every invariant, those that need a client's books among them; the body is these books.
fn joined(world: &World, body: &[u8]) -> ControlReply {
    match serde_json::from_slice::<crate::ClientBooks>(body) {
        Ok(books) => ControlReply::done(json!(
            world.invariants().into_iter().chain(world.compare(&books)).collect::<Vec<_>>()
        )),
        Err(error) => ControlReply::refused(format!("the books cannot be read: {error}")),
    }
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
        ("POST", "invariants") => joined(world, body),
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
        ("POST", "reset") => reset(world, body),
        ("POST", "price") => bend_price(world, body),
        ("POST", "regime") => regime(world, body),
        ("POST", "corp_action") => corporate_action(world, body),
        ("POST", "snapshot") => snapshot(world),
        ("POST", "restore") => restore(world, body),
        ("GET", "scenarios") => {
            let rows =
                SCENARIOS.iter().map(|s| json!({ "name": s.name, "shows": s.shows, "start": s.start }));
            ControlReply::done(rows.collect())
        }
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

/// A world to begin anew; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetCall {
    seed: Option<u64>,
    scenario: Option<String>,
    profile: Option<Profile>,
    start: Option<Timestamp>,
}

fn reset(world: &mut World, body: &[u8]) -> ControlReply {
    let call: ResetCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let mut config = world.config().clone();
    let named = call.scenario.is_some();
    config.seed = call.seed.unwrap_or(config.seed);
    config.scenario = call.scenario.unwrap_or(config.scenario);
    config.profile = call.profile.unwrap_or(config.profile);
    let own = scenario(&config.scenario).filter(|_| named).and_then(|s| s.start?.parse().ok());
    config.start = call.start.or(own).unwrap_or(config.start);
    if named {
        config.tickers = None;
    }
    match World::new(config) {
        Ok(fresh) => {
            *world = fresh;
            info(world)
        }
        Err(error) => ControlReply::refused(error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceCall {
    ticker: String,
    /// Decimal text, such as `0.85`.
    factor: Option<String>,
    /// Decimal text; the factor that makes the present price this one.
    price: Option<String>,
    from: Option<String>,
    to: String,
}

fn bend_price(world: &mut World, body: &[u8]) -> ControlReply {
    let call: PriceCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let from = call.from.as_deref().map_or(Some(world.now().ms()), instant);
    let (Some(from), Some(to)) = (from, instant(&call.to)) else {
        return ControlReply::refused("from and to look like 2026-03-02T15:00:00Z");
    };
    let present = world.truth_price(&call.ticker, world.now());
    let factor = match (call.factor.as_deref(), call.price.as_deref()) {
        (Some(factor), None) => fixed::parse(factor, 6).map(|n| (n, fixed::E6)),
        (None, Some(price)) => fixed::parse(price, 6).zip(present),
        _ => None,
    };
    let Some(factor) = factor else {
        return ControlReply::refused("give either factor or price, a decimal text such as \"0.85\"");
    };
    match world.bend_price(&call.ticker, factor, from, to) {
        Ok(()) => ControlReply::done(json!({ "ticker": call.ticker })),
        Err(error) => ControlReply::refused(error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegimeCall {
    regime: Regime,
    from: String,
    to: String,
}

fn regime(world: &mut World, body: &[u8]) -> ControlReply {
    let call: RegimeCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let (Some(from), Some(to)) = (parse_iso(&call.from), parse_iso(&call.to)) else {
        return ControlReply::refused("from and to look like 2026-03-02");
    };
    world.force_regime(ForcedRegime { regime: call.regime, from, to });
    ControlReply::done(json!({ "regime": call.regime, "note": "the next three days are built already" }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionCall {
    /// `takeover`, `new_isin` or `spin_off`.
    kind: String,
    ticker: String,
    day: String,
    /// Cash per unit of a takeover, decimal text.
    cash: Option<String>,
    /// Ticker of what is spun off.
    part: Option<String>,
    /// Units of it, for so many units held, such as `[1, 5]`.
    ratio: Option<(i64, i64)>,
}

fn corporate_action(world: &mut World, body: &[u8]) -> ControlReply {
    let call: ActionCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let Some(day) = parse_iso(&call.day) else { return ControlReply::refused("day looks like 2026-03-16") };
    let cash_e6 = match call.cash.as_deref().map(|text| fixed::parse(text, 6)) {
        Some(None) => return ControlReply::refused("cash is a decimal text such as \"31.20\""),
        other => other.flatten(),
    };
    let planned = match call.kind.as_str() {
        "takeover" => world.plan_takeover(&call.ticker, day, cash_e6),
        "new_isin" => world.plan_new_isin(&call.ticker, day),
        "spin_off" => {
            let Some((part, ratio)) = call.part.as_deref().zip(call.ratio) else {
                return ControlReply::refused("a spin-off needs part, a ticker, and ratio, such as [1, 5]");
            };
            world.plan_spin_off(&call.ticker, day, part, ratio)
        }
        _ => return ControlReply::refused("kind is takeover, new_isin or spin_off"),
    };
    match planned {
        Ok(()) => ControlReply::done(json!({ "ticker": call.ticker, "day": call.day })),
        Err(error) => ControlReply::refused(error),
    }
}

/// Worlds kept at most.
const SNAPSHOTS_MAX: usize = 8;

fn snapshot(world: &mut World) -> ControlReply {
    if world.snapshots.len() >= SNAPSHOTS_MAX {
        return ControlReply::refused("eight worlds are kept already; reset drops them");
    }
    let mut copy = world.clone();
    copy.snapshots.clear();
    world.snapshots.push(copy);
    ControlReply::done(json!({ "id": world.snapshots.len() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoreCall {
    id: usize,
}

fn restore(world: &mut World, body: &[u8]) -> ControlReply {
    let call: RestoreCall = match serde_json::from_slice(body) {
        Ok(call) => call,
        Err(error) => return ControlReply::refused(error),
    };
    let Some(kept) = call.id.checked_sub(1).and_then(|at| world.snapshots.get(at)).cloned() else {
        return ControlReply::refused("no world was kept under this id");
    };
    let snapshots = std::mem::take(&mut world.snapshots);
    *world = kept;
    world.snapshots = snapshots;
    info(world)
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
