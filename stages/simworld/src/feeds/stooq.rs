//! Stooq: daily bars as text with commas, for the venues it covers.

use super::web::{self, Bend, Query};
use crate::RawReply;
use crate::core::calendar::Venue;
use crate::core::dates::{day_at, day_of, iso};
use crate::core::fixed;
use crate::core::market::first_day;
use crate::core::world::World;

impl World {
    /// Answers `q/d/l/`.
    pub(super) fn stooq(&mut self, path: &str, query: &Query, bend: &Bend) -> RawReply {
        if path.trim_end_matches('/') != "q/d/l" {
            return web::html(404, "<html><body>Not Found</body></html>");
        }
        if query.text("i").unwrap_or("d") != "d" {
            self.unmodelled_note("stooq interval");
            return web::text(200, "No data");
        }
        if self.knobs.stooq_needs_apikey && query.text("apikey").is_none_or(str::is_empty) {
            return web::text(
                200,
                "Get your apikey:\n\n1. Open https://stooq.com/q/d/?get_apikey\n2. Enter the captcha code.",
            );
        }
        let symbol = query.text("s").unwrap_or("").to_ascii_lowercase();
        let today = day_at(self.now);
        let day = |key: &str, or: i32| query.text(key).map_or(Some(or), compact_day);
        let found = self.stooq_security(&symbol);
        let (Some(index), Some(from), Some(until)) = (found, day("d1", first_day()), day("d2", today)) else {
            return web::text(200, "No data");
        };
        let pence = self.market.listings[index].security.currency == "GBP";
        let bars = self.market.bars(index, from.max(first_day()), until.min(today), 0, self.now);
        if bars.is_empty() || bend.empty {
            return web::text(200, "No data");
        }
        let mut out = String::from("Date,Open,High,Low,Close,Volume\r\n");
        for bar in bars {
            let price = |e6: i64| fixed::text(bend.price(if pence { e6 * 100 } else { e6 }), 6, 0);
            let prices = [bar.open_e6, bar.high_e6, bar.low_e6, bar.close_e6].map(price).join(",");
            out.push_str(&format!("{},{prices},{}\r\n", iso(bar.day), bar.volume));
        }
        web::text(200, &out)
    }

    /// Finds `code.suffix`: the exchange's own code and the country of the venue.
    fn stooq_security(&self, symbol: &str) -> Option<usize> {
        let (code, suffix) = symbol.rsplit_once('.')?;
        self.market.listings.iter().position(|listing| {
            let s = &listing.security;
            let place = match s.venue {
                Venue::NewYork => "us",
                Venue::Frankfurt => "de",
                Venue::London => "uk",
                Venue::Tokyo => "jp",
                Venue::HongKong => "hk",
                _ => return false,
            };
            let own = s.exchange_code().to_ascii_lowercase().replace('.', "-");
            listing.visible && place == suffix && own == code
        })
    }
}

/// Reads `YYYYMMDD`.
fn compact_day(text: &str) -> Option<i32> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i32>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    (text.len() == 8 && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then(|| day_of(year, month, day))
}
