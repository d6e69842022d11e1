//! OpenFIGI `v3/mapping`: from ISIN to exchange codes and names.

use serde_json::Value;

use super::web;
use crate::core::calendar::Venue;
use crate::core::universe::{Kind, Security};
use crate::core::world::World;
use crate::wire::json::{Json, object};
use crate::{RawReply, RawRequest};

/// Jobs in one request without and with a key.
const JOBS_MAX: (usize, usize) = (5, 100);
/// Requests a minute without and with a key.
const REQUESTS_MAX: (u64, u64) = (25, 250);
const MINUTE_MS: i64 = 60_000;

impl World {
    /// Answers a list of jobs with a list of the same length.
    pub(super) fn figi(&mut self, path: &str, request: &RawRequest) -> RawReply {
        if path != "v3/mapping" || request.method != "POST" {
            return web::text(404, "Not Found");
        }
        let keyed = request.header("X-OPENFIGI-APIKEY").is_some();
        let limit = |limits: (u64, u64)| if keyed { limits.1 } else { limits.0 };
        let minute = self.now.div_euclid(MINUTE_MS);
        let (counted, requests) = &mut self.figi_requests;
        if *counted != minute {
            (*counted, *requests) = (minute, 0);
        }
        *requests += 1;
        if *requests > limit(REQUESTS_MAX) {
            let mut reply = web::text(429, "Too many requests, please try again later.");
            reply.headers.push(("ratelimit-reset".into(), "60".into()));
            return reply;
        }
        let Ok(Value::Array(jobs)) = serde_json::from_slice::<Value>(&request.body) else {
            return web::text(400, "Request body must be a JSON array.");
        };
        let most = if keyed { JOBS_MAX.1 } else { JOBS_MAX.0 };
        if jobs.len() > most {
            return web::text(413, "Request exceeds the number of mapping jobs allowed.");
        }
        web::json(200, &Json::List(jobs.iter().map(|job| self.figi_job(job)).collect()))
    }

    fn figi_job(&self, job: &Value) -> Json {
        if job["idType"].as_str() != Some("ID_ISIN") {
            return object([("error", Json::text("Invalid idType."))]);
        }
        if !job["exchCode"].is_null() && !job["micCode"].is_null() {
            return object([("error", Json::text("Only one of exchCode, micCode may be specified."))]);
        }
        let isin = job["idValue"].as_str().unwrap_or("");
        let fits = |s: &Security| {
            s.isin == isin
                && job["exchCode"].as_str().is_none_or(|code| code == exchange_code(s))
                && job["micCode"].as_str().is_none_or(|mic| mic == s.venue.mic() || mic == listed_mic(s))
                && job["currency"].as_str().is_none_or(|currency| currency == s.currency)
        };
        let listings = self.market.listings.iter().enumerate();
        let rows: Vec<Json> = listings
            .filter(|(_, l)| l.visible && fits(&l.security))
            .map(|(i, l)| row(i, &l.security))
            .collect();
        if rows.is_empty() {
            return object([("warning", Json::text("No identifier found."))]);
        }
        object([("data", Json::List(rows))])
    }
}

fn row(index: usize, security: &Security) -> Json {
    let kind = if security.kind == Kind::Share { "Common Stock" } else { "ETP" };
    let figi = |n: usize| Json::Text(format!("BBG00SIM{n:04}"));
    object([
        ("figi", figi(index * 3 + 1)),
        ("name", Json::Text(security.name.to_uppercase())),
        ("ticker", Json::text(security.exchange_code())),
        ("exchCode", Json::text(exchange_code(security))),
        ("compositeFIGI", figi(index * 3 + 2)),
        ("securityType", Json::text(kind)),
        ("marketSector", Json::text("Equity")),
        ("shareClassFIGI", figi(index * 3 + 3)),
        (
            "securityType2",
            Json::text(if security.kind == Kind::Share { "Common Stock" } else { "Mutual Fund" }),
        ),
        ("securityDescription", Json::text(security.exchange_code())),
    ])
}

fn exchange_code(security: &Security) -> &'static str {
    match security.venue {
        Venue::NewYork => "US",
        Venue::Frankfurt => "GR",
        Venue::Paris => "FP",
        Venue::Amsterdam => "NA",
        Venue::Milan => "IM",
        Venue::Copenhagen => "DC",
        Venue::London => "LN",
        Venue::HongKong => "HK",
        Venue::Tokyo => "JP",
    }
}

/// The market identifier of the listing where it is finer than that of the calendar.
fn listed_mic(security: &Security) -> &'static str {
    match security.codesub {
        "NASDAQ" => "XNAS",
        "NYSE Arca" => "ARCX",
        _ => security.venue.mic(),
    }
}
