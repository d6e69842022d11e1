//! Read-only views of the truth: what tests and the control interface compare a client with.

use std::collections::{BTreeMap, BTreeSet};

use ::market::{Day, Mic, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fixed::text;
use super::orders::{Fill, Order};
use super::world::{World, WorldError};

/// An order as the broker holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// Broker's id.
    pub id: i64,
    /// Caller's id.
    pub user_order_id: Option<i64>,
    /// Ticker.
    pub ticker: &'static str,
    /// `buy` or `sell`.
    pub side: &'static str,
    /// Broker's order type code.
    pub type_id: i64,
    /// Units asked for.
    pub qty: i64,
    /// Units filled.
    pub filled: i64,
    /// Limit, plain decimal.
    pub limit: Option<String>,
    /// Status code.
    pub status: u8,
    /// Whether the status is final.
    pub is_final: bool,
    /// Virtual milliseconds of receipt.
    pub created_ms: i64,
    /// Virtual milliseconds of the status.
    pub status_ms: i64,
    /// Reason of a rejection.
    pub text: String,
    /// Whether it belongs to the account's history before the world began.
    pub historic: bool,
}

/// A fill as the broker booked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FillView {
    /// Trade id.
    pub id: i64,
    /// Order.
    pub order_id: i64,
    /// Ticker.
    pub ticker: &'static str,
    /// `buy` or `sell`.
    pub side: &'static str,
    /// Units.
    pub qty: i64,
    /// Price, plain decimal.
    pub price: String,
    /// Value in the currency, plain decimal.
    pub value: String,
    /// Fee in the currency, plain decimal.
    pub fee: String,
    /// Currency.
    pub currency: &'static str,
    /// Virtual milliseconds.
    pub at_ms: i64,
    /// Whether it belongs to the account's history before the world began.
    pub historic: bool,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerView {
    /// Number of the transaction, from 0.
    pub number: usize,
    /// Virtual milliseconds.
    pub at_ms: i64,
    /// Why it was booked.
    pub cause: String,
    /// Postings as `account unit amount`.
    pub postings: Vec<String>,
}

impl World {
    /// Lists all orders, the account's history included.
    #[must_use]
    pub fn orders(&self) -> Vec<OrderView> {
        self.orders.iter().map(order_view).collect()
    }

    /// Lists all fills, the account's history included.
    #[must_use]
    pub fn fills(&self) -> Vec<FillView> {
        self.fills.iter().map(fill_view).collect()
    }

