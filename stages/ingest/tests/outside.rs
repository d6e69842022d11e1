//! The whole universe, the broker and every other provider, in one simulated world.

#![allow(clippy::unwrap_used)]

mod support;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bus_client::Edge;
use contracts::{
    Corrected, FxRates, History, IngestRun, Outcome, PortfolioState, Quote, Reply, Sample, SecurityAdd,
    SecurityDeactivate, SecurityUpdate, Universe,
};
use money::Quantity;
use simworld::{Effect, FaultRule, Profile, Rules, When, World, WorldConfig};
use support::{Rig, UNIVERSE, at, at_once, everything, whole_edge};

const OTHERS: &str = r#"
[stage.ingest]
yahoo_url = "http://127.0.0.1:1/yh"
ecb_url = "http://127.0.0.1:1/ecb"
frankfurter_url = "http://127.0.0.1:1/ff"
stooq_url = "http://127.0.0.1:1/stooq"
history_days = 3653
quote_interval_s = 3600
indices = [{ name = "US", symbol = "^GSPC" }]
"#;

const START: &str = "2026-03-02T07:30:00Z";

fn world(profile: Profile, faults: &[(&str, &str, Effect)]) -> Rc<RefCell<World>> {
    world_at(START, profile, faults)
}

fn world_at(start: &str, profile: Profile, faults: &[(&str, &str, Effect)]) -> Rc<RefCell<World>> {
    let rules = Rules { throttle: false, ..Rules::default() };
    let config = WorldConfig { profile, rules, ..WorldConfig::new(1, at(start)) };
    let mut world = World::new(config).unwrap();
    for (number, (target, ticker, effect)) in faults.iter().enumerate() {
        let rule = FaultRule {
            id: format!("f{number}"),
            target: (*target).into(),
            cmd: "*".into(),
            ticker: (*ticker).into(),
            when: When::Prob(1.0),
            max: None,
            effect: effect.clone(),
        };
        world.put_fault(rule).unwrap();
    }
    Rc::new(RefCell::new(world))
}

fn run(rig: &mut Rig, world: &Rc<RefCell<World>>, until: &str) {
    let edge = whole_edge(world);
    rig.run_with(at(until), |call, now| {
        world.borrow_mut().advance_to(now);
        at_once(edge.perform(call))
    });
}

fn rows(rig: &Rig, sql: &str) -> BTreeMap<(String, String), i64> {
    let rows = bus_client::open_for_reading(&rig.place).unwrap();
    let mut query = rows.prepare(sql).unwrap();
    let found = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
    found.map(Result::unwrap).collect()
}

#[test]
fn a_restart_reads_nothing_again() {
    let world = world(Profile::LiveLike, &[]);
    let mut rig = Rig::new(START, &format!("{OTHERS}{}", everything()));
    run(&mut rig, &world, "2026-03-02T08:40:00Z");
    let before = rig.count("SELECT count(*) FROM daily_price");
    rig.restart();
    run(&mut rig, &world, "2026-03-02T08:50:00Z");
    let again =
        rig.calls.iter().filter(|call| matches!(call, ingest::Call::Bars { .. } | ingest::Call::Outside(_)));
    assert_eq!(again.count(), 0, "everything was there");
    assert_eq!(rig.count("SELECT count(*) FROM daily_price"), before);
}

#[test]
fn without_other_providers_every_price_and_bar_still_comes() {
    let faults = ["yh", "ecb", "ff", "stooq"]
        .map(|target| (target, "*", Effect::Http { status: 503, processed: false }));
    let world = world(Profile::LiveLike, &faults);
    let mut rig = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
    run(&mut rig, &world, "2026-03-02T10:00:00Z");
    assert_eq!(rig.heard.about::<History>().pop().unwrap().complete_until.len(), 2);
    assert!(rig.heard.about::<Quote>().iter().all(|quote| !quote.suspect));
    assert!(rig.heard.about::<FxRates>().pop().unwrap().rates.len() >= 2);
    assert!(rig.health().last_error.is_some_and(|text| text.contains("figures and comparisons age")));
}

#[test]
fn closes_that_differ_by_more_than_a_fifth_stop_the_security() {
    let world = world(Profile::Clean, &[("yh", "RHNA.DE", Effect::Spike { factor: "10".into() })]);
    let mut rig = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
    run(&mut rig, &world, "2026-03-02T12:00:30Z");
    let last = |isin: &str| {
        let mut quotes = rig.heard.about::<Quote>().into_iter().filter(|quote| quote.isin.as_str() == isin);
        quotes.next_back().unwrap()
    };
    assert!(last("DE000SMX0015").suspect);
    assert!(!last("US99S0011099").suspect);
    assert!(rig.health().last_error.is_some_and(|text| text.contains("differ from the broker's by 900 %")));
    assert_eq!(
        rig.count("SELECT count(*) FROM api_action WHERE isin = 'DE000SMX0015'"),
        0,
        "nothing of it is used"
    );
}

