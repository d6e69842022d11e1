//! `getNotifyOrderJson` and `getOrdersHistory`: listings of orders.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::params::Params;
use super::profile::{Profile, Style};
use crate::core::dates::{day_at, iso_ms, parse_iso, parse_time_of_day, start_of};
use crate::core::orders::{Order, Side};
use crate::core::world::World;

/// The server writes times of orders and trades in this zone, milliseconds ahead of UTC.
pub(super) const SERVER_ZONE_MS: i64 = 3 * 3_600_000;
/// A status no document mentions; the nasty profile shows it once.
const UNKNOWN_STATUS: i64 = 77;

impl World {
    /// Lists working orders, or all of the server's day.
    pub(super) fn notify_order_json(&mut self, params: &Params, style: &Style) -> Json {
        let active_only = params.int("active_only").or_else(|| params.int("active")).unwrap_or(0) != 0;
        let today = day_at(self.now + SERVER_ZONE_MS);
        let wanted = |o: &&Order| {
            o.created_ms <= style.tricks.as_of && !o.is_final()
                || (o.created_ms <= style.tricks.as_of
                    && !active_only
                    && day_at(o.created_ms + SERVER_ZONE_MS) == today
                    && !o.historic)
        };
        let mut rows: Vec<Json> =
            self.orders.iter().filter(wanted).map(|o| self.order_row(o, style)).collect();
        self.show_unknown_status(&mut rows, style);
        let orders = Json::Object(vec![field("key", Json::text("%user@example.test"))]);
        object([("result", object([("orders", orders.with(style.rows("order", rows)))]))])
    }

    fn show_unknown_status(&mut self, rows: &mut [Json], style: &Style) {
        if style.profile != Profile::Nasty || self.unknown_status_shown {
            return;
        }
        let active = |row: &&mut Json| matches!(row, Json::Object(f) if f.iter().any(|(k, v)| k == "stat" && *v == Json::Int(10)));
        if let Some(Json::Object(fields)) = rows.iter_mut().find(active) {
            for (key, value) in fields.iter_mut().filter(|(key, _)| key == "stat") {
                debug_assert_eq!(key, "stat");
                *value = Json::Int(UNKNOWN_STATUS);
            }
            self.unknown_status_shown = true;
        }
    }

    /// Lists orders of a span, rejected ones included.
    pub(super) fn orders_history(&mut self, params: &Params, style: &Style) -> Answer {
        let bound = |key: &str| {
            let text = params.text(key)?;
            Some(start_of(parse_iso(text)?) + parse_time_of_day(text)? - SERVER_ZONE_MS)
        };
        let (Some(from), Some(till)) = (bound("from"), bound("till")) else {
            return Err(Failure::command(5, "from and till are mandatory"));
        };
        let wanted = |o: &&Order| (from..=till.min(style.tricks.as_of)).contains(&o.created_ms);
        let rows = self.orders.iter().filter(wanted).map(|o| self.history_row(o, style)).collect();
        let orders = Json::Object(vec![field("key", Json::text("user@example.test"))]);
        Ok(object([("orders", orders.with(style.rows("order", rows)))]))
    }

    fn history_row(&self, order: &Order, style: &Style) -> Json {
        let mut row = self.order_row(order, style);
        if let Json::Object(fields) = &mut row {
            // The history spells the caller's id differently and as text.
            for (key, value) in fields.iter_mut().filter(|(key, _)| key == "user_order_id") {
                *key = "userOrderId".to_owned();
                if let Json::Int(id) = value {
                    *value = Json::Text(id.to_string());
                }
            }
            fields.push(field("login", Json::text("user@example.test")));
            fields.push(field("safety_type_id", Json::Int(14)));
            fields.push(field("@text", Json::text(&order.text)));
        }
        row
    }

    pub(super) fn order_row(&self, order: &Order, style: &Style) -> Json {
        let place = |what: &str| format!("{}/{what}", order.id);
        let (_, currency) = self.lot_and_currency(order.instrument);
        let fills: Vec<Json> = self
            .fills
            .iter()
            .filter(|f| f.order_id == order.id)
            .map(|f| self.order_trade(f, style))
            .collect();
        let oper = if order.side == Side::Buy { 1 } else { 3 };
        let (name, market) = self.name_and_market(order.instrument);
        let row = object([
            ("id", Json::Int(order.id)),
            ("order_id", style.integer(&place("order_id"), order.id)),
            ("date", Json::Text(iso_ms(order.created_ms + SERVER_ZONE_MS))),
            ("stat", Json::Int(i64::from(order.status))),
            ("stat_orig", Json::Int(i64::from(order.status))),
            ("stat_prev", Json::Int(i64::from(order.previous))),
            ("stat_d", Json::Text(iso_ms(order.status_ms + SERVER_ZONE_MS))),
            ("instr", Json::text(order.ticker)),
            ("name", style.name(name)),
            ("name2", Json::text(name)),
            ("instr_type", Json::Int(if order.instrument.pair().is_some() { 6 } else { 1 })),
            ("mkt_id", market.map_or(Json::Null, Json::Int)),
            ("oper", Json::Int(oper)),
            ("type", Json::Int(order.ask.kind)),
            ("cur", Json::text(currency)),
            ("p", style.number(&place("p"), order.ask.limit_e6.unwrap_or(0), 6)),
            ("q", style.number(&place("q"), order.ask.qty, 0)),
            ("leaves_qty", style.number(&place("leaves_qty"), order.leaves(), 0)),
            ("curr_q", Json::Int(0)),
            ("stop", style.number(&place("stop"), order.ask.stop_e6.unwrap_or(0), 6)),
            ("stop_activated", Json::Int(i64::from(order.triggered))),
            ("trailing", style.number("zero", 0, 4)),
            ("trailing_price", Json::Null),
            ("aon", Json::Int(0)),
            ("exp", Json::Int(order.ask.expiration)),
            ("rep", Json::Int(0)),
            ("fv", Json::text("100")),
            ("order_nb", Json::Null),
            ("condition", Json::text("")),
            ("text", Json::text(&order.text)),
            ("owner_login", Json::text("user@example.test")),
        ]);
        row.with(self.echo(order, style)).with(style.rows("trade", fills))
    }

    fn echo(&self, order: &Order, style: &Style) -> Option<(String, Json)> {
        let echoed = !style.tricks.drop_echo
            && self.config.rules.echo_user_order_id
            && self.config.profile != Profile::Nasty;
        echoed.then(|| field("user_order_id", order.ask.user_order_id.map_or(Json::Null, Json::Int)))
    }
}
