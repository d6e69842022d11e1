//! What is owed in one currency is cured by what another one can spare, through all stages: ingest reads the pair, plan asks,
//! the gate judges, execute places, portfolio books both sides to the cent.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use contracts::{OrderState, OrderStatus, PortfolioState, pair_isin};
use money::{Currency, Money};
use steward_tests::pipeline::Pipeline;

/// A fund two hours later, when the debt that it begins with is cured, and then this much owed of a currency.
fn indebted(ccy: &str, e4: i64) -> Pipeline {
    let mut pipeline = Pipeline::new(7, 1);
    run(&mut pipeline, 2);
    owe(&mut pipeline, ccy, e4);
    pipeline
}

/// Pays out so much that this much is owed; a payment of the owner is no loss.
fn owe(pipeline: &mut Pipeline, ccy: &str, owed_e4: i64) {
    let mut world = pipeline.world.borrow_mut();
    let held = world.cash().get(ccy).copied().unwrap_or(0);
    world.book_cash(ccy, -owed_e4 - held, "sepa").unwrap();
}

fn run(pipeline: &mut Pipeline, hours: i64) {
    let end = pipeline.now().saturating_plus_ms(hours * 3_600_000);
    pipeline.run_until(end);
}

/// Exchanges of EUR and a currency.
fn exchanges(pipeline: &Pipeline, ccy: Currency) -> Vec<OrderState> {
    let pair = pair_isin(Currency::EUR, ccy);
    let orders = pipeline.statements::<OrderState>();
    orders.into_iter().filter(|order| Some(order.isin) == pair).collect()
}

/// Cash as portfolio says it, which must be what the simulated broker has.
fn cash(pipeline: &Pipeline) -> BTreeMap<String, i64> {
    let state: PortfolioState = pipeline.statement("").unwrap();
    let ours: BTreeMap<String, i64> =
        state.cash.iter().map(|cash| (cash.amount.currency().to_string(), cash.amount.e4())).collect();
    for (ccy, e4) in pipeline.world.borrow().cash() {
        assert_eq!(ours.get(ccy).copied().unwrap_or(0), e4, "{ccy} to the cent");
    }
    for invariant in pipeline.world.borrow().invariants() {
        assert!(invariant.ok, "{invariant:?}");
    }
    ours
}

fn trouble(pipeline: &Pipeline) -> String {
    format!("{:?}", pipeline.node("plan").health(0, true))
}

#[test]
fn the_debt_that_the_fund_begins_with_is_cured_by_the_smallest_exchange() {
    let mut pipeline = Pipeline::new(7, 1);
    assert_eq!(pipeline.world.borrow().cash().get("GBP"), Some(&-12_700));
    run(&mut pipeline, 2);
    let orders = exchanges(&pipeline, Currency::GBP);
    assert_eq!(orders.len(), 1, "{}", trouble(&pipeline));
    assert_eq!(orders[0].status, OrderStatus::Filled, "{:?}", orders[0]);
    assert_eq!(orders[0].qty_e6.to_string(), "10", "the broker takes no less");
    assert!(cash(&pipeline)["GBP"] > 0);
    let nothing_more = exchanges(&pipeline, Currency::USD).is_empty();
    assert!(nothing_more && pipeline.node("plan").health(0, true).last_error.is_none());
}

#[test]
fn a_debt_is_cured_once_and_with_what_the_exchange_costs() {
    let mut pipeline = indebted("USD", 2_000_000);
    run(&mut pipeline, 4);
    let orders = exchanges(&pipeline, Currency::USD);
    assert_eq!(orders.len(), 1, "{orders:?} {}", trouble(&pipeline));
    let usd = cash(&pipeline)["USD"];
    let most = Money::from_units(20, Currency::USD).unwrap().e4();
    assert!((0..most).contains(&usd), "{usd} is neither a debt nor much more than was needed");
}

#[test]
fn a_debt_of_less_than_one_euro_is_left_alone() {
    let mut pipeline = indebted("USD", 9_900);
    run(&mut pipeline, 3);
    assert!(exchanges(&pipeline, Currency::USD).is_empty());
    assert_eq!(cash(&pipeline)["USD"], -9_900);
}

#[test]
fn a_halt_stops_exchanges_too_and_the_debt_is_cured_after_it() {
    let mut pipeline = indebted("USD", 2_000_000);
    command(
        &mut pipeline,
        "halt",
        &serde_json::json!({"actor": "test", "reason": "owner", "text": "A test."}),
    );
    run(&mut pipeline, 2);
    assert!(exchanges(&pipeline, Currency::USD).is_empty());
    command(&mut pipeline, "resume", &serde_json::json!({"actor": "test", "text": "Looked at it."}));
    run(&mut pipeline, 2);
    assert_eq!(exchanges(&pipeline, Currency::USD).len(), 1, "{}", trouble(&pipeline));
}

#[test]
fn what_no_currency_can_spare_is_sold_for_and_exchanged_then() {
    let mut pipeline = indebted("USD", 3_000_000);
    owe(&mut pipeline, "EUR", 0);
    owe(&mut pipeline, "GBP", 0);
    run(&mut pipeline, 9);
    let orders = pipeline.statements::<OrderState>();
    let sales = orders
        .iter()
        .filter(|order| contracts::pair_of(&order.isin).is_none() && order.side == contracts::Side::Sell);
    assert!(sales.count() > 0, "{orders:?} {}", trouble(&pipeline));
    let cash = cash(&pipeline);
    assert!(cash["USD"] >= -10_000, "{cash:?} {}", trouble(&pipeline));
}

fn command(pipeline: &mut Pipeline, name: &str, body: &serde_json::Value) {
    let now = pipeline.now();
    let id = contracts::Id::derive(now, &["test", name]);
    let envelope = serde_json::json!({"id": id, "key_version": 0, "at": now, "stage": "steward", "trace": id, "cause": null, "body": body});
    pipeline.bus.publish(&bus_client::Publication {
        topic: format!("steward/v1/command/risk-gate/{name}"),
        payload: steward_tests::encode(&envelope),
        retain: false,
        qos: 1,
    });
    pipeline.settle();
}
