//! The life of an order: accepted, refused, filled, in parts, expired, cancelled.

use super::*;

/// A Monday afternoon on which New York, Frankfurt and London trade and Hong Kong does not.
const OPEN: &str = "2026-03-02T15:00:00";

fn rich(start: &str) -> World {
    let mut world = world_at(start);
    for currency in ["EUR", "USD", "GBP", "HKD"] {
        world.book_cash(currency, 1_000_000_000, "bank").unwrap();
    }
    world
}

fn status(world: &World) -> (u8, i64) {
    let order = world.orders.last().unwrap();
    (order.status, order.filled)
}

#[test]
fn a_marketable_limit_is_filled_and_moves_units_money_and_fee() {
    let mut world = rich(OPEN);
    let (cash, held) = (world.cash()["USD"], world.positions()["NRDW.US"]);
    let limit = limit_at(&world, "NRDW.US", true, 5);
    let answer = limit_order(&mut world, "NRDW.US", 1, 12, &limit);
    let id = answer["order_id"].as_i64().unwrap();
    assert_eq!(status(&world), (1, 0));
    wait(&mut world, 60);
    assert_eq!(status(&world), (21, 12));
    assert_eq!(world.positions()["NRDW.US"], held + 12_000_000);
    let fills: Vec<_> = world.fills.iter().filter(|f| f.order_id == id).collect();
    let paid: i64 = fills.iter().map(|f| f.value_e4 + f.fee_e4).sum();
    assert_eq!(world.cash()["USD"], cash - paid);
    assert!(fills.iter().all(|f| f.price_e6 <= crate::core::fixed::parse(&limit, 6).unwrap()));
    assert_sound(&world);
}

#[test]
fn an_order_passes_through_received_sent_and_active() {
    let mut world = rich(OPEN);
    let limit = limit_at(&world, "NRDW.US", false, -50);
    limit_order(&mut world, "NRDW.US", 1, 1, &limit);
    let seen: Vec<u8> = [49, 1, 49, 1]
        .into_iter()
        .map(|ms| {
            let to = Timestamp::from_ms(world.now + ms);
            world.advance_to(to);
            status(&world).0
        })
        .collect();
    assert_eq!(seen, [1, 11, 11, 10]);
}

#[test]
fn a_small_name_fills_a_large_order_in_parts() {
    let mut world = rich(OPEN);
    let limit = limit_at(&world, "HLXB.US", true, 60);
    limit_order(&mut world, "HLXB.US", 1, 40, &limit);
    wait(&mut world, 4);
    let (code, filled) = status(&world);
    assert_eq!(code, 12);
    assert!((1..40).contains(&filled), "{filled}");
    assert_sound(&world);
}

#[test]
fn the_forced_share_of_orders_comes_in_two_to_four_parts() {
    let mut world = rich(OPEN);
    world.config.rules.partial_fill_share = 1.0;
    let limit = limit_at(&world, "QXTM.US", true, 20);
    limit_order(&mut world, "QXTM.US", 1, 8, &limit);
    wait(&mut world, 60);
    let parts = world.fills.iter().filter(|f| !f.historic).count();
    assert!((2..=5).contains(&parts), "{parts}");
    assert_eq!(status(&world), (21, 8));
}

#[test]
fn an_order_out_of_reach_expires_at_the_close_without_waking_every_second() {
    let mut world = rich(OPEN);
    let limit = limit_at(&world, "NRDW.US", false, -700);
    limit_order(&mut world, "NRDW.US", 1, 1, &limit);
    wait(&mut world, 1);
    let mut steps = 0;
    while !world.orders.last().unwrap().is_final() {
        let next = world.next_event().unwrap();
        world.advance_to(next);
        steps += 1;
    }
    assert_eq!(status(&world), (71, 0));
    assert_eq!(world.now(), at("2026-03-02T21:00:00"));
    assert!(steps < 10, "{steps}");
    assert_sound_but(&world, "I9");
}

