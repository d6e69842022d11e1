//! Attacks on the money path, each stopped where it must be: by the signature, by the single use of an id, by the
//! broker's door, by the mark of the store, by the redaction of texts.

use std::fs;

use bus_client::{Config, Engine};
use contracts::{
    ApprovalKey, Body, Envelope, Id, IncidentKind, Mode, NotApproved, OrderApproved, OrderIncident, RiskHalt,
    Sample,
};
use execute::Execute;
use market::Timestamp;
use money::Quantity;

use crate::{dice::Dice, rig::Rig, weather::Weather};

/// A rig in perfect weather, in the middle of a trading day.
fn calm_rig() -> Rig {
    let mut dice = Dice::new(1);
    let mut weather = Weather::of(&mut dice);
    weather.calm();
    weather.broker.clear();
    (weather.echo, weather.parts) = (true, 0);
    let mut rig = Rig::new(1, dice, weather);
    let noon = rig.now().saturating_plus_ms(4 * 3_600_000);
    while rig.now() < noon {
        rig.step(noon);
    }
    rig
}

fn key(rig: &Rig) -> ApprovalKey {
    bus_client::approval_key(rig.data_dir()).unwrap()
}

/// A genuine approval as the gate would give it, for a security of the rig.
fn genuine(rig: &Rig, name: &str) -> OrderApproved {
    let universe: contracts::Universe = rig.statement("").unwrap();
    let quotes: Vec<contracts::Quote> = rig.statements();
    let security = universe.securities.iter().find(|one| one.ticker == "RHNA.EU").unwrap();
    let quote = quotes.iter().find(|quote| quote.isin == security.isin).unwrap();
    let tick = security.tick_e6.unwrap().e6();
    let limit = quote.ask_e6.unwrap_or(quote.price_e6).e6();
    let now = rig.stage_now();
    key(rig).sign(OrderApproved {
        order_id: Id::derive(now, &[name]),
        isin: security.isin,
        mic: security.mic,
        ticker: security.ticker.clone(),
        ccy: security.ccy,
        qty_e6: security.lot_e6,
        limit_price_e6: money::Price::from_e6(limit - limit % tick).unwrap(),
        issued: now,
        expires: now.saturating_plus_ms(60_000),
        ..OrderApproved::sample()
    })
}

/// Says it as the gate would, lets everything settle, and counts what reached the broker.
fn sent_after(rig: &mut Rig, approval: OrderApproved) -> usize {
    rig.say_as("risk-gate", approval);
    rig.settle();
    let world = rig.world.borrow();
    world.orders().into_iter().filter(|order| !order.historic).count()
}

fn incidents(rig: &Rig) -> Vec<IncidentKind> {
    rig.statements::<OrderIncident>().into_iter().map(|one| one.kind).collect()
}

#[test]
fn a_genuine_approval_is_placed_or_the_attacks_prove_nothing() {
    let mut rig = calm_rig();
    let approval = genuine(&rig, "genuine");
    assert_eq!(sent_after(&mut rig, approval), 1);
    assert!(incidents(&rig).is_empty());
}

#[test]
fn an_approval_replayed_is_used_once() {
    let mut rig = calm_rig();
    let approval = genuine(&rig, "replayed");
    assert_eq!(sent_after(&mut rig, approval.clone()), 1);
    for _ in 0..3 {
        assert_eq!(sent_after(&mut rig, approval.clone()), 1);
        rig.kill("execute");
        let later = rig.now().saturating_plus_ms(5_000);
        while rig.now() < later {
            rig.step(later);
        }
    }
    assert_eq!(sent_after(&mut rig, approval), 1, "over restarts too");
}

#[test]
fn an_altered_approval_never_reaches_the_broker_and_halts_trading() {
    type Change = fn(&mut OrderApproved);
    let changes: [(&str, Change); 5] = [
        ("a larger quantity", |one| one.qty_e6 = Quantity::from_units(1_000).unwrap()),
        ("another order", |one| one.order_id = Id::derive(one.issued, &["another"])),
        ("another price", |one| {
            one.limit_price_e6 = money::Price::from_e6(one.limit_price_e6.e6() * 2).unwrap()
        }),
        ("a longer life", |one| one.expires = one.expires.saturating_plus_ms(30_000)),
        ("live instead of paper", |one| {
            one.mode = if one.mode == Mode::Live { Mode::Research } else { Mode::Live }
        }),
    ];
    for (name, change) in changes {
        let mut rig = calm_rig();
        let mut approval = genuine(&rig, name);
        change(&mut approval);
        assert_eq!(sent_after(&mut rig, approval), 0, "{name}");
        assert_eq!(incidents(&rig), [IncidentKind::ForgedApproval], "{name}");
        assert!(rig.statement::<RiskHalt>("").unwrap().halted, "{name}");
    }
}

#[test]
fn an_expired_approval_is_worth_nothing_and_halts_nothing() {
    let mut rig = calm_rig();
    let now = rig.stage_now();
    let old =
        OrderApproved { issued: now.saturating_minus_ms(120_000), expires: now, ..genuine(&rig, "expired") };
    let old = key(&rig).sign(old);
    assert_eq!(sent_after(&mut rig, old), 0);
    assert!(!rig.statement::<RiskHalt>("").unwrap().halted);
}

