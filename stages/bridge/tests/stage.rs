//! The bridge without sockets: what it shows, and how a request becomes a command and gets its answer.
#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    task::{Context, Poll, Waker},
};

use bridge::{Bridge, Request};
use bus_client::{Config, Engine, Place, Publication, open_for_reading};
use contracts::{
    Body, Envelope, FxRates, Halt, Id, Meta, OrderApproved, Outcome, Reply, RiskHalt, Sample,
    SettingsSnapshot, receive,
};
use market::Timestamp;

const NOW: Timestamp = Timestamp::from_ms(1_772_461_867_250);

fn engine(folder: &Path, listen: &str) -> Result<Engine<Bridge>, String> {
    let text = format!("environment = \"sim:1\"\ndir = \"x\"\n[stage.bridge]\nlisten = \"{listen}\"");
    let config = Config::parse(&text, &folder.join("steward.toml")).unwrap();
    let place = Place::File(folder.join("access.db"));
    Engine::open(&config, "bridge", Some(place), NOW).map_err(|error| error.to_string())
}

struct Bench {
    folder: tempfile::TempDir,
    engine: Engine<Bridge>,
    version: u64,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = engine(folder.path(), "127.0.0.1:0").unwrap();
        engine.tick(NOW).unwrap();
        Bench { folder, engine, version: 0 }
    }

    fn hear<B: Body>(&mut self, from: &str, body: B) {
        self.hear_because(from, body, None);
    }

    fn hear_because<B: Body>(&mut self, from: &str, body: B, command: Option<&Meta>) {
        self.version += 1;
        let id = Id::derive(NOW, &[from, &self.version.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let trace = command.map_or(id, |command| command.trace);
        let cause = command.map(|command| command.id);
        let envelope =
            Envelope { id, key_version: self.version, at: NOW, stage: from.into(), trace, cause, body };
        self.engine.deliver(&topic, &envelope.encode().unwrap(), NOW).unwrap();
    }

    /// Lets a request in and gives the command that follows from it.
    fn ask(&mut self, text: &str) -> (u64, Meta, Halt) {
        self.engine.next_call().unwrap();
        let number = self.engine.stage().window().expect();
        let said = self.engine.reply(Request::Halt { number, text: text.into() }, None, NOW).unwrap();
        let command: &Publication = said.iter().find(|said| said.topic.ends_with("risk-gate/halt")).unwrap();
        let received = receive::<Halt>("", &command.payload).unwrap();
        (number, received.meta.unwrap(), received.body.unwrap())
    }

    fn answer(&self, number: u64) -> Option<String> {
        match self.engine.stage().window().poll_answer(number, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer.outcome),
            Poll::Pending => None,
        }
    }

    fn outcome(&self) -> String {
        let rows = open_for_reading(&Place::File(self.folder.path().join("access.db"))).unwrap();
        rows.query_row("SELECT group_concat(state) FROM command_outcome", [], |row| row.get(0)).unwrap()
    }
}

fn reply(to: &Meta, outcome: Outcome) -> Reply {
    Reply { id: to.id, outcome, ..Reply::sample() }
}

#[test]
fn a_request_becomes_a_command_and_its_answer_finds_the_asker() {
    let mut bench = Bench::new();
    let (number, command, halt) = bench.ask("Too hot.");
    assert_eq!((halt.actor.as_str(), halt.text.as_str()), ("http", "Too hot."));
    assert_eq!((bench.answer(number), bench.outcome()), (None, "accepted".into()));
    bench.hear_because("risk-gate", reply(&command, Outcome::Done), Some(&command));
    assert_eq!((bench.answer(number), bench.outcome()), (Some("done".into()), "done".into()));
}

#[test]
fn the_next_request_is_asked_for_and_waiting_holds_no_time() {
    let mut bench = Bench::new();
    bench.ask("one");
    bench.ask("two");
    assert!(bench.engine.is_idle());
}

#[test]
fn another_ones_answer_and_a_second_answer_change_nothing() {
    let mut bench = Bench::new();
    let (number, command, _) = bench.ask("one");
    let other = Meta { trace: Id::derive(NOW, &["other"]), ..command.clone() };
    bench.hear_because("risk-gate", reply(&other, Outcome::Done), Some(&other));
    assert_eq!(bench.answer(number), None);
    bench.hear_because("risk-gate", reply(&command, Outcome::Refused), Some(&command));
    bench.hear_because("risk-gate", reply(&command, Outcome::Done), Some(&command));
    assert_eq!((bench.answer(number), bench.outcome()), (Some("refused".into()), "refused".into()));
}

#[test]
fn a_long_reason_is_cut() {
    let mut bench = Bench::new();
    let (_, _, halt) = bench.ask(&"ä".repeat(5_000));
    assert_eq!(halt.text.chars().count(), bridge::limits::TEXT_MAX);
}

#[test]
fn statements_are_shown_until_they_are_over() {
    let mut bench = Bench::new();
    bench.hear("ingest", FxRates::sample());
    bench.hear("risk-gate", RiskHalt::sample());
    bench.hear("keeper", SettingsSnapshot::sample());
    let window = bench.engine.stage().window();
    assert_eq!(window.statements(None).len(), 3);
    assert!(window.statement("market-fx", "").unwrap().contains("\"version\":1"));
    let topic = FxRates::TOPIC.spec().address("steward", "");
    bench.engine.deliver(&topic, b"", NOW).unwrap();
    assert_eq!(window.statement("market-fx", ""), None);
}

#[test]
fn an_approvals_signature_is_never_shown() {
    let mut bench = Bench::new();
    let approval = OrderApproved::sample();
    let secret = approval.mac.clone();
    bench.hear("risk-gate", approval);
    let shown = bench.engine.stage().window().statements(Some("order-approved"));
    assert!(shown.len() == 1 && !shown[0].contains(&secret));
}

#[test]
fn off_asks_for_no_request_and_a_network_address_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine_off = engine(folder.path(), "off").unwrap();
    engine_off.tick(NOW).unwrap();
    assert!(engine_off.next_call().is_none());
    assert!(engine(folder.path(), "0.0.0.0:8080").err().unwrap().contains("nobody can sign in yet"));
}

#[test]
fn outcomes_survive_a_restart_and_old_ones_go() {
    let mut bench = Bench::new();
    bench.ask("one");
    let Bench { folder, engine: old, .. } = bench;
    drop(old);
    let mut again = engine(folder.path(), "127.0.0.1:0").unwrap();
    again.tick(NOW).unwrap();
    again.next_call().unwrap();
    let later = NOW.saturating_plus_ms(8 * 86_400_000);
    again.reply(Request::Halt { number: 1, text: "two".into() }, None, later).unwrap();
    let rows = open_for_reading(&Place::File(folder.path().join("access.db"))).unwrap();
    let count: i64 = rows.query_row("SELECT count(*) FROM command_outcome", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}
