//! Notify on its store: when it calls a person, when it stops, and what a restart changes.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bus_client::{Config, Engine, Place, Publication, Stage, open_for_reading};
use contracts::{
    Alert, Body, DisplayState, Envelope, Health, HealthState, Id, Mood, Nav, OrderRefused, OrderState,
    OrderStatus, RiskHalt, Sample, SecurityScore, SellScore, TopicId, receive,
};
use market::Timestamp;
use notify::Notify;

const START_MS: i64 = 1_772_461_867_250;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(START_MS + ms)
}

struct Bench {
    folder: tempfile::TempDir,
    environment: &'static str,
    engine: Engine<Notify>,
    said: Vec<Publication>,
    number: u64,
}

fn engine(folder: &Path, environment: &str) -> Engine<Notify> {
    let text = format!("environment = \"{environment}\"\ndir = \"x\"");
    let config = Config::parse(&text, &folder.join("steward.toml")).unwrap();
    Engine::open(&config, "notify", Some(Place::File(folder.join("notices.db"))), at(0)).unwrap()
}

impl Bench {
    fn new(environment: &'static str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path(), environment);
        Bench { folder, environment, engine, said: Vec::new(), number: 0 }
    }

    fn restart(self) -> Bench {
        let Bench { folder, environment, engine: old, number, .. } = self;
        drop(old);
        let engine = engine(folder.path(), environment);
        Bench { folder, environment, engine, said: Vec::new(), number }
    }

    fn hear<B: Body>(&mut self, from: &str, body: B, ms: i64) {
        self.number += 1;
        let id = Id::derive(at(ms), &[from, &self.number.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let envelope = Envelope {
            id,
            key_version: self.number,
            at: at(ms),
            stage: from.into(),
            trace: id,
            cause: None,
            body,
        };
        let said = self.engine.deliver(&topic, &envelope.encode().unwrap(), at(ms)).unwrap();
        self.said.extend(said);
    }

    fn tick(&mut self, ms: i64) {
        let said = self.engine.tick(at(ms)).unwrap();
        self.said.extend(said);
        assert!(self.engine.stage().wake_at().is_none_or(|then| then > at(ms)), "a tick must end its timer");
    }

    fn take(&mut self, topic: TopicId) -> Vec<Publication> {
        let prefix = topic.spec().address("steward", "");
        let (found, rest) =
            self.said.drain(..).partition(|said: &Publication| said.topic.starts_with(&prefix));
        self.said = rest;
        found
    }

    /// The alerts said since the last look: raised ones as code and count, ended ones as "over".
    fn alerts(&mut self) -> Vec<String> {
        let said = self.take(TopicId::Alert);
        said.iter()
            .map(|said| {
                let key = said.topic.rsplit('/').next().unwrap();
                receive::<Alert>(key, &said.payload)
                    .unwrap()
                    .body
                    .map_or("over".into(), |alert| format!("{} {}", alert.code, alert.count))
            })
            .collect()
    }

    fn display(&mut self) -> Option<DisplayState> {
        let said = self.take(TopicId::DisplayState);
        said.last().and_then(|said| receive::<DisplayState>("", &said.payload).unwrap().body)
    }

    fn count(&self, sql: &str) -> i64 {
        let rows = open_for_reading(&Place::File(self.folder.path().join("notices.db"))).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn unhalted() -> RiskHalt {
    RiskHalt { halted: false, halts: vec![], ..RiskHalt::sample() }
}

#[test]
fn an_alert_is_raised_once_and_ends_with_its_cause() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    bench.hear("risk-gate", RiskHalt::sample(), 1);
    assert!(bench.alerts().is_empty(), "the news settles first");
    bench.tick(201);
    assert_eq!(bench.alerts(), ["halted 1"]);
    bench.hear("risk-gate", RiskHalt::sample(), 300);
    bench.tick(500);
    assert!(bench.alerts().is_empty(), "the same again is no news");
    bench.hear("risk-gate", unhalted(), 70_000);
    bench.tick(70_200);
    assert_eq!(bench.alerts(), ["over"]);
    assert_eq!(bench.count("SELECT count(*) FROM api_alert WHERE cleared IS NOT NULL"), 1);
}

#[test]
fn a_holding_that_needs_a_second_look_is_told_until_it_does_not() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    let sold = SecurityScore::sample();
    let review = |review: bool| {
        let sell = SellScore { review, ..sold.sell.clone().unwrap() };
        SecurityScore { sell: Some(sell), ..sold.clone() }
    };
    bench.hear("score", review(false), 1);
    bench.tick(201);
    assert!(bench.alerts().is_empty());
    bench.hear("score", review(true), 300);
    bench.tick(600);
    assert_eq!(bench.alerts(), ["thesis_review 1"]);
    bench.hear("score", review(true), 700);
    bench.tick(1_000);
    assert!(bench.alerts().is_empty(), "the same again is no news");
    bench.hear("score", SecurityScore { sell: None, ..sold.clone() }, 70_000);
    bench.tick(70_200);
    assert_eq!(bench.alerts(), ["over"]);
}

#[test]
fn a_matter_that_comes_back_is_the_same_alert_counted_again() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    for (ms, halt) in [(100_000, RiskHalt::sample()), (200_000, unhalted()), (300_000, RiskHalt::sample())] {
        bench.hear("risk-gate", halt, ms);
        bench.tick(ms + 200);
    }
    assert_eq!(bench.alerts(), ["halted 1", "over", "halted 2"]);
    assert_eq!(bench.count("SELECT count(*) FROM api_alert"), 1);
}

#[test]
fn a_restart_neither_ends_nor_repeats_an_alert() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    bench.hear("risk-gate", RiskHalt::sample(), 1);
    bench.tick(201);
    let mut bench = bench.restart();
    bench.tick(1_000);
    assert!(bench.alerts().is_empty(), "nobody has spoken yet");
    bench.hear("risk-gate", RiskHalt::sample(), 2_000);
    bench.tick(2_200);
    bench.tick(61_000);
    assert!(bench.alerts().is_empty());
    assert_eq!(bench.count("SELECT count(*) FROM api_alert WHERE count = 1 AND cleared IS NULL"), 1);
}

