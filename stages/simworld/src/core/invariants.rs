//! Rules that must hold in every run, checked against the simulator's own books.
//!
//! Here are those that need nothing but the simulator: conservation (I1, I2), orders (I3 to I5), conduct at
//! the venue (I6, I9, I10), money (I7, I8), requests (I11 to I13). The others join a client's books: `client_books.rs`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fixed::E6;
use super::ledger::{Cause, Unit};
use super::orders::{Ask, Instrument, Side, status};
use super::world::World;

/// Violations listed per invariant; the first ones tell the story.
const LISTED_MAX: usize = 20;
/// Largest distance of a limit from the true middle, percent.
const LIMIT_DISTANCE_PERCENT: f64 = 2.0;

/// Between orders of one side in one security, and in one currency pair.
const COOL_OFF_MS: i64 = 60 * 60_000;
const PAIR_COOL_OFF_MS: i64 = 5 * 60_000;
/// An order is not asked for again within this.
const REPEAT_MS: i64 = 120_000;
const TEN_MINUTES_MS: i64 = 600_000;

/// Result of one invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvariantReport {
    /// Id, such as `I1`.
    pub id: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What breaks it, first ones first.
    pub violations: Vec<String>,
}

/// An order request with what was true when it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) at_ms: i64,
    pub(crate) ask: Ask,
    pub(crate) instrument: Option<Instrument>,
    pub(crate) in_session: bool,
    pub(crate) halted: bool,
    pub(crate) mid_e6: Option<f64>,
    pub(crate) tick_e6: i64,
    /// Units that could be sold, e6.
    pub(crate) sellable_e6: i64,
    pub(crate) accepted: Option<i64>,
}

impl World {
    /// Checks every invariant the simulator can check alone.
    #[must_use]
    pub fn invariants(&self) -> Vec<InvariantReport> {
        vec![
            report("I1", self.conservation()),
            report("I2", self.positions_from_fills()),
            report("I3", self.one_order_per_user_id()),
            report("I4", self.one_open_order_per_ticker()),
            report("I5", self.cooled_off()),
            report("I6", self.sent_in_session()),
            report("I7", self.no_margin()),
            report("I8", self.no_short()),
            report("I9", self.limits_near_the_middle()),
            report("I10", self.lots_ticks_and_sides()),
            report("I11", self.pace()),
            report("I12", self.conduct()),
            report("I13", self.log.bad_signatures.clone()),
        ]
    }

    fn conservation(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut sums: BTreeMap<_, i128> = BTreeMap::new();
        for (number, transaction) in self.ledger.transactions.iter().enumerate() {
            for unit in transaction.imbalances() {
                out.push(format!("transaction {number} does not sum to zero in {unit:?}"));
            }
            for p in &transaction.postings {
                *sums.entry((p.account, p.unit)).or_default() += i128::from(p.amount);
            }
        }
        for (key, balance) in &self.ledger.balances {
            let sum = sums.remove(key).unwrap_or(0);
            if sum != i128::from(*balance) {
                out.push(format!("{key:?}: balance {balance}, postings {sum}"));
            }
        }
        out.extend(
            sums.iter().filter(|(_, s)| **s != 0).map(|(key, s)| format!("{key:?}: no balance for {s}")),
        );
        out
    }

    fn positions_from_fills(&self) -> Vec<String> {
        let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
        for fill in self.fills.iter().filter(|f| matches!(f.instrument, Instrument::Security(_))) {
            *expected.entry(fill.ticker).or_default() += fill.side.sign() * fill.qty * E6;
        }
        for (ticker, change) in &self.adjustments {
            *expected.entry(ticker).or_default() += change;
        }
        let held = self.ledger.all_positions();
        let tickers: std::collections::BTreeSet<&str> =
            held.keys().copied().chain(expected.keys().copied()).collect();
        let differs = |ticker: &&str| {
            held.get(ticker).copied().unwrap_or(0) != expected.get(ticker).copied().unwrap_or(0)
        };
        tickers
            .into_iter()
            .filter(differs)
            .map(|t| format!("{t}: position is not the sum of its fills"))
            .collect()
    }

