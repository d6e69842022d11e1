//! Smaller commands: watch lists, alerts, the opening bundle, best movers, the unsigned export, stop losses.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::params::Params;
use super::profile::Style;
use crate::core::dates::day_at;
use crate::core::fixed;
use crate::core::place::Placed;
use crate::core::universe::Kind;
use crate::core::world::World;

/// Watch lists and alerts kept.
const KEPT_MAX: usize = 1_000;
/// Tickers of one export.
const EXPORTED_MAX: usize = 100;

impl World {
    /// Lists the watch lists.
    pub(super) fn stock_lists(&self) -> Json {
        let rows = self.lists.iter().map(|(id, name, tickers)| {
            object([
                ("id", Json::Int(*id)),
                ("userId", Json::Int(1234)),
                ("name", Json::text(name)),
                ("tickers", Json::List(tickers.iter().map(|t| Json::text(t)).collect())),
                ("picture", Json::Null),
            ])
        });
        object([
            ("userStockLists", Json::List(rows.collect())),
            ("selectedId", Json::Int(7)),
            ("defaultId", Json::Int(7)),
        ])
    }

    /// Adds a ticker to a list or takes it off.
    pub(super) fn change_list(&mut self, params: &Params, add: bool) -> Answer {
        let id = params.int("id").unwrap_or(7);
        let ticker = params.text("ticker").unwrap_or("").to_owned();
        if add && self.find(&ticker).is_none() {
            return Err(Failure::command(0, "Instrument not found"));
        }
        let Some((_, _, tickers)) = self.lists.iter_mut().find(|list| list.0 == id) else {
            return Err(Failure::command(0, "List not found"));
        };
        tickers.retain(|kept| *kept != ticker);
        if add && tickers.len() < KEPT_MAX {
            tickers.push(ticker);
        }
        Ok(self.stock_lists())
    }

    /// Lists price alerts.
    pub(super) fn alerts_list(&self, params: &Params) -> Json {
        let wanted = params.text("ticker");
        let rows = self.alerts.iter().filter(|(_, ticker, _)| wanted.is_none_or(|w| w == ticker)).map(
            |(id, ticker, price)| {
                object([
                    ("id", Json::Int(*id)),
                    ("auth_login", Json::text("user@example.test")),
                    ("ticker", Json::text(ticker)),
                    ("trigger_price", Json::Text(format!("[\"{price}\"]"))),
                    ("quote_type", Json::text("ltp")),
                    ("notification_type", Json::text("email")),
                    ("trigger_type", Json::text("crossing")),
                    ("triggered", Json::Bool(false)),
                    ("deleted", Json::Bool(false)),
                ])
            },
        );
        object([("alerts", Json::List(rows.collect()))])
    }

    /// Sets a price alert.
    pub(super) fn add_alert(&mut self, params: &Params) -> Answer {
        let ticker = params.text("ticker").unwrap_or("").to_owned();
        if self.find(&ticker).is_none() {
            return Err(Failure::command(0, "Instrument not found"));
        }
        let price = params.list("price").first().cloned().unwrap_or_default();
        if self.alerts.len() < KEPT_MAX {
            let id = self.alerts.iter().map(|(id, ..)| *id).max().unwrap_or(900) + 1;
            self.alerts.push((id, ticker, price));
        }
        Ok(object([("added", Json::Bool(true))]))
    }

    /// Removes a price alert.
    pub(super) fn toggle_alert(&mut self, params: &Params) -> Json {
        let id = params.int("id").unwrap_or(0);
        if params.get("del").as_bool() == Some(true) {
            self.alerts.retain(|(kept, ..)| *kept != id);
        }
        object([("id", Json::Int(id))])
    }

