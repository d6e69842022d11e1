//! The same seed and the same requests give the same bytes, however time is cut.

use super::*;

const START: &str = "2026-03-02T14:00:00";

fn run(seed: u64, profile: Profile, cut: i64) -> (Vec<Vec<u8>>, String) {
    let config = WorldConfig { profile, ..WorldConfig::new(seed, at(START)) };
    let mut world = World::new(config).unwrap();
    world.book_cash("USD", 50_000_000, "bank").unwrap();
    let mut answers = Vec::new();
    for round in 0..12 {
        for _ in 0..600 / cut {
            wait(&mut world, cut);
        }
        let limit = limit_at(&world, "PRVL.US", true, round - 6);
        let order = format!(
            r#"{{"instr_name":"PRVL.US","action_id":1,"order_type_id":2,"qty":{},"limit_price":{limit},"expiration_id":1}}"#,
            round + 1
        );
        for (command, body) in [
            ("putTradeOrder", order.as_str()),
            ("getPositionJson", "{}"),
            ("getNotifyOrderJson", r#"{"active_only":0}"#),
            ("getStockQuotesJson", r#"{"tickers":"PRVL.US,EUR/USD,THMB.EU"}"#),
        ] {
            answers.push(send(&mut world, command, body).reply().unwrap().body);
        }
    }
    (answers, world.decisions_digest())
}

#[test]
fn two_runs_give_identical_bytes_under_every_profile() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        assert_eq!(run(1, profile, 600), run(1, profile, 600), "{profile:?}");
    }
}

#[test]
fn many_small_steps_equal_one_large_step() {
    assert_eq!(run(1, Profile::LiveLike, 600), run(1, Profile::LiveLike, 5));
}

#[test]
fn another_seed_gives_another_world() {
    assert_ne!(run(1, Profile::Clean, 600).1, run(2, Profile::Clean, 600).1);
}

#[test]
fn prices_do_not_depend_on_what_clients_do() {
    let mut busy = world_at(START);
    let mut quiet = world_at(START);
    busy.book_cash("USD", 500_000_000, "bank").unwrap();
    for _ in 0..20 {
        wait(&mut busy, 120);
        let limit = limit_at(&busy, "HLXB.US", true, 3);
        limit_order(&mut busy, "HLXB.US", 1, 20, &limit);
    }
    wait(&mut quiet, 2400);
    assert_eq!(busy.now, quiet.now);
    for listing in &quiet.market.listings {
        let ticker = listing.security.ticker;
        assert_eq!(busy.truth_price(ticker, busy.now()), quiet.truth_price(ticker, quiet.now()), "{ticker}");
    }
}

#[test]
fn a_year_without_orders_passes_in_a_moment() {
    let mut world = world_at(START);
    let mut steps = 0;
    while world.now() < at("2026-12-31T00:00:00") {
        let next = world.next_event().unwrap();
        world.advance_to(next);
        steps += 1;
    }
    assert!(steps < 320, "{steps}");
    assert_sound(&world);
}
