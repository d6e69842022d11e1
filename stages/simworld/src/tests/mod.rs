//! Tests of the whole world through its front door: signed requests in, raw answers out.

#![allow(clippy::unwrap_used)]

mod client_under_faults;
mod conduct;
mod events;
mod faults;
mod feeds;
mod history;
mod life;
mod production_client;
mod replay;
mod shapes;
mod socket;
mod storm;
mod twists;

use std::collections::BTreeMap;
use std::sync::Mutex;

use ::market::Timestamp;
use serde_json::Value;

use crate::core::faults::instant;
use crate::{Delivery, PRIVATE_KEY, PUBLIC_KEY, Profile, RawRequest, Rules, World, WorldConfig};

/// A wall clock that stands still; the world's own time is virtual.
pub(crate) const WALL_S: i64 = 1_767_225_600;

/// Reads an instant such as `2026-03-02T15:00:00`.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::from_ms(instant(text).unwrap())
}

/// Makes a world whose refusals come at once and whose request limits are off.
pub(crate) fn world_at(start: &str) -> World {
    world(start, Profile::Clean, "default")
}

pub(crate) fn world(start: &str, profile: Profile, scenario: &str) -> World {
    let key = (start.to_owned(), scenario.to_owned());
    let mut templates = TEMPLATES.lock().unwrap();
    let template = templates.entry(key).or_insert_with(|| {
        let rules = Rules { late_reject_share: 0.0, throttle: false, ..Rules::default() };
        let config = WorldConfig { rules, scenario: scenario.into(), ..WorldConfig::new(1, at(start)) };
        World::new(config).unwrap()
    });
    let mut world = template.clone();
    world.config.profile = profile;
    world
}

/// Worlds already built: building paths is the slow part of a test, copying them is not.
static TEMPLATES: Mutex<BTreeMap<(String, String), World>> = Mutex::new(BTreeMap::new());

/// Signs a request the way the broker documents it.
pub(crate) fn request(command: &str, body: &str) -> RawRequest {
    use hmac::{Hmac, KeyInit, Mac};
    let stamp = WALL_S.to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(PRIVATE_KEY.as_bytes()).unwrap();
    mac.update(format!("{body}{stamp}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "test"),
        ("X-NtApi-PublicKey", PUBLIC_KEY),
        ("X-NtApi-Timestamp", &stamp),
        ("X-NtApi-Sig", &signature),
    ];
    RawRequest {
        method: "POST".into(),
        path: format!("/tn/api/{command}"),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// Sends a request and returns what the client gets.
pub(crate) fn send(world: &mut World, command: &str, body: &str) -> Delivery {
    world.exchange(&request(command, body), WALL_S)
}

/// Sends a request and parses the answer.
pub(crate) fn ask(world: &mut World, command: &str, body: &str) -> Value {
    let reply = send(world, command, body).reply().unwrap();
    assert_eq!(reply.status, 200);
    serde_json::from_slice(&reply.body).unwrap()
}

/// Sends a day limit order (action 1 buys, 3 sells) and returns the answer.
pub(crate) fn limit_order(world: &mut World, ticker: &str, action: i64, qty: i64, limit: &str) -> Value {
    let body = format!(
        r#"{{"instr_name":"{ticker}","action_id":{action},"order_type_id":2,"qty":{qty},"limit_price":{limit},"expiration_id":1}}"#
    );
    ask(world, "putTradeOrder", &body)
}

/// Returns a limit some steps away from a ticker's best ask (for a buy) or bid (for a sale).
pub(crate) fn limit_at(world: &World, ticker: &str, ask_side: bool, steps: i64) -> String {
    let quote = world.quote_of(world.find(ticker).unwrap(), world.now).unwrap();
    let base = if ask_side { quote.ask_e6 } else { quote.bid_e6 };
    crate::core::fixed::text(base + steps * quote.tick_e6, 6, 2)
}

/// Moves a world forward by seconds.
pub(crate) fn wait(world: &mut World, seconds: i64) {
    let to = Timestamp::from_ms(world.now + seconds * 1000);
    world.advance_to(to);
}

/// Fails with the first violations unless every invariant holds.
pub(crate) fn assert_sound(world: &World) {
    assert_sound_but(world, "");
}

/// As above, except for the one that a test breaks on purpose.
pub(crate) fn assert_sound_but(world: &World, broken: &str) {
    for report in world.invariants().into_iter().filter(|r| r.id != broken) {
        assert!(report.ok, "{} {:?}", report.id, report.violations);
    }
}
