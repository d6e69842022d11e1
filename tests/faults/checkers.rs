//! What must hold whatever happens, judged from the simulator's own books and from the stores, never from what a stage
//! says of itself.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{OrderApproved, OrderState, OrderStatus, PortfolioState, RiskHalt};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use steward_tests::pipeline::Pipeline;

/// After every disturbance.
pub fn always(pipeline: &Pipeline, seed: u64) {
    invariants_of_the_simulator(pipeline, seed);
    no_order_twice(pipeline, seed);
    no_order_without_approval(pipeline, seed);
    every_approval_expires(pipeline, seed);
}

/// Once the faults have stopped. Returns how many orders the simulator saw.
pub fn at_rest(pipeline: &Pipeline, seed: u64) -> usize {
    holdings_agree(pipeline, seed);
    cash_agrees(pipeline, seed);
    every_fill_is_booked_once(pipeline, seed);
    nothing_hangs(pipeline, seed);
    truth(pipeline)["orders"].as_array().map_or(0, Vec::len)
}

fn truth(pipeline: &Pipeline) -> Value {
    pipeline.world.borrow().truth()
}

fn invariants_of_the_simulator(pipeline: &Pipeline, seed: u64) {
    for invariant in pipeline.world.borrow().invariants() {
        assert!(invariant.ok, "seed {seed}: {invariant:?}");
    }
}

fn no_order_twice(pipeline: &Pipeline, seed: u64) {
    let mut seen = BTreeSet::new();
    for order in truth(pipeline)["orders"].as_array().unwrap() {
        let ours = &order["user_order_id"];
        if !ours.is_null() {
            assert!(seen.insert(ours.to_string()), "seed {seed}: order {ours} reached the broker twice");
        }
    }
}

fn store(pipeline: &Pipeline, name: &str) -> Connection {
    let file = pipeline.folder().join("stores").join(format!("{name}.db"));
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn column(connection: &Connection, sql: &str) -> Vec<String> {
    let mut query = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let rows = query.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    rows.map(|value| match value.unwrap() {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    })
    .collect()
}

fn no_order_without_approval(pipeline: &Pipeline, seed: u64) {
    let approved: BTreeSet<_> =
        column(&store(pipeline, "risk"), "SELECT order_id FROM approval").into_iter().collect();
    for order in column(&store(pipeline, "orders"), "SELECT order_id FROM api_order") {
        assert!(approved.contains(&order), "seed {seed}: order {order} has no approval");
    }
}

fn every_approval_expires(pipeline: &Pipeline, seed: u64) {
    for approval in pipeline.statements::<OrderApproved>() {
        let life = approval.expires.since(approval.issued);
        assert!(
            (0..=contracts::APPROVAL_LIFE_MS).contains(&life),
            "seed {seed}: {} lives {life} ms",
            approval.order_id
        );
    }
}

fn holdings_agree(pipeline: &Pipeline, seed: u64) {
    let state: PortfolioState = pipeline.statement("").unwrap();
    let ours: BTreeMap<String, i64> = state
        .positions
        .iter()
        .filter(|p| p.qty_e6.e6() != 0)
        .map(|p| (p.isin.to_string(), p.qty_e6.e6()))
        .collect();
    let isins: BTreeMap<_, _> = simworld::listings().into_iter().map(|one| (one.ticker, one.isin)).collect();
    let world = pipeline.world.borrow();
    let theirs: BTreeMap<String, i64> = world
        .positions()
        .iter()
        .filter(|(_, qty)| **qty != 0)
        .map(|(ticker, qty)| (isins[ticker].to_string(), *qty))
        .collect();
    assert_eq!(ours, theirs, "seed {seed}: holdings differ from the simulator's books");
}

fn cash_agrees(pipeline: &Pipeline, seed: u64) {
    let state: PortfolioState = pipeline.statement("").unwrap();
    for (currency, theirs) in pipeline.world.borrow().cash() {
        let ours = state
            .cash
            .iter()
            .find(|cash| cash.amount.currency().as_str() == currency)
            .map_or(0, |cash| cash.amount.e4());
        assert!(
            (ours - theirs).abs() <= 50,
            "seed {seed}: {currency} {ours} here, {theirs} at the broker (1/10000)"
        );
    }
}

fn every_fill_is_booked_once(pipeline: &Pipeline, seed: u64) {
    let booked = column(
        &store(pipeline, "ledger"),
        "SELECT broker_trade_id FROM fill WHERE broker_trade_id IS NOT NULL",
    );
    let unique: BTreeSet<_> = booked.iter().cloned().collect();
    assert_eq!(booked.len(), unique.len(), "seed {seed}: a fill was booked twice");
    let followed: BTreeSet<_> =
        column(&store(pipeline, "orders"), "SELECT broker_trade_id FROM api_order_fill")
            .into_iter()
            .collect();
    for fill in truth(pipeline)["fills"].as_array().unwrap() {
        // What was bought before the world began is an opening holding, not a fill of ours.
        if fill["historic"] == true {
            continue;
        }
        let id = fill["id"].to_string();
        assert!(unique.contains(&id), "seed {seed}: fill {id} was not booked");
        assert!(followed.contains(&id), "seed {seed}: fill {id} is missing in the order's life");
    }
}

fn nothing_hangs(pipeline: &Pipeline, seed: u64) {
    for order in pipeline.statements::<OrderState>() {
        assert!(
            !matches!(order.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown),
            "seed {seed}: {} hangs as {:?}",
            order.order_id,
            order.status
        );
    }
    let halt: RiskHalt = pipeline.statement("").unwrap();
    assert!(!halt.halted, "seed {seed}: trading was halted: {:?}", halt.halts);
}