    fn one_order_per_user_id(&self) -> Vec<String> {
        let mut seen: BTreeMap<i64, i64> = BTreeMap::new();
        let mut out = Vec::new();
        for order in &self.orders {
            if let Some(user) = order.ask.user_order_id
                && let Some(earlier) = seen.insert(user, order.id)
            {
                out.push(format!("user_order_id {user}: orders {earlier} and {}", order.id));
            }
        }
        out
    }

    fn one_open_order_per_ticker(&self) -> Vec<String> {
        let mut last: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        let mut out = Vec::new();
        for order in self.orders.iter().filter(|o| !o.historic) {
            let until = if order.is_final() { order.status_ms } else { i64::MAX };
            if let Some((id, end)) = last.get(order.ticker).copied()
                && order.created_ms < end
            {
                out.push(format!("{}: orders {id} and {} at the same time", order.ticker, order.id));
            }
            let entry = last.entry(order.ticker).or_insert((order.id, until));
            if until >= entry.1 {
                *entry = (order.id, until);
            }
        }
        out
    }

    /// Same side, same security, too soon after an order that was filled at least in part.
    fn cooled_off(&self) -> Vec<String> {
        let mut last: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
        let mut out = Vec::new();
        for order in self.orders.iter().filter(|o| !o.historic && o.status != status::REJECTED) {
            let cool_off = if order.instrument.pair().is_some() { PAIR_COOL_OFF_MS } else { COOL_OFF_MS };
            let key = (order.ticker, order.side.name());
            if let Some((id, at)) = last.get(&key).copied()
                && order.created_ms - at < cool_off
            {
                let (ticker, side) = key;
                out.push(format!("{ticker}: {side} orders {id} and {} within the cool-off", order.id));
            }
            // An order that ended unfilled blocks nothing.
            if order.filled > 0 || !order.is_final() {
                last.insert(key, (order.id, order.created_ms));
            }
        }
        out
    }

    /// The buckets, with a tenth on top, over ten minutes; and no order asked for twice within two.
    fn pace(&self) -> Vec<String> {
        let mut out = Vec::new();
        for pair in self.attempts.windows(2) {
            if let [a, b] = pair
                && a.ask == b.ask
                && b.at_ms - a.at_ms < REPEAT_MS
            {
                out.push(describe(b, "asks for the same once more"));
            }
        }
        if !self.config.rules.throttle {
            return out;
        }
        let requests = self.log.since(0);
        for (class, per_minute) in [("orders", 20), ("directory", 10), ("reads", 60)] {
            let most = usize::try_from(per_minute * 10 * 11 / 10).unwrap_or(usize::MAX);
            let own: Vec<i64> = requests
                .iter()
                .filter(|r| r.target == "tn" && crate::wire::throttle::class(&r.command) == class)
                .map(|r| r.virtual_ms)
                .collect();
            let fast = own.windows(most + 1).find(|w| w[most] - w[0] < TEN_MINUTES_MS);
            out.extend(fast.map(|w| {
                format!(
                    "{class}: more than {most} requests in ten minutes from {}",
                    super::dates::iso_ms(w[0])
                )
            }));
        }
        out
    }

    fn sent_in_session(&self) -> Vec<String> {
        let bad = self.attempts.iter().filter(|a| a.instrument.is_some() && (!a.in_session || a.halted));
        bad.map(|a| describe(a, "sent while the venue was closed or the security halted")).collect()
    }

    fn no_margin(&self) -> Vec<String> {
        let borrowing = self.attempts.iter().filter(|a| matches!(a.ask.action, 2 | 4));
        let mut out: Vec<String> = borrowing.map(|a| describe(a, "asks for margin")).collect();
        // Fees and interest may push a balance below zero; trades may not.
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        let mut charged: BTreeMap<&str, i64> = BTreeMap::new();
        for transaction in &self.ledger.transactions {
            for currency in self.ledger.all_cash().into_keys() {
                let change = transaction.cash_change(currency);
                let now = balance.entry(currency).or_default();
                *now += change;
                let fees = charged.entry(currency).or_default();
                *fees += fee_part(transaction, currency);
                if transaction.cause == Cause::Trade && change < 0 && *now < -*fees {
                    out.push(format!("{currency}: a trade left {now} e4 at {}", transaction.at_ms));
                }
            }
        }
        out
    }