    /// Returns units held per ticker, e6; tickers without units are left out.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<&'static str, i64> {
        self.ledger.all_positions().into_iter().filter(|(_, e6)| *e6 != 0).collect()
    }

    /// Returns cash per currency, e4.
    #[must_use]
    pub fn cash(&self) -> BTreeMap<&'static str, i64> {
        self.ledger.all_cash()
    }

    /// Lists transactions from a number on.
    #[must_use]
    pub fn ledger(&self, since: usize) -> Vec<LedgerView> {
        let view = |(number, t): (usize, &super::ledger::Transaction)| LedgerView {
            number,
            at_ms: t.at_ms,
            cause: format!("{:?}", t.cause),
            postings: t
                .postings
                .iter()
                .map(|p| format!("{:?} {:?} {}", p.account, p.unit, p.amount))
                .collect(),
        };
        self.ledger.transactions.iter().enumerate().skip(since).map(view).collect()
    }

    /// Returns the true last price of a ticker at an instant up to now, e6.
    #[must_use]
    pub fn truth_price(&self, ticker: &str, at: Timestamp) -> Option<i64> {
        let instrument = self.find(ticker)?;
        self.quote_of(instrument, at.ms().min(self.now)).map(|quote| quote.last_e6)
    }

    /// Returns the true closes of a ticker, e6, in the units of each session.
    ///
    /// Days the world has not reached are left out.
    #[must_use]
    pub fn daily_closes(&self, ticker: &str, from: Day, to: Day) -> Vec<(Day, i64)> {
        let Some(index) = self.market.find(ticker) else { return Vec::new() };
        let closes = self.market.listings[index].closes.iter();
        let past = |day: i32| self.market.sessions(index, day).close().is_some_and(|close| close <= self.now);
        closes
            .filter(|c| (from.epoch_days()..=to.epoch_days()).contains(&c.day) && past(c.day))
            .filter_map(|c| Some((Day::from_epoch_days(c.day)?, c.close_e6)))
            .collect()
    }

    /// Returns a digest of everything clients decided: their orders and fills with virtual times.
    #[must_use]
    pub fn decisions_digest(&self) -> String {
        let mut hash = Sha256::new();
        for o in self.orders.iter().filter(|o| !o.historic) {
            let limit = o.ask.limit_e6.unwrap_or(0);
            hash.update(format!("o|{}|{}|{}|{limit}|{}\n", o.ticker, o.side.name(), o.ask.qty, o.created_ms));
        }
        for f in self.fills.iter().filter(|f| !f.historic) {
            hash.update(format!("f|{}|{}|{}|{}|{}\n", f.ticker, f.side.name(), f.qty, f.price_e6, f.at_ms));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Books a deposit (positive) or withdrawal (negative), e4, at the present instant.
    ///
    /// # Errors
    ///
    /// Refuses currencies the broker does not keep.
    pub fn book_cash(&mut self, currency: &str, sum_e4: i64, type_code: &str) -> Result<(), WorldError> {
        let known = ["EUR", "USD", "GBP", "HKD"].into_iter().find(|c| *c == currency);
        let currency = known.ok_or_else(|| WorldError::Ticker(currency.to_owned()))?;
        self.book_transfer(self.now, type_code, sum_e4, currency);
        Ok(())
    }

    /// Adds or replaces a fault rule.
    ///
    /// # Errors
    ///
    /// Refuses rules that mean nothing.
    pub fn put_fault(&mut self, rule: super::faults::FaultRule) -> Result<(), super::faults::FaultError> {
        self.faults.put(rule)
    }

    /// Removes a fault rule; false when there was none.
    pub fn remove_fault(&mut self, id: &str) -> bool {
        self.faults.remove(id)
    }

    /// Lists the firings of fault rules.
    #[must_use]
    pub fn fault_log(&self) -> Vec<super::faults::Firing> {
        self.faults.firings.clone()
    }

    /// Lists requests with a number greater than `since`.
    #[must_use]
    pub fn requests(&self, since: u64) -> Vec<crate::wire::RequestEntry> {
        self.log.since(since)
    }

    /// Shows all requests, oldest first, without a copy.
    pub fn every_request(&self) -> impl Iterator<Item = &crate::wire::RequestEntry> {
        self.log.all()
    }

    /// Lists requests that asked for something the simulator does not imitate; a test should find none.
    #[must_use]
    pub fn unmodelled(&self) -> &[String] {
        &self.log.unmodelled
    }

    /// Returns the venues of the securities a client may see, each once.
    #[must_use]
    pub fn venues(&self) -> Vec<Mic> {
        let visible = self.market.listings.iter().filter(|l| l.visible);
        let codes: BTreeSet<&str> = visible.map(|l| l.security.venue.mic()).collect();
        codes.into_iter().filter_map(|code| code.parse().ok()).collect()
    }

    /// Returns the whole truth about the account as one JSON object, for reports and comparisons.
    #[must_use]
    pub fn truth(&self) -> serde_json::Value {
        serde_json::json!({
            "now_ms": self.now,
            "now": super::dates::iso_ms(self.now),
            "seed": self.config.seed,
            "scenario": self.config.scenario,
            "positions_e6": self.positions(),
            "cash_e4": self.cash(),
            "orders": self.orders(),
            "fills": self.fills(),
            "decisions_digest": self.decisions_digest(),
            "invariants": self.invariants(),
        })
    }

    /// Returns what the world was made from.
    #[must_use]
    pub fn config(&self) -> &super::world::WorldConfig {
        &self.config
    }
}

fn order_view(order: &Order) -> OrderView {
    OrderView {
        id: order.id,
        user_order_id: order.ask.user_order_id,
        ticker: order.ticker,
        side: order.side.name(),
        type_id: order.ask.kind,
        qty: order.ask.qty,
        filled: order.filled,
        limit: order.ask.limit_e6.map(|l| text(l, 6, 2)),
        status: order.status,
        is_final: order.is_final(),
        created_ms: order.created_ms,
        status_ms: order.status_ms,
        text: order.text.clone(),
        historic: order.historic,
    }
}

fn fill_view(fill: &Fill) -> FillView {
    FillView {
        id: fill.id,
        order_id: fill.order_id,
        ticker: fill.ticker,
        side: fill.side.name(),
        qty: fill.qty,
        price: text(fill.price_e6, 6, 2),
        value: text(fill.value_e4, 4, 2),
        fee: text(fill.fee_e4, 4, 2),
        currency: fill.currency,
        at_ms: fill.at_ms,
        historic: fill.historic,
    }
}
