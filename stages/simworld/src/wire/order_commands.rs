//! `putTradeOrder` and `delTradeOrder`.

use super::dispatch::{Answer, Failure};
use super::json::{Json, object};
use super::params::Params;
use crate::core::dates::day_at;
use crate::core::invariants::Attempt;
use crate::core::orders::{Ask, Side};
use crate::core::place::{CancelRefusal, Placed, Twist};
use crate::core::world::World;

/// Attempts remembered; a run that sends more has other problems.
const ATTEMPTS_MAX: usize = 200_000;

/// Fields of an order request.
const FIELDS: [&str; 8] = [
    "instr_name",
    "action_id",
    "order_type_id",
    "qty",
    "limit_price",
    "stop_price",
    "expiration_id",
    "user_order_id",
];

impl World {
    /// Takes or refuses an order.
    pub(super) fn put_trade_order(&mut self, params: &Params, twist: Twist) -> Answer {
        for unknown in params.unknown(&FIELDS) {
            self.unmodelled_note(&format!("putTradeOrder field {unknown}"));
        }
        let ask = Ask {
            ticker: params.text("instr_name").unwrap_or("").to_owned(),
            action: params.int("action_id").unwrap_or(0),
            kind: params.int("order_type_id").unwrap_or(0),
            qty: params.int("qty").unwrap_or(0),
            limit_e6: params.price_e6("limit_price"),
            stop_e6: params.price_e6("stop_price"),
            expiration: params.int("expiration_id").unwrap_or(1),
            user_order_id: params.int("user_order_id"),
        };
        let mut attempt = self.attempt(&ask);
        let again = (twist == Twist::Double).then(|| ask.clone());
        let placed = self.place(ask, twist);
        if let (Some(again), Placed::Accepted(_)) = (again, placed) {
            self.place(again, Twist::None);
        }
        if let Placed::Accepted(id) = placed {
            attempt.accepted = Some(id);
        }
        if self.attempts.len() < ATTEMPTS_MAX {
            self.attempts.push(attempt);
        }
        match placed {
            Placed::Accepted(id) => Ok(object([("order_id", Json::Int(id))])),
            Placed::Refused(refusal) => Err(Failure::command(0, refusal.to_string())),
        }
    }

    fn attempt(&self, ask: &Ask) -> Attempt {
        let instrument = self.find(&ask.ticker);
        let quote = instrument.and_then(|i| self.quote_of(i, self.now));
        let selling: i64 = self
            .open
            .iter()
            .map(|at| &self.orders[*at])
            .filter(|o| o.ticker == ask.ticker && o.side == Side::Sell)
            .map(|o| o.leaves() * crate::core::fixed::E6)
            .sum();
        let held = instrument.map_or(0, |i| self.ledger.position(self.static_ticker(i)));
        Attempt {
            at_ms: self.now,
            instrument,
            in_session: instrument.is_some_and(|i| self.sessions_of(i, day_at(self.now)).contains(self.now)),
            halted: instrument.is_some_and(|i| self.is_halted(i, self.now)),
            mid_e6: quote.map(|q| q.mid),
            tick_e6: quote.map_or(1, |q| q.tick_e6),
            sellable_e6: held - selling,
            accepted: None,
            ask: ask.clone(),
        }
    }

    /// Asks for a cancellation.
    pub(super) fn del_trade_order(&mut self, params: &Params, twist: Twist) -> Answer {
        let id = params.int("order_id").ok_or_else(|| Failure::command(5, "order_id is missing"))?;
        match self.cancel(id, twist) {
            Ok(()) => Ok(object([("order_id", Json::Int(id))])),
            Err(refusal @ CancelRefusal::Final) => Err(Failure::command(12, refusal.to_string())),
            Err(refusal @ CancelRefusal::Unknown) => Err(Failure::command(0, refusal.to_string())),
        }
    }
}
