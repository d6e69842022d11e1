//! The broker's socket, without a network.

use super::*;
use crate::{Effect, FaultRule, Session, When};

fn address(stamp: i64) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let stamp = stamp.to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(PRIVATE_KEY.as_bytes()).unwrap();
    mac.update(stamp.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("X-NtApi-PublicKey={PUBLIC_KEY}&X-NtApi-Timestamp={stamp}&X-NtApi-Sig={signature}")
}

fn here(profile: Profile) -> World {
    let mut world = world("2026-03-02T15:00:00", profile, "default");
    world.book_cash("USD", 50_000_000, "bank").unwrap();
    world
}

fn due(session: &mut Session, world: &mut World) -> Vec<Value> {
    session.due(world).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn events(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame[0].as_str().unwrap()).collect()
}

fn rule(world: &mut World, cmd: &str, effect: Effect) {
    let rule = FaultRule {
        id: "f".into(),
        target: "ws".into(),
        cmd: cmd.into(),
        ticker: "*".into(),
        when: When::Nth(vec![1]),
        max: None,
        effect,
    };
    world.put_fault(rule).unwrap();
}

#[test]
fn a_signed_connection_is_no_demo_and_any_other_is() {
    for (query, demo) in [(address(WALL_S), false), (address(WALL_S - 301), true), (String::new(), true)] {
        let mut world = here(Profile::LiveLike);
        let mut session = Session::open(&mut world, &query, WALL_S);
        let frames = due(&mut session, &mut world);
        assert_eq!((frames[0][0].as_str(), frames[0][1]["isDemo"].as_bool()), (Some("userData"), Some(demo)));
    }
}

#[test]
fn quotes_come_whole_first_and_then_only_what_changed() {
    let mut world = here(Profile::LiveLike);
    let mut session = Session::open(&mut world, &address(WALL_S), WALL_S);
    session.hear(&mut world, r#"["quotes",["NRDW.US","NOPE.US"]]"#);
    let frames = due(&mut session, &mut world);
    assert_eq!(events(&frames), ["userData", "q"]);
    let whole = frames[1][1].as_object().unwrap();
    assert!(whole["init"] == 1 && whole.len() > 30, "{}", whole.len());
    assert!(frames[1][2].as_str().unwrap().starts_with("wstm=2026-03-02T15%3A00%3A00.000Z"));
    assert!(due(&mut session, &mut world).is_empty(), "twice a second at most");
    let mut partial = None;
    for _ in 0..120 {
        wait(&mut world, 1);
        partial = partial.or(due(&mut session, &mut world).into_iter().find(|f| f[0] == "q"));
    }
    let partial = partial.unwrap();
    assert_eq!(partial[1]["c"], "NRDW.US");
    assert!(partial[1].as_object().unwrap().len() < 20 && partial[1]["init"].is_null());
}

#[test]
fn frames_have_two_elements_in_the_clean_dress_and_either_in_the_nasty() {
    let lengths = |profile| {
        let mut world = here(profile);
        let mut session = Session::open(&mut world, &address(WALL_S), WALL_S);
        session.hear(&mut world, r#"["quotes",["NRDW.US","PRVL.US"]]"#);
        session.hear(&mut world, r#"["markets"]"#);
        due(&mut session, &mut world).iter().map(|f| f.as_array().unwrap().len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(Profile::Clean), [2, 2, 2, 2]);
    assert_eq!(lengths(Profile::LiveLike), [3, 3, 3, 3]);
    assert_eq!(lengths(Profile::Nasty), [2, 3, 2, 3]);
}

#[test]
fn every_change_of_an_order_and_of_the_account_is_told() {
    let mut world = here(Profile::LiveLike);
    let mut session = Session::open(&mut world, &address(WALL_S), WALL_S);
    session.hear(&mut world, r#"["orders"]"#);
    session.hear(&mut world, r#"["portfolio"]"#);
    due(&mut session, &mut world);
    let limit = limit_at(&world, "NRDW.US", true, 3);
    limit_order(&mut world, "NRDW.US", 1, 1, &limit);
    let mut seen = Vec::new();
    for _ in 0..10 {
        for frame in due(&mut session, &mut world) {
            if frame[0] == "orders" {
                seen.push(frame[1][0]["stat"].as_i64().unwrap());
            } else {
                assert_eq!(frame[0], "portfolio");
                seen.push(0);
            }
        }
        wait(&mut world, 1);
    }
    assert_eq!((seen.first(), seen.contains(&21), seen.contains(&0)), (Some(&1), true, true), "{seen:?}");
}

#[test]
fn a_stranger_gets_old_quotes_and_no_orders() {
    let mut world = here(Profile::LiveLike);
    let mut session = Session::open(&mut world, "", WALL_S);
    for word in [r#"["quotes",["NRDW.US"]]"#, r#"["orders"]"#, r#"["portfolio"]"#] {
        session.hear(&mut world, word);
    }
    let frames = due(&mut session, &mut world);
    assert_eq!(events(&frames), ["userData", "q"]);
    let earlier = world.truth_price("NRDW.US", at("2026-03-02T14:45:00")).unwrap() as f64 / 1e6;
    assert!((frames[1][1]["ltp"].as_f64().unwrap() - earlier).abs() < 1e-6);
}

#[test]
fn a_book_begins_whole_and_signs_of_life_come_every_25_seconds() {
    let mut world = here(Profile::LiveLike);
    let mut session = Session::open(&mut world, &address(WALL_S), WALL_S);
    session.hear(&mut world, r#"["orderBook",["NRDW.US"]]"#);
    let frames = due(&mut session, &mut world);
    assert_eq!((frames[1][0].as_str(), frames[1][1]["ins"].as_array().unwrap().len()), (Some("b"), 20));
    session.hear(&mut world, r#"["unsubscribe",["orderBook"]]"#);
    wait(&mut world, 24);
    assert!(due(&mut session, &mut world).is_empty());
    wait(&mut world, 1);
    assert_eq!(due(&mut session, &mut world), [serde_json::json!(["keepAlive"])]);
}

#[test]
fn the_socket_can_drop_fall_silent_repeat_reorder_and_rave() {
    let opened = |effect: Effect, cmd: &str| {
        let mut world = here(Profile::LiveLike);
        rule(&mut world, cmd, effect);
        let mut session = Session::open(&mut world, &address(WALL_S), WALL_S);
        session.hear(&mut world, r#"["quotes",["NRDW.US","PRVL.US"]]"#);
        let frames = session.due(&mut world);
        (frames, session)
    };
    let (frames, session) = opened(Effect::WsDrop, "q");
    assert!(session.is_closed() && frames.len() == 1);
    assert_eq!(opened(Effect::WsSilent, "connect").0.len(), 0);
    assert!(opened(Effect::WsDemo, "connect").0[0].contains(r#""isDemo":true"#));
    let (frames, _) = opened(Effect::WsDup, "q");
    assert!(frames.len() == 4 && frames[1] == frames[2]);
    let (frames, _) = opened(Effect::WsReorder, "q");
    assert!(frames[1].contains("PRVL.US") && frames[2].contains("NRDW.US"), "{frames:?}");
    let (frames, _) = opened(Effect::WsGarbage, "q");
    assert!(serde_json::from_str::<Value>(&frames[1]).is_err());
}
