//! The imitated market-data services: Yahoo, ECB, Frankfurter, OpenFIGI and Stooq, one file each.
//!
//! The path prefix says which one is meant. All answer from the same price paths as the broker, each with its own
//! units, delays and oddities, and all pass through the same fault rules and the same request log.

mod ecb;
mod figi;
mod frankfurter;
pub(crate) mod knobs;
mod stooq;
mod symbols;
mod web;
mod yahoo;

use crate::core::faults::Effect;
use crate::core::world::World;
use crate::wire::disturb;
use crate::{Delivery, RawReply, RawRequest, RequestEntry};
pub(crate) use web::Bend;
use web::Query;

/// An imitated service besides the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Yahoo,
    Ecb,
    Frankfurter,
    Figi,
    Stooq,
}

/// Prefix, name in fault rules and log, service.
const SERVICES: [(&str, &str, Service); 5] = [
    ("/yh/", "yh", Service::Yahoo),
    ("/ecb/", "ecb", Service::Ecb),
    ("/ff/", "ff", Service::Frankfurter),
    ("/figi/", "figi", Service::Figi),
    ("/stooq/", "stooq", Service::Stooq),
];

impl Service {
    /// Finds the service of a path and what follows its prefix.
    pub(crate) fn of(path: &str) -> Option<(Self, &'static str, &str)> {
        SERVICES.iter().find_map(|(prefix, name, service)| {
            // The prefix alone names the service's first page.
            let rest =
                path.strip_prefix(prefix).or_else(|| (path == prefix.trim_end_matches('/')).then_some(""));
            rest.map(|rest| (*service, *name, rest))
        })
    }
}

/// What a request to a service is about, for fault rules: the call and the symbol or currency.
pub(crate) struct Subject {
    pub(crate) call: String,
    pub(crate) symbol: String,
}

impl World {
    /// Answers one request to a market-data service.
    pub(crate) fn exchange_data(
        &mut self,
        (service, target, rest): (Service, &'static str, &str),
        request: &RawRequest,
        entry: &mut RequestEntry,
    ) -> Delivery {
        let (path, text) = rest.split_once('?').unwrap_or((rest, ""));
        let query = Query::parse(text);
        let subject = match service {
            Service::Yahoo => yahoo::subject(path, &query),
            Service::Ecb | Service::Frankfurter => Subject { call: path.to_owned(), symbol: String::new() },
            Service::Figi => Subject { call: "mapping".into(), symbol: String::new() },
            Service::Stooq => {
                Subject { call: "daily".into(), symbol: query.text("s").unwrap_or("").to_owned() }
            }
        };
        entry.command.clone_from(&subject.call);
        text.chars().take(crate::wire::LOGGED_CHARS).collect::<String>().clone_into(&mut entry.params);
        let fired = self.faults.effect(target, &subject.call, &subject.symbol, self.now, entry.number);
        entry.rule = fired.as_ref().map(|(rule, _)| rule.clone());
        let effect = fired.map(|(_, effect)| effect);
        match effect {
            Some(Effect::RateLimit { retry_after, .. }) => {
                return Delivery::Reply { reply: too_many(service, Some(retry_after)), delay_ms: 0 };
            }
            Some(Effect::Error { code, text }) => {
                let status = u16::try_from(code).ok().filter(|c| (400..600).contains(c)).unwrap_or(500);
                return Delivery::Reply { reply: web::text(status, &text), delay_ms: 0 };
            }
            _ => {}
        }
        let bend = Bend::of(effect.as_ref());
        disturb(effect.as_ref(), || match service {
            Service::Yahoo => self.yahoo(path, &query, request, &bend),
            Service::Ecb => self.ecb(path, &bend),
            Service::Frankfurter => self.frankfurter(path, &query, &bend),
            Service::Figi => self.figi(path, request),
            Service::Stooq => self.stooq(path, &query, &bend),
        })
    }
}

/// Writes the refusal of one request too many as each service does.
fn too_many(service: Service, retry_after: Option<u64>) -> RawReply {
    let body = match service {
        Service::Yahoo => "Edge: Too Many Requests",
        Service::Stooq => return web::text(200, "Exceeded the daily hits limit"),
        _ => "Too Many Requests",
    };
    let mut reply = web::text(429, body);
    // Yahoo never says how long to wait.
    if let Some(seconds) = retry_after.filter(|_| service != Service::Yahoo) {
        reply.headers.push(("Retry-After".into(), seconds.to_string()));
    }
    reply
}