#[test]
fn what_ended_while_notify_was_away_is_over_after_the_grace() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    let order = OrderState { status: OrderStatus::Unknown, ..OrderState::sample() };
    bench.hear("execute", order, 1);
    bench.tick(201);
    assert_eq!(bench.alerts(), ["order_unknown 1"]);
    let mut bench = bench.restart();
    bench.tick(1_000);
    assert_eq!(bench.engine.stage().wake_at(), Some(at(61_000)));
    bench.tick(61_000);
    assert_eq!(bench.alerts(), ["over"]);
}

#[test]
fn the_days_refusals_stay_an_alert_until_midnight() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    for number in 0..3 {
        let refused = OrderRefused {
            order_id: Id::derive(at(number), &["x"]),
            at: at(number),
            ..OrderRefused::sample()
        };
        bench.hear("risk-gate", refused, number);
    }
    bench.tick(500);
    assert_eq!(bench.alerts(), ["order_refused_often 1"]);
    let mut bench = bench.restart();
    bench.tick(1_000);
    bench.tick(61_000);
    assert!(bench.alerts().is_empty(), "its day is not over");
    let midnight = bench.engine.stage().wake_at().unwrap();
    assert_eq!(midnight.ms() % 86_400_000, 0);
    bench.tick(midnight.since(at(0)));
    assert_eq!(bench.alerts(), ["over"]);
}

#[test]
fn a_stage_that_is_gone_is_told_and_one_that_is_back_ends_it() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    let gone = Health { state: HealthState::Gone, ..Health::sample() };
    for (ms, health) in [(100_000, Health::sample()), (110_000, gone), (120_000, Health::sample())] {
        bench.hear("ingest", health, ms);
        bench.tick(ms + 200);
    }
    assert_eq!(bench.alerts(), ["stage_gone 1", "over"]);
}

#[test]
fn silence_counts_in_the_real_world_only() {
    for (environment, expected) in [("live", 1), ("sim:1", 0)] {
        let mut bench = Bench::new(environment);
        bench.tick(0);
        bench.hear("ingest", Health::sample(), 0);
        bench.tick(900_000);
        assert!(bench.alerts().is_empty(), "{environment}: the limit itself is allowed");
        bench.tick(1_000_000);
        assert_eq!(bench.alerts().len(), expected, "{environment}");
    }
}

#[test]
fn a_sign_of_life_alone_is_no_news() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    bench.hear("ingest", Health::sample(), 1);
    bench.tick(201);
    bench.hear("ingest", Health { inputs: 999, ..Health::sample() }, 2_000);
    assert_eq!(bench.engine.stage().wake_at(), None, "simulated time is not woken for nothing");
}

#[test]
fn the_display_follows_the_value_and_keeps_still_otherwise() {
    let mut bench = Bench::new("sim:1");
    bench.tick(0);
    assert_eq!(bench.display().unwrap().text, "STEWARD");
    bench.hear("portfolio", Nav::sample(), 1);
    bench.tick(201);
    let display = bench.display().unwrap();
    assert_eq!((display.mood, display.at), (Mood::Calm, at(201)));
    assert!(display.text.starts_with("EUR 123"), "{}", display.text);
    bench.hear("portfolio", Nav::sample(), 5_000);
    bench.tick(5_200);
    assert_eq!(bench.display(), None);
}

#[test]
fn a_setting_out_of_range_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = "environment = \"sim:1\"\n[stage.notify]\nsilent_after_s = 29";
    let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
    let place = Place::File(folder.path().join("notices.db"));
    let sentence = Engine::<Notify>::open(&config, "notify", Some(place), at(0)).err().unwrap().to_string();
    assert!(sentence.contains("`silent_after_s` is 29"), "{sentence}");
}
