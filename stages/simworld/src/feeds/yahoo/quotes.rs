//! `v7/finance/quote`: many symbols at once.

use super::super::symbols::{Behind, Listed, zone};
use super::super::web::{self, Bend, Query};
use super::numbers::Numbers;
use crate::RawReply;
use crate::core::dates::{day_at, start_of};
use crate::core::world::World;
use crate::wire::json::{Json, field, object};

/// Symbols answered in one call.
const SYMBOLS_MAX: usize = 100;

impl World {
    /// Writes quotes; unknown symbols are left out.
    pub(super) fn quotes(&mut self, query: &Query, bend: &Bend) -> RawReply {
        let numbers = Numbers::of(self, query);
        let symbols = if bend.empty { Vec::new() } else { query.list("symbols") };
        let rows = symbols.iter().take(SYMBOLS_MAX).filter_map(|symbol| {
            let listed = self.listed(symbol)?;
            self.symbol_row(&listed, &numbers, bend)
        });
        let result = Json::List(rows.collect());
        web::json(200, &object([("quoteResponse", object([("result", result), ("error", Json::Null)]))]))
    }

    fn symbol_row(&self, listed: &Listed, numbers: &Numbers, bend: &Bend) -> Option<Json> {
        let at = self.shown_at(listed);
        let rows = self.rows(listed, day_at(at) - 20, day_at(at), at, bend);
        let whole: Vec<_> = rows.iter().filter(|row| !row.gap).collect();
        let (last, before) = (whole.last()?, whole.len().checked_sub(2).map(|i| whole[i]));
        let before = before.map_or(last.open, |row| row.close);
        let shown = if bend.frozen { before } else { last.close };
        let open = self.market.calendar.sessions(listed.venue, day_at(at)).contains(at);
        let mut row = vec![
            field("language", Json::text("en-US")),
            field("region", Json::text("US")),
            field("quoteType", Json::text(listed.kind)),
            field("typeDisp", Json::text(type_shown(listed.kind))),
            field("currency", Json::text(self.label(listed, bend))),
            field("symbol", Json::text(&listed.symbol)),
            field("exchange", Json::text(listed.exchange)),
            field("fullExchangeName", Json::text(listed.exchange_name)),
            field("exchangeTimezoneName", Json::text(zone(listed.venue))),
            field("gmtOffSetMilliseconds", Json::Int(listed.venue.utc_offset_min(self.now) * 60_000)),
            field("marketState", Json::text(if open { "REGULAR" } else { "CLOSED" })),
            field("tradeable", Json::Bool(false)),
            field("exchangeDataDelayedBy", Json::Int(listed.delay_min)),
            field("sourceInterval", Json::Int(15)),
            field(
                "firstTradeDateMilliseconds",
                Json::Int(start_of(crate::core::market::first_day()) + 34_200_000),
            ),
            field("shortName", Json::Text(listed.name.to_uppercase().chars().take(17).collect())),
            field("longName", Json::text(&listed.name)),
        ];
        let mut number = |key: &str, value: Json| row.push(field(key, value));
        number("regularMarketPrice", numbers.decimal("price", shown));
        number("regularMarketTime", numbers.int("time", self.last_trade_ms(listed, at) / 1000));
        number("regularMarketPreviousClose", numbers.decimal("before", before));
        number("regularMarketOpen", numbers.decimal("open", last.open));
        number("regularMarketDayHigh", numbers.decimal("high", last.high));
        number("regularMarketDayLow", numbers.decimal("low", last.low));
        number("regularMarketVolume", numbers.int("volume", last.volume));
        number("regularMarketChange", numbers.decimal("change", shown - before));
        let change = (shown as f64 / before as f64 - 1.0) * 100.0;
        number("regularMarketChangePercent", numbers.float("percent", change));
        if let Behind::Security(index) = listed.behind
            && let Some(quote) = self.market.quote(index, at)
        {
            number("bid", numbers.decimal("bid", bend.price(quote.bid_e6 * listed.minor)));
            number("ask", numbers.decimal("ask", bend.price(quote.ask_e6 * listed.minor)));
        }
        if let Some(shown) = self.shown(listed) {
            number("marketCap", numbers.int("cap", shown.market_cap() as i64));
            if let Some(ratio) = shown.trailing_pe() {
                number("trailingPE", numbers.float("pe", ratio));
            }
            number("forwardPE", numbers.float("fpe", shown.forward_pe()));
            number("priceToBook", numbers.float("pb", shown.price_to_book()));
            number("bookValue", numbers.float("book", shown.facts.book_value));
            number("epsTrailingTwelveMonths", numbers.float("eps", shown.facts.eps));
            // A percentage here, a fraction in the field beside it.
            number("dividendYield", numbers.float("yield", shown.trailing_yield() * 100.0));
            number("trailingAnnualDividendYield", numbers.float("tyield", shown.trailing_yield()));
            if let Some((key, mean)) = shown.facts.recommendation(shown.price) {
                let words = key.split('_').map(capital).collect::<Vec<_>>().join(" ");
                number("averageAnalystRating", Json::Text(format!("{mean:.1} - {words}")));
            }
        }
        Some(Json::Object(row))
    }
}

fn type_shown(kind: &str) -> &'static str {
    match kind {
        "EQUITY" => "Equity",
        "ETF" => "ETF",
        "MUTUALFUND" => "Fund",
        "INDEX" => "Index",
        _ => "Currency",
    }
}

fn capital(word: &str) -> String {
    word.get(..1).unwrap_or("").to_uppercase() + word.get(1..).unwrap_or("")
}
