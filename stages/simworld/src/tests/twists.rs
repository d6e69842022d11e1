//! Faults that change what an answer says, not whether it comes.

use super::*;
use crate::{Effect, FaultRule, When};

fn with(cmd: &str, ticker: &str, effect: Effect) -> World {
    let mut world = world_at("2026-03-02T15:00:00");
    world.book_cash("USD", 200_000_000, "bank").unwrap();
    let rule = FaultRule {
        id: "f".into(),
        target: "tn".into(),
        cmd: cmd.into(),
        ticker: ticker.into(),
        when: When::Prob(1.0),
        max: None,
        effect,
    };
    world.put_fault(rule).unwrap();
    world
}

fn buy(world: &mut World, ticker: &str, qty: i64, steps: i64) -> Value {
    let limit = limit_at(world, ticker, true, steps);
    limit_order(world, ticker, 1, qty, &limit)
}

fn listed(world: &mut World) -> usize {
    let rows = ask(world, "getNotifyOrderJson", r#"{"active_only":0}"#);
    rows["result"]["orders"]["order"].as_array().unwrap().len()
}

#[test]
fn one_request_becomes_two_orders_and_i4_notices() {
    let mut world = with("putTradeOrder", "*", Effect::DupOrder);
    buy(&mut world, "NRDW.US", 1, 3);
    assert_eq!(world.orders.iter().filter(|o| !o.historic).count(), 2);
    let broken: Vec<_> = world.invariants().into_iter().filter(|r| !r.ok).map(|r| r.id).collect();
    assert!(broken.contains(&"I4"), "{broken:?}");
}

#[test]
fn old_lists_miss_what_is_new_and_show_it_later() {
    let mut world = with("getNotifyOrderJson", "*", Effect::StaleList { s: 60 });
    buy(&mut world, "NRDW.US", 1, 3);
    wait(&mut world, 10);
    assert_eq!(listed(&mut world), 0);
    wait(&mut world, 60);
    assert_eq!(listed(&mut world), 1);
    let mut world = with("getPositionJson", "*", Effect::StaleList { s: 60 });
    let units = |world: &mut World| {
        let rows = ask(world, "getPositionJson", "{}");
        rows["result"]["ps"]["pos"].as_array().unwrap().iter().find(|r| r["i"] == "NRDW.US").unwrap()["q"]
            .as_f64()
            .unwrap()
    };
    let before = units(&mut world);
    buy(&mut world, "NRDW.US", 3, 3);
    wait(&mut world, 20);
    assert!((units(&mut world) - before).abs() < 1e-9);
    wait(&mut world, 60);
    assert!((units(&mut world) - before - 3.0).abs() < 1e-9);
}

#[test]
fn units_may_be_there_before_the_money_has_moved() {
    let mut world = with("getPositionJson", "*", Effect::CashLag { s: 120 });
    let dollars = |world: &mut World| {
        let rows = ask(world, "getPositionJson", "{}");
        rows["result"]["ps"]["acc"].as_array().unwrap().iter().find(|r| r["curr"] == "USD").unwrap()["s"]
            .as_f64()
            .unwrap()
    };
    wait(&mut world, 200);
    let before = dollars(&mut world);
    buy(&mut world, "NRDW.US", 1, 3);
    wait(&mut world, 20);
    assert!((dollars(&mut world) - before).abs() < 1e-9);
    wait(&mut world, 200);
    assert!(dollars(&mut world) < before - 20.0);
}

#[test]
fn the_callers_id_is_missing_where_a_rule_drops_it() {
    let mut world = with("getNotifyOrderJson", "*", Effect::DropEcho);
    let limit = limit_at(&world, "NRDW.US", true, -30);
    let body = format!(
        r#"{{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":1,"limit_price":{limit},"expiration_id":1,"user_order_id":7}}"#
    );
    ask(&mut world, "putTradeOrder", &body);
    let rows = ask(&mut world, "getNotifyOrderJson", r#"{"active_only":0}"#);
    assert!(rows["result"]["orders"]["order"][0]["user_order_id"].is_null());
    let history =
        ask(&mut world, "getOrdersHistory", r#"{"from":"2026-03-01T00:00:00","till":"2026-03-04T00:00:00"}"#);
    let rows = history["orders"]["order"].as_array().unwrap();
    assert_eq!(rows.last().unwrap()["userOrderId"], "7");
}

#[test]
fn a_surprising_fee_is_five_times_the_usual_one() {
    let fee = |mut world: World| {
        buy(&mut world, "NRDW.US", 2, 3);
        wait(&mut world, 20);
        world.fills.last().unwrap().fee_e4
    };
    let usual = fee(with("delTradeOrder", "*", Effect::FeeSurprise));
    let surprise = fee(with("putTradeOrder", "*", Effect::FeeSurprise));
    assert!((surprise - usual * 5).abs() <= 500, "{usual} {surprise}");
}

#[test]
fn an_order_fills_while_it_is_being_cancelled() {
    let mut world = with("delTradeOrder", "*", Effect::CancelRace);
    let id = buy(&mut world, "NRDW.US", 2, -100)["order_id"].as_i64().unwrap();
    wait(&mut world, 5);
    ask(&mut world, "delTradeOrder", &format!(r#"{{"order_id":{id}}}"#));
    wait(&mut world, 5);
    let order = world.orders.iter().find(|o| o.id == id).unwrap();
    assert_eq!((order.status, order.filled), (21, 2));
}

#[test]
fn prices_are_bent_for_the_named_ticker_only() {
    for (factor, expected) in [("10", 10.0), ("0.1", 0.1), ("0", 0.0), ("-1", -1.0)] {
        let mut world = with("getStockQuotesJson", "NRDW.US", Effect::Spike { factor: factor.into() });
        let rows = ask(&mut world, "getStockQuotesJson", r#"{"tickers":"NRDW.US,PRVL.US"}"#);
        let shown = |n: usize| rows["result"]["q"][n]["ltp"].as_f64().unwrap();
        let truth = |t: &str| world.truth_price(t, world.now()).unwrap() as f64 / 1e6;
        assert!((shown(0) - truth("NRDW.US") * expected).abs() < 0.01, "{factor} {}", shown(0));
        assert!((shown(1) - truth("PRVL.US")).abs() < 1e-6);
    }
    let mut world = with("getStockQuotesJson", "THMB.EU", Effect::WrongCurrency);
    let rows = ask(&mut world, "getStockQuotesJson", r#"{"tickers":"THMB.EU"}"#);
    assert_eq!(rows["result"]["q"][0]["x_curr"], "GBX");
    let mut world = with("getStockQuotesJson", "*", Effect::StalePrice);
    let first =
        ask(&mut world, "getStockQuotesJson", r#"{"tickers":"NRDW.US"}"#)["result"]["q"][0]["ltp"].clone();
    assert_ne!(
        first.as_f64().map(f64::to_bits),
        world.truth_price("NRDW.US", world.now()).map(|p| (p as f64 / 1e6).to_bits())
    );
}

#[test]
fn a_stop_loss_sells_the_position_when_the_price_falls_through_it() {
    let mut world = with("none", "*", Effect::DropEcho);
    let last = world.truth_price("NRDW.US", world.now()).unwrap();
    let stop = crate::core::fixed::text(last * 9 / 10 / 10_000 * 10_000, 6, 2);
    let reply = ask(&mut world, "putStopLoss", &format!(r#"{{"instr_name":"NRDW.US","stop_loss":{stop}}}"#));
    assert!(reply["order_id"].is_i64(), "{reply}");
    wait(&mut world, 60);
    assert!(world.positions().contains_key("NRDW.US"));
    let (now, end) = (world.now, world.now + 3_600_000);
    world.bend_price("NRDW.US", (8, 10), now, end).unwrap();
    wait(&mut world, 900);
    assert!(!world.positions().contains_key("NRDW.US"), "sold at the stop");
    assert!(ask(&mut world, "putStopLoss", r#"{"instr_name":"CBLR.US","stop_loss":1}"#)["error"].is_string());
}

#[test]
fn smaller_commands_answer_in_their_documented_shapes() {
    let mut world = with("none", "*", Effect::DropEcho);
    assert_eq!(ask(&mut world, "getUserStockLists", "{}")["defaultId"], 7);
    let lists = ask(&mut world, "addStockListTicker", r#"{"id":7,"ticker":"NRDW.US","index":0}"#);
    assert_eq!(lists["userStockLists"][0]["tickers"][0], "NRDW.US");
    let lists = ask(&mut world, "deleteStockListTicker", r#"{"id":7,"ticker":"NRDW.US"}"#);
    assert_eq!(lists["userStockLists"][0]["tickers"].as_array().unwrap().len(), 0);
    assert_eq!(ask(&mut world, "addPriceAlert", r#"{"ticker":"NRDW.US","price":["99"]}"#)["added"], true);
    let alerts = ask(&mut world, "getAlertsList", "{}");
    let id = alerts["alerts"][0]["id"].as_i64().unwrap();
    ask(&mut world, "togglePriceAlert", &format!(r#"{{"id":{id},"del":true}}"#));
    assert_eq!(ask(&mut world, "getAlertsList", "{}")["alerts"].as_array().unwrap().len(), 0);
    assert_eq!(ask(&mut world, "getOPQ", "{}")["OPQ"]["reception"], 35);
    assert_eq!(ask(&mut world, "getClientCpsHistory", "{}")["total"], 0);
    assert!(ask(&mut world, "getPlannedCorpActions", r#"{"reception":35}"#).is_array());
    let top =
        ask(&mut world, "getTopSecurities", r#"{"type":"stocks","exchange":"usa","gainers":1,"limit":3}"#);
    assert_eq!(top["tickers"].as_array().unwrap().len(), 3);
    let export = RawRequest {
        method: "GET".into(),
        path: "/tn/securities/export?tickers=NRDW.US+PRVL.US&params=ltp+bbp".into(),
        headers: vec![("User-Agent".into(), "test".into())],
        body: Vec::new(),
    };
    let rows: Value = serde_json::from_slice(&world.exchange(&export, WALL_S).reply().unwrap().body).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(rows[0].as_object().unwrap().len(), 3);
    for kind in ["trades", "commissions", "corporate_actions", "in_outs", "cash_flows"] {
        let body = format!(
            r#"{{"date_start":"2023-01-01","date_end":"2026-03-20","time_period":"23:59:59","format":"json","type":"{kind}"}}"#
        );
        let report = ask(&mut world, "getBrokerReport", &body);
        let rows = &report["report"][if kind == "commissions" { "commissions" } else { "detailed" }];
        assert!(!rows.as_array().unwrap().is_empty(), "{kind}");
    }
    assert_eq!(ask(&mut world, "getBrokerReport", "{}")["code"], 400);
    assert_eq!(world.unmodelled(), Vec::<String>::new());
}
