//! The keeper on its store: what it publishes, refuses, keeps and survives.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, path::Path};

use bus_client::{Config, Engine, Place, Publication, open_for_reading};
use contracts::{
    Body, Envelope, Health, Id, JobOutcome, JobRun, Outcome, RepeatWanted, Reply, Sample, SetSetting,
    SettingsSnapshot, receive,
};
use keeper::Keeper;
use market::Timestamp;
use serde_json::{Value, json};

struct Bench {
    folder: tempfile::TempDir,
    engine: Engine<Keeper>,
    said: Vec<Publication>,
    number: u64,
}

const START_MS: i64 = 1_772_461_867_250;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(START_MS + ms)
}

fn engine(folder: &Path) -> Engine<Keeper> {
    let config = Config::parse("environment = \"sim:1\"\ndir = \"x\"", &folder.join("steward.toml")).unwrap();
    let place = Place::File(folder.join("keeper.db"));
    Engine::open(&config, "keeper", Some(place), at(0)).unwrap()
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let mut bench = Bench { folder, engine, said: Vec::new(), number: 0 };
        bench.tick();
        bench
    }

    fn tick(&mut self) {
        let said = self.engine.tick(at(0)).unwrap();
        self.said.extend(said);
    }

    fn restart(self) -> Bench {
        let Bench { folder, engine: old, number, .. } = self;
        drop(old);
        let engine = engine(folder.path());
        let mut bench = Bench { folder, engine, said: Vec::new(), number };
        bench.tick();
        bench
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

    fn set(&mut self, setting: &str, value: Value) -> Reply {
        let before = self.said.len();
        // Confirmed by name, as a person does at the command line.
        let confirm = Some(setting.to_string());
        self.hear(
            "steward",
            SetSetting { actor: "owner".into(), setting: setting.into(), value, confirm },
            0,
        );
        self.reply(before)
    }

    fn reply(&self, before: usize) -> Reply {
        let reply = self.said[before..].iter().find(|said| said.topic.contains("/reply/")).unwrap();
        let key = reply.topic.rsplit('/').next().unwrap();
        receive::<Reply>(key, &reply.payload).unwrap().body.unwrap()
    }

    fn last<B: Body>(&self) -> Option<B> {
        let topic = B::TOPIC.spec().address("steward", "");
        let said = self.said.iter().rfind(|said| said.topic == topic)?;
        receive::<B>("", &said.payload).unwrap().body
    }

    fn count(&self, sql: &str) -> i64 {
        let rows = open_for_reading(&Place::File(self.folder.path().join("keeper.db"))).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn says_all_settings_at_the_first_start() {
    let snapshot = Bench::new().last::<SettingsSnapshot>().unwrap();
    assert_eq!(snapshot.revision, 1);
    assert_eq!(snapshot.values["risk.max_per_day"], json!(4));
    assert_eq!(snapshot.values.len(), keeper::registry::ALL.len());
}

#[test]
fn a_setting_within_its_range_is_in_force_at_once_and_after_a_restart() {
    let mut bench = Bench::new();
    assert_eq!(bench.set("risk.max_per_day", json!(2)).outcome, Outcome::Done);
    let snapshot = bench.last::<SettingsSnapshot>().unwrap();
    assert_eq!((snapshot.revision, &snapshot.values["risk.max_per_day"]), (2, &json!(2)));
    assert_eq!(bench.count("SELECT count(*) FROM api_audit"), 1);
    let mut bench = bench.restart();
    assert!(bench.last::<SettingsSnapshot>().is_none(), "the same again is not said again");
    assert!(bench.engine.repeat().iter().any(|said| said.topic.ends_with("system/settings")));
    bench.set("risk.max_per_week", json!(9));
    let snapshot = bench.last::<SettingsSnapshot>().unwrap();
    assert_eq!((snapshot.revision, &snapshot.values["risk.max_per_day"]), (3, &json!(2)));
}

#[test]
fn what_breaks_a_rule_is_refused_with_a_sentence_and_changes_nothing() {
    let mut bench = Bench::new();
    for (setting, value, code) in [
        ("risk.nonsense", json!(1), "unknown_key"),
        ("risk.max_per_day", json!("many"), "wrong_type"),
        ("risk.max_per_day", json!(101), "out_of_range"),
    ] {
        let reply = bench.set(setting, value);
        assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Refused, Some(code)));
        assert!(reply.text.contains(setting), "{}", reply.text);
    }
    assert_eq!(bench.last::<SettingsSnapshot>().unwrap().revision, 1);
    assert_eq!(bench.count("SELECT count(*) FROM api_audit"), 0);
}

#[test]
fn every_setting_is_described_with_its_value_and_its_rule() {
    let mut bench = Bench::new();
    bench.set("risk.max_per_day", json!(2));
    let before = bench.said.len();
    bench.hear("steward", contracts::DescribeSettings { actor: "owner".into() }, 0);
    let reply = bench.reply(before);
    let all = reply.data.as_array().unwrap();
    assert_eq!(all.len(), keeper::registry::ALL.len());
    let one = all.iter().find(|one| one["key"] == "risk.max_per_day").unwrap();
    assert_eq!((&one["value"], &one["default"], &one["set"]), (&json!(2), &json!(4), &json!(true)));
    assert_eq!((&one["class"], &one["readers"]), (&json!("safety"), &json!(["risk-gate"])));
    assert!(one["allowed"].as_str().unwrap().contains("from 0 to 100"));
}

