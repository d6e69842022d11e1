//! `getPositionJson`: cash and positions.

use super::json::{Json, field, object};
use super::profile::{Profile, Style};
use crate::core::dates::day_at;
use crate::core::fixed::{E6, value_e4};
use crate::core::ledger::{Account, Unit};
use crate::core::orders::Side;
use crate::core::universe::Kind;
use crate::core::world::World;

impl World {
    /// Writes cash and positions.
    pub(super) fn position_json(&self, style: &Style) -> Json {
        let tricks = &style.tricks;
        let held = self.ledger.all_positions().into_iter().map(|(ticker, e6)| {
            (ticker, e6 - self.changed_since(Account::Position, Unit::Instrument(ticker), tricks.as_of))
        });
        let cash = self.cash().into_iter().map(|(currency, e4)| {
            (currency, e4 - self.changed_since(Account::Cash, Unit::Currency(currency), tricks.cash_as_of))
        });
        let acc = cash.map(|(currency, e4)| self.cash_row(style, currency, e4)).collect();
        let pos = held
            .filter(|(_, e6)| *e6 != 0)
            .enumerate()
            .filter_map(|(n, (t, q))| self.position_row(style, n, t, q))
            .collect();
        envelope(style, acc, pos)
    }

    fn cash_row(&self, style: &Style, currency: &'static str, e4: i64) -> Json {
        let zero = || style.number("zero", 0, 4);
        let (incoming, outgoing) = self.unsettled(currency);
        let place = |what: &str| format!("cash/{currency}/{what}");
        object([
            ("curr", Json::text(currency)),
            ("s", style.number(&format!("cash/{currency}"), e4 - incoming + outgoing, 4)),
            // Nonsense on purpose: the real field fits no home currency.
            (
                "currval",
                if style.profile == Profile::Clean { Json::Int(1) } else { Json::Decimal(975_000, 4) },
            ),
            ("forecast_in", zero()),
            ("forecast_out", zero()),
            ("t2_in", style.number(&place("t2_in"), incoming, 4)),
            ("t2_out", style.number(&place("t2_out"), outgoing, 4)),
        ])
    }

    /// Returns what trades will still bring and take, where money moves on settlement only.
    fn unsettled(&self, currency: &str) -> (i64, i64) {
        if !self.config.rules.cash_on_settlement {
            return (0, 0);
        }
        let today = day_at(self.now);
        // Settlement takes two business days; two weeks cover every run of holidays.
        let recent = self.fills.iter().rev().take_while(|f| day_at(f.at_ms) + 14 > today);
        let pending = recent.filter(|f| {
            f.currency == currency && f.instrument.pair().is_none() && self.settlement_day(f) > today
        });
        pending.fold((0, 0), |(incoming, outgoing), f| match f.side {
            Side::Buy => (incoming, outgoing + f.value_e4 + f.fee_e4),
            Side::Sell => (incoming + f.value_e4 - f.fee_e4, outgoing),
        })
    }

    /// Writes an account without anything in it.
    pub(super) fn empty_positions(&self, style: &Style) -> String {
        style.finish(envelope(style, Vec::new(), Vec::new()))
    }

    fn position_row(&self, style: &Style, number: usize, ticker: &str, held_e6: i64) -> Option<Json> {
        let index = self.market.find(ticker)?;
        let security = &self.market.listings[index].security;
        let price = self.market.last_price(index, self.now)?;
        let before = self.market.previous_close(index, self.now)?;
        let average = self.average_e6.get(ticker).copied().unwrap_or(price);
        let mut value = value_e4(held_e6, price);
        if style.profile == Profile::Nasty && security.kind != Kind::Share {
            value = value.saturating_mul(E6);
        }
        let market = security.broker_market();
        let place = |what: &str| format!("{ticker}/{what}");
        let money = |what: &str, e4: i64| style.number(&place(what), e4, 4);
        let number = i64::try_from(number).unwrap_or(0);
        Some(object([
            ("i", Json::text(ticker)),
            ("issue_nb", Json::text(security.isin)),
            ("name", style.name(security.name)),
            ("name2", Json::text(security.name)),
            ("q", style.number(&place("q"), held_e6, 6)),
            ("curr", Json::text(security.currency)),
            ("base_currency", Json::text(security.currency)),
            ("currval", Json::Decimal(975_000, 4)),
            ("bal_price_a", style.number(&place("bal_price_a"), average, 6)),
            ("price_a", style.number(&place("price_a"), average, 6)),
            ("open_bal", money("open_bal", value_e4(held_e6, average))),
            ("mkt_price", style.number(&place("mkt_price"), price, 6)),
            ("close_price", style.number(&place("close_price"), before, 6)),
            ("market_value", money("market_value", value)),
            ("s", money("s", value)),
            ("profit_close", money("profit_close", value_e4(held_e6, price - before))),
            ("profit_price", style.number(&place("profit_price"), before, 6)),
            ("accruedint_a", style.number("zero", 0, 4)),
            ("acd", style.number("zero", 0, 4)),
            ("t", Json::Int(1)),
            ("k", Json::Int(1)),
            ("fv", Json::text("100")),
            ("go", style.number("zero", 0, 4)),
            ("vm", style.number("zero", 0, 4)),
            ("face_val_a", Json::Int(1)),
            ("Yield", style.number("zero", 0, 4)),
            ("scheme_calc", Json::text(if security.currency == "USD" { "T1" } else { "T2" })),
            ("instr_id", Json::Int(40_100_001 + i64::try_from(index).unwrap_or(0))),
            ("acc_pos_id", Json::Int(70_310_001 + number)),
            ("mkt_id", market.map_or(Json::Null, |m| style.integer(&place("mkt_id"), m.id))),
            ("ltr", Json::optional(market.map(|m| m.code))),
            ("base_contract_code", Json::text("")),
            ("maturity_d", Json::text("")),
        ]))
    }
}

fn envelope(style: &Style, acc: Vec<Json>, pos: Vec<Json>) -> Json {
    let ps = Json::Object(vec![
        field("loaded", Json::Bool(true)),
        field("key", Json::text("%user@example.test")),
        field("acc", list(style, acc)),
        field("pos", list(style, pos)),
    ]);
    object([("result", object([("ps", ps)]))])
}

fn list(style: &Style, rows: Vec<Json>) -> Json {
    if rows.is_empty() && style.profile == Profile::Nasty { Json::Null } else { Json::List(rows) }
}
