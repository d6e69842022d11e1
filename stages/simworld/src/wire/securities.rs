//! `getSecurityInfo`, `getAllSecurities`, `tickerFinder`, `checkAllowedTickerAndBanOnTrade`: the directory.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::params::Params;
use super::profile::{Profile, Style};
use crate::core::dates::day_at;
use crate::core::fixed;
use crate::core::orders::Instrument;
use crate::core::universe::{DEAD_PAIRS, Kind, PAIRS, Security};
use crate::core::world::World;

/// Rows of a search.
const FOUND_MAX: usize = 30;
/// Rows of one page of the directory.
const PAGE_MAX: usize = 500;

impl World {
    /// Describes one instrument.
    pub(super) fn security_info(&mut self, params: &Params, style: &Style) -> Answer {
        let ticker = params.text("ticker").unwrap_or("");
        let instrument = self.find(ticker).ok_or_else(|| Failure::command(0, "Instrument not found"))?;
        let (_, market) = self.name_and_market(instrument);
        let id = market.map_or(Json::Null, |id| style.integer("mkt_id", id));
        Ok(self
            .info_row(instrument, style)
            .with(Some(field("mrkt", object([("mkt_id", id)]))))
            .with(Some(field("code", Json::Int(0)))))
    }

    /// Tells whether an instrument may be traded.
    pub(super) fn check_allowed(&mut self, params: &Params) -> Answer {
        let ticker = params.text("ticker").unwrap_or("");
        let tradable = match self.find(ticker) {
            Some(Instrument::Pair(_)) => true,
            Some(Instrument::Security(index)) => {
                self.market.listings[index].security.broker_market().is_some()
                    && !self.market.is_delisted(index, day_at(self.now))
            }
            None if DEAD_PAIRS.contains(&ticker) => false,
            None => return Err(Failure::command(0, "Instrument not found")),
        };
        let blocked = self.find(ticker).is_some_and(|i| self.is_halted(i, self.now));
        let restriction = (blocked || !tradable).then_some("Trading is not available");
        Ok(object([
            ("allowed", Json::Int(i64::from(tradable && !blocked))),
            ("allowedExpires", Json::List([1, 3, 2].map(Json::Int).to_vec())),
            ("restriction", Json::optional(restriction)),
            ("operation", Json::Null),
            ("recommendations", Json::List(Vec::new())),
        ]))
    }

    /// Lists the directory, filtered by ticker, ISIN, or nothing.
    pub(super) fn all_securities(&mut self, params: &Params, style: &Style) -> Answer {
        let filters = params.get("filter")["filters"].as_array().cloned().unwrap_or_default();
        let mut chosen: Vec<usize> =
            (0..self.market.listings.len()).filter(|i| self.market.listings[*i].visible).collect();
        for filter in &filters {
            let value = filter["value"].as_str().unwrap_or("").to_owned();
            let wanted: Vec<&str> = value.split(',').map(str::trim).collect();
            let fits = |security: &Security| match filter["field"].as_str() {
                Some("ticker") => Some(wanted.contains(&security.ticker)),
                Some("issue_nb") => Some(wanted.contains(&security.isin)),
                _ => None,
            };
            if !matches!(filter["operator"].as_str(), Some("eq" | "in"))
                || chosen.first().is_some_and(|i| fits(&self.market.listings[*i].security).is_none())
            {
                self.unmodelled_note(&format!("getAllSecurities filter {filter}"));
                return Err(Failure::command(0, "Filter is not available"));
            }
            chosen.retain(|i| fits(&self.market.listings[*i].security) == Some(true));
        }
        let total = chosen.len();
        let page = |key: &str, default: usize| {
            params.int(key).and_then(|v| usize::try_from(v).ok()).unwrap_or(default)
        };
        let (take, skip) = (page("take", 50).min(PAGE_MAX), page("skip", 0));
        let rows = chosen.into_iter().skip(skip).take(take).map(|i| self.directory_row(i, style)).collect();
        Ok(object([
            ("total", style.integer("total", i64::try_from(total).unwrap_or(0))),
            ("securities", Json::List(rows)),
        ]))
    }

