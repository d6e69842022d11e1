//! The broker's socket as a state machine without a socket: what to say, what was heard, when to give up and
//! when to come back.
//!
//! The socket only makes things faster. **Invariants:** nothing heard here is the last word on the account, orders and
//! account frames are hints to ask again; before the broker has said that it knows the key, and after it called the
//! connection a demo, data may be public and delayed and are never handed on; a partial quote without a whole one before
//! it is no quote. Nobody is told to ask instead: whoever listens goes on asking, and how long a silence may last,
//! `edge` decides, which has the clock.

use std::collections::BTreeMap;

use market::Timestamp;

use crate::commands::market_status::{MarketStatus, read_markets};
use crate::commands::order_rows::Orders;
use crate::commands::quotes::{Quote, read_quote};
use crate::ids::Ticker;
use crate::json::{Node, Shape};
use crate::params::quote;
use crate::redact::{TEXT_CHARS_MAX, redacted};
use crate::sign::Keys;

/// First pause before coming back; each failure doubles it.
const PAUSE_FIRST_MS: i64 = 5_000;
/// Longest pause.
const PAUSE_MAX_MS: i64 = 300_000;
/// Largest deviation of a pause, percent.
const JITTER_PERCENT: i64 = 20;
/// An order may not rest on a price that came over the socket longer ago than this.
pub const PRICE_AGE_MAX_MS: i64 = 15_000;
/// Largest frame looked at.
const FRAME_BYTES_MAX: usize = 1_024 * 1_024;
/// Tickers followed at most.
const TICKERS_MAX: usize = 500;

/// What to follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Tickers whose quotes are followed; the first 500 count.
    pub quotes: Vec<Ticker>,
    /// Changes of orders.
    pub orders: bool,
    /// Changes of cash and positions.
    pub portfolio: bool,
    /// Changes of the state of markets.
    pub markets: bool,
}

impl Subscriptions {
    /// Whether nothing is followed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// The broker knows the key: account topics can be trusted.
    Known,
    /// It does not: public, delayed data only; a person should look, polling goes on.
    Demo,
    /// A whole quote, merged from what came so far.
    Quote(Ticker, Box<Quote>),
    /// Orders changed; these are their rows.
    Orders(Box<Orders>),
    /// Cash or positions changed: read the account.
    Account,
    /// States of markets.
    Markets(MarketStatus),
    /// The broker complains.
    Error(String),
    /// A frame that means nothing here, or cannot be read.
    Ignored,
}

/// One socket over all its connections.
#[derive(Debug, Default)]
pub struct Socket {
    wanted: Subscriptions,
    merged: BTreeMap<Ticker, Merged>,
    /// The broker of this connection knows the key.
    known: bool,
    failures: u32,
    back_at: Option<Timestamp>,
}

/// The fields of a quote as they came, each the newest.
#[derive(Debug, Default)]
struct Merged {
    fields: BTreeMap<String, String>,
    whole: bool,
}

impl Socket {
    /// Prepares to follow some things.
    #[must_use]
    pub fn new(mut wanted: Subscriptions) -> Self {
        wanted.quotes.truncate(TICKERS_MAX);
        Self { wanted, ..Self::default() }
    }

    /// Writes what follows the address of the socket: key, stamp, and the signature of the stamp.
    #[must_use]
    pub fn query(keys: &Keys, unix_s: u64) -> String {
        let signature = keys.signature(b"", unix_s);
        format!(
            "?X-NtApi-PublicKey={}&X-NtApi-Timestamp={unix_s}&X-NtApi-Sig={signature}",
            keys.public_encoded()
        )
    }

    /// A connection is there: returns what to say, and forgets what an older one said.
    pub fn opened(&mut self) -> Vec<String> {
        self.merged.clear();
        self.known = false;
        self.back_at = None;
        let mut words = Vec::new();
        if !self.wanted.quotes.is_empty() {
            let names: Vec<String> = self.wanted.quotes.iter().map(|t| quote(t.as_str())).collect();
            words.push(format!("[\"quotes\",[{}]]", names.join(",")));
        }
        for (name, wanted) in [
            ("orders", self.wanted.orders),
            ("portfolio", self.wanted.portfolio),
            ("markets", self.wanted.markets),
        ] {
            if wanted {
                words.push(format!("[\"{name}\"]"));
            }
        }
        words
    }

    /// A text frame came.
    pub fn heard(&mut self, text: &str) -> SocketEvent {
        if text.len() > FRAME_BYTES_MAX {
            return SocketEvent::Ignored;
        }
        let Some(parts) = Node::parse(text.as_bytes()).and_then(Node::list) else {
            return SocketEvent::Ignored;
        };
        let part = |index: usize| parts.get(index).copied().unwrap_or(Node::missing());
        let (event, data) = (part(0).text().unwrap_or_default(), part(1));
        // Only a frame that could be read proves that the connection is good.
        self.failures = 0;
        match event.as_str() {
            "userData" => self.introduced(data),
            "q" if self.known => self.quoted(data),
            "orders" if self.known => orders(data),
            "portfolio" if self.known => SocketEvent::Account,
            "markets" => read_markets(data).map_or(SocketEvent::Ignored, SocketEvent::Markets),
            "error" => SocketEvent::Error(redacted(data.as_written(), TEXT_CHARS_MAX)),
            _ => SocketEvent::Ignored,
        }
    }

