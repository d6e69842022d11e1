//! Whether a call under way keeps stepped time from moving on is the stage's own word.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bus_client::{Config, Engine, Input, Out, Stage, Start};
use contracts::stage::evaluate::Evaluate;
use market::Timestamp;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
struct Settings {}

/// Asks once, at its first tick.
struct Asks<const HOLDS: bool>(Option<Timestamp>);

impl<const HOLDS: bool> Stage for Asks<HOLDS> {
    type Contract = Evaluate;
    type Settings = Settings;
    type Save = ();
    type Call = ();
    type Reply = ();
    const CALLS_HOLD_TIME: bool = HOLDS;

    fn load(_: &Start<Settings>, _: Option<&rusqlite::Connection>) -> Result<Self, String> {
        Ok(Asks(Some(Timestamp::ZERO)))
    }
    fn handle(&mut self, input: Input<Self>, _: Timestamp, out: &mut Out<Self>) {
        if let Input::Tick = input {
            self.0 = None;
            out.call(());
        }
    }
    fn wake_at(&self) -> Option<Timestamp> {
        self.0
    }
}

/// Idle with the call waiting, under way, and answered.
fn idle<const HOLDS: bool>() -> [bool; 3] {
    let config = Config::parse("environment = \"sim:1\"", Path::new("steward.toml")).unwrap();
    let now = Timestamp::from_ms(1);
    let mut engine = Engine::<Asks<HOLDS>>::open(&config, "evaluate", None, now).unwrap();
    engine.tick(now).unwrap();
    let waiting = engine.is_idle();
    engine.next_call().unwrap();
    let under_way = engine.is_idle();
    engine.reply((), None, now).unwrap();
    [waiting, under_way, engine.is_idle()]
}

#[test]
fn a_call_holds_stepped_time_until_it_is_answered() {
    assert_eq!(idle::<true>(), [false, false, true]);
}

#[test]
fn a_stage_that_waits_for_people_lets_time_go_on() {
    assert_eq!(idle::<false>(), [true, true, true]);
}
