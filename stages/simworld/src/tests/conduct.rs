//! Every invariant holds in ordinary runs and is able to fail.

use super::*;
use crate::core::ledger::{Account, Cause, Posting, Transaction, Unit};
use proptest::prelude::*;

const OPEN: &str = "2026-03-02T15:00:00";

fn broken(world: &World) -> Vec<&'static str> {
    world.invariants().into_iter().filter(|r| !r.ok).map(|r| r.id).collect()
}

fn rich() -> World {
    let mut world = world_at(OPEN);
    world.book_cash("USD", 1_000_000_000, "bank").unwrap();
    world
}

#[test]
fn an_untouched_world_breaks_nothing() {
    assert_eq!(broken(&rich()), Vec::<&str>::new());
}

#[test]
fn i1_notices_money_from_nowhere_and_a_wrong_balance() {
    let mut world = rich();
    let mut forged = Transaction::new(0, Cause::Transfer);
    forged.postings.push(Posting { account: Account::Cash, unit: Unit::Currency("EUR"), amount: 1 });
    world.ledger.transactions.push(forged);
    assert_eq!(broken(&world), ["I1"]);
    let mut world = rich();
    *world.ledger.balances.get_mut(&(Account::Cash, Unit::Currency("EUR"))).unwrap() += 1;
    assert_eq!(broken(&world), ["I1"]);
}

#[test]
fn i2_notices_units_without_fills() {
    let mut world = rich();
    world.adjustments.push(("NRDW.US", 1));
    assert_eq!(broken(&world), ["I2"]);
}

#[test]
fn i3_and_i4_notice_an_order_sent_twice() {
    let mut world = rich();
    let limit = limit_at(&world, "NRDW.US", false, -50);
    let body = format!(
        r#"{{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":1,"limit_price":{limit},"expiration_id":1,"user_order_id":7}}"#
    );
    for _ in 0..2 {
        ask(&mut world, "putTradeOrder", &body);
    }
    assert_eq!(broken(&world), ["I3", "I4", "I5", "I11"]);
}