    /// Writes the bundle a web page asks for when it opens.
    pub(super) fn opening_bundle(&mut self, style: &Style) -> Json {
        let inner = |json: Json, key: &str| match json {
            Json::Object(fields) => fields.into_iter().find(|(k, _)| k == key).map_or(Json::Null, |(_, v)| v),
            _ => Json::Null,
        };
        let positions = inner(self.position_json(style), "result");
        let orders = inner(self.notify_order_json(&Params::none(), style), "result");
        let markets = inner(self.market_status(&Params::none(), style), "result");
        let bundle = object([
            ("ps", inner(positions, "ps")),
            ("orders", inner(orders, "orders")),
            ("markets", markets),
            ("quotes", object([("q", Json::List(Vec::new()))])),
            ("homeCurrency", Json::text("EUR")),
            ("reception", Json::Int(35)),
            ("active", Json::Int(1)),
            ("userInfo", object([("login", Json::text("user@example.test"))])),
        ]);
        object([("OPQ", bundle)])
    }

    /// Names the tickers of one kind and place, the best of the day first.
    pub(super) fn top_securities(&self, params: &Params) -> Json {
        let place = match params.text("exchange") {
            Some("usa") => ".US",
            Some("europe") => ".EU",
            _ => "",
        };
        let funds = params.text("type") == Some("funds");
        let most = params.int("limit").and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
        let mut found: Vec<(i64, &str)> = self
            .market
            .listings
            .iter()
            .enumerate()
            .filter(|(_, l)| {
                l.visible && l.security.ticker.ends_with(place) && (l.security.kind != Kind::Share) == funds
            })
            .filter_map(|(i, l)| {
                let (last, before) =
                    (self.market.last_price(i, self.now)?, self.market.previous_close(i, self.now)?);
                Some(((last - before) * 1_000_000 / before.max(1), l.security.ticker))
            })
            .collect();
        found.sort_by_key(|(change, ticker)| (-*change, *ticker));
        object([("tickers", Json::List(found.into_iter().take(most).map(|(_, t)| Json::text(t)).collect()))])
    }

    /// Writes chosen fields of quotes as a bare list.
    pub(super) fn export(&mut self, params: &Params, style: &Style) -> Json {
        let wanted: Vec<String> = params.list("params");
        let rows = params.list("tickers").into_iter().take(EXPORTED_MAX).filter_map(|ticker| {
            let Json::Object(fields) = self.quote_row(&ticker, style)? else { return None };
            let chosen = |key: &str| key == "c" || wanted.is_empty() || wanted.iter().any(|w| w == key);
            Some(Json::Object(fields.into_iter().filter(|(key, _)| chosen(key)).collect()))
        });
        Json::List(rows.collect())
    }

    /// Sets a stop loss, a take profit, or both for a position.
    pub(super) fn put_stop_loss(&mut self, params: &Params) -> Answer {
        let ticker = params.text("instr_name").unwrap_or("").to_owned();
        let percent = params.price_e6("stop_loss_percent");
        let stop = match percent {
            Some(e6) => self.find(&ticker).and_then(|i| self.quote_of(i, self.now)).map(|quote| {
                let exact = fixed::div_half_even(
                    i128::from(quote.last_e6) * i128::from(100_000_000 - e6),
                    100_000_000,
                );
                fixed::narrow(exact) / quote.tick_e6 * quote.tick_e6
            }),
            None => params.price_e6("stop_loss"),
        };
        let mut last = None;
        for (kind, price) in [(5, stop), (6, params.price_e6("take_profit"))] {
            let Some(price) = price else { continue };
            match self.protect(&ticker, kind, price) {
                Placed::Accepted(id) => last = Some(id),
                Placed::Refused(refusal) => return Err(Failure::command(0, refusal.to_string())),
            }
        }
        let id = last.ok_or_else(|| Failure::command(5, "stop_loss or take_profit is missing"))?;
        let order = object([("id", Json::Int(id)), ("instr", Json::Text(ticker))]);
        Ok(object([("order_id", Json::Int(id)), ("order", order)]))
    }

    /// Tells who the client is; personal data, invented.
    pub(super) fn user_info(&self) -> Json {
        let fields = [
            ("login", Json::text("user@example.test")),
            ("homeCurrency", Json::text("EUR")),
            ("since", Json::Text(crate::core::dates::iso(day_at(self.config.start.ms()) - 1_100))),
        ];
        Json::Object(fields.into_iter().map(|(key, value)| field(key, value)).collect())
    }
}