    fn introduced(&mut self, data: Node<'_>) -> SocketEvent {
        let fields = data.fields();
        self.known = fields.flag("isDemo").ok().flatten() == Some(false)
            && fields.text("mode").as_deref() != Some("demo");
        if self.known { SocketEvent::Known } else { SocketEvent::Demo }
    }

    fn quoted(&mut self, data: Node<'_>) -> SocketEvent {
        let Some(fields) = data.open() else { return SocketEvent::Ignored };
        let Ok(ticker) = fields.need_ticker("c") else { return SocketEvent::Ignored };
        if !self.wanted.quotes.contains(&ticker) {
            return SocketEvent::Ignored;
        }
        let whole = fields.integer("init").ok().flatten() == Some(1);
        let merged = self.merged.entry(ticker.clone()).or_default();
        if whole {
            merged.fields.clear();
            merged.whole = true;
        }
        if !merged.whole {
            return SocketEvent::Ignored;
        }
        for (name, node) in fields.iter() {
            merged.fields.insert(name.to_owned(), node.as_written().to_owned());
        }
        let text = object_of(&merged.fields);
        match Node::parse(text.as_bytes()) {
            Some(node) => SocketEvent::Quote(ticker, Box::new(read_quote(&node.fields()))),
            None => SocketEvent::Ignored,
        }
    }

    /// The connection ended or never came about: returns when to try again. `luck` from 0 to 1 spreads the pauses.
    pub fn lost(&mut self, now: Timestamp, luck: f64) -> Timestamp {
        self.merged.clear();
        self.known = false;
        let doubled = PAUSE_FIRST_MS.saturating_mul(1_i64 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let pause = doubled.min(PAUSE_MAX_MS);
        let spread = (luck.clamp(0.0, 1.0) * 2.0 - 1.0) * (pause * JITTER_PERCENT / 100) as f64;
        let at = now.saturating_plus_ms(pause + spread as i64);
        self.back_at = Some(at);
        at
    }

    /// When to connect again; absent while connected or before the first time.
    #[must_use]
    pub fn back_at(&self) -> Option<Timestamp> {
        self.back_at
    }
}

fn orders(data: Node<'_>) -> SocketEvent {
    // The list comes bare here; in answers it hangs under a name.
    let text = match data.shape() {
        Shape::List => format!("{{\"order\":{}}}", data.as_written()),
        _ => data.as_written().to_owned(),
    };
    let read = Node::parse(text.as_bytes()).and_then(|node| Orders::decode(node, "orders").ok());
    read.map_or(SocketEvent::Ignored, |orders| SocketEvent::Orders(Box::new(orders)))
}

fn object_of(fields: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, raw)| format!("{}:{raw}", quote(name))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const USER: &str =
        r#"["userData",{"isDemo":false,"mode":"prod","login":"u1"},"wstm=2026-03-02T14%3A41%3A02.120Z"]"#;
    const WHOLE: &str =
        r#"["q",{"c":"NRDW.US","init":1,"ltp":84.42,"bbp":84.40,"bap":"84,45","x_curr":"USD"}]"#;

