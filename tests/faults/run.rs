//! One run: a day with faults, then hours without, with the checkers after every step.

use std::{
    collections::BTreeMap,
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use contracts::{Halt, Resume, RiskHalt};
use market::Timestamp;

use crate::{
    checkers::{ALWAYS, AT_REST, Checker, SOON},
    dice::Dice,
    intruder, proposer,
    rig::Rig,
    weather::Weather,
    witness::{Stores, Witness},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Hours with faults: from before the European venues open until an hour after they have closed.
const STORM_HOURS: i64 = 10;
/// Hours in which everything must settle: the last day orders end with New York's day.
const CALM_HOURS: i64 = 6;
/// In which the fate of every order must be known: five minutes of looks, and as much as a stage may stay away.
const SOON_MS: i64 = 20 * MINUTE;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub checker: &'static str,
    pub text: String,
    pub at: Timestamp,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` at {}: {}", self.checker, self.at, self.text)
    }
}

/// What a run, or many together, came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub runs: u64,
    pub steps: u64,
    pub asked: u64,
    pub sent: u64,
    pub fills: u64,
    pub deaths: u64,
    pub halts: u64,
    /// Why the gate said no, and how often.
    pub refusals: BTreeMap<String, u64>,
    /// How orders with real money ended, by status and the beginning of the reason.
    pub ends: BTreeMap<String, u64>,
    pub violation: Option<Violation>,
    /// How it stood at the end of a run that broke a rule.
    pub story: String,
}

impl Outcome {
    pub fn add(&mut self, other: &Outcome) {
        self.runs += 1;
        self.steps += other.steps;
        self.asked += other.asked;
        self.sent += other.sent;
        self.fills += other.fills;
        self.deaths += other.deaths;
        self.halts += other.halts;
        for (sums, counts) in [(&mut self.refusals, &other.refusals), (&mut self.ends, &other.ends)] {
            counts.iter().for_each(|(what, count)| *sums.entry(what.clone()).or_default() += count);
        }
        if self.violation.is_none() {
            self.violation.clone_from(&other.violation);
        }
    }

    pub fn line(&self, took: Duration) -> String {
        let mut text = String::new();
        #[allow(clippy::cast_precision_loss)]
        let per_minute = self.runs as f64 * 60.0 / took.as_secs_f64().max(0.001);
        let _ = write!(
            text,
            "{per_minute:.0} runs a minute; {} steps checked, {} orders asked for, {} at the broker, {} fills, {} deaths of processes, {} halts",
            self.steps, self.asked, self.sent, self.fills, self.deaths, self.halts
        );
        text
    }
}

/// Runs a seed to its end or to the first broken rule.
pub fn run(seed: u64) -> Outcome {
    run_in(seed, |_| ())
}

/// The same in a weather that is changed first.
pub fn run_in(seed: u64, change: impl FnOnce(&mut Weather)) -> Outcome {
    let mut dice = Dice::new(seed);
    let mut weather = Weather::of(&mut dice);
    change(&mut weather);
    let mut outcome = Outcome::default();
    let mut at = Timestamp::ZERO;
    // A stage that panics has found a fault of its own; the run ends there under that name.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut rig = Rig::new(seed, dice, weather);
        let violation = day(&mut rig, &mut outcome, &mut at);
        let story =
            if violation.is_err() { Witness::look(&rig, &Stores::default()).story() } else { String::new() };
        (violation, story, rig.asked.len(), rig.deaths)
    }));
    match ended {
        Ok((violation, story, asked, deaths)) => {
            outcome.story = story;
            outcome.violation = violation.err();
            (outcome.asked, outcome.deaths) = (asked as u64, deaths);
        }
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_string()));
            let text = text.unwrap_or_else(|| "a panic without words".into());
            outcome.violation = Some(Violation { checker: "no_panic", text, at });
        }
    }
    outcome
}

/// Mostly soon after the account was read, as a plan would; else at any time.
fn next_ask(rig: &mut Rig) -> Timestamp {
    let quarter = 15 * MINUTE;
    if rig.dice.chance(750) {
        let begun = Timestamp::from_ms(rig.now().ms() / quarter * quarter);
        return begun.saturating_plus_ms(quarter + rig.dice.between(2_000, 200_000));
    }
    rig.now().saturating_plus_ms(rig.dice.between(1, 25) * MINUTE)
}

fn day(rig: &mut Rig, outcome: &mut Outcome, at: &mut Timestamp) -> Result<(), Violation> {
    let stores = Stores::default();
    let storm = rig.now().saturating_plus_ms(STORM_HOURS * HOUR);
    let (mut ask_at, mut resume_at) = (rig.now(), None);
    while rig.now() < storm {
        // Whatever else happens next, an order is asked for at its own time.
        let soon = rig.now().saturating_plus_ms(1);
        rig.step(storm.min(ask_at.max(soon)));
        *at = rig.now();
        outcome.steps += 1;
        if rig.now() >= ask_at {
            ask_at = next_ask(rig);
            proposer::ask(rig);
            rig.settle();
        }
        disturb(rig, &mut resume_at);
        rig.blindfold();
        judge(ALWAYS, rig, &stores)?;
    }
    rig.calm();
    let mut calm = rig.now().saturating_plus_ms(CALM_HOURS * HOUR);
    if rig.skew_max_ms > 0 {
        calm = calm.saturating_plus_ms(HOUR);
    }
    let soon = rig.now().saturating_plus_ms(SOON_MS + rig.skew_max_ms);
    let mut resumed = false;
    while rig.now() < calm {
        rig.step(calm);
        *at = rig.now();
        outcome.steps += 1;
        // A person comes once everything works again, and nothing halts after that.
        if !resumed && calm.since(rig.now()) < (CALM_HOURS - 1) * HOUR {
            resumed = true;
            resume(rig);
        }
        judge(ALWAYS, rig, &stores)?;
        if rig.now() >= soon {
            judge(SOON, rig, &stores)?;
        }
    }
    judge(AT_REST, rig, &stores)?;
    let witness = Witness::look(rig, &stores);
    (outcome.sent, outcome.fills) = (witness.orders.len() as u64, witness.fills.len() as u64);
    outcome.halts = witness.halts().len() as u64;
    for code in witness.rows("risk", "SELECT code FROM api_verdict WHERE code IS NOT NULL", |row| row.get(0))
    {
        *outcome.refusals.entry(code).or_default() += 1;
    }
    for order in witness.own().values() {
        let why = order.reason.as_deref().unwrap_or_default();
        let why = why.split_once('(').map_or(why, |(before, _)| before).trim();
        *outcome.ends.entry(format!("{:?} {why}", order.status)).or_default() += 1;
    }
    Ok(())
}

/// What happens beside the messages: the bus restarts, the clock jumps, prices stop, people halt and resume.
fn disturb(rig: &mut Rig, resume_at: &mut Option<Timestamp>) {
    let weather = rig.weather.clone();
    if rig.dice.chance(weather.bus_restarts) {
        rig.restart_bus();
    }
    if rig.dice.chance(weather.clock_steps) {
        rig.skew_ms = if rig.dice.chance(400) { 0 } else { rig.dice.between(-30_000, 120_000) };
        rig.skew_max_ms = rig.skew_max_ms.max(rig.skew_ms.abs());
    }
    if rig.dice.chance(weather.silence) {
        let ms = rig.dice.between(5, 60) * MINUTE;
        let stage = rig.dice.pick(&["ingest", "portfolio", "keeper"]).unwrap_or("ingest");
        rig.silence(stage, ms);
    }
    if rig.dice.chance(weather.cut_off) {
        let ms = rig.dice.between(1_000, 15 * MINUTE);
        let stage = rig.dice.pick(&["execute", "risk-gate", "portfolio", "ingest"]).unwrap_or("execute");
        rig.cut_off(stage, ms);
    }
    if rig.dice.chance(weather.disk_full) {
        let ms = rig.dice.between(1_000, 3 * MINUTE);
        let stage = rig.dice.pick(&["execute", "risk-gate", "portfolio"]).unwrap_or("execute");
        rig.fill_disk(stage, ms);
    }
    if rig.dice.chance(weather.intruder) {
        intruder::attack(rig);
        rig.settle();
    }
    if rig.dice.chance(weather.halts) {
        let (stage, reason) = rig
            .dice
            .pick(&[("steward", "owner"), ("hardware", "stop_button"), ("notify", "home")])
            .unwrap_or(("steward", "owner"));
        rig.say_as(stage, Halt { actor: stage.into(), reason: reason.into(), text: "Wait.".into() });
        rig.settle();
    }
    let halted = rig.statement::<RiskHalt>("").is_some_and(|halt| halt.halted);
    match resume_at {
        None if halted => *resume_at = Some(rig.now().saturating_plus_ms(rig.dice.between(1, 40) * MINUTE)),
        Some(then) if *then <= rig.now() => {
            *resume_at = None;
            resume(rig);
        }
        _ => {}
    }
}

fn resume(rig: &mut Rig) {
    rig.say_as("steward", Resume { actor: "owner".into(), text: "Looked at it.".into() });
    rig.settle();
}

fn judge(rules: &[Checker], rig: &Rig, stores: &Stores) -> Result<(), Violation> {
    let witness = Witness::look(rig, stores);
    for (checker, check) in rules {
        if let Some(text) = check(&witness) {
            return Err(Violation { checker, text, at: rig.now() });
        }
    }
    Ok(())
}