#[test]
fn i4_and_i5_allow_one_order_after_the_other_when_the_first_has_cooled_off() {
    for (minutes, expected) in [(59, vec!["I5"]), (60, vec![])] {
        let mut world = rich();
        for _ in 0..2 {
            let limit = limit_at(&world, "QXTM.US", true, 5);
            limit_order(&mut world, "QXTM.US", 1, 1, &limit);
            wait(&mut world, minutes * 60);
        }
        assert_eq!(broken(&world), expected, "{minutes}");
    }
    let mut world = rich();
    let low = limit_at(&world, "QXTM.US", false, -50);
    let id = limit_order(&mut world, "QXTM.US", 1, 1, &low)["order_id"].clone();
    wait(&mut world, 5);
    ask(&mut world, "delTradeOrder", &format!(r#"{{"order_id":{id}}}"#));
    wait(&mut world, 5);
    let limit = limit_at(&world, "QXTM.US", true, 5);
    limit_order(&mut world, "QXTM.US", 1, 1, &limit);
    assert_eq!(broken(&world), Vec::<&str>::new(), "an order that ended unfilled blocks nothing");
}

#[test]
fn i11_notices_a_client_that_asks_too_often() {
    let mut world = rich();
    world.config.rules.throttle = true;
    for n in 0..700 {
        send(&mut world, "getMarketStatus", "{}");
        let to = Timestamp::from_ms(world.now + if n < 600 { 850 } else { 1_000 });
        world.advance_to(to);
    }
    assert_eq!(broken(&world), ["I11"]);
}

#[test]
fn i6_notices_orders_outside_trading_hours_even_if_the_broker_queues_them() {
    let mut world = world_at("2026-03-02T12:00:00");
    world.book_cash("USD", 1_000_000_000, "bank").unwrap();
    let limit = limit_at(&world, "NRDW.US", true, 0);
    assert!(limit_order(&mut world, "NRDW.US", 1, 1, &limit)["order_id"].is_i64());
    assert_eq!(broken(&world), ["I6"]);
}

#[test]
fn i7_notices_margin_and_a_trade_into_the_red() {
    let mut world = rich();
    let limit = limit_at(&world, "NRDW.US", true, 0);
    limit_order(&mut world, "NRDW.US", 2, 1, &limit);
    assert_eq!(broken(&world), ["I7"]);
    let mut world = rich();
    let trade = Transaction::new(0, Cause::Trade);
    world.ledger.book(trade.moving(Unit::Currency("USD"), Account::Cash, Account::Market, 5_000_000_000));
    assert_eq!(broken(&world), ["I7"]);
}

#[test]
fn i8_notices_a_sale_above_the_holding() {
    let mut world = rich();
    world.config.rules.allow_short = true;
    let limit = limit_at(&world, "CBLR.US", false, -2);
    limit_order(&mut world, "CBLR.US", 3, 1, &limit);
    wait(&mut world, 30);
    assert_eq!(world.positions()["CBLR.US"], -1_000_000);
    assert_eq!(broken(&world), ["I8"]);
}

#[test]
fn i9_notices_far_limits_and_market_orders() {
    let mut world = rich();
    let price = world.truth_price("NRDW.US", world.now()).unwrap() / 1_000_000;
    limit_order(&mut world, "NRDW.US", 1, 1, &(price * 105 / 100).to_string());
    assert_eq!(broken(&world), ["I9"]);
    let mut world = rich();
    ask(&mut world, "putTradeOrder", r#"{"instr_name":"NRDW.US","action_id":1,"order_type_id":1,"qty":1}"#);
    assert_eq!(broken(&world), ["I9"]);
}

#[test]
fn i10_notices_broken_lots_steps_and_one_sided_exchanges() {
    let mut world = rich();
    limit_order(&mut world, "NRDW.US", 1, 0, &limit_at(&rich(), "NRDW.US", true, 0));
    assert_eq!(broken(&world), ["I10"]);
    let mut world = rich();
    let price = limit_at(&world, "NRDW.US", true, 0);
    limit_order(&mut world, "NRDW.US", 1, 1, &format!("{price}5"));
    assert_eq!(broken(&world), ["I10"]);
    let mut world = rich();
    let trade = Transaction::new(0, Cause::Trade)
        .moving(Unit::Currency("EUR"), Account::Market, Account::Cash, 100)
        .moving(Unit::Currency("USD"), Account::Market, Account::Cash, 100);
    world.ledger.book(trade);
    assert_eq!(broken(&world), ["I10"]);
}

#[test]
fn i12_notices_forbidden_commands_and_keys_in_bodies() {
    let mut world = rich();
    assert_eq!(ask(&mut world, "submitCps", "{}")["code"], 12);
    assert_eq!(broken(&world), ["I12"]);
    let mut world = rich();
    ask(&mut world, "getPositionJson", r#"{"key":"sim-public-key-0001"}"#);
    assert_eq!(broken(&world), ["I12"]);
}

#[test]
fn i13_notices_a_wrong_signature_and_the_answer_says_so() {
    let mut world = rich();
    let mut forged = request("getPositionJson", "{}");
    forged.body = b"{} ".to_vec();
    let reply = world.exchange(&forged, WALL_S).reply().unwrap();
    assert_eq!(reply.body, br#"{"errMsg":"Invalid signature provided","code":4}"#);
    assert_eq!(broken(&world), ["I13"]);
    let mut late = rich();
    late.exchange(&request("getPositionJson", "{}"), WALL_S + 301);
    assert_eq!(broken(&late), ["I13"]);
}

/// One thing a careless client does.
#[derive(Debug, Clone)]
enum Act {
    Order { ticker: usize, buy: bool, lots: i64, steps: i64 },
    Cancel,
    Wait(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let order = (0..8_usize, any::<bool>(), 1..60_i64, -20..20_i64)
        .prop_map(|(ticker, buy, lots, steps)| Act::Order { ticker, buy, lots, steps });
    let act = prop_oneof![4 => order, 1 => Just(Act::Cancel), 3 => (1..4000_i64).prop_map(Act::Wait)];
    prop::collection::vec(act, 1..40)
}

const TICKERS: [&str; 8] =
    ["NRDW.US", "PRVL.US", "HLXB.US", "ALPB.EU", "THMB.EU", "EUR/USD", "JADEP.9911.AS", "HKD/EUR"];

fn perform(world: &mut World, act: &Act) {
    match act {
        Act::Order { ticker, buy, lots, steps } => {
            let ticker = TICKERS[*ticker];
            let lot = world.lot_and_currency(world.find(ticker).unwrap()).0;
            let limit = limit_at(world, ticker, *buy, *steps);
            limit_order(world, ticker, if *buy { 1 } else { 3 }, lots * lot, &limit);
        }
        Act::Cancel => {
            let id = world.orders.last().map_or(0, |o| o.id);
            ask(world, "delTradeOrder", &format!(r#"{{"order_id":{id}}}"#));
        }
        Act::Wait(seconds) => wait(world, *seconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever a client sends, the books balance, nothing goes short and no trade borrows.
    #[test]
    fn the_books_balance_after_any_sequence_of_requests(acts in acts()) {
        let mut world = world_at(OPEN);
        world.book_cash("USD", 100_000_000, "bank").unwrap();
        acts.iter().for_each(|act| perform(&mut world, act));
        wait(&mut world, 86_400);
        prop_assert!(world.open.is_empty());
        for report in world.invariants() {
            if ["I1", "I2", "I10", "I12", "I13"].contains(&report.id) {
                prop_assert!(report.ok, "{} {:?}", report.id, report.violations);
            }
        }
        prop_assert!(world.positions().values().all(|held| *held > 0));
        let red = world.cash().into_iter().find(|(c, e4)| *e4 < 0 && *c != "GBP");
        prop_assert_eq!(red, None);
    }
}
