//! `getTradesHistory` and the fills inside order rows.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::order_rows::SERVER_ZONE_MS;
use super::params::Params;
use super::profile::Style;
use crate::core::dates::{day_at, iso, iso_second, parse_iso};
use crate::core::orders::{Fill, Instrument, Side};
use crate::core::universe::PAIRS;
use crate::core::world::World;

const FIELDS: [&str; 7] = ["beginDate", "endDate", "tradeId", "max", "nt_ticker", "curr", "reception"];
/// Market of currency pairs.
const MONEY_MARKET: i64 = 30_000_000_007;

impl World {
    /// Lists fills between two days of the server's calendar.
    pub(super) fn trades_history(&mut self, params: &Params, style: &Style) -> Answer {
        for unknown in params.unknown(&FIELDS) {
            self.unmodelled_note(&format!("getTradesHistory field {unknown}"));
        }
        let day = |key: &str| params.text(key).and_then(parse_iso);
        let (Some(begin), Some(end)) = (day("beginDate"), day("endDate")) else {
            return Err(Failure::command(5, "beginDate and endDate are mandatory"));
        };
        let after = params.int("tradeId").unwrap_or(0);
        let max = usize::try_from(params.int("max").unwrap_or(0)).unwrap_or(0);
        let wanted = |f: &&Fill| {
            (begin..=end).contains(&day_at(f.at_ms + SERVER_ZONE_MS))
                && f.id > after
                && f.at_ms <= style.tricks.as_of
                && params.text("nt_ticker").is_none_or(|t| t == f.ticker)
                && params.text("curr").is_none_or(|c| c == f.currency)
        };
        let limit = if max == 0 { usize::MAX } else { max };
        let chosen: Vec<&Fill> = self.fills.iter().filter(wanted).take(limit).collect();
        let last = chosen.last().map_or(0, |f| f.id).to_string();
        let rows = chosen.into_iter().map(|f| self.trade_row(f, style)).collect();
        let mark = Json::List(vec![object([("@text", Json::Text(last))])]);
        let trades = Json::Object(vec![field("max_trade_id", mark)]);
        Ok(object([("trades", trades.with(style.rows("trade", rows)))]))
    }

    fn trade_row(&self, fill: &Fill, style: &Style) -> Json {
        let place = |what: &str| format!("{}/{what}", fill.id);
        let (_, market) = self.name_and_market(fill.instrument);
        let settled = format!("{}T00:00:00", iso(self.settlement_day(fill)));
        let side = if fill.side == Side::Buy { 1 } else { 2 };
        let fee = self.config.rules.fee_in_trade_row;
        let row = object([
            ("id", style.integer(&place("id"), fill.id)),
            ("order_id", Json::Int(fill.order_id)),
            ("instr_nm", Json::text(fill.ticker)),
            ("type", Json::Int(side)),
            ("q", style.number(&place("q"), fill.qty, 0)),
            ("p", style.number(&place("p"), fill.price_e6, 6)),
            ("v", style.number(&place("v"), fill.value_e4, 4)),
            ("summ", style.number(&place("summ"), fill.value_e4, 4)),
            ("curr_c", Json::text(fill.currency)),
            ("date", Json::Text(iso_second(fill.at_ms + SERVER_ZONE_MS, 'T'))),
            ("trade_d_exch", Json::Text(iso_second(fill.at_ms + self.offset_ms(fill), 'T'))),
            ("pay_d", Json::Text(settled.clone())),
            ("T2_confirm", Json::Text(settled)),
            ("profit", style.number(&place("profit"), fill.profit_e4, 4)),
            ("curr_q", style.number("zero", 0, 4)),
            ("instr_type_c", Json::Int(if fill.instrument.pair().is_some() { 6 } else { 1 })),
            ("mkt_id", market.map_or(Json::Null, Json::Int)),
            ("reception", Json::Int(35)),
            ("login", Json::text("user@example.test")),
            ("comment", Json::text("71204/")),
            ("rate_offer", Json::Int(1)),
            ("fv", Json::Int(100)),
            ("acd", style.number("zero", 0, 4)),
            ("go_sum", style.number("zero", 0, 4)),
            ("repo_close", Json::text("0")),
            ("otc", Json::text("0")),
            ("details", Json::text("")),
            ("OrigClOrdID", Json::Null),
            ("commiss_exchange", style.number("zero", 0, 4)),
        ]);
        row.with(fee.then(|| field("commission", style.number(&place("commission"), fill.fee_e4, 4))))
            .with(fee.then(|| field("commission_currency", Json::text(fill.currency))))
    }

    /// Writes a fill as part of an order's row.
    pub(super) fn order_trade(&self, fill: &Fill, style: &Style) -> Json {
        let place = |what: &str| format!("{}/{what}", fill.id);
        object([
            ("id", Json::Int(fill.id)),
            ("p", style.number(&place("p"), fill.price_e6, 6)),
            ("q", style.number(&place("q"), fill.qty, 0)),
            ("v", style.number(&place("v"), fill.value_e4, 4)),
            ("date", Json::Text(iso_second(fill.at_ms + SERVER_ZONE_MS, 'T'))),
            ("profit", style.number(&place("profit"), fill.profit_e4, 4)),
            ("acd", style.number("zero", 0, 4)),
            ("fv", Json::text("100")),
            ("trade_d_exch", Json::Text(iso_second(fill.at_ms + self.offset_ms(fill), 'T'))),
            ("pay_d", Json::Text(format!("{}T00:00:00", iso(self.settlement_day(fill))))),
        ])
    }

    fn offset_ms(&self, fill: &Fill) -> i64 {
        match fill.instrument {
            Instrument::Security(index) => {
                self.market.listings[index].security.venue.utc_offset_min(fill.at_ms) * 60_000
            }
            Instrument::Pair(_) => 0,
        }
    }

    /// Returns an instrument's name and the broker's market id.
    pub(super) fn name_and_market(&self, instrument: Instrument) -> (&'static str, Option<i64>) {
        match instrument {
            Instrument::Security(index) => {
                let security = &self.market.listings[index].security;
                (security.name, security.broker_market().map(|m| m.id))
            }
            Instrument::Pair(index) => (PAIRS[index].ticker, Some(MONEY_MARKET)),
        }
    }
}
