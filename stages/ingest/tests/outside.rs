//! The whole universe, the broker and every other provider, in one simulated world.

#![allow(clippy::unwrap_used)]

mod support;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bus_client::Edge;
use contracts::{
    Corrected, FxRates, HealthState, History, IngestRun, JobOutcome, JobRun, Outcome, PortfolioState, Quote,
    Reply, Sample, SecurityAdd, SecurityDeactivate, SecurityUpdate, Universe,
};
use market::Day;
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

/// The simulator's own closes, divided by the one split of the time as everybody shows them.
fn truth(world: &Rc<RefCell<World>>, from: Day, until: Day) -> BTreeMap<(String, String), i64> {
    let split: Day = "2025-08-18".parse().unwrap();
    let mut all = BTreeMap::new();
    for listing in simworld::listings() {
        for (day, e6) in world.borrow().daily_closes(listing.ticker, from, until) {
            let e6 = if listing.ticker == "VNTX.US" && day < split { e6 / 4 } else { e6 };
            all.insert((listing.isin.to_owned(), day.to_string()), e6);
        }
    }
    all
}

#[test]
fn ten_years_of_everything_are_the_true_closes_in_every_manner_of_writing() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let world = world(profile, &[]);
        let mut rig = Rig::new(START, &format!("{OTHERS}{}", everything()));
        run(&mut rig, &world, "2026-03-02T09:00:00Z");
        let stored = rows(&rig, "SELECT isin, day, close FROM api_bar");
        assert!(stored.len() > 33 * 2_400, "{} bars", stored.len());
        let first: Day = "2016-02-20".parse().unwrap();
        let truth = truth(&world, first, "2026-03-02".parse().unwrap());
        for (key, close) in &stored {
            let known = truth.get(key).unwrap_or_else(|| panic!("{key:?} is no day of the simulator"));
            // A past divided by a split is rounded to a step of the price by the broker.
            let exact = key.0 != "US99S0071069" || key.1.as_str() >= "2025-08-18";
            let near = (*close as f64 / *known as f64 - 1.0).abs() < 1e-3;
            assert!(if exact { close == known } else { near }, "{key:?} {close} {known} {profile:?}");
        }
        let missing =
            truth.keys().filter(|key| !stored.contains_key(*key) && key.1.as_str() > "2016-03-05").count();
        assert_eq!(missing, 0, "{profile:?}");
        assert_eq!(rig.count("SELECT count(*) FROM price_quarantine"), 0, "{profile:?}");
        let history = rig.heard.about::<History>().pop().unwrap();
        assert_eq!(history.complete_until.len(), 33);
        assert_eq!(rig.health().state, HealthState::Healthy, "{profile:?} {:?}", rig.health().last_error);

        for job in ["fx", "history", "dividends", "fundamentals"] {
            let all = if job == "fx" { 5 } else { 33 };
            let ended = |run: &JobRun| run.outcome == JobOutcome::Done && (run.done, run.total) == (all, all);
            let runs = rig.heard.about::<JobRun>().into_iter().filter(|run| run.job == job);
            let runs: Vec<JobRun> = runs.collect();
            assert!(runs.iter().any(ended), "{profile:?} {:?}", runs.last());
        }

        let count = |sql: &str| rig.count(sql);
        assert_eq!(count("SELECT count(*) FROM api_action WHERE kind = 'split'"), 1);
        assert!(count("SELECT count(DISTINCT isin) FROM api_action WHERE kind = 'dividend'") > 25);
        assert!(
            count("SELECT count(*) FROM api_fundamental WHERE field = 'debt_to_equity' AND value < 20") > 20
        );
        assert!(count("SELECT count(*) FROM api_fundamental WHERE field = 'recommendation_score'") == 33);
        assert!(count("SELECT count(*) FROM api_fundamental WHERE field = 'peg_ratio' AND value > 0") > 15);
        assert!(count("SELECT count(DISTINCT day) FROM api_fx WHERE source = 'ecb' AND ccy = 'USD'") > 2_500);
        assert!(count("SELECT count(*) FROM api_index") > 500);
        assert!(count("SELECT count(*) FROM api_month") > 33 * 100);
        assert!(count("SELECT count(*) FROM api_calendar WHERE closed = 0") > 100);
        assert!(
            count("SELECT count(*) FROM symbol_alias WHERE source = 'yahoo' AND verified IS NOT NULL") >= 30
        );
    }
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
    let told = rig.health().last_error.unwrap();
    assert!(told.contains("differ from the broker's by 900 %"), "{told}");
    assert!(
        told.contains("the price of RHNA.EU is suspect until the closes of two providers agree"),
        "{told}"
    );
    assert_eq!(
        rig.count("SELECT count(*) FROM api_action WHERE isin = 'DE000SMX0015'"),
        0,
        "nothing of it is used"
    );
}

#[test]
fn a_price_ten_times_too_high_or_a_hundredth_is_suspect_however_often_it_comes() {
    for factor in ["10", "0.01"] {
        let world = world(Profile::Clean, &[]);
        let mut rig = Rig::new(START, &format!("{OTHERS}{UNIVERSE}"));
        run(&mut rig, &world, "2026-03-02T09:00:30Z");
        let rule = FaultRule {
            id: "spike".into(),
            target: "tn".into(),
            cmd: "*".into(),
            ticker: "*".into(),
            when: When::Prob(1.0),
            max: None,
            effect: Effect::Spike { factor: factor.into() },
        };
        world.borrow_mut().put_fault(rule).unwrap();
        run(&mut rig, &world, "2026-03-02T14:00:30Z");
        let quotes: Vec<Quote> = rig
            .heard
            .about::<Quote>()
            .into_iter()
            .filter(|quote| quote.isin.as_str() == "DE000SMX0015")
            .collect();
        let spiked: Vec<&Quote> =
            quotes.iter().filter(|quote| quote.at > at("2026-03-02T09:30:00Z")).collect();
        assert!(spiked.len() >= 4 && spiked.iter().all(|quote| quote.suspect), "{factor}: {spiked:?}");
        assert!(rig.health().last_error.is_some_and(|text| text.contains("suspect")));
    }
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
