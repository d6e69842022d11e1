//! `getMarketStatus`: opening hours as the broker tells them, in its own zone.

use super::json::{Json, object};
use super::order_rows::SERVER_ZONE_MS;
use super::params::Params;
use super::profile::{Profile, Style};
use crate::core::calendar::{Sessions, Venue, currency_sessions};
use crate::core::dates::{civil, day_at, day_of, iso_second, weekday};
use crate::core::world::World;

/// Markets with the venue whose hours they show; the listing's own venue is not visible here.
const MARKETS: [(&str, &str, i64, Option<Venue>, &str); 4] = [
    ("NYSE/NASDAQ", "FIX", 30_000_000_001, Some(Venue::NewYork), "America/New_York"),
    ("European exchanges", "EU", 30_000_000_005, Some(Venue::Frankfurt), "Europe/Berlin"),
    ("HKEX", "HKEX", 30_000_000_019, Some(Venue::HongKong), "Asia/Hong_Kong"),
    ("Money market", "MONEY", 30_000_000_007, None, "UTC"),
];

impl World {
    /// Writes the state of one market or of all.
    pub(super) fn market_status(&mut self, params: &Params, style: &Style) -> Json {
        let wanted = params.text("market").unwrap_or("*");
        let markets = MARKETS.iter().filter(|m| wanted == "*" || wanted == m.1);
        let rows = markets.map(|m| self.market_row(m, style)).collect();
        let stamp = iso_second(self.now + SERVER_ZONE_MS, ' ');
        let list = object([("t", Json::Text(stamp)), ("m", Json::List(rows))]);
        object([("result", object([("markets", list)]))])
    }

    fn market_row(&self, market: &(&str, &str, i64, Option<Venue>, &str), style: &Style) -> Json {
        let (name, code, id, venue, zone) = *market;
        let today = day_at(self.now);
        let sessions = self.hours(venue, today);
        let usual = self.next_hours(venue, today);
        let offset = venue.map_or(0, |v| v.utc_offset_min(self.now));
        let difference = SERVER_ZONE_MS / 60_000 - offset;
        let time = |ms: Option<i64>| ms.map_or(Json::Null, |t| Json::text(&clock(t)));
        let delta = if style.profile == Profile::Clean {
            Json::Int(difference)
        } else {
            style.integer(&format!("{code}/dt"), difference)
        };
        object([
            ("n", Json::text(name)),
            ("n2", Json::text(code)),
            ("mkt_id", style.integer(&format!("{code}/mkt_id"), id)),
            ("s", Json::text(state(&sessions, self.now))),
            ("o", time(usual.open())),
            ("c", time(usual.close())),
            ("p", time(usual.open().map(|o| o - 30 * 60_000))),
            ("post", Json::Null),
            ("dt", delta),
            ("tz", Json::text(zone)),
            ("date", Json::List(self.closures(venue, civil(today).0))),
            ("ev", Json::List(Vec::new())),
        ])
    }

    fn hours(&self, venue: Option<Venue>, day: i32) -> Sessions {
        venue.map_or_else(|| currency_sessions(day), |v| self.market.calendar.sessions(v, day))
    }

    /// Returns the hours of the first open day from a day on.
    fn next_hours(&self, venue: Option<Venue>, day: i32) -> Sessions {
        let open = |d: &i32| self.hours(venue, *d).open().is_some();
        self.hours(venue, (day..day + 14).find(open).unwrap_or(day))
    }

    /// Lists the weekdays of a year on which a market stays closed.
    fn closures(&self, venue: Option<Venue>, year: i32) -> Vec<Json> {
        let days = day_of(year, 1, 1)..day_of(year + 1, 1, 1);
        let closed = days.filter(|d| weekday(*d) < 5 && self.hours(venue, *d).open().is_none());
        let row = |day: i32| {
            let (_, month, dom) = civil(day);
            let mark = format!("{month:02}{dom:02}");
            object([
                ("from", Json::text(&mark)),
                ("to", Json::text(&mark)),
                ("dayoff", Json::Int(1)),
                ("desc", Json::text("Holiday")),
            ])
        };
        closed.map(row).collect()
    }
}

fn state(sessions: &Sessions, now: i64) -> &'static str {
    match (sessions.open(), sessions.close()) {
        _ if sessions.contains(now) => "OPEN",
        (Some(open), _) if now < open && now >= open - 30 * 60_000 => "PRE_OPEN",
        (_, Some(close)) if now >= close => "POST_CLOSE",
        _ => "CLOSE",
    }
}

/// Writes the server's time of day.
fn clock(ms: i64) -> String {
    iso_second(ms + SERVER_ZONE_MS, 'T').split('T').nth(1).unwrap_or("").to_owned()
}
