//! A client's own books beside the simulator's: the invariants that need both sides.

use std::collections::{BTreeMap, BTreeSet};

use market::Timestamp;
use serde::Deserialize;

use crate::core::invariants::InvariantReport;
use crate::{World, core::orders::Side};

/// Largest difference of cash per currency, e4: one cent.
const CASH_E4_MAX: i64 = 100;
/// Largest distance of the price a decision rested on from the truth, percent.
const DECISION_PERCENT_MAX: i64 = 3;
/// Requests shown with a violation.
const SHOWN: usize = 20;

/// What a client believes, exported from its database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientBooks {
    /// Units per ticker, e6.
    pub positions_e6: BTreeMap<String, i64>,
    /// Cash per currency, e4.
    pub cash_e4: BTreeMap<String, i64>,
    /// Ids of the fills it booked; absent when it does not keep them.
    pub trade_ids: Option<BTreeSet<i64>>,
    /// Ids of the statement lines it booked.
    pub flow_ids: Option<BTreeSet<String>>,
    /// Its orders.
    pub orders: Vec<ClientOrder>,
    /// Orders whose fate it does not know, and securities it has frozen without telling anybody.
    pub unsettled: Vec<String>,
    /// Orders it allows itself on one day, and in one security on one day.
    pub daily_caps: Option<(usize, usize)>,
}

/// One order as the client keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientOrder {
    /// The caller's id that went to the broker.
    pub user_order_id: i64,
    /// Ticker.
    pub ticker: String,
    /// Price the decision rested on, e6.
    pub decision_price_e6: i64,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl World {
    /// Compares a client's books with the truth.
    #[must_use]
    pub fn compare(&self, books: &ClientBooks) -> Vec<InvariantReport> {
        vec![
            InvariantReport::of("I3", self.orders_per_row(books)),
            InvariantReport::of("I14", self.differing_books(books)),
            InvariantReport::of("I15", self.blind_decisions(books)),
            InvariantReport::of("I16", self.caps_exceeded(books)),
            InvariantReport::of(
                "I17",
                books.unsettled.iter().map(|what| format!("{what}: not settled, no alert")).collect(),
            ),
        ]
    }

    fn orders_per_row(&self, books: &ClientBooks) -> Vec<String> {
        let at_broker = |id: i64| self.orders.iter().filter(|o| o.ask.user_order_id == Some(id)).count();
        let twice = books.orders.iter().filter(|row| at_broker(row.user_order_id) > 1);
        twice
            .map(|row| {
                format!(
                    "order row {} is {} orders at the broker",
                    row.user_order_id,
                    at_broker(row.user_order_id)
                )
            })
            .collect()
    }

    fn differing_books(&self, books: &ClientBooks) -> Vec<String> {
        let mut out = Vec::new();
        let held = self.positions();
        for ticker in held
            .keys()
            .map(|t| (*t).to_owned())
            .chain(books.positions_e6.keys().cloned())
            .collect::<BTreeSet<_>>()
        {
            let truth = held.get(ticker.as_str()).copied().unwrap_or(0);
            let theirs = books.positions_e6.get(&ticker).copied().unwrap_or(0);
            if truth != theirs {
                out.push(format!("{ticker}: the broker has {truth} e6, the client {theirs} e6"));
            }
        }
        for (currency, truth) in self.cash() {
            let theirs = books.cash_e4.get(currency).copied().unwrap_or(0);
            if (truth - theirs).abs() > CASH_E4_MAX {
                out.push(format!("{currency}: the broker has {truth} e4, the client {theirs} e4"));
            }
        }
        let fills: BTreeSet<i64> = self.fills.iter().map(|fill| fill.id).collect();
        if let Some(theirs) = &books.trade_ids {
            out.extend(fills.symmetric_difference(theirs).map(|id| format!("fill {id} is on one side only")));
        }
        let flows: BTreeSet<String> = self.flows.iter().map(|flow| format!("{:x}", flow.id)).collect();
        if let Some(theirs) = &books.flow_ids {
            out.extend(flows.symmetric_difference(theirs).map(|id| format!("flow {id} is on one side only")));
        }
        out
    }

    fn blind_decisions(&self, books: &ClientBooks) -> Vec<String> {
        let far = |row: &&ClientOrder| {
            let truth = self.truth_price(&row.ticker, row.decided_at);
            truth.is_none_or(|truth| {
                let distance = i128::from(row.decision_price_e6 - truth).abs() * 100;
                distance > i128::from(truth) * i128::from(DECISION_PERCENT_MAX)
            })
        };
        let describe = |row: &ClientOrder| {
            format!(
                "{} at {}: decided on {} e6, which was not the price",
                row.ticker, row.decided_at, row.decision_price_e6
            )
        };
        books.orders.iter().filter(far).map(describe).collect()
    }

    fn caps_exceeded(&self, books: &ClientBooks) -> Vec<String> {
        let Some((a_day, a_security)) = books.daily_caps else { return Vec::new() };
        let mut days: BTreeMap<i32, usize> = BTreeMap::new();
        let mut securities: BTreeMap<(i32, &str), usize> = BTreeMap::new();
        for order in self.orders.iter().filter(|o| !o.historic && o.instrument.pair().is_none()) {
            let day = crate::core::dates::day_at(order.created_ms);
            *days.entry(day).or_default() += 1;
            *securities.entry((day, order.ticker)).or_default() += 1;
        }
        let mut out: Vec<String> = Vec::new();
        out.extend(
            days.iter()
                .filter(|(_, n)| **n > a_day)
                .map(|(day, n)| format!("{}: {n} orders", crate::core::dates::iso(*day))),
        );
        out.extend(
            securities
                .iter()
                .filter(|(_, n)| **n > a_security)
                .map(|((day, t), n)| format!("{} {t}: {n} orders", crate::core::dates::iso(*day))),
        );
        out
    }

    /// Tells whether another run decided the same (I18): order for order, fill for fill.
    #[must_use]
    pub fn decided_like(&self, other: &World) -> InvariantReport {
        let same = self.decisions_digest() == other.decisions_digest();
        let what = || {
            format!(
                "{} and {} orders, first difference {:?}",
                self.orders.len(),
                other.orders.len(),
                first_difference(self, other)
            )
        };
        InvariantReport::of("I18", if same { Vec::new() } else { vec![what()] })
    }
}

fn first_difference(one: &World, other: &World) -> Option<i64> {
    let key = |o: &crate::core::orders::Order| {
        (o.ticker, o.side == Side::Buy, o.ask.qty, o.ask.limit_e6, o.created_ms)
    };
    one.orders.iter().zip(&other.orders).find(|(a, b)| key(a) != key(b)).map(|(a, _)| a.id)
}

/// Fails unless every invariant holds on both sides; shows the requests before the end.
///
/// # Panics
///
/// With the first violations and the last requests, for tests.
pub fn assert_world(world: &World, books: &ClientBooks) {
    let broken: Vec<InvariantReport> =
        world.invariants().into_iter().chain(world.compare(books)).filter(|report| !report.ok).collect();
    if broken.is_empty() {
        return;
    }
    let requests = world.requests(0);
    let last: Vec<String> = requests.iter().rev().take(SHOWN).map(|entry| format!("{entry:?}")).collect();
    panic!("{broken:#?}\nlast requests, newest first:\n{}", last.join("\n"));
}