#[test]
fn a_split_does_not_look_like_a_crash() {
    let keystall = r#"
[[stage.ingest.universe]]
ticker = "KYST.US"
isin = "US99S0101007"
name = "Keystall Retail"
mic = "XNYS"
ccy = "USD"
product_type = "stock"
lot = 1
"#;
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let start = "2026-06-11T07:30:00Z";
        let world = world_at(start, profile, &[]);
        let mut rig = Rig::new(start, &format!("{OTHERS}{keystall}"));
        run(&mut rig, &world, "2026-06-17T23:30:00Z");
        let bars = rows(&rig, "SELECT isin, day, close FROM api_bar WHERE day > '2026-05-01'");
        let closes: Vec<i64> = bars.values().copied().collect();
        let jump =
            closes.windows(2).map(|pair| (pair[1] as f64 / pair[0] as f64).ln().abs()).fold(0.0, f64::max);
        assert!(jump < 0.6, "{profile:?} {jump}: ten for one shows nowhere");
        assert!(bars.keys().any(|(_, day)| day == "2026-06-17"), "{profile:?} {:?}", rig.health().last_error);
        let last = rig.heard.about::<Quote>().pop().unwrap();
        assert!(!last.suspect && last.at >= at("2026-06-17T19:00:00Z"), "{profile:?} {last:?}");
        assert_eq!(
            rig.count("SELECT count(*) FROM api_action WHERE kind = 'split' AND ex_day = '2026-06-15'"),
            1
        );
    }
}

#[test]
fn the_owner_adds_allows_corrects_and_takes_out() {
    let world = world(Profile::LiveLike, &[]);
    let mut rig = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
    run(&mut rig, &world, "2026-03-02T08:10:00Z");
    let thames = "GB009SMX0155".parse().unwrap();
    let add = |identifier: &str| SecurityAdd { identifier: identifier.into(), ..SecurityAdd::sample() };
    let answer = |rig: &Rig| rig.heard.about::<Reply>().pop().unwrap();

    rig.tell(add("no such thing at all"));
    run(&mut rig, &world, "2026-03-02T08:11:00Z");
    assert_eq!(answer(&rig).code.as_deref(), Some("not_found"));
    rig.tell(add("RHNA.EU"));
    assert_eq!(answer(&rig).code.as_deref(), Some("exists"));

    rig.tell(add("GB009SMX0155"));
    run(&mut rig, &world, "2026-03-02T08:11:05Z");
    let added = answer(&rig);
    assert_eq!(added.outcome, Outcome::Done, "{added:?}");
    let universe = rig.heard.about::<Universe>().pop().unwrap();
    let security = universe.find(&thames).unwrap().clone();
    assert_eq!((security.mic.as_str(), security.ccy.as_str()), ("XLON", "GBP"));
    assert!(!security.allow_buy && !security.allow_sell);

    let early = SecurityUpdate { allow_buy: Some(true), ..SecurityUpdate::of("test", thames) };
    let mut fresh = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
    fresh.tell(SecurityUpdate { isin: "DE000SMX0015".parse().unwrap(), ..early.clone() });
    assert_eq!(answer(&fresh).code.as_deref(), Some("no_data"));

    run(&mut rig, &world, "2026-03-02T08:30:00Z");
    let corrections = BTreeMap::from([(Corrected::Country, Some("FR".to_owned()))]);
    rig.tell(SecurityUpdate { corrections, ..early });
    assert_eq!(answer(&rig).outcome, Outcome::Done);
    let said = |rig: &Rig| rig.heard.about::<Universe>().pop().unwrap().find(&thames).cloned();
    assert_eq!(said(&rig).unwrap().country.as_deref(), Some("FR"));
    rig.restart();
    rig.heard.all.extend(rig.engine.repeat());
    run(&mut rig, &world, "2026-03-02T08:31:00Z");
    let kept = said(&rig).unwrap();
    assert!(kept.allow_buy && kept.country.as_deref() == Some("FR"), "{kept:?}");
    rig.tell(SecurityUpdate {
        corrections: BTreeMap::from([(Corrected::Country, None)]),
        ..SecurityUpdate::of("test", thames)
    });
    assert_eq!(said(&rig).unwrap().country.as_deref(), Some("GB"), "what providers say shows again");

    let leave = SecurityDeactivate { isin: thames, ..SecurityDeactivate::sample() };
    rig.tell(leave.clone());
    assert_eq!(answer(&rig).code.as_deref(), Some("unknown_holding"));
    let mut held = PortfolioState::sample();
    held.positions[0].isin = thames;
    held.positions[0].qty_e6 = Quantity::from_units(1).unwrap();
    rig.tell(held.clone());
    rig.tell(leave.clone());
    assert_eq!(answer(&rig).code.as_deref(), Some("held"));
    held.positions.clear();
    rig.tell(held);
    rig.tell(leave);
    assert_eq!(answer(&rig).outcome, Outcome::Done);
    assert_eq!(said(&rig), None);
    assert!(
        rig.count("SELECT count(*) FROM api_bar WHERE isin = 'GB009SMX0155'") > 2_000,
        "its history stays"
    );
}

#[test]
fn reading_again_replaces_a_series_as_a_whole() {
    let world = world(Profile::Clean, &[]);
    let mut rig = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
    run(&mut rig, &world, "2026-03-02T08:10:00Z");
    let bars = rig.count("SELECT count(*) FROM daily_price");
    rig.calls.clear();
    rig.tell(IngestRun { isin: Some("DE000SMX0015".parse().unwrap()), ..IngestRun::sample() });
    run(&mut rig, &world, "2026-03-02T08:20:00Z");
    assert_eq!(rig.calls.iter().filter(|call| matches!(call, ingest::Call::Bars { .. })).count(), 1);
    assert_eq!(rig.count("SELECT count(*) FROM daily_price"), bars);
    rig.tell(IngestRun { isin: Some("US0378331005".parse().unwrap()), ..IngestRun::sample() });
    assert_eq!(rig.heard.about::<Reply>().pop().unwrap().code.as_deref(), Some("not_found"));
}
