//! The imitated broker as clients meet it: requests in, raw answers out.
//!
//! Everything is written by hand from the description of the broker, and shares neither types nor parser
//! with the production client: a misunderstanding must show, not cancel out.

mod auth;
mod candles;
mod dispatch;
mod extras;
mod flows;
pub(crate) mod json;
pub(crate) mod log;
mod markets;
mod order_commands;
mod order_rows;
pub(crate) mod params;
mod positions;
pub(crate) mod profile;
mod quotes;
mod rates;
mod reports;
mod securities;
pub(crate) mod socket;
pub(crate) mod throttle;
mod trades;
pub(crate) mod tricks;

use ::market::Timestamp;

pub use auth::{PRIVATE_KEY, PUBLIC_KEY};
pub use log::RequestEntry;
pub use profile::Profile;
pub use socket::Session;

use crate::core::faults::Effect;
use crate::core::place::Twist;
use crate::core::world::World;
use crate::feeds::Service;
use dispatch::Failure;
use params::Params;
pub(crate) use params::percent_decode;
use profile::Style;
use tricks::Tricks;

/// Header that makes the network side say an answer twice; no client ever sees it.
pub(crate) const TWICE: &str = "X-Sim-Twice";
/// Longest part of a request body kept in the log.
pub(crate) const LOGGED_CHARS: usize = 400;

/// A request as it arrives: nothing interpreted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// HTTP method.
    pub method: String,
    /// Path with query, such as `/api/getPositionJson`.
    pub path: String,
    /// Header names (any case) and values.
    pub headers: Vec<(String, String)>,
    /// Body bytes, exactly as received.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReply {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// Body bytes.
    pub body: Vec<u8>,
}

/// What a client gets for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// An answer, after so many wall milliseconds.
    Reply {
        /// The answer.
        reply: RawReply,
        /// Extra wall milliseconds before it comes.
        delay_ms: u64,
    },
    /// No answer; the connection closes after so many wall milliseconds.
    TimedOut {
        /// Wall milliseconds until it closes.
        after_ms: u64,
    },
    /// The connection breaks after a part of the body.
    Reset {
        /// The bytes of the body that came through.
        partial: Vec<u8>,
    },
}

impl Delivery {
    /// Returns the answer, if one came.
    #[must_use]
    pub fn reply(self) -> Option<RawReply> {
        match self {
            Self::Reply { reply, .. } => Some(reply),
            Self::TimedOut { .. } | Self::Reset { .. } => None,
        }
    }
}

fn json_reply(body: String) -> RawReply {
    let headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
    RawReply { status: 200, headers, body: body.into_bytes() }
}

fn page(status: u16, text: &str) -> RawReply {
    let body = format!("<html><head><title>{status}</title></head><body><h1>{text}</h1></body></html>");
    let headers = vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())];
    RawReply { status, headers, body: body.into_bytes() }
}

fn error_reply(failure: &Failure) -> RawReply {
    json_reply(failure.write())
}

impl World {
    /// Answers one request at the present virtual instant.
    ///
    /// `wall_unix_s` is the wall clock of the caller: signatures are stamped with wall time.
    pub fn exchange(&mut self, request: &RawRequest, wall_unix_s: i64) -> Delivery {
        let number = self.log.begin();
        self.note_leaks(request, number);
        let mut entry = RequestEntry {
            number,
            virtual_ms: self.now,
            wall_s: wall_unix_s,
            target: "tn",
            command: String::new(),
            params: String::from_utf8_lossy(&request.body).chars().take(LOGGED_CHARS).collect(),
            signature_ok: true,
            rule: None,
            outcome: String::new(),
        };
        let delivery = if let Some(place) = Service::of(&request.path) {
            entry.target = place.1;
            self.exchange_data(place, request, &mut entry)
        } else {
            let (command, query) = split_path(request);
            entry.command.clone_from(&command);
            self.answer(request, &command, query.as_deref(), &mut entry)
        };
        entry.outcome = summary(&delivery);
        self.log.note(entry);
        delivery
    }

    /// Moves the world forward and answers one request there.
    pub fn exchange_at(&mut self, at: Timestamp, request: &RawRequest, wall_unix_s: i64) -> Delivery {
        self.advance_to(at);
        self.exchange(request, wall_unix_s)
    }

    fn answer(
        &mut self,
        request: &RawRequest,
        command: &str,
        query: Option<&str>,
        entry: &mut RequestEntry,
    ) -> Delivery {
        if request.header("User-Agent").unwrap_or("").trim().is_empty() {
            return now(page(403, "Forbidden"));
        }
        let anonymous = query.is_some() && dispatch::is_public(command);
        if !anonymous && let Err(reply) = auth::check(request, entry.wall_s, self.config.rules.auth_window_s)
        {
            entry.signature_ok = false;
            let text = format!("request {} ({command}): signature invalid", entry.number);
            log::RequestLog::breach(&mut self.log.bad_signatures, text);
            return now(reply);
        }
        if self.config.rules.throttle
            && let Err(in_body) = self.throttle.take(command, self.now)
        {
            return now(limited(in_body, 30));
        }
        let params = match query {
            Some(text) => Params::parse(text.as_bytes()),
            None => Params::parse(&request.body),
        };
        let Some(params) = params else { return now(error_reply(&Failure::common(2, "Bad json"))) };
        let ticker = params.ticker();
        let fired = self.faults.effect("tn", command, &ticker, self.now, entry.number);
        entry.rule = fired.as_ref().map(|(rule, _)| rule.clone());
        let only = fired.as_ref().and_then(|(rule, _)| self.faults.ticker_of(rule));
        self.perform(command, &params, (fired.map(|(_, effect)| effect), only), entry.number)
    }