#[test]
fn an_approval_from_another_key_or_another_stage_halts_trading() {
    let mut rig = calm_rig();
    let other = ApprovalKey::from_bytes([3; 32]).sign(genuine(&rig, "other key"));
    assert_eq!(sent_after(&mut rig, other), 0);
    assert_eq!(incidents(&rig), [IncidentKind::ForgedApproval]);
    let mut rig = calm_rig();
    let real = genuine(&rig, "other stage");
    rig.say_as("plan", real);
    rig.settle();
    assert_eq!(incidents(&rig), [IncidentKind::ForeignApproval]);
    assert!(rig.world.borrow().orders().iter().all(|order| order.historic));
    assert!(rig.statement::<RiskHalt>("").unwrap().halted);
}

#[test]
fn a_store_copied_from_a_demo_is_refused_by_a_live_stage_and_left_untouched() {
    let mut rig = calm_rig();
    // A store is whole once its owner has closed it.
    for stage in ["execute", "risk-gate", "portfolio"] {
        rig.kill(stage);
    }
    let live = tempfile::tempdir().unwrap();
    fs::create_dir_all(live.path().join("stores")).unwrap();
    for name in ["orders", "risk", "ledger"] {
        fs::copy(rig.store_file(name), live.path().join("stores").join(format!("{name}.db"))).unwrap();
    }
    let config =
        Config::parse("environment = \"live\"\ndir = \".\"", &live.path().join("steward.toml")).unwrap();
    let opened = Engine::<Execute>::open(&config, "execute", None, Timestamp::ZERO).map(|_| ());
    let sentence = opened.unwrap_err().to_string();
    assert!(sentence.contains("`sim:1`") && sentence.contains("`live`"), "{sentence}");
    let opened = Engine::<risk_gate::RiskGate>::open(&config, "risk-gate", None, Timestamp::ZERO).map(|_| ());
    assert!(opened.is_err());
}

#[test]
fn an_approval_of_a_demo_is_a_forgery_elsewhere() {
    let here = calm_rig();
    let elsewhere = ApprovalKey::from_bytes([5; 32]);
    let approval = genuine(&here, "demo");
    assert_eq!(elsewhere.verify(approval, here.stage_now()), Err(NotApproved::Forged));
}

#[test]
fn a_key_in_an_error_text_of_the_broker_is_shown_nowhere() {
    let mut rig = calm_rig();
    let text = format!("bad key {} for {}", simworld::PRIVATE_KEY, simworld::PUBLIC_KEY);
    let rule = serde_json::json!({
        "id": "leak", "target": "tn", "cmd": "*", "ticker": "*", "when": {"prob": 1.0},
        "effect": {"kind": "error", "code": 12, "text": text},
    });
    rig.world.borrow_mut().put_fault(serde_json::from_value(rule).unwrap()).unwrap();
    let approval = genuine(&rig, "leak");
    sent_after(&mut rig, approval);
    let later = rig.now().saturating_plus_ms(1_800_000);
    while rig.now() < later {
        rig.step(later);
    }
    let mut told = false;
    let mut look = |place: &str, bytes: &[u8]| {
        let all = String::from_utf8_lossy(bytes);
        told |= all.contains("bad key [hidden]");
        for key in [simworld::PRIVATE_KEY, simworld::PUBLIC_KEY] {
            assert!(!all.contains(key), "{place} shows {key}");
        }
    };
    for (topic, payload) in rig.bus.all_retained() {
        look(topic, payload);
    }
    let stores = rig.store_file("orders").parent().unwrap().to_path_buf();
    let mut logs = 0;
    for entry in fs::read_dir(stores).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What was written last stands in the write-ahead log, not yet in the store.
        logs += usize::from(name.ends_with("-wal"));
        look(&name, &fs::read(entry.path()).unwrap());
    }
    assert!(told, "the text was never passed on, so nothing was proved");
    assert!(logs > 0, "no write-ahead log was looked at");
}

#[test]
fn a_command_to_resume_from_outside_is_refused_as_not_the_owners() {
    let mut rig = calm_rig();
    rig.say_as("steward", contracts::Halt { actor: "me".into(), reason: "owner".into(), text: "x".into() });
    rig.settle();
    for stage in ["notify", "hardware", "plan"] {
        let body = contracts::Resume { actor: "me".into(), text: "It is fine.".into() };
        let id = Id::derive(rig.stage_now(), &[stage]);
        let envelope = Envelope {
            id,
            key_version: 1,
            at: rig.stage_now(),
            stage: stage.into(),
            trace: id,
            cause: None,
            body,
        };
        rig.publish(vec![bus_client::Publication {
            topic: contracts::Resume::TOPIC.spec().address("steward", ""),
            payload: envelope.encode().unwrap(),
            retain: false,
            qos: 1,
        }]);
        rig.settle();
        assert!(rig.statement::<RiskHalt>("").unwrap().halted, "{stage}");
    }
}