    fn ticker(text: &str) -> Ticker {
        Ticker::parse(text).unwrap()
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn socket() -> Socket {
        Socket::new(Subscriptions {
            quotes: vec![ticker("NRDW.US")],
            orders: true,
            portfolio: true,
            markets: true,
        })
    }

    fn price(event: &SocketEvent) -> Option<String> {
        match event {
            SocketEvent::Quote(_, quote) => quote.ask.map(|price| price.to_string()),
            _ => None,
        }
    }

    #[test]
    fn says_what_it_wants_to_follow() {
        let words = socket().opened();
        assert_eq!(
            words,
            [r#"["quotes",["NRDW.US"]]"#, r#"["orders"]"#, r#"["portfolio"]"#, r#"["markets"]"#]
        );
        assert_eq!(Socket::new(Subscriptions::default()).opened(), Vec::<String>::new());
    }

    #[test]
    fn the_query_signs_the_stamp_and_nothing_else() {
        let keys = Keys::new("sim-public", "sim-private-key-0001".to_owned().into()).unwrap();
        assert_eq!(
            Socket::query(&keys, 1_767_225_600),
            "?X-NtApi-PublicKey=sim-public&X-NtApi-Timestamp=1767225600&X-NtApi-Sig=324143f99ed3c7b644720c8f56febb66fcc838f295f6a4d87476db598c8757be"
        );
        let odd = Keys::new("a+b&c", "x".to_owned().into()).unwrap();
        assert!(Socket::query(&odd, 1).starts_with("?X-NtApi-PublicKey=a%2Bb%26c&"));
    }

    #[test]
    fn merges_partial_quotes_into_the_whole_one() {
        let mut socket = socket();
        socket.opened();
        assert_eq!(socket.heard(USER), SocketEvent::Known);
        assert_eq!(
            price(&socket.heard(r#"["q",{"c":"NRDW.US","bap":84.46,"n":1}]"#)),
            None,
            "no whole one yet"
        );
        assert_eq!(price(&socket.heard(WHOLE)).as_deref(), Some("84.45"));
        let partial = socket.heard(r#"["q",{"c":"NRDW.US","bap":84.46,"n":1},"wstm=x"]"#);
        assert_eq!(price(&partial).as_deref(), Some("84.46"));
        let SocketEvent::Quote(_, quote) = partial else { panic!("a quote") };
        assert_eq!(quote.last.map(|p| p.to_string()).as_deref(), Some("84.42"));
        assert_eq!(socket.heard(&WHOLE.replace("NRDW", "CBLR")), SocketEvent::Ignored, "nobody asked for it");
    }

    #[test]
    fn a_new_connection_forgets_and_waits_for_a_whole_quote() {
        let mut socket = socket();
        socket.opened();
        socket.heard(USER);
        assert!(price(&socket.heard(WHOLE)).is_some());
        socket.lost(at(2), 0.5);
        socket.opened();
        socket.heard(USER);
        let partial = r#"["q",{"c":"NRDW.US","bap":84.46}]"#;
        assert_eq!(socket.heard(partial), SocketEvent::Ignored);
        assert!(price(&socket.heard(WHOLE)).is_some());
        assert!(price(&socket.heard(partial)).is_some());
    }

    #[test]
    fn a_line_that_was_not_introduced_says_nothing() {
        let mut socket = socket();
        for _ in 0..2 {
            socket.opened();
            for frame in [WHOLE, r#"["orders",[]]"#, r#"["portfolio",{}]"#] {
                assert_eq!(socket.heard(frame), SocketEvent::Ignored, "{frame}");
            }
            assert_eq!(socket.heard(USER), SocketEvent::Known);
            for frame in [WHOLE, r#"["orders",[]]"#, r#"["portfolio",{}]"#] {
                assert_ne!(socket.heard(frame), SocketEvent::Ignored, "{frame}");
            }
            // The next connection is a stranger again.
            socket.lost(at(2), 0.5);
        }
    }

    #[test]
    fn a_demo_hands_on_neither_prices_nor_orders() {
        for word in [r#"{"isDemo":true,"mode":"demo"}"#, r#"{"isDemo":false,"mode":"demo"}"#, "{}", "null"] {
            let mut socket = socket();
            socket.opened();
            socket.heard(USER);
            assert_eq!(socket.heard(&format!(r#"["userData",{word}]"#)), SocketEvent::Demo, "{word}");
            for frame in [WHOLE, r#"["orders",[]]"#, r#"["portfolio",{}]"#] {
                assert_eq!(socket.heard(frame), SocketEvent::Ignored, "{word} {frame}");
            }
        }
    }

    #[test]
    fn reads_frames_of_one_two_and_three_parts_and_survives_the_rest() {
        let mut socket = socket();
        socket.opened();
        socket.heard(USER);
        for frame in [
            r#"["keepAlive"]"#,
            "",
            "{",
            "[]",
            "null",
            r#"["q"]"#,
            r#"["q",7]"#,
            r#"[7,8]"#,
            r#"["q",{"c":"NRDW.US"}"#,
        ] {
            assert_eq!(socket.heard(frame), SocketEvent::Ignored, "{frame}");
        }
        let row = r#"{"id":1,"instr":"NRDW.US","oper":1,"type":2,"q":5,"stat":10,"p":1,"leaves_qty":5}"#;
        for frame in [format!(r#"["orders",[{row}]]"#), format!(r#"["orders",{{"order":{row}}},"wstm=x"]"#)] {
            let SocketEvent::Orders(orders) = socket.heard(&frame) else { panic!("{frame}") };
            assert!(orders.may_be_pending(&ticker("NRDW.US")), "{frame}");
        }
        assert_eq!(socket.heard(r#"["portfolio",{"acc":[]}]"#), SocketEvent::Account);
        assert!(matches!(socket.heard(r#"["error",{"code":4}]"#), SocketEvent::Error(_)));
    }

    #[test]
    fn comes_back_after_growing_pauses_and_forgives_after_a_good_frame() {
        let mut socket = socket();
        let pauses: Vec<i64> = (0..8).map(|_| socket.lost(at(0), 0.5).ms()).collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
        assert_eq!(socket.back_at(), Some(at(300_000)));
        assert_eq!((socket.lost(at(0), 0.0).ms(), socket.lost(at(0), 1.0).ms()), (240_000, 360_000));
        socket.opened();
        assert_eq!(socket.back_at(), None);
        socket.heard(USER);
        assert_eq!(socket.lost(at(0), 0.5).ms(), 5_000);
    }
}
