//! Fault rules seen from the client and from the books.

use super::*;
use crate::{Effect, FaultRule, When};

const ORDER: &str = r#"{"instr_name":"QXTM.US","action_id":1,"order_type_id":2,"qty":4,"limit_price":LIMIT,"expiration_id":1,"user_order_id":700000001}"#;

fn prepared(effect: Effect) -> (World, String) {
    let mut world = world_at("2026-03-02T15:00:00");
    world.book_cash("USD", 100_000_000, "bank").unwrap();
    let rule = FaultRule {
        id: "f1".into(),
        target: "tn".into(),
        cmd: "*".into(),
        ticker: "*".into(),
        when: When::Nth(vec![1]),
        max: None,
        effect,
    };
    world.put_fault(rule).unwrap();
    let body = ORDER.replace("LIMIT", &limit_at(&world, "QXTM.US", true, 20));
    (world, body)
}

fn orders(world: &World) -> usize {
    world.orders.iter().filter(|o| !o.historic).count()
}

#[test]
fn silence_before_processing_leaves_no_order_and_after_it_one() {
    for (effect, expected) in [(Effect::TimeoutBefore { ms: 300 }, 0), (Effect::TimeoutAfter { ms: 300 }, 1)]
    {
        let (mut world, body) = prepared(effect);
        assert_eq!(send(&mut world, "putTradeOrder", &body), Delivery::TimedOut { after_ms: 300 });
        assert_eq!(orders(&world), expected);
        wait(&mut world, 60);
        let filled: i64 = world.fills.iter().filter(|f| !f.historic).map(|f| f.qty).sum();
        assert_eq!(filled, 4 * i64::try_from(expected).unwrap());
        assert_eq!(world.fault_log().len(), 1);
        assert_sound(&world);
    }
}

#[test]
fn broken_answers_hide_an_order_that_was_taken() {
    for effect in [
        Effect::ResetAfter,
        Effect::Truncate,
        Effect::Malformed,
        Effect::Http { status: 502, processed: true },
    ] {
        let (mut world, body) = prepared(effect.clone());
        match send(&mut world, "putTradeOrder", &body) {
            Delivery::Reset { partial } => assert!(serde_json::from_slice::<Value>(&partial).is_err()),
            Delivery::Reply { reply, .. } => {
                assert!(serde_json::from_slice::<Value>(&reply.body).is_err(), "{effect:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(orders(&world), 1, "{effect:?}");
    }
}

#[test]
fn refusals_of_gateway_and_limits_take_nothing() {
    let cases = [
        (Effect::Http { status: 503, processed: false }, 503, "<html>"),
        (Effect::Http { status: 403, processed: false }, 403, "<html>"),
        (Effect::RateLimit { body: false, retry_after: 7 }, 429, "request limit"),
        (Effect::RateLimit { body: true, retry_after: 7 }, 200, "request limit"),
        (Effect::Error { code: 0, text: "No".into() }, 200, r#"{"error":"No","code":0}"#),
    ];
    for (effect, status, text) in cases {
        let (mut world, body) = prepared(effect);
        let reply = send(&mut world, "putTradeOrder", &body).reply().unwrap();
        assert_eq!(reply.status, status);
        assert!(String::from_utf8_lossy(&reply.body).contains(text));
        assert_eq!(orders(&world), 0);
    }
}

#[test]
fn a_slow_answer_is_the_usual_one_later() {
    let (mut world, body) = prepared(Effect::Slow { ms: 250 });
    let Delivery::Reply { reply, delay_ms } = send(&mut world, "putTradeOrder", &body) else {
        panic!("no reply")
    };
    assert_eq!((reply.status, delay_ms, orders(&world)), (200, 250, 1));
}

#[test]
fn empty_success_empties_the_account_once_on_paper_only() {
    let (mut world, _) = prepared(Effect::EmptyOk);
    let first = ask(&mut world, "getPositionJson", "{}");
    assert_eq!(first["result"]["ps"]["pos"], serde_json::json!([]));
    assert_eq!(first["result"]["ps"]["loaded"], true);
    let second = ask(&mut world, "getPositionJson", "{}");
    assert_eq!(second["result"]["ps"]["pos"].as_array().unwrap().len(), world.positions().len());
}

#[test]
fn a_late_rejection_frees_the_cash_and_fills_nothing() {
    let (mut world, body) = prepared(Effect::RejectLate { status: 74, after_ms: 2000 });
    assert!(ask(&mut world, "putTradeOrder", &body)["order_id"].is_i64());
    assert!(world.reserved_e4("USD") > 0);
    wait(&mut world, 3);
    assert_eq!(world.orders.last().unwrap().status, 74);
    assert_eq!((world.reserved_e4("USD"), world.orders.last().unwrap().filled), (0, 0));
}

#[test]
fn a_dying_order_fills_part_and_ends_with_72() {
    let (mut world, body) = prepared(Effect::PartialThenDead);
    ask(&mut world, "putTradeOrder", &body);
    wait(&mut world, 60);
    let order = world.orders.last().unwrap();
    assert_eq!((order.status, order.filled), (72, 2));
    assert_sound(&world);
}