#[test]
fn null_takes_the_default_back() {
    let mut bench = Bench::new();
    bench.set("risk.max_per_day", json!(2));
    bench.set("risk.max_per_day", Value::Null);
    let snapshot = bench.last::<SettingsSnapshot>().unwrap();
    assert_eq!((snapshot.revision, &snapshot.values["risk.max_per_day"]), (3, &json!(4)));
    assert_eq!(bench.count("SELECT count(*) FROM api_setting"), 0);
    assert_eq!(bench.count("SELECT count(*) FROM api_audit"), 2);
}

#[test]
fn the_same_value_again_changes_nothing() {
    let mut bench = Bench::new();
    bench.set("risk.max_per_day", json!(2));
    assert_eq!(bench.set("risk.max_per_day", json!(2)).outcome, Outcome::Done);
    assert_eq!(bench.last::<SettingsSnapshot>().unwrap().revision, 2);
    assert_eq!(bench.count("SELECT count(*) FROM api_audit"), 1);
}

#[test]
fn the_audit_goes_on_across_a_restart_and_a_touched_row_is_noticed() {
    let mut bench = Bench::new();
    bench.set("risk.max_per_day", json!(2));
    let mut bench = bench.restart();
    bench.set("risk.max_per_day", json!(3));
    let bench = bench.restart();
    assert_eq!(bench.engine.health(0, true).last_error, None);
    let file = bench.folder.path().join("keeper.db");
    rusqlite::Connection::open(file)
        .unwrap()
        .execute("UPDATE audit SET actor = 'somebody' WHERE number = 1", [])
        .unwrap();
    let bench = bench.restart();
    assert!(bench.engine.health(0, true).last_error.unwrap().contains("row 1 of the audit"));
}

#[test]
fn a_job_run_is_one_row_however_often_it_is_said() {
    let mut bench = Bench::new();
    let running = JobRun { outcome: JobOutcome::Running, ended: None, ..JobRun::sample() };
    bench.hear("ingest", running.clone(), 0);
    bench.hear("ingest", running, 1);
    bench.hear("ingest", JobRun::sample(), 2);
    assert_eq!(bench.count("SELECT count(*) FROM api_job_run"), 1);
    assert_eq!(bench.count("SELECT count(*) FROM api_job_run WHERE state = 'done' AND items_done = 8"), 1);
}

#[test]
fn health_is_sampled_and_old_samples_go() {
    let mut bench = Bench::new();
    bench.hear("ingest", Health::sample(), 0);
    bench.hear("ingest", Health::sample(), 1_000);
    assert_eq!(bench.count("SELECT count(*) FROM api_health"), 1);
    bench.hear("ingest", Health::sample(), 31 * 86_400_000);
    assert_eq!(bench.count("SELECT count(*) FROM api_health"), 1);
}

#[test]
fn a_lasting_difference_asks_the_owner_to_repeat_and_the_number_survives() {
    let mut bench = Bench::new();
    assert_eq!(bench.last::<RepeatWanted>().unwrap().asked, BTreeMap::new());
    let lose_something = |bench: &mut Bench| {
        for ms in 0..4 {
            bench.hear("ingest", Health { wake_at: None, ..Health::sample() }, ms);
            let reader = Health { stage: "score".into(), said: BTreeMap::new(), ..Health::sample() };
            bench.hear("score", reader, ms);
        }
    };
    lose_something(&mut bench);
    assert_eq!(bench.last::<RepeatWanted>().unwrap().asked["ingest"], 1);
    let mut bench = bench.restart();
    lose_something(&mut bench);
    assert_eq!(bench.last::<RepeatWanted>().unwrap().asked["ingest"], 2);
}

#[test]
fn values_under_the_optimisers_old_names_move_to_the_new_ones() {
    let rows = rusqlite::Connection::open_in_memory().unwrap();
    rows.execute_batch(include_str!("../../../migrations/keeper/0001_settings_jobs_health.sql")).unwrap();
    rows.execute_batch(
        "INSERT INTO setting VALUES ('optimise.blend', '0.3', 1, 'a'), ('optimise.target_return', '0.2', 2, 'b'),
         ('optimizer_target_return', '0.09', 3, 'c'), ('risk.max_per_day', '2', 4, 'd')",
    )
    .unwrap();
    let renamed = include_str!("../../../migrations/keeper/0002_settings_renamed.sql");
    for _ in 0..2 {
        rows.execute_batch(renamed).unwrap();
        let mut query = rows.prepare("SELECT key, value, updated_by FROM setting ORDER BY key").unwrap();
        let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let found: Vec<(String, String, String)> = found.map(Result::unwrap).collect();
        let expected = [
            ("optimizer_blend", "0.3", "a"),
            ("optimizer_target_return", "0.09", "c"),
            ("risk.max_per_day", "2", "d"),
        ];
        assert_eq!(found, expected.map(|(key, value, by)| (key.into(), value.into(), by.into())));
    }
    for key in ["optimizer_blend", "optimizer_target_return"] {
        assert!(keeper::registry::find(key).is_some(), "{key}");
    }
}
