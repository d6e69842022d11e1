//! The state machine: keeps the scene, and halts when a button says so.

use std::{collections::BTreeMap, sync::Arc};

use bus_client::{Input, Out, Stage, Start};
use contracts::{
    DisplayState, Halt, HealthState, Mood as Said, Received, RiskHalt, Severity, stage::hardware as contract,
    stage_of,
};
use leds::{Mood, Scene};
use market::Timestamp;

use crate::{desk::Desk, settings::Settings};

/// Stages and alerts remembered; more is a stranger inventing names.
const REMEMBERED_MAX: usize = 128;

/// Asks the edge for the next thing that happens on the board; it may take for ever and holds no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextEvent;

/// Something that happened on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoardEvent {
    /// The board answers, or does not.
    Board(Result<(), String>),
    /// A stop button is pressed; said again while it is.
    Pressed {
        /// Which.
        button: &'static str,
    },
}

/// The stage.
#[derive(Debug)]
pub struct Hardware {
    desk: Arc<Desk>,
    display: Option<DisplayState>,
    halt: Option<RiskHalt>,
    alarms: BTreeMap<String, String>,
    stages: BTreeMap<String, HealthState>,
    wake_at: Option<Timestamp>,
}

impl Hardware {
    /// What is to be drawn, shared with the edge.
    #[must_use]
    pub fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }
}

impl Stage for Hardware {
    type Contract = contract::Hardware;
    type Settings = Settings;
    type Save = ();
    type Call = NextEvent;
    type Reply = BoardEvent;
    const CALLS_HOLD_TIME: bool = false;

    fn load(_: &Start<Settings>, _: Option<&rusqlite::Connection>) -> Result<Self, String> {
        Ok(Hardware {
            desk: Arc::new(Desk::default()),
            display: None,
            halt: None,
            alarms: BTreeMap::new(),
            stages: BTreeMap::new(),
            wake_at: Some(Timestamp::ZERO),
        })
    }

    fn handle(&mut self, input: Input<Self>, _: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => {
                self.note(heard);
                self.desk.put(self.scene());
            }
            // Only once, after the start: what follows is asked for by each answer.
            Input::Tick => {
                self.wake_at = None;
                out.call(NextEvent);
            }
            Input::Replied(event) => {
                self.event(event, out);
                out.call(NextEvent);
            }
            Input::Answered(reply) => out.decided(format!("The gate says: {}", reply.text)),
            Input::Settings(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }
}

impl Hardware {
    fn note(&mut self, heard: contract::Input) {
        match heard {
            contract::Input::DisplayState(display) => self.display = display.body,
            contract::Input::RiskHalt(halt) => self.halt = halt.body,
            contract::Input::Alert(Received { key, body, .. }) => {
                let alarm = body.filter(|alert| alert.severity == Severity::Alarm).map(|alert| alert.text);
                note(&mut self.alarms, key, alarm);
            }
            contract::Input::SystemHealth(Received { key, body, .. }) => {
                note(&mut self.stages, key, body.map(|health| health.state));
            }
        }
    }

    fn event(&mut self, event: BoardEvent, out: &mut Out<Self>) {
        match event {
            BoardEvent::Board(Ok(())) => out.decided("The board answers."),
            BoardEvent::Board(Err(why)) => out.decided(format!("no board: drawing nothing ({why})")),
            BoardEvent::Pressed { button } => {
                if self.is_halted() {
                    return;
                }
                out.say(Halt {
                    actor: button.into(),
                    reason: "stop_button".into(),
                    text: "The stop button was pressed.".into(),
                });
                out.decided(format!("Asked for a halt: {button}."));
            }
        }
    }

    fn is_halted(&self) -> bool {
        self.halt.as_ref().is_some_and(|halt| halt.halted)
    }

    /// What the halt and the alarms say themselves goes before notify's word, which may be late or missing.
    fn scene(&self) -> Scene {
        let display = self.display.as_ref();
        let said = display.map(|display| mood(display.mood));
        let alarm = self.alarms.values().next();
        let halt = self.halt.as_ref().filter(|halt| halt.halted).and_then(|halt| halt.halts.first());
        let (mood, text) = match (said, alarm, self.is_halted()) {
            (_, Some(alarm), _) => (Some(Mood::Alarm), Some(alarm.clone())),
            (Some(Mood::Alarm), None, _) => (Some(Mood::Alarm), None),
            (_, None, true) => {
                (Some(Mood::Halted), halt.map(|halt| format!("HALTED {}: {}", halt.actor, halt.text)))
            }
            (said, None, false) => (said, None),
        };
        Scene {
            mood,
            text: text.or_else(|| display.map(|display| display.text.clone())).unwrap_or_default(),
            value: display.and_then(|display| display.nav).map(|nav| nav.e4() / 10_000),
            change: display.and_then(|display| display.day_change).map(contracts::Finite::get),
            degraded: self.stages.values().any(|state| *state == HealthState::Degraded),
            gone: self.stages.iter().any(|(name, state)| *state == HealthState::Gone && counts(name)),
        }
    }
}

/// The command line and evaluators may come and go.
fn counts(name: &str) -> bool {
    !matches!(stage_of(name), "steward" | "evaluate" | "hardware")
}

fn mood(said: Said) -> Mood {
    match said {
        Said::Calm => Mood::Calm,
        Said::Working => Mood::Working,
        Said::Waiting => Mood::Waiting,
        Said::Halted => Mood::Halted,
        Said::Alarm => Mood::Alarm,
    }
}

fn note<T>(map: &mut BTreeMap<String, T>, key: String, value: Option<T>) {
    match value {
        Some(value) if map.len() < REMEMBERED_MAX || map.contains_key(&key) => {
            map.insert(key, value);
        }
        Some(_) => {}
        None => {
            map.remove(&key);
        }
    }
}
