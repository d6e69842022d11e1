//! A statement that is over stays over for everybody: its clearing is said again, and what comes back later is newer.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bus_client::{Config, Engine, Input, Out, Place, Publication, Stage, Start};
use contracts::{Alert, Id, Sample, receive, stage::notify::Notify};
use market::Timestamp;
use serde::Deserialize;

const DAY_MS: i64 = 86_400_000;
/// The owner's time is simulated; the wall's is another.
const BEGIN: i64 = 20_000 * DAY_MS;

#[derive(Debug, Default, Deserialize)]
struct Settings {}

/// What it does at a tick, told by the last digit of the time.
struct Alarm;

const SAY: i64 = 0;
const CLEAR: i64 = 1;
const SAY_ANOTHER: i64 = 2;

impl Stage for Alarm {
    type Contract = Notify;
    type Settings = Settings;
    type Save = ();
    type Call = ();
    type Reply = ();

    fn load(_: &Start<Settings>, _: Option<&rusqlite::Connection>) -> Result<Self, String> {
        Ok(Alarm)
    }
    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        let Input::Tick = input else { return };
        match now.ms() % 10 {
            SAY => out.say(Alert::sample()),
            CLEAR => out.clear::<Alert>(Alert::sample().id.to_string()),
            _ => out.say(Alert { id: Id::derive(now, &["another"]), ..Alert::sample() }),
        }
    }
    fn wake_at(&self) -> Option<Timestamp> {
        Some(Timestamp::ZERO)
    }
}

struct World {
    _folder: tempfile::TempDir,
    config: Config,
    place: Place,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse("environment = \"sim:1\"", Path::new("steward.toml")).unwrap();
        let place = Place::File(folder.path().join("notices.db"));
        World { _folder: folder, config, place }
    }

    fn open(&self, wall: i64) -> Engine<Alarm> {
        let wall = Timestamp::from_ms(wall);
        Engine::open(&self.config, "notify", Some(self.place.clone()), wall).unwrap()
    }
}

fn tick(engine: &mut Engine<Alarm>, ms: i64) -> Vec<Publication> {
    engine.tick(Timestamp::from_ms(ms)).unwrap()
}

fn about_it(said: &[Publication]) -> &Publication {
    let key = Alert::sample().id.to_string();
    said.iter().find(|one| one.topic.ends_with(&key)).expect("something about the alert")
}

fn version(said: &[Publication]) -> u64 {
    let key = Alert::sample().id.to_string();
    receive::<Alert>(&key, &about_it(said).payload).unwrap().meta.unwrap().key_version
}

#[test]
fn a_clearing_is_repeated_after_a_restart_whatever_the_wall_says() {
    let world = World::new();
    let mut engine = world.open(BEGIN);
    tick(&mut engine, BEGIN + SAY);
    tick(&mut engine, BEGIN + CLEAR);
    drop(engine);
    let engine = world.open(BEGIN + 365 * DAY_MS);
    assert!(about_it(&engine.repeat()).payload.is_empty());
}

#[test]
fn a_clearing_is_forgotten_after_a_week_of_the_owners_time() {
    let world = World::new();
    let mut engine = world.open(BEGIN);
    tick(&mut engine, BEGIN + SAY);
    tick(&mut engine, BEGIN + CLEAR);
    tick(&mut engine, BEGIN + 8 * DAY_MS + SAY_ANOTHER);
    drop(engine);
    assert_eq!(world.open(BEGIN).repeat().len(), 1);
}

#[test]
fn what_comes_back_after_its_clearing_was_forgotten_is_newer_than_before() {
    let world = World::new();
    let mut engine = world.open(BEGIN);
    let before = version(&tick(&mut engine, BEGIN + SAY));
    tick(&mut engine, BEGIN + CLEAR);
    tick(&mut engine, BEGIN + 8 * DAY_MS + SAY_ANOTHER);
    drop(engine);
    let mut engine = world.open(BEGIN);
    assert!(version(&tick(&mut engine, BEGIN + 9 * DAY_MS + SAY)) > before);
}
