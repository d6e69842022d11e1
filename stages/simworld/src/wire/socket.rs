//! The broker's socket: what one connection has subscribed to, and the frames that are due to it.
//!
//! No socket lives here. Whoever owns a connection hands in what the client says and asks now and then what is due;
//! tests do the same without a network.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{Json, field, object};
use super::params::{Params, percent_decode};
use super::profile::{Profile, Style};
use super::{PUBLIC_KEY, auth};
use crate::core::dates::iso_ms;
use crate::core::faults::Effect;
use crate::core::world::World;

/// Quotes of one ticker come no faster than this, virtual.
const QUOTE_EVERY_MS: i64 = 500;
/// A sign of life comes this often, virtual.
const KEEP_ALIVE_MS: i64 = 25_000;
/// Strangers see the market of a quarter of an hour ago.
const DELAY_MS: i64 = 15 * 60_000;
/// Levels on each side of a book.
const LEVELS: i64 = 10;
/// Fields that change with the clock and not with the market.
const RESTLESS: [&str; 6] = ["ltt", "bbt", "bat", "vol", "trades", "n"];
/// Tickers one connection may follow.
const TICKERS_MAX: usize = 500;

type Fields = Vec<(String, Json)>;

/// One connection.
#[derive(Default)]
pub struct Session {
    known: bool,
    quotes: BTreeMap<String, Sent>,
    books: BTreeMap<String, (u64, Option<(i64, i64)>)>,
    orders: Option<BTreeMap<i64, (u8, i64)>>,
    portfolio: Option<usize>,
    markets: Option<String>,
    alive_ms: i64,
    frames: u64,
    out: Vec<String>,
    held: Option<String>,
    silent: bool,
    closed: bool,
}

/// What was last said of a ticker.
#[derive(Default)]
struct Sent {
    fields: Fields,
    at_ms: i64,
    count: i64,
}

