//! What the checkers look at: the simulated broker's own books, and the stages' stores, read from outside. Never what a
//! stage says of itself.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use contracts::{OrderApproved, OrderState};
use market::Timestamp;
use rusqlite::{Connection, OpenFlags};
use simworld::{FillView, OrderView};

use crate::rig::Rig;

/// A halt in the gate's store.
#[derive(Debug, Clone)]
pub struct Halt {
    pub reason: String,
    pub text: String,
    pub since: Timestamp,
    pub cleared: Option<Timestamp>,
}

/// Everything there is to see after a step.
pub struct Witness<'a> {
    pub rig: &'a Rig,
    /// The broker's orders of this run.
    pub orders: Vec<OrderView>,
    /// The broker's fills of this run.
    pub fills: Vec<FillView>,
    stores: &'a Stores,
}

/// Read-only connections, kept open.
#[derive(Default)]
pub struct Stores(RefCell<BTreeMap<&'static str, Connection>>);

impl<'a> Witness<'a> {
    pub fn look(rig: &'a Rig, stores: &'a Stores) -> Witness<'a> {
        let world = rig.world.borrow();
        let orders = world.orders().into_iter().filter(|order| !order.historic).collect();
        let fills = world.fills().into_iter().filter(|fill| !fill.historic).collect();
        Witness { rig, orders, fills, stores }
    }

    /// Every row of a query in a store; none while the store does not exist.
    pub fn rows<T>(
        &self,
        store: &'static str,
        sql: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut open = self.stores.0.borrow_mut();
        if !open.contains_key(store) {
            let file = self.rig.store_file(store);
            let Ok(connection) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
                return Vec::new();
            };
            open.insert(store, connection);
        }
        let connection = &open[store];
        let mut query = connection.prepare_cached(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = query.query_map([], read).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.map(|row| row.unwrap_or_else(|error| panic!("{sql}: {error}"))).collect()
    }

    pub fn words(&self, store: &'static str, sql: &str) -> BTreeSet<String> {
        self.rows(store, sql, |row| row.get::<_, String>(0)).into_iter().collect()
    }

    /// Our orders with real money, by our number at the broker.
    pub fn own(&self) -> BTreeMap<u64, OrderState> {
        let bodies = self
            .rows("orders", "SELECT body FROM api_order WHERE mode = 'live'", |row| row.get::<_, String>(0));
        let states = bodies.iter().map(|body| serde_json::from_str::<OrderState>(body).expect("an order"));
        states.map(|state| (state.user_order_id, state)).collect()
    }

    /// The gate's approvals, by order.
    pub fn approvals(&self) -> BTreeMap<String, OrderApproved> {
        let terms = self.rows("risk", "SELECT terms FROM approval", |row| row.get::<_, String>(0));
        let terms =
            terms.iter().map(|text| serde_json::from_str::<OrderApproved>(text).expect("an approval"));
        terms.map(|one| (one.order_id.to_string(), one)).collect()
    }

    pub fn halts(&self) -> Vec<Halt> {
        self.rows("risk", "SELECT reason, text, since, cleared FROM halt ORDER BY since", |row| {
            Ok(Halt {
                reason: row.get(0)?,
                text: row.get(1)?,
                since: Timestamp::from_ms(row.get(2)?),
                cleared: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_ms),
            })
        })
    }
}

impl Witness<'_> {
    /// What a person needs to find the cause of a broken rule: halts, orders of both sides, fills, and what the stages say
    /// is wrong.
    pub fn story(&self) -> String {
        let mut lines = Vec::new();
        for halt in self.halts() {
            let end = halt.cleared.map_or("now".into(), |cleared| cleared.to_string());
            lines.push(format!("halt {} to {end}: {}: {}", halt.since, halt.reason, halt.text));
        }
        for own in self.own().values() {
            lines.push(format!(
                "order {} {:?} {} {} at {}: {:?} {}, filled {}, at the broker {:?}",
                own.order_id,
                own.side,
                own.qty_e6,
                own.isin,
                own.sent.map_or("never".into(), |sent| sent.to_string()),
                own.status,
                own.reason.as_deref().unwrap_or_default(),
                own.filled_e6,
                own.broker_order_id,
            ));
        }
        for order in &self.orders {
            let at = Timestamp::from_ms(order.created_ms);
            lines.push(format!(
                "broker {} {} {} of {} {} at {at}, status {} {}",
                order.id, order.side, order.filled, order.qty, order.ticker, order.status, order.text
            ));
        }
        for fill in &self.fills {
            let at = Timestamp::from_ms(fill.at_ms);
            lines.push(format!(
                "fill {} of {}: {} at {} at {at}",
                fill.id, fill.order_id, fill.qty, fill.price
            ));
        }
        for (stage, trouble) in self.rig.troubles() {
            lines.push(format!("{stage} says: {trouble}"));
        }
        lines.join("\n  ")
    }
}

/// Our number of a broker's order, which the broker keeps signed.
pub fn number(order: &OrderView) -> Option<u64> {
    order.user_order_id.and_then(|number| u64::try_from(number).ok())
}
