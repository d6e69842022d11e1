//! `getStockQuotesJson`: what trades now at which price.

use super::json::{Json, object};
use super::params::Params;
use super::profile::{Profile, Style};
use crate::core::dates::{day_at, iso_second, start_of};
use crate::core::fixed::{div_half_even, narrow};
use crate::core::orders::Instrument;
use crate::core::universe::{DEAD_PAIRS, Kind};
use crate::core::world::World;

/// Tickers answered in one request.
const TICKERS_MAX: usize = 100;

impl World {
    /// Writes quotes; unknown tickers are left out without a word, as the broker does.
    pub(super) fn stock_quotes_json(&mut self, params: &Params, style: &Style) -> Json {
        let tickers = params.list("tickers");
        let rows = tickers.iter().take(TICKERS_MAX).filter_map(|ticker| {
            if DEAD_PAIRS.contains(&ticker.as_str()) {
                return Some(dead_row(ticker));
            }
            self.quote_row(ticker, style)
        });
        object([("result", object([("q", Json::List(rows.collect()))]))])
    }

    pub(super) fn quote_row(&self, ticker: &str, style: &Style) -> Option<Json> {
        self.quote_row_at(ticker, style, self.now)
    }

    /// Writes the quote as it was at an instant up to now.
    pub(super) fn quote_row_at(&self, ticker: &str, style: &Style, at: i64) -> Option<Json> {
        let instrument = self.find(ticker)?;
        let bend = style.tricks.bend(ticker);
        // A frozen quote stands still since midnight: its prices, its times, its volume.
        let shown_at = if bend.frozen { start_of(day_at(at)) - 1 } else { at };
        let quote = self.quote_of(instrument, shown_at)?;
        let open = self.sessions_of(instrument, day_at(self.now)).contains(self.now)
            && !self.is_halted(instrument, self.now);
        let before = self.close_before(instrument)?;
        let (lot, currency) = self.lot_and_currency(instrument);
        let (name, _) = self.name_and_market(instrument);
        // Outside trading the nasty profile has no bid and ask, the others repeat the last ones.
        let shown = open || style.profile != Profile::Nasty;
        let side = |price: i64| if shown { price } else { 0 };
        let place = |what: &str| format!("{ticker}/{what}");
        let price = |what: &str, value: i64| style.quoted(&place(what), bend.price(value), 6);
        let currency = match (currency, bend.swapped_label) {
            ("GBP", true) => "GBX",
            (currency, _) => currency,
        };
        let change = quote.last_e6 - before;
        let percent = narrow(div_half_even(i128::from(change) * 10_000, i128::from(before.max(1))));
        let stamp = iso_second(if bend.frozen { shown_at } else { self.now }, 'T');
        let size = quote.available.max(lot);
        let details = self.listing_details(instrument);
        let (day_open, low, high, volume) =
            self.day_range(instrument, quote.last_e6, if bend.frozen { shown_at } else { self.now });
        Some(object([
            ("c", Json::text(ticker)),
            ("name", style.name(name)),
            ("ltp", price("ltp", quote.last_e6)),
            ("lts", Json::Int(lot)),
            ("ltt", Json::text(&stamp)),
            ("ltr", Json::optional(details.market)),
            ("bbp", price("bbp", side(quote.bid_e6))),
            ("bbs", Json::Int(side(size))),
            ("bbt", Json::text(&stamp)),
            ("bap", price("bap", side(quote.ask_e6))),
            ("bas", Json::Int(side(size))),
            ("bat", Json::text(&stamp)),
            ("pp", price("pp", before)),
            ("op", price("op", day_open)),
            ("ClosePrice", price("ClosePrice", before)),
            ("chg", price("chg", change)),
            ("pcp", Json::Decimal(percent, 2)),
            ("mintp", price("mintp", low)),
            ("maxtp", price("maxtp", high)),
            ("vol", Json::Int(volume)),
            ("trades", Json::Int(volume / 150)),
            ("x_curr", Json::text(currency)),
            ("x_lot", Json::Int(lot)),
            ("x_min_lot_q", Json::text("")),
            ("min_step", Json::Decimal(quote.tick_e6, 6)),
            ("step_price", Json::Decimal(quote.tick_e6, 6)),
            ("issue_nb", Json::text(details.isin)),
            ("type", Json::Int(details.kind.0)),
            ("kind", Json::Int(details.kind.1)),
            ("marketStatus", Json::text(if open { "OPEN" } else { "CLOSE" })),
            ("UTCOffset", Json::Int(details.utc_offset_min)),
            ("codesub_nm", Json::text(details.codesub)),
            ("base_ltr", Json::optional(details.market)),
            ("init", Json::Int(1)),
            ("n", Json::Int(37)),
            ("rev", Json::Int(5_512_077)),
        ]))
    }

    /// Returns the close before today's session in today's units.
    fn close_before(&self, instrument: Instrument) -> Option<i64> {
        match instrument {
            Instrument::Security(index) => self.market.previous_close(index, self.now),
            Instrument::Pair(_) => {
                self.quote_of(instrument, start_of(day_at(self.now)) - 1).map(|q| q.last_e6)
            }
        }
    }

    /// Returns open, low, high and volume of the day so far.
    fn day_range(&self, instrument: Instrument, last: i64, at: i64) -> (i64, i64, i64, i64) {
        let Instrument::Security(index) = instrument else { return (last, last, last, 0) };
        match self.market.bar_so_far(index, at) {
            Some(bar) => (bar.open_e6, bar.low_e6, bar.high_e6, bar.volume),
            None => (0, 0, 0, 0),
        }
    }

    /// Returns what quotes and directories say about an instrument besides its price.
    pub(super) fn listing_details(&self, instrument: Instrument) -> Details {
        match instrument {
            Instrument::Security(index) => {
                let security = &self.market.listings[index].security;
                Details {
                    isin: security.isin,
                    codesub: security.codesub,
                    market: security.broker_market().map(|m| m.code),
                    kind: (1, if security.kind == Kind::Share { 1 } else { 7 }),
                    utc_offset_min: security.venue.utc_offset_min(self.now),
                }
            }
            Instrument::Pair(_) => {
                Details { isin: "", codesub: "MONEY", market: Some("MONEY"), kind: (6, 1), utc_offset_min: 0 }
            }
        }
    }
}

/// Facts about a listing.
pub(super) struct Details {
    pub(super) isin: &'static str,
    pub(super) codesub: &'static str,
    pub(super) market: Option<&'static str>,
    /// Type and kind codes.
    pub(super) kind: (i64, i64),
    pub(super) utc_offset_min: i64,
}

fn dead_row(ticker: &str) -> Json {
    let zero = || Json::Int(0);
    object([
        ("c", Json::text(ticker)),
        ("ltp", zero()),
        ("bbp", zero()),
        ("bap", zero()),
        ("vol", zero()),
        ("x_lot", Json::Int(1)),
        ("marketStatus", Json::text("CLOSE")),
    ])
}
