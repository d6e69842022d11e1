//! The stage without devices: when it halts, what it puts on the desk, and that it never wakes by itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bus_client::{Config, Engine};
use contracts::{
    Alert, Body, DisplayState, Envelope, Halt, Health, HealthState, Id, RiskHalt, Sample, receive,
};
use leds::Mood;
use link::{BoardEvent, Hardware};
use market::Timestamp;

const NOW: Timestamp = Timestamp::from_ms(1_772_461_867_250);

struct Bench {
    engine: Engine<Hardware>,
    version: u64,
}

impl Bench {
    fn new() -> Bench {
        let config = Config::parse("environment = \"sim:1\"", Path::new("steward.toml")).unwrap();
        let mut engine = Engine::open(&config, "hardware", None, NOW).unwrap();
        engine.tick(NOW).unwrap();
        Bench { engine, version: 0 }
    }

    fn hear<B: Body>(&mut self, from: &str, body: B) {
        self.version += 1;
        let id = Id::derive(NOW, &[from, &self.version.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let envelope = Envelope {
            id,
            key_version: self.version,
            at: NOW,
            stage: from.into(),
            trace: id,
            cause: None,
            body,
        };
        self.engine.deliver(&topic, &envelope.encode().unwrap(), NOW).unwrap();
    }

    /// Something happens on the board; gives the halt that is asked for, if any.
    fn happen(&mut self, event: BoardEvent) -> Option<Halt> {
        self.engine.next_call().expect("the stage always waits for the next event");
        let said = self.engine.reply(event, None, NOW).unwrap();
        let halt = said.iter().find(|said| said.topic.ends_with("command/risk-gate/halt"))?;
        receive::<Halt>("", &halt.payload).unwrap().body
    }

    fn mood(&self) -> Option<Mood> {
        self.engine.stage().desk().scene().mood
    }
}

const PRESSED: BoardEvent = BoardEvent::Pressed { button: "estop" };

#[test]
fn a_pressed_button_asks_for_a_halt_until_there_is_one() {
    let mut bench = Bench::new();
    let halt = bench.happen(PRESSED).unwrap();
    assert_eq!((halt.actor.as_str(), halt.reason.as_str()), ("estop", "stop_button"));
    assert!(bench.happen(PRESSED).is_some(), "the first one may be lost");
    bench.hear("risk-gate", RiskHalt::sample());
    assert!(bench.happen(PRESSED).is_none());
    bench.hear("risk-gate", RiskHalt { halted: false, halts: vec![], ..RiskHalt::sample() });
    assert!(bench.happen(PRESSED).is_some(), "resumed while still pressed");
}

#[test]
fn without_a_board_it_says_so_and_stays_asleep() {
    let mut bench = Bench::new();
    bench.happen(BoardEvent::Board(Err("no such file".into())));
    assert_eq!(bench.engine.wake_at(), None);
    assert!(bench.engine.is_idle(), "waiting for the board holds no virtual time");
    let health = bench.engine.health(0, true);
    assert!(health.last_decision.unwrap().starts_with("no board: drawing nothing"));
    assert_eq!(health.state, HealthState::Healthy);
}

#[test]
fn the_scene_follows_the_display_and_halts_and_alarms_go_first() {
    let mut bench = Bench::new();
    assert_eq!(bench.mood(), None);
    bench.hear("notify", DisplayState::sample());
    let scene = bench.engine.stage().desk().scene();
    assert_eq!((scene.mood, scene.value), (Some(Mood::Calm), Some(123)));
    bench.hear("risk-gate", RiskHalt::sample());
    assert_eq!(bench.mood(), Some(Mood::Halted));
    assert!(bench.engine.stage().desk().scene().text.contains("Before the holidays."));
    bench.hear("notify", Alert::sample());
    assert_eq!(bench.mood(), Some(Mood::Alarm));
    let topic = Alert::TOPIC.spec().address("steward", &Alert::sample().key());
    bench.engine.deliver(&topic, b"", NOW).unwrap();
    assert_eq!(bench.mood(), Some(Mood::Halted));
    assert_eq!(bench.engine.wake_at(), None);
}

#[test]
fn a_lost_stage_shows_and_a_lost_evaluator_does_not() {
    let mut bench = Bench::new();
    for (stage, expected) in [("evaluate-2", false), ("steward", false), ("execute", true)] {
        let gone = Health { stage: stage.into(), state: HealthState::Gone, ..Health::sample() };
        bench.hear(stage, gone);
        assert_eq!(bench.engine.stage().desk().scene().gone, expected, "{stage}");
    }
    bench.hear(
        "execute",
        Health { stage: "execute".into(), state: HealthState::Degraded, ..Health::sample() },
    );
    let scene = bench.engine.stage().desk().scene();
    assert_eq!((scene.gone, scene.degraded), (false, true));
}
