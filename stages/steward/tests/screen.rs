//! The live view at two sizes, compared with kept pictures. `UPDATE_PICTURES=1` keeps new ones.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::PathBuf};

use contracts::{
    Address, Alert, Body, ClockMode, ClockState, Envelope, Finite, Health, HealthState, Id, Nav,
    OrderRequested, OrderState, OrderStatus, PlanProposed, PortfolioState, RiskHalt, Sample, TargetWeights,
    Universe,
};
use market::Timestamp;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use steward::{model::Model, view};

const AT: Timestamp = Timestamp::from_ms(1_772_461_867_250);
const WALL: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn hear<B: Body>(model: &mut Model, version: u64, body: B) {
    let owner = match B::TOPIC.spec().owners.first().copied().unwrap() {
        "each" => "ingest",
        owner => owner,
    };
    let address = Address { topic: B::TOPIC, key: body.key() };
    let id = Id::derive(AT, &["x"]);
    let envelope =
        Envelope { id, key_version: version, at: AT, stage: owner.into(), trace: id, cause: None, body };
    model.hear(&address, &envelope.encode().unwrap(), WALL);
}

fn busy(halted: bool) -> Model {
    let mut model = Model::new("sim:1");
    let clock = ClockState {
        mode: ClockMode::FastClosed,
        v0: AT,
        w0_unix_ms: WALL.ms(),
        speed: Finite::new(1_800.0).unwrap(),
        ..ClockState::sample()
    };
    hear(&mut model, 1, clock);
    let stages = contracts::STAGES.iter().map(|stage| stage.name).filter(|name| *name != "steward");
    for (name, number) in stages.zip(0_u64..) {
        let state = if number == 3 { HealthState::Degraded } else { HealthState::Healthy };
        let health = Health {
            stage: name.into(),
            state,
            lag_ms: number * 700,
            last_error: Some("no rate for HKD since yesterday".into()),
            ..Health::sample()
        };
        hear(&mut model, 1, health.clone());
        hear(&mut model, 2, health);
    }
    hear(&mut model, 1, Universe::sample());
    hear(&mut model, 1, PortfolioState::sample());
    hear(&mut model, 1, TargetWeights::sample());
    for version in 1..=30 {
        let nav = format!("{}.50 EUR", 12_000 + (version * 37) % 400).parse().unwrap();
        hear(&mut model, version, Nav { nav, day_start: "12100 EUR".parse().unwrap(), ..Nav::sample() });
    }
    hear(&mut model, 1, PlanProposed::sample());
    hear(&mut model, 1, OrderRequested::sample());
    hear(&mut model, 1, OrderState { status: OrderStatus::Partial, ..OrderState::sample() });
    if halted {
        hear(&mut model, 1, RiskHalt::sample());
        hear(&mut model, 1, Alert::sample());
    }
    model
}

fn picture(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, model, WALL)).unwrap();
    text(terminal.backend().buffer())
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    let rows =
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_string());
    rows.collect::<Vec<_>>().join("\n") + "\n"
}

fn compare(name: &str, found: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(name);
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, found).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == found, "{name} looks different now; UPDATE_PICTURES=1 keeps it\n{found}");
}

#[test]
fn everything_fits_on_a_small_screen() {
    compare("busy_80x24.txt", &picture(&busy(false), 80, 24));
}

#[test]
fn a_halt_is_impossible_to_miss() {
    let found = picture(&busy(true), 80, 24);
    assert!(found.lines().nth(1).unwrap().contains("HALTED by steward: Before the holidays."), "{found}");
    compare("halted_80x24.txt", &found);
}

#[test]
fn a_large_screen_shows_more() {
    compare("busy_120x40.txt", &picture(&busy(true), 120, 40));
}

#[test]
fn nothing_heard_is_said_and_not_guessed() {
    let found = picture(&Model::new("sim:1"), 80, 24);
    for words in ["SIMULATION", "no clock yet", "value unknown", "no stage heard yet", "No plan yet"] {
        assert!(found.contains(words), "{words} is missing\n{found}");
    }
}

#[test]
fn live_and_simulation_can_never_be_mistaken() {
    assert!(picture(&Model::new("live"), 80, 24).contains("Steward LIVE"));
    assert!(!picture(&Model::new("live"), 80, 24).contains("SIMULATION"));
}

#[test]
fn tiny_screens_do_not_break_it() {
    for (width, height) in [(1, 1), (10, 3), (40, 10), (79, 23), (300, 100)] {
        picture(&busy(true), width, height);
    }
}
