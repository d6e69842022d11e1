//! Yahoo Finance: chart, quotes, fundamentals, search, behind its cookie and its crumb.

mod chart;
mod fundamentals;
mod numbers;
mod quotes;
mod search;
mod series;
mod session;
mod summary;

use super::Subject;
use super::symbols::Listed;
use super::web::{self, Bend, Query};
use crate::core::world::World;
use crate::wire::json::{Json, object};
use crate::wire::percent_decode;
use crate::{RawReply, RawRequest};

/// Requests are counted per hour for the knob that refuses one too many.
const COUNTED_MS: i64 = 3_600_000;

/// Returns what a request is about.
pub(super) fn subject(path: &str, query: &Query) -> Subject {
    let call = match path {
        "" => "cookie",
        "v1/test/getcrumb" => "getcrumb",
        "v7/finance/quote" => "quote",
        "v1/finance/search" => "search",
        other if other.starts_with("v8/finance/chart/") => "chart",
        other if other.starts_with("v10/finance/quoteSummary/") => "quoteSummary",
        other if other.starts_with("ws/fundamentals-timeseries/") => "timeseries",
        other => other,
    };
    let last = path.rsplit('/').next().unwrap_or("");
    let symbol = match call {
        "quote" => query.text("symbols").unwrap_or("").to_owned(),
        "search" => query.text("q").unwrap_or("").to_owned(),
        "chart" | "quoteSummary" | "timeseries" => percent_decode(last),
        _ => String::new(),
    };
    Subject { call: call.to_owned(), symbol }
}

impl World {
    /// Answers one request of Yahoo's hosts.
    pub(super) fn yahoo(&mut self, path: &str, query: &Query, request: &RawRequest, bend: &Bend) -> RawReply {
        if let Some(refusal) = self.yahoo_mood(request) {
            return refusal;
        }
        let Subject { call, symbol } = subject(path, query);
        let guarded = matches!(call.as_str(), "quote" | "quoteSummary" | "timeseries");
        if guarded && !self.crumb_holds(request, query) {
            return refused(401, "finance", "Unauthorized", "Invalid Crumb");
        }
        match call.as_str() {
            "cookie" => self.hand_out_cookie(),
            "getcrumb" => self.hand_out_crumb(request),
            "chart" => self.chart(&symbol, query, bend),
            "quote" => self.quotes(query, bend),
            "quoteSummary" => self.quote_summary(&symbol, query, bend),
            "timeseries" => self.timeseries(&symbol, query, bend),
            "search" => self.search(query),
            other => {
                self.unmodelled_note(&format!("yahoo path {other}"));
                web::html(404, "<html><body>Not Found</body></html>")
            }
        }
    }

    /// Returns the refusal that Yahoo's present mood has for everybody.
    fn yahoo_mood(&mut self, request: &RawRequest) -> Option<RawReply> {
        if self.knobs.yahoo_down {
            return Some(web::html(
                200,
                "<!doctype html><html><head><title>Yahoo</title></head><body><h1>Will be right back...</h1></body></html>",
            ));
        }
        let browser = request.header("User-Agent").is_some_and(|name| name.starts_with("Mozilla/5.0 ("));
        if self.knobs.yahoo_block_plain_clients && !browser {
            return Some(web::text(429, "Edge: Too Many Requests"));
        }
        let hour = self.now.div_euclid(COUNTED_MS);
        let (counted, requests) = &mut self.yahoo_requests;
        if *counted != hour {
            (*counted, *requests) = (hour, 0);
        }
        *requests += 1;
        let over = self.knobs.yahoo_rate_429_after_n.is_some_and(|limit| *requests > limit);
        over.then(|| web::text(429, "Too Many Requests"))
    }

    /// Returns the instant whose prices Yahoo shows of a symbol: now, or a quarter of an hour ago.
    fn shown_at(&self, listed: &Listed) -> i64 {
        self.now - listed.delay_min * 60_000
    }
}

/// Writes an error in the form that Yahoo uses for a call.
fn refused(status: u16, root: &'static str, code: &str, text: &str) -> RawReply {
    let error = object([("code", Json::text(code)), ("description", Json::text(text))]);
    web::json(status, &object([(root, object([("result", Json::Null), ("error", error)]))]))
}
