//! `v1/finance/search`: by ISIN, symbol or name; for some ISINs a listing on the wrong venue comes first.

use super::super::symbols::{Listed, WRONG_VENUES};
use super::super::web::{self, Query};
use crate::RawReply;
use crate::core::world::World;
use crate::wire::json::{Json, field, object};

/// Hits when the caller does not say how many.
const HITS: usize = 8;

impl World {
    /// Writes the hits of a search.
    pub(super) fn search(&mut self, query: &Query) -> RawReply {
        let text = query.text("q").unwrap_or("").trim().to_uppercase();
        let most = query.int("quotesCount").and_then(|n| usize::try_from(n).ok()).unwrap_or(HITS);
        let mut hits = Vec::new();
        for (index, listing) in self.market.listings.iter().enumerate().filter(|(_, l)| l.visible) {
            let s = &listing.security;
            let fits = s.isin == text || s.yahoo == text || s.name.to_uppercase().contains(&text);
            if text.is_empty() || !fits {
                continue;
            }
            let wrong = WRONG_VENUES.iter().find(|(_, ticker)| *ticker == s.ticker);
            if let Some((symbol, _)) = wrong.filter(|_| s.isin == text) {
                let listed = self.listed_security(index, symbol);
                hits.push(self.hit(&Listed { exchange: "FRA", exchange_name: "Frankfurt", ..listed }, index));
            }
            hits.push(self.hit(&self.listed_security(index, s.yahoo), index));
        }
        hits.truncate(most);
        let count = i64::try_from(hits.len()).unwrap_or(0);
        let body = [
            ("explains", Json::List(Vec::new())),
            ("count", Json::Int(count)),
            ("quotes", Json::List(hits)),
            ("news", Json::List(Vec::new())),
        ];
        web::json(200, &object(body))
    }

    fn hit(&self, listed: &Listed, index: usize) -> Json {
        let security = &self.market.listings[index].security;
        let kind = match listed.kind {
            "EQUITY" => "Equity",
            "ETF" => "ETF",
            _ => "Fund",
        };
        let mut fields = vec![
            field("exchange", Json::text(listed.exchange)),
            field("shortname", Json::Text(listed.name.to_uppercase().chars().take(17).collect())),
            field("quoteType", Json::text(listed.kind)),
            field("symbol", Json::text(&listed.symbol)),
            field("index", Json::text("quotes")),
            field("score", Json::Decimal(200_210, 1)),
            field("typeDisp", Json::text(kind)),
            field("longname", Json::text(&listed.name)),
            field("exchDisp", Json::text(listed.exchange_name)),
        ];
        if !security.sector.is_empty() {
            fields.push(field("sector", Json::text(security.sector)));
            fields.push(field("industry", Json::text(security.industry)));
        }
        fields.push(field("isYahooFinance", Json::Bool(true)));
        Json::Object(fields)
    }
}
