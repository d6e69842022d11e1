//! Takeovers, changes of ISIN, dividends taken back, bent prices, options of the broker, presets.

use super::*;
use crate::control::control;
use crate::core::dates::{day_at, day_of};
use crate::core::scenarios::{SCENARIOS, USUAL_START};
use crate::{ClientBooks, ClientOrder, Effect, FaultRule, When};

fn days_on(world: &mut World, days: i64) {
    wait(world, days * 86_400);
}

#[test]
fn a_takeover_pays_holders_ends_trading_and_keeps_the_books() {
    let mut world = world_at("2026-03-02T15:00:00");
    let day = day_of(2026, 3, 9);
    world.plan_takeover("THMB.EU", day, Some(5_500_000)).unwrap();
    let (held, pounds) = (world.positions()["THMB.EU"], world.cash()["GBP"]);
    days_on(&mut world, 8);
    assert!(!world.positions().contains_key("THMB.EU"));
    assert_eq!(world.cash()["GBP"], pounds + held / 1_000_000 * 55_000);
    assert_eq!(ask(&mut world, "checkAllowedTickerAndBanOnTrade", r#"{"ticker":"THMB.EU"}"#)["allowed"], 0);
    let flows = ask(
        &mut world,
        "getUserCashFlows",
        r#"{"take":5,"filters":[{"field":"type_code","operator":"eq","value":"merger"}]}"#,
    );
    assert_eq!(flows["cashflow"].as_array().unwrap().len(), 1);
    let report = ask(
        &mut world,
        "getBrokerReport",
        r#"{"date_start":"2026-03-01","date_end":"2026-03-20","time_period":"23:59:59","format":"json","type":"corporate_actions"}"#,
    );
    let kinds: Vec<&str> = report["report"]["detailed"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["type_id"].as_str())
        .collect();
    assert!(kinds.contains(&"conversion"), "{kinds:?}");
    let candles = ask(
        &mut world,
        "getHloc",
        r#"{"id":"THMB.EU","timeframe":1440,"count":-1,"date_from":"01.03.2026 00:00","date_to":"20.03.2026 00:00","intervalMode":"ClosedRay"}"#,
    );
    assert_eq!(candles["hloc"]["THMB.EU"].as_array().unwrap().len(), 5, "no session from the 9th on");
    assert!(world.plan_takeover("NRDW.US", day, None).is_err(), "the day has begun");
    assert_sound(&world);
}

#[test]
fn a_spin_off_gives_whole_units_cash_for_the_rest_and_keeps_the_books() {
    let mut world = world_at("2026-03-02T15:00:00");
    let call = br#"{"kind":"spin_off","ticker":"NRDW.US","day":"2026-03-04","part":"PRVL.US","ratio":[1,5]}"#;
    assert_eq!(control(&mut world, "POST", "corp_action", call).status, 200);
    let (held, before) = (world.positions()["NRDW.US"], world.positions()["PRVL.US"]);
    let dollars = world.cash()["USD"];
    days_on(&mut world, 2);
    let units = held / 5 / 1_000_000 * 1_000_000;
    assert!(units > 0 && units < held / 5, "the account holds no multiple of five: {held}");
    assert_eq!(world.positions()["PRVL.US"], before + units);
    assert_eq!(world.positions()["NRDW.US"], held);
    assert!(world.cash()["USD"] > dollars, "cash for the fraction");
    let flows = ask(
        &mut world,
        "getUserCashFlows",
        r#"{"take":5,"filters":[{"field":"type_code","operator":"eq","value":"spin_off"}]}"#,
    );
    assert_eq!(flows["cashflow"].as_array().unwrap().len(), 1);
    for bad in [
        r#"{"kind":"spin_off","ticker":"NRDW.US","day":"2026-04-04"}"#,
        r#"{"kind":"spin_off","ticker":"NRDW.US","day":"2026-04-04","part":"NRDW.US","ratio":[1,5]}"#,
        r#"{"kind":"spin_off","ticker":"NRDW.US","day":"2026-04-04","part":"PRVL.US","ratio":[0,5]}"#,
        r#"{"kind":"spin_off","ticker":"NRDW.US","day":"2026-04-04","part":"NOPE.US","ratio":[1,5]}"#,
    ] {
        assert_eq!(control(&mut world, "POST", "corp_action", bad.as_bytes()).status, 400, "{bad}");
    }
    assert_sound(&world);
}

#[test]
fn a_new_isin_takes_over_on_its_day() {
    let mut world = world_at("2026-03-02T15:00:00");
    world.plan_new_isin("VDHV.EU", day_of(2026, 3, 4)).unwrap();
    let isin = |world: &mut World| {
        let found = ask(world, "tickerFinder", r#"{"text":"VDHV.EU"}"#);
        found["found"][0]["isin"].as_str().unwrap().to_owned()
    };
    assert_eq!(isin(&mut world), "NL0099SM0028");
    days_on(&mut world, 2);
    let fresh = isin(&mut world);
    assert_eq!(fresh, "NL0099SM0036");
    assert!(fresh.parse::<::market::Isin>().is_ok(), "its check digit holds");
    let old = ask(&mut world, "tickerFinder", r#"{"text":"NL0099SM0028"}"#);
    assert_eq!(old["found"].as_array().unwrap().len(), 0);
}

#[test]
fn a_dividend_taken_back_leaves_cash_as_if_it_had_never_been() {
    let start = "2026-05-11T08:00:00";
    let run = |reverted: bool| {
        let mut world = world_at(start);
        if reverted {
            let rule = FaultRule {
                id: "r".into(),
                target: "tn".into(),
                cmd: "dividend".into(),
                ticker: "*".into(),
                when: When::Nth(vec![1]),
                max: Some(1),
                effect: Effect::DividendReverted,
            };
            world.put_fault(rule).unwrap();
        }
        days_on(&mut world, 45);
        world
    };
    let (plain, reverted) = (run(false), run(true));
    let of = |world: &World, code: &str| -> i64 {
        world.flows.iter().filter(|f| f.at_ms > at(start).ms() && f.type_code == code).map(|f| f.sum_e4).sum()
    };
    assert!(of(&plain, "dividend") > 0 && of(&plain, "dividend_reverted") == 0);
    assert!(of(&reverted, "dividend_reverted") < 0);
    let back = of(&reverted, "dividend_reverted") + of(&reverted, "tax_reverted");
    let sum = |world: &World| world.cash().values().sum::<i64>();
    assert_eq!(sum(&reverted), sum(&plain) + back);
    assert_sound(&reverted);
}

#[test]
fn a_bent_price_is_true_for_quotes_fills_and_candles_and_ends() {
    let mut world = world_at("2026-03-02T15:00:00");
    let before = world.truth_price("NRDW.US", world.now()).unwrap();
    let body = br#"{"ticker":"NRDW.US","factor":"0.5","to":"2026-03-02T15:10:00Z"}"#;
    assert_eq!(control(&mut world, "POST", "price", body).status, 200);
    let bent = world.truth_price("NRDW.US", world.now()).unwrap();
    assert!((bent * 2 - before).abs() <= 20_000, "{before} {bent}");
    world.advance_to(at("2026-03-02T15:10:00"));
    assert!(world.truth_price("NRDW.US", world.now()).unwrap() > bent * 3 / 2);
    let none = br#"{"ticker":"NRDW.US","factor":"0","to":"2026-03-02T15:10:00Z"}"#;
    assert_eq!(control(&mut world, "POST", "price", none).status, 400);
}

#[test]
fn a_kept_world_comes_back_whole_and_a_reset_begins_anew() {
    let mut world = world_at("2026-03-02T15:00:00");
    let truth = world.truth();
    let id = control(&mut world, "POST", "snapshot", b"").body["id"].clone();
    world.book_cash("EUR", 10_000, "bank").unwrap();
    days_on(&mut world, 3);
    assert_ne!(world.truth(), truth);
    assert_eq!(control(&mut world, "POST", "restore", format!(r#"{{"id":{id}}}"#).as_bytes()).status, 200);
    assert_eq!(world.truth(), truth);
    assert_eq!(control(&mut world, "POST", "restore", br#"{"id":7}"#).status, 400);
    let reset =
        control(&mut world, "POST", "reset", br#"{"seed":9,"scenario":"first_deposit","profile":"nasty"}"#);
    assert_eq!((reset.body["seed"].as_u64(), reset.body["profile"].as_str()), (Some(9), Some("nasty")));
    assert!(world.positions().is_empty());
    assert_eq!(control(&mut world, "POST", "reset", br#"{"scenario":"nope"}"#).status, 400);
}

#[test]
fn every_preset_runs_a_fortnight_untouched_with_sound_books() {
    for scenario in &SCENARIOS {
        let start = scenario.start.unwrap_or(USUAL_START).trim_end_matches('Z');
        let config = WorldConfig { scenario: scenario.name.into(), ..WorldConfig::new(3, at(start)) };
        let mut world = World::new(config).unwrap();
        days_on(&mut world, 18);
        assert_sound(&world);
        let moved = match scenario.name {
            "takeover" | "isin_change" | "spin_off" => !world.events.is_empty(),
            "fx_shock" => {
                let rate = |day| world.market.rates.at_day_end("GBP", day).unwrap();
                let day = day_at(world.config.start.ms()) + 3;
                rate(day) / rate(day - 1) > 1.14
            }
            "hk_day" => world.find("NRDW.US").is_none() && world.find("JADEP.9911.AS").is_some(),
            _ => true,
        };
        assert!(moved, "{}", scenario.name);
    }
}

#[test]
fn money_that_moves_on_settlement_is_shown_as_receivable_and_payable_until_then() {
    let mut world = world_at("2026-03-02T15:00:00");
    world.config.rules.cash_on_settlement = true;
    world.book_cash("USD", 20_000_000, "bank").unwrap();
    let dollars = |world: &mut World| {
        let rows = ask(world, "getPositionJson", "{}");
        let row = rows["result"]["ps"]["acc"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["curr"] == "USD")
            .unwrap()
            .clone();
        (row["s"].as_f64().unwrap(), row["t2_out"].as_f64().unwrap())
    };
    let (before, _) = dollars(&mut world);
    let limit = limit_at(&world, "NRDW.US", true, 3);
    limit_order(&mut world, "NRDW.US", 1, 2, &limit);
    wait(&mut world, 30);
    let (shown, owed) = dollars(&mut world);
    assert!(owed > 50.0 && (shown - before).abs() < 0.001, "{shown} {owed}");
    days_on(&mut world, 2);
    let (shown, owed) = dollars(&mut world);
    assert!(owed.abs() < 0.001 && shown < before - 50.0, "{shown} {owed}");
}

#[test]
fn whoever_hands_in_a_clients_books_hears_of_every_invariant() {
    let mut world = world_at("2026-03-02T15:00:00");
    let books = format!(r#"{{"positions_e6":{:?},"cash_e4":{:?}}}"#, world.positions(), world.cash());
    let answer = control(&mut world, "POST", "invariants", books.as_bytes());
    let of = |answer: &serde_json::Value, id: &str| {
        answer.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["ok"].clone()
    };
    assert_eq!((answer.status, answer.body.as_array().unwrap().len()), (200, 18));
    assert_eq!(of(&answer.body, "I14"), true);
    let empty = control(&mut world, "POST", "invariants", b"{}");
    assert_eq!(of(&empty.body, "I14"), false, "a client without books has none of the holdings");
    assert_eq!(control(&mut world, "POST", "invariants", b"7").status, 400);
}

#[test]
fn a_clients_books_are_compared_line_by_line() {
    let mut world = world_at("2026-03-02T15:00:00");
    world.book_cash("USD", 20_000_000, "bank").unwrap();
    let limit = limit_at(&world, "NRDW.US", true, 3);
    let decided = world.truth_price("NRDW.US", world.now()).unwrap();
    let order = format!(
        r#"{{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":2,"limit_price":{limit},"expiration_id":1,"user_order_id":7}}"#
    );
    ask(&mut world, "putTradeOrder", &order);
    let row = ClientOrder {
        user_order_id: 7,
        ticker: "NRDW.US".into(),
        decision_price_e6: decided,
        decided_at: world.now(),
    };
    wait(&mut world, 30);
    let own = |map: BTreeMap<&'static str, i64>| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let books = ClientBooks {
        positions_e6: own(world.positions()),
        cash_e4: own(world.cash()),
        trade_ids: Some(world.fills.iter().map(|f| f.id).collect()),
        flow_ids: Some(world.flows.iter().map(|f| format!("{:x}", f.id)).collect()),
        orders: vec![row.clone()],
        unsettled: Vec::new(),
        daily_caps: Some((5, 1)),
    };
    crate::assert_world(&world, &books);
    let broken = |books: ClientBooks| -> Vec<&str> {
        world.compare(&books).into_iter().filter(|r| !r.ok).map(|r| r.id).collect()
    };
    let mut wrong = books.clone();
    *wrong.cash_e4.get_mut("EUR").unwrap() += 101;
    assert_eq!(broken(wrong), ["I14"]);
    let mut wrong = books.clone();
    wrong.trade_ids.as_mut().unwrap().pop_last();
    assert_eq!(broken(wrong), ["I14"]);
    let mut wrong = books.clone();
    wrong.orders[0].decision_price_e6 = decided * 104 / 100;
    assert_eq!(broken(wrong), ["I15"]);
    assert_eq!(broken(ClientBooks { daily_caps: Some((0, 5)), ..books.clone() }), ["I16"]);
    assert_eq!(broken(ClientBooks { unsettled: vec!["order 7".into()], ..books }), ["I17"]);
    assert!(world.decided_like(&world.clone()).ok);
    assert!(!world.decided_like(&world_at("2026-03-02T15:00:00")).ok);
}