impl Session {
    /// Opens a connection; `query` is what follows the question mark of its address.
    pub fn open(world: &mut World, query: &str, wall_s: i64) -> Self {
        let value = |key: &str| {
            let found =
                query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key);
            found.map(|(_, value)| percent_decode(value)).unwrap_or_default()
        };
        let stamp = value("X-NtApi-Timestamp");
        let recent =
            stamp.parse::<i64>().is_ok_and(|s| (wall_s - s).abs() <= world.config.rules.auth_window_s);
        let signed = value("X-NtApi-Sig") == auth::signature(b"", &stamp);
        let mut session = Self { alive_ms: world.now, ..Self::default() };
        session.known = value("X-NtApi-PublicKey") == PUBLIC_KEY && recent && signed;
        if let Some((_, effect)) = world.faults.effect("ws", "connect", "", world.now, 0) {
            match effect {
                Effect::WsDrop => session.closed = true,
                Effect::WsSilent => session.silent = true,
                Effect::WsDemo => session.known = false,
                _ => {}
            }
        }
        let mode = if session.known { "prod" } else { "demo" };
        let user = object([
            ("isDemo", Json::Bool(!session.known)),
            ("mode", Json::text(mode)),
            ("authLogin", Json::text("user@example.test")),
            ("login", Json::text("u1")),
            ("clientLogin", Json::text("user@example.test")),
            ("version", Json::text("sim")),
        ]);
        session.say(world, "userData", "", user);
        session
    }

    /// Tells whether the server has closed the connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes one text frame of the client.
    pub fn hear(&mut self, world: &mut World, text: &str) {
        let parsed: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let Some(event) = parsed[0].as_str() else {
            let error = object([("code", Json::Int(2)), ("error", Json::text("Bad json"))]);
            return self.say(world, "error", "", error);
        };
        let names: Vec<String> = parsed[1]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect();
        match event {
            "quotes" => {
                self.quotes = names.into_iter().take(TICKERS_MAX).map(|t| (t, Sent::default())).collect();
            }
            "orderBook" => {
                self.books = names.into_iter().take(TICKERS_MAX).map(|t| (t, (0, None))).collect();
            }
            "orders" => self.orders = Some(BTreeMap::new()),
            "portfolio" => self.portfolio = Some(usize::MAX),
            "markets" => self.markets = Some(String::new()),
            "sessions" => self.say(world, "sessions", "", Json::List(Vec::new())),
            "unsubscribe" => names.iter().for_each(|name| self.forget(name)),
            other => world.unmodelled_note(&format!("socket event {other}")),
        }
    }

    fn forget(&mut self, name: &str) {
        match name {
            "quotes" => self.quotes.clear(),
            "orderBook" => self.books.clear(),
            "orders" => self.orders = None,
            "portfolio" => self.portfolio = None,
            "markets" => self.markets = None,
            _ => {}
        }
    }

    /// Returns the frames that are due at the world's present instant.
    pub fn due(&mut self, world: &mut World) -> Vec<String> {
        if !self.closed {
            self.note_quotes(world);
            self.note_books(world);
            if self.known {
                self.note_orders(world);
                self.note_portfolio(world);
            }
            self.note_markets(world);
            if world.now - self.alive_ms >= KEEP_ALIVE_MS {
                self.alive_ms = world.now;
                self.push(world, "keepAlive", "", "[\"keepAlive\"]".to_owned());
            }
        }
        std::mem::take(&mut self.out)
    }

    fn style(world: &World) -> Style {
        Style::new(world.config.profile, world.config.seed, 0)
    }

    fn note_quotes(&mut self, world: &mut World) {
        let style = Self::style(world);
        let shown_at = if self.known { world.now } else { world.now - DELAY_MS };
        let mut due = Vec::new();
        for (ticker, sent) in &mut self.quotes {
            let first = sent.count == 0;
            if !first && world.now - sent.at_ms < QUOTE_EVERY_MS {
                continue;
            }
            let Some(Json::Object(fields)) = world.quote_row_at(ticker, &style, shown_at) else { continue };
            let new = |entry: &&(String, Json)| !sent.fields.contains(entry);
            let mut changed: Fields = fields.iter().filter(new).cloned().collect();
            if !first && changed.iter().all(|(key, _)| RESTLESS.contains(&key.as_str())) {
                continue;
            }
            if !first {
                changed.retain(|(key, _)| key != "c" && key != "init" && key != "n");
                changed.insert(0, field("c", Json::text(ticker)));
                changed.push(field("n", Json::Int(sent.count)));
            }
            (sent.fields, sent.at_ms, sent.count) = (fields, world.now, sent.count + 1);
            due.push((ticker.clone(), Json::Object(changed)));
        }
        for (ticker, row) in due {
            self.say(world, "q", &ticker, row);
        }
    }

    fn note_books(&mut self, world: &mut World) {
        let mut due = Vec::new();
        for (ticker, (count, last)) in &mut self.books {
            let Some(instrument) = world.find(ticker) else { continue };
            let Some(quote) = world.quote_of(instrument, world.now) else { continue };
            if *last == Some((quote.bid_e6, quote.ask_e6)) {
                continue;
            }
            let level = |k: i64, side: &str, price: i64| {
                object([
                    ("p", Json::Decimal(price, 6)),
                    ("s", Json::text(side)),
                    ("q", Json::Int(quote.available.max(1) * (k % LEVELS + 1))),
                    ("k", Json::Int(k)),
                ])
            };
            let asks = (0..LEVELS).map(|k| level(k, "S", quote.ask_e6 + k * quote.tick_e6));
            let bids = (0..LEVELS)
                .map(|k| level(LEVELS + k, "B", (quote.bid_e6 - k * quote.tick_e6).max(quote.tick_e6)));
            let rows = Json::List(asks.chain(bids).collect());
            let none = || Json::List(Vec::new());
            let (ins, upd) = if last.is_none() { (rows, none()) } else { (none(), rows) };
            let book = object([
                ("n", Json::Int(i64::try_from(*count).unwrap_or(0))),
                ("i", Json::text(ticker)),
                ("ins", ins),
                ("del", none()),
                ("upd", upd),
                ("cnt", Json::Int(2 * LEVELS)),
                ("x", Json::Int(1)),
            ]);
            (*count, *last) = (*count + 1, Some((quote.bid_e6, quote.ask_e6)));
            due.push((ticker.clone(), book));
        }
        for (ticker, book) in due {
            self.say(world, "b", &ticker, book);
        }
    }

    fn note_orders(&mut self, world: &mut World) {
        let Some(seen) = &mut self.orders else { return };
        let style = Self::style(world);
        let mut rows = Vec::new();
        for order in world.orders.iter().filter(|o| !o.historic) {
            let state = (order.status, order.filled);
            if seen.insert(order.id, state) != Some(state) {
                rows.push(world.order_row(order, &style));
            }
        }
        if !rows.is_empty() {
            self.say(world, "orders", "", Json::List(rows));
        }
    }

    fn note_portfolio(&mut self, world: &mut World) {
        let Some(seen) = self.portfolio else { return };
        let length = world.ledger.transactions.len();
        if seen == length {
            return;
        }
        self.portfolio = Some(length);
        let cash = world
            .cash()
            .into_iter()
            .map(|(currency, e4)| object([("curr", Json::text(currency)), ("s", Json::Decimal(e4, 4))]));
        // Rows are partial: units only, no prices.
        let held = world
            .positions()
            .into_iter()
            .map(|(ticker, e6)| object([("i", Json::text(ticker)), ("q", Json::Decimal(e6, 6))]));
        let rows = object([
            ("key", Json::text("%user@example.test")),
            ("loaded", Json::Bool(true)),
            ("acc", Json::List(cash.collect())),
            ("pos", Json::List(held.collect())),
        ]);
        self.say(world, "portfolio", "", rows);
    }

    fn note_markets(&mut self, world: &mut World) {
        let Some(seen) = &self.markets else { return };
        let style = Self::style(world);
        let status = world.market_status(&Params::none(), &style);
        let states: String = states_of(&status);
        if *seen == states {
            return;
        }
        self.markets = Some(states);
        let inner = |json: Json, key: &str| match json {
            Json::Object(fields) => fields.into_iter().find(|(k, _)| k == key).map_or(Json::Null, |(_, v)| v),
            _ => Json::Null,
        };
        let markets = inner(inner(status, "result"), "markets");
        self.say(world, "markets", "", markets);
    }

    /// Writes a frame with or without the server's time, as the profile has it.
    fn say(&mut self, world: &mut World, event: &str, ticker: &str, data: Json) {
        self.frames += 1;
        let timed = match world.config.profile {
            Profile::Clean => false,
            Profile::LiveLike => true,
            Profile::Nasty => self.frames.is_multiple_of(2),
        };
        let mut parts = vec![Json::text(event), data];
        if timed {
            parts.push(Json::Text(format!("wstm={}Z", iso_ms(world.now).replace(':', "%3A"))));
        }
        self.push(world, event, ticker, Json::List(parts).write());
    }

    fn push(&mut self, world: &mut World, event: &str, ticker: &str, text: String) {
        let effect = world.faults.effect("ws", event, ticker, world.now, 0).map(|(_, effect)| effect);
        if self.silent || self.closed {
            return;
        }
        match effect {
            Some(Effect::WsDrop) => self.closed = true,
            Some(Effect::WsSilent) => self.silent = true,
            Some(Effect::WsDup) => self.out.extend([text.clone(), text]),
            Some(Effect::WsGarbage) => self.out.extend(["{no frame at all".to_owned(), text]),
            Some(Effect::WsReorder) if self.held.is_none() => self.held = Some(text),
            _ => {
                self.out.push(text);
                self.out.extend(self.held.take());
            }
        }
    }
}

/// Returns the states of all markets as one text, to see whether any changed.
fn states_of(status: &Json) -> String {
    let parsed: Value = serde_json::from_str(&status.write()).unwrap_or(Value::Null);
    let rows = parsed["result"]["markets"]["m"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| row["s"].as_str()).collect::<Vec<_>>().join(",")
}