    /// Processes a command the way a fault rule wants it.
    fn perform(
        &mut self,
        command: &str,
        params: &Params,
        (effect, only): (Option<Effect>, Option<String>),
        number: u64,
    ) -> Delivery {
        let twist = match effect {
            Some(Effect::RejectLate { status, after_ms }) => Twist::RejectLate { status, after_ms },
            Some(Effect::PartialThenDead) => Twist::DieAfterPart,
            Some(Effect::FeeSurprise) => Twist::FeeSurprise,
            Some(Effect::DupOrder) => Twist::Double,
            Some(Effect::CancelRace) => Twist::FillWhileCancelling,
            _ => Twist::None,
        };
        let mut style = self.style(number);
        style.tricks = Tricks::of(effect.as_ref(), only, self.now);
        match effect {
            Some(Effect::Error { code, text }) => now(error_reply(&Failure { code, text, common: false })),
            Some(Effect::RateLimit { body, retry_after }) => now(limited(body, retry_after)),
            Some(Effect::EmptyOk) if command == "getPositionJson" => {
                now(json_reply(self.empty_positions(&self.style(number))))
            }
            other => disturb(other.as_ref(), || self.process(command, params, twist, &style)),
        }
    }

    fn process(&mut self, command: &str, params: &Params, twist: Twist, style: &Style) -> RawReply {
        match self.dispatch(command, params, twist, style) {
            Ok(answer) => json_reply(style.finish(answer)),
            Err(failure) => error_reply(&failure),
        }
    }

    pub(crate) fn style(&self, number: u64) -> Style {
        Style::new(self.config.profile, self.config.seed, number)
    }

    fn note_leaks(&mut self, request: &RawRequest, number: u64) {
        let body = String::from_utf8_lossy(&request.body);
        let leaked =
            [PRIVATE_KEY, PUBLIC_KEY].iter().any(|key| request.path.contains(key) || body.contains(key));
        if leaked {
            log::RequestLog::breach(
                &mut self.log.leaks,
                format!("request {number}: a key in address or body"),
            );
        }
    }
}

/// Delivers an answer the way a fault of the network or of a gateway wants it; what is not processed is not asked.
pub(crate) fn disturb(effect: Option<&Effect>, process: impl FnOnce() -> RawReply) -> Delivery {
    match effect {
        Some(Effect::TimeoutBefore { ms }) => Delivery::TimedOut { after_ms: *ms },
        Some(Effect::TimeoutAfter { ms }) => {
            process();
            Delivery::TimedOut { after_ms: *ms }
        }
        Some(Effect::ResetAfter) => Delivery::Reset { partial: half(process().body) },
        Some(Effect::Truncate) => {
            let reply = process();
            now(RawReply { body: half(reply.body), ..reply })
        }
        Some(Effect::Malformed) => {
            let reply = process();
            now(RawReply { body: [b"<!doctype html>".to_vec(), half(reply.body)].concat(), ..reply })
        }
        Some(Effect::Http { status, processed }) => {
            if *processed {
                process();
            }
            now(page(*status, "The request could not be satisfied"))
        }
        Some(Effect::Http403Html) => now(page(403, "Attention Required! Access denied")),
        Some(Effect::Slow { ms }) => Delivery::Reply { reply: process(), delay_ms: *ms },
        Some(Effect::DupAck) => {
            // Whoever reads one answer never sees the second, so only a network can carry it.
            let mut reply = process();
            reply.headers.push((TWICE.to_owned(), "1".to_owned()));
            now(reply)
        }
        _ => now(process()),
    }
}

fn now(reply: RawReply) -> Delivery {
    Delivery::Reply { reply, delay_ms: 0 }
}

fn half(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.len() / 2);
    body
}

fn limited(in_body: bool, retry_after: u64) -> RawReply {
    let body = r#"{"code":429,"errMsg":"Your request limit has been exceeded. Please try again later"}"#;
    let mut reply = json_reply(body.to_owned());
    if !in_body {
        reply.status = 429;
        reply.headers.push(("Retry-After".to_owned(), retry_after.to_string()));
    }
    reply
}

fn summary(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Reply { reply, .. } => {
            let body: String = String::from_utf8_lossy(&reply.body).chars().take(120).collect();
            format!("{} {body}", reply.status)
        }
        Delivery::TimedOut { .. } => "no answer".to_owned(),
        Delivery::Reset { .. } => "connection reset".to_owned(),
    }
}

/// Splits `/tn/api/{command}` and `/tn/api?q={json}`; the second form carries its parameters in the query.
fn split_path(request: &RawRequest) -> (String, Option<String>) {
    let path = request.path.strip_prefix("/tn").unwrap_or(&request.path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if let Some(command) = path.strip_prefix("/api/") {
        return (command.to_owned(), None);
    }
    if path == "/securities/export" {
        let value = |key: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(key)).unwrap_or("");
            params::percent_decode(found).replace(' ', ",")
        };
        let wanted = serde_json::json!({ "tickers": value("tickers="), "params": value("params=") });
        return ("securities/export".to_owned(), Some(wanted.to_string()));
    }
    let encoded = query.split('&').find_map(|pair| pair.strip_prefix("q=")).unwrap_or("");
    let decoded = params::percent_decode(encoded);
    match params::plain_query(&decoded) {
        Some((command, params)) if path == "/api" => (command, Some(params)),
        _ => (String::new(), None),
    }
}