#[test]
fn a_cancelled_order_waits_in_between_and_ends_without_fills() {
    let mut world = rich(OPEN);
    let limit = limit_at(&world, "NRDW.US", false, -100);
    let id = limit_order(&mut world, "NRDW.US", 1, 1, &limit)["order_id"].as_i64().unwrap();
    wait(&mut world, 2);
    let body = format!(r#"{{"order_id":{id}}}"#);
    assert_eq!(ask(&mut world, "delTradeOrder", &body)["order_id"], id);
    assert_eq!(status(&world).0, 2);
    wait(&mut world, 2);
    assert_eq!(status(&world).0, 31);
    assert_eq!(ask(&mut world, "delTradeOrder", &body)["code"], 12);
    assert_eq!(ask(&mut world, "delTradeOrder", r#"{"order_id":1}"#)["error"], "Order not found");
}

#[test]
fn refusals_name_the_first_rule_that_is_broken() {
    let mut world = rich(OPEN);
    let good = limit_at(&world, "NRDW.US", true, 0);
    let table: [(&str, i64, i64, &str, &str); 12] = [
        ("NOPE.US", 9, 0, "1", "Type of security not identified"),
        ("EURUSD_T0.ITS", 1, 100, "1.1", "Instrument is blocked for trading"),
        ("NRDW.US", 9, 0, &good, "Invalid transaction identifier, allowed values 1 - purchase, 3 - sale"),
        ("NRDW.US", 1, 0, &good, "Quantity must be positive and a multiple of the lot"),
        ("NRDW.US", 1, -5, &good, "Quantity must be positive and a multiple of the lot"),
        ("JADEP.9911.AS", 1, 499, "28", "Quantity must be positive and a multiple of the lot"),
        ("EUR/USD", 3, 9, "1.1", "Quantity must be positive and a multiple of the lot"),
        (
            "NRDW.US",
            1,
            1,
            "10.005",
            "Price is not a multiple of the price step or outside the permitted limits",
        ),
        (
            "NRDW.US",
            1,
            1,
            "1.00",
            "Price is not a multiple of the price step or outside the permitted limits",
        ),
        ("NRDW.US", 1, 1_000_000, &good, "Not enough money to execute the order"),
        ("NRDW.US", 3, 10_000, &good, "Not enough securities to execute the order"),
        (
            "CBLR.US",
            3,
            1,
            &limit_at(&world, "CBLR.US", true, 0),
            "Not enough securities to execute the order",
        ),
    ];
    for (ticker, action, qty, limit, text) in table {
        let answer = limit_order(&mut world, ticker, action, qty, limit);
        assert_eq!(answer["error"], text, "{ticker} {action} {qty} {limit}");
        assert_eq!(answer["code"], 0);
    }
    assert_eq!(world.orders.iter().filter(|o| !o.historic).count(), 0);
}

#[test]
fn venues_take_orders_by_their_own_hours() {
    // Before New York opens an order queues; Hong Kong is closed, at lunch, or open.
    let cases = [
        ("2026-03-02T12:00:00", "NRDW.US", None),
        ("2026-03-02T22:00:00", "NRDW.US", Some("Market is closed")),
        ("2026-03-07T15:00:00", "NRDW.US", Some("Market is closed")),
        ("2026-03-02T01:00:00", "JADEP.9911.AS", Some("Market is closed")),
        ("2026-03-02T04:30:00", "JADEP.9911.AS", Some("Market is closed")),
        ("2026-03-02T05:30:00", "JADEP.9911.AS", None),
        ("2026-03-07T12:00:00", "EUR/USD", Some("Market is closed")),
        ("2026-03-02T12:00:00", "EUR/USD", None),
        ("2026-03-02T05:30:00", "998X.JP", Some("Instrument is blocked for trading")),
    ];
    for (start, ticker, refusal) in cases {
        let mut world = rich(start);
        let qty = world.lot_and_currency(world.find(ticker).unwrap()).0.max(10);
        let limit = limit_at(&world, ticker, true, 0);
        let answer = limit_order(&mut world, ticker, 1, qty, &limit);
        assert_eq!(answer["error"].as_str(), refusal, "{ticker} {start} {answer}");
    }
}

#[test]
fn hong_kong_refuses_market_orders_and_others_fill_them() {
    let body = |t: &str, q: i64| {
        format!(r#"{{"instr_name":"{t}","action_id":1,"order_type_id":1,"qty":{q},"limit_price":0.0}}"#)
    };
    let mut world = rich("2026-03-02T05:30:00");
    let answer = ask(&mut world, "putTradeOrder", &body("JADEP.9911.AS", 500));
    assert_eq!(answer["error"], "Market orders are not accepted");
    let mut world = rich(OPEN);
    ask(&mut world, "putTradeOrder", &body("NRDW.US", 2));
    wait(&mut world, 30);
    assert_eq!(status(&world), (21, 2));
}

#[test]
fn an_order_before_the_opening_waits_for_it() {
    let mut world = rich("2026-03-02T12:00:00");
    let limit = limit_at(&world, "PRVL.US", true, 300);
    limit_order(&mut world, "PRVL.US", 1, 1, &limit);
    world.advance_to(at("2026-03-02T14:29:59"));
    assert_eq!(status(&world), (10, 0));
    wait(&mut world, 60);
    assert_eq!(status(&world), (21, 1));
}

#[test]
fn an_exchange_moves_both_currencies_and_leaves_no_position() {
    for (ticker, action, base, quote) in [("EUR/USD", 3, "EUR", "USD"), ("HKD/EUR", 1, "HKD", "EUR")] {
        let mut world = rich(OPEN);
        let before = (world.cash()[base], world.cash()[quote]);
        let limit = limit_at(&world, ticker, action == 1, 0);
        limit_order(&mut world, ticker, action, 3510, &limit);
        wait(&mut world, 5);
        assert_eq!(status(&world), (21, 3510), "{ticker}");
        let fill = world.fills.last().unwrap().clone();
        let sign = if action == 1 { 1 } else { -1 };
        assert_eq!(world.cash()[base] - before.0, sign * 35_100_000);
        assert_eq!(world.cash()[quote] - before.1, -sign * fill.value_e4 - fill.fee_e4);
        assert!(!world.positions().contains_key(ticker));
        assert_sound(&world);
    }
}

#[test]
fn open_sales_and_buys_reduce_what_another_order_may_use() {
    let mut world = rich(OPEN);
    let far = limit_at(&world, "NRDW.US", false, 300);
    assert!(limit_order(&mut world, "NRDW.US", 3, 12, &far)["order_id"].is_i64());
    assert_eq!(
        limit_order(&mut world, "NRDW.US", 3, 1, &far)["error"],
        "Not enough securities to execute the order"
    );
    let low = limit_at(&world, "QXTM.US", true, -500);
    let price: f64 = low.parse().unwrap();
    let most = (world.cash()["USD"] as f64 / 1e4 / price * 0.99) as i64;
    assert!(limit_order(&mut world, "QXTM.US", 1, most, &low)["order_id"].is_i64());
    assert_eq!(
        limit_order(&mut world, "QXTM.US", 1, most / 2, &low)["error"],
        "Not enough money to execute the order"
    );
}

#[test]
fn half_of_the_refusals_may_come_late_as_a_rejected_order() {
    let mut world = rich(OPEN);
    world.config.rules.late_reject_share = 1.0;
    let limit = limit_at(&world, "CBLR.US", true, 0);
    assert!(limit_order(&mut world, "CBLR.US", 3, 1, &limit)["order_id"].is_i64());
    wait(&mut world, 1);
    assert_eq!(status(&world).0, 70);
    assert_eq!(world.orders.last().unwrap().text, "Not enough securities to execute the order");
    assert_eq!(limit_order(&mut world, "NOPE.US", 1, 1, "1")["code"], 0);
}

#[test]
fn a_late_rejection_after_the_close_is_no_expiry() {
    let mut world = rich("2026-03-02T22:00:00");
    world.config.rules.late_reject_share = 1.0;
    let limit = limit_at(&world, "NRDW.US", true, 0);
    limit_order(&mut world, "NRDW.US", 1, 1, &limit);
    wait(&mut world, 1);
    assert_eq!(status(&world).0, 70);
}

#[test]
fn a_halted_security_takes_and_fills_nothing() {
    let mut world = rich(OPEN);
    let limit = limit_at(&world, "NRDW.US", true, 5);
    world.halt("NRDW.US", at("2026-03-02T15:00:00"), at("2026-03-02T16:00:00")).unwrap();
    assert_eq!(
        limit_order(&mut world, "NRDW.US", 1, 1, &limit)["error"],
        "Instrument is blocked for trading"
    );
    assert_eq!(ask(&mut world, "checkAllowedTickerAndBanOnTrade", r#"{"ticker":"NRDW.US"}"#)["allowed"], 0);
    wait(&mut world, 3600);
    assert_eq!(ask(&mut world, "checkAllowedTickerAndBanOnTrade", r#"{"ticker":"NRDW.US"}"#)["allowed"], 1);
    assert!(world.halt("NOPE", at(OPEN), at(OPEN)).is_err());
}

#[test]
fn a_split_cancels_open_orders_and_converts_the_position() {
    let mut world = world_at("2025-08-15T15:00:00");
    let held = world.positions()["VNTX.US"];
    world.book_cash("USD", 100_000_000, "bank").unwrap();
    let limit = limit_at(&world, "VNTX.US", false, -1000);
    let body = format!(
        r#"{{"instr_name":"VNTX.US","action_id":1,"order_type_id":2,"qty":1,"limit_price":{limit},"expiration_id":3}}"#
    );
    ask(&mut world, "putTradeOrder", &body);
    world.advance_to(at("2025-08-18T12:00:00"));
    assert_eq!(status(&world).0, 31);
    assert_eq!(world.orders.last().unwrap().text, "corporate action");
    assert_eq!(world.positions()["VNTX.US"], held * 4);
    assert_sound_but(&world, "I9");
}