    fn directory_row(&self, index: usize, style: &Style) -> Json {
        let security = &self.market.listings[index].security;
        let market = security.broker_market();
        let fund = security.kind != Kind::Share;
        let gone = self.market.is_delisted(index, day_at(self.now));
        let tick = self.market.quote(index, self.now).map_or(security.tick_e6, |q| q.tick_e6);
        let attributes = object([
            ("CntryOfRisk", Json::text(if fund { "0" } else { security.country })),
            ("issuerJurisdiction", Json::optional(security.isin.get(0..2))),
            ("CFICode", Json::text(if fund { "CEOGES" } else { "ESVUFR" })),
            ("x_lot", Json::Text(fixed::text(security.lot, 0, 8))),
            ("base_currency", Json::text(security.currency)),
        ]);
        let frozen = object([("x_lot", Json::Int(security.lot)), ("min_step", Json::Decimal(tick, 6))]);
        let last = if style.profile == Profile::Nasty { Json::Int(1) } else { Json::text("-") };
        object([
            ("id", Json::Int(2401 + i64::try_from(index).unwrap_or(0))),
            ("ticker", Json::text(security.ticker)),
            ("instr_type_c", Json::Int(1)),
            ("instr_kind_c", Json::Int(if fund { 7 } else { 1 })),
            ("instr_id", Json::Text((40_100_001 + index).to_string())),
            ("code_sec", Json::text(if security.currency == "HKD" { "XHKG" } else { "" })),
            ("code_nm", Json::text(security.exchange_code())),
            ("exchange_ticker", Json::text(security.exchange_code())),
            ("name", style.name(security.name)),
            ("latname", Json::text(security.name)),
            ("issue_nb", Json::text(security.isin)),
            ("face_curr_c", Json::text(security.currency)),
            ("currency_code", Json::Null),
            ("mkt_id", market.map_or(Json::Null, |m| Json::Text(m.id.to_string()))),
            ("mkt_name", Json::optional(market.map(|m| m.code))),
            ("mkt_short_code", Json::optional(market.map(|m| m.code))),
            ("codesub_nm", Json::text(security.codesub)),
            ("market", Json::text(security.codesub)),
            ("lot_size_q", style.padded(security.lot, 0)),
            ("min_step", style.padded(tick, 6)),
            ("step_price", style.padded(tick, 6)),
            ("istrade", Json::Int(i64::from(market.is_some() && !gone))),
            ("to_delete", Json::Int(i64::from(gone))),
            ("x_short", Json::Int(0)),
            ("issuer_country_code", Json::text("0")),
            ("sector_code", Json::text(if fund { "Equity ETFs" } else { security.industry })),
            ("attributes", style.embedded(&format!("{index}/attributes"), attributes)),
            ("quotes", style.embedded(&format!("{index}/quotes"), frozen)),
            ("details", Json::text("{\"receptions\": [\"35\", \"50\"]}")),
            ("ltp", last),
        ])
    }

    /// Searches by ticker, code, name or ISIN.
    pub(super) fn ticker_finder(&mut self, params: &Params, style: &Style) -> Json {
        let text = params.text("text").unwrap_or("").split('@').next().unwrap_or("").to_uppercase();
        let fits = |s: &Security| {
            !text.is_empty()
                && (s.isin == text || s.ticker.starts_with(&text) || s.name.to_uppercase().contains(&text))
        };
        let listings = self.market.listings.iter().enumerate();
        let rows = listings.filter(|(_, l)| l.visible && fits(&l.security)).take(FOUND_MAX).map(|(i, l)| {
            let s = &l.security;
            let market = s.broker_market();
            object([
                ("instr_id", Json::Text((40_100_001 + i).to_string())),
                ("t", Json::text(s.ticker)),
                ("nm", style.name(s.name)),
                ("n", Json::text(s.name)),
                ("ln", Json::text(s.name)),
                ("isin", Json::text(s.isin)),
                ("type", Json::Int(1)),
                ("kind", Json::Int(if s.kind == Kind::Share { 1 } else { 7 })),
                ("tn", Json::Text(format!("{} {}", s.ticker, s.name))),
                ("code_nm", Json::text(s.exchange_code())),
                ("mkt_id", market.map_or(Json::Null, |m| Json::Text(m.id.to_string()))),
                ("mkt", Json::optional(market.map(|m| m.code))),
                ("x_curr", Json::text(s.currency)),
                ("codesub", Json::text(s.codesub)),
            ])
        });
        let pairs = PAIRS.iter().filter(|p| !text.is_empty() && p.ticker == text).map(|p| {
            object([
                ("t", Json::text(p.ticker)),
                ("type", Json::Int(6)),
                ("kind", Json::Int(1)),
                ("mkt", Json::text("MONEY")),
            ])
        });
        object([("found", Json::List(rows.chain(pairs).collect())), ("code", Json::Int(0))])
    }
}
