//! Frankfurter: the bank's numbers as JSON, against any base.

use super::web::{self, Bend, Query};
use crate::RawReply;
use crate::core::dates::{day_at, iso, parse_iso};
use crate::core::fixed::E6;
use crate::core::fixings::FIXED;
use crate::core::market::first_day;
use crate::core::world::World;
use crate::wire::json::{Json, field, object};

/// Names of the currencies.
const NAMES: [(&str, &str); 7] = [
    ("CHF", "Swiss Franc"),
    ("DKK", "Danish Krone"),
    ("EUR", "Euro"),
    ("GBP", "British Pound"),
    ("HKD", "Hong Kong Dollar"),
    ("JPY", "Japanese Yen"),
    ("USD", "United States Dollar"),
];

/// Smallest number of significant decimals of a derived rate.
const CROSS_DECIMALS: i64 = 10;

impl World {
    /// Answers `v1/latest`, `v1/{day}`, `v1/{day}..{day}` and `v1/currencies`.
    pub(super) fn frankfurter(&mut self, path: &str, query: &Query, bend: &Bend) -> RawReply {
        let Some(what) = path.strip_prefix("v1/") else {
            self.unmodelled_note(&format!("frankfurter path {path}"));
            return not_found();
        };
        if what == "currencies" {
            return web::json(200, &object(NAMES.map(|(code, name)| (code, Json::text(name)))));
        }
        let base = query.text("base").or(query.text("from")).unwrap_or("EUR").to_owned();
        if base != "EUR" && !FIXED.iter().any(|(code, _)| *code == base) {
            return not_found();
        }
        let today = day_at(self.now);
        let (from, until) = match what.split_once("..") {
            Some((from, until)) => {
                (parse_iso(from), if until.is_empty() { Some(today) } else { parse_iso(until) })
            }
            None if what == "latest" => (Some(today), None),
            None => (parse_iso(what), None),
        };
        let Some(from) = from.filter(|day| *day >= first_day()) else { return not_found() };
        let head = [field("amount", Json::Decimal(10, 1)), field("base", Json::text(&base))];
        let mut fields = head.to_vec();
        if let Some(until) = until {
            let first = from.max(first_day());
            let last = self.published_day(until.min(today)).unwrap_or(first);
            let days = (first..=last).filter(|day| self.fixing_of(*day).is_some());
            let rates: Vec<_> =
                days.map(|day| field(&iso(day), self.rates_of(&base, day, query, bend))).collect();
            fields.push(field("start_date", Json::Text(iso(first))));
            fields.push(field("end_date", Json::Text(iso(last))));
            fields.push(field("rates", Json::Object(if bend.empty { Vec::new() } else { rates })));
        } else {
            let Some(day) = self.published_day(from.min(today)) else { return not_found() };
            fields.push(field("date", Json::Text(iso(day))));
            fields.push(field("rates", self.rates_of(&base, day, query, bend)));
        }
        web::json(200, &Json::Object(fields))
    }

    fn rates_of(&self, base: &str, day: i32, query: &Query, bend: &Bend) -> Json {
        let wanted = query.list("symbols");
        let per_euro = |code: &str| if code == "EUR" { Some(E6) } else { self.published_rate(code, day) };
        let rate = |code: &&str| {
            let (mine, theirs) = (per_euro(code)?, per_euro(base)?);
            let value = if theirs == E6 {
                mine
            } else {
                (mine as f64 / theirs as f64 * E6 as f64 / CROSS_DECIMALS as f64).round() as i64
                    * CROSS_DECIMALS
            };
            Some(field(code, Json::Decimal(bend.price(value), 6)))
        };
        let chosen = NAMES.iter().map(|(code, _)| *code).filter(|code| *code != base);
        let chosen = chosen.filter(|code| wanted.is_empty() || wanted.iter().any(|w| w == code));
        if bend.empty {
            Json::Object(Vec::new())
        } else {
            Json::Object(chosen.filter_map(|code| rate(&code)).collect())
        }
    }
}

fn not_found() -> RawReply {
    web::json(404, &object([("message", Json::text("not found"))]))
}