    fn no_short(&self) -> Vec<String> {
        let short = self.ledger.all_positions().into_iter().filter(|(_, e6)| *e6 < 0);
        let mut out: Vec<String> = short.map(|(ticker, e6)| format!("{ticker}: position {e6} e6")).collect();
        let above = |a: &&Attempt| {
            let security = matches!(a.instrument, Some(Instrument::Security(_)));
            security
                && Side::of_action(a.ask.action) == Some(Side::Sell)
                && a.ask.qty.saturating_mul(E6) > a.sellable_e6
        };
        out.extend(self.attempts.iter().filter(above).map(|a| describe(a, "sells more than is held")));
        out
    }

    fn limits_near_the_middle(&self) -> Vec<String> {
        let far = |a: &&Attempt| match (a.ask.kind, a.ask.limit_e6, a.mid_e6) {
            (2 | 4, Some(limit), Some(mid)) => {
                (limit as f64 / mid - 1.0).abs() * 100.0 > LIMIT_DISTANCE_PERCENT
            }
            (2 | 4, _, None) => false,
            _ => true,
        };
        self.attempts.iter().filter(far).map(|a| describe(a, "has no limit near the true middle")).collect()
    }

    fn lots_ticks_and_sides(&self) -> Vec<String> {
        let crooked = |a: &&Attempt| {
            let Some(instrument) = a.instrument else { return false };
            let (lot, _) = self.lot_and_currency(instrument);
            a.ask.qty <= 0
                || a.ask.qty % lot != 0
                || a.ask.limit_e6.is_some_and(|l| l % a.tick_e6.max(1) != 0)
        };
        let mut out: Vec<String> =
            self.attempts.iter().filter(crooked).map(|a| describe(a, "breaks lot or price step")).collect();
        for transaction in self.ledger.transactions.iter().filter(|t| t.cause == Cause::Trade) {
            let changes: Vec<i64> = transaction
                .postings
                .iter()
                .filter(|p| {
                    p.account == super::ledger::Account::Market && matches!(p.unit, Unit::Currency(_))
                })
                .map(|p| p.amount.signum())
                .collect();
            if let [a, b] = changes.as_slice()
                && a == b
            {
                out.push(format!("an exchange at {} moved both currencies the same way", transaction.at_ms));
            }
        }
        out
    }

    fn conduct(&self) -> Vec<String> {
        self.log.forbidden.iter().chain(&self.log.leaks).cloned().collect()
    }
}

fn fee_part(transaction: &super::ledger::Transaction, currency: &str) -> i64 {
    use super::ledger::Account::{Fees, Tax};
    let charged = |p: &&super::ledger::Posting| {
        matches!(p.account, Fees | Tax) && matches!(p.unit, Unit::Currency(c) if c == currency)
    };
    transaction.postings.iter().filter(charged).map(|p| p.amount).sum()
}

fn describe(attempt: &Attempt, what: &str) -> String {
    let ask = &attempt.ask;
    let when = super::dates::iso_ms(attempt.at_ms);
    format!("{when} {} action {} qty {} limit {:?}: {what}", ask.ticker, ask.action, ask.qty, ask.limit_e6)
}

fn report(id: &'static str, violations: Vec<String>) -> InvariantReport {
    InvariantReport::of(id, violations)
}

impl InvariantReport {
    /// Makes the report of one invariant.
    pub(crate) fn of(id: &'static str, mut violations: Vec<String>) -> Self {
        violations.truncate(LISTED_MAX);
        Self { id, ok: violations.is_empty(), violations }
    }
}
