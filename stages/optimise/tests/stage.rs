//! The optimiser on a real store: when it speaks, when it stays silent, and what survives a restart.

#![allow(clippy::unwrap_used)]

use bus_client::{Config, Engine, Place, Publication};
use contracts::{
    Address, Body, Envelope, Finite, Id, PortfolioState, Position, Sample, Security, SecurityScore,
    TargetWeights, Universe, receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Weight};
use optimise::Optimise;
use tempfile::TempDir;

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn isin(number: u32) -> Isin {
    Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
}

fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

struct World {
    folder: TempDir,
    engine: Engine<Optimise>,
    now: Timestamp,
    version: u64,
    said: Vec<Publication>,
}

fn open(folder: &TempDir, now: Timestamp) -> Engine<Optimise> {
    let file = folder.path().join("steward.toml");
    let config = Config::parse("environment = \"sim:1\"\ndir = \"x\"", &file).unwrap();
    let place = Place::File(folder.path().join("targets.db"));
    Engine::open(&config, "optimise", Some(place), now).unwrap()
}

impl World {
    fn silent() -> World {
        let folder = TempDir::new().unwrap();
        World { engine: open(&folder, start()), folder, now: start(), version: 0, said: Vec::new() }
    }

    /// Securities with these scores, and an account of cash.
    fn of(scores: &[f64]) -> World {
        let mut world = World::silent();
        world.say_all(scores);
        world.pass(SECOND);
        world
    }

    fn say_all(&mut self, scores: &[f64]) {
        self.say(universe(scores.len()));
        for (number, total) in (1..).zip(scores) {
            self.say(score(number, Some(*total)));
        }
        self.say(account(&[]));
    }

    fn say<B: Body>(&mut self, body: B) {
        self.version += 1;
        let key = body.key();
        let id = Id::derive(self.now, &["test", &self.version.to_string()]);
        let stage = B::TOPIC.spec().owners[0].to_string();
        let envelope =
            Envelope { id, key_version: self.version, at: self.now, stage, trace: id, cause: None, body };
        let topic = B::TOPIC.spec().address("steward", &key);
        let said = self.engine.deliver(&topic, &envelope.encode().unwrap(), self.now).unwrap();
        self.said.extend(said);
    }

    fn pass(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        for _ in 0..1_000 {
            let Some(then) = self.engine.wake_at().filter(|then| *then <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(then);
            self.said.extend(self.engine.tick(self.now).unwrap());
        }
        panic!("the optimiser wakes without end");
    }

    fn restart(&mut self) {
        self.said.clear();
        self.engine = open(&self.folder, self.now);
    }

    fn runs(&self) -> Vec<TargetWeights> {
        let read = |publication: &Publication| {
            let Address { topic, key } = Address::parse("steward", &publication.topic).unwrap();
            assert_eq!(topic, TargetWeights::TOPIC);
            receive::<TargetWeights>(&key, &publication.payload).unwrap().body.unwrap()
        };
        self.said.iter().map(read).collect()
    }

    fn weights(&self) -> Vec<(Isin, i64)> {
        let run = self.runs().pop().unwrap();
        run.weights.iter().map(|weight| (weight.isin, weight.weight_e6.e6())).collect()
    }

    fn decision(&self) -> String {
        self.engine.health(0, true).last_decision.unwrap_or_default()
    }

    fn count(&self, sql: &str) -> i64 {
        let place = Place::File(self.folder.path().join("targets.db"));
        let rows = bus_client::open_for_reading(&place).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn security(number: u32) -> Security {
    Security { isin: isin(number), ..Security::sample() }
}

fn universe(count: usize) -> Universe {
    Universe { securities: (1..).take(count).map(security).collect() }
}

/// A score that rests on bars of the first day.
fn score(number: u32, total: Option<f64>) -> SecurityScore {
    let (total, bars_until) = (total.and_then(Finite::new), Some(start().day_utc()));
    SecurityScore { isin: isin(number), total, bars_until, ..SecurityScore::sample() }
}

/// 10 000 EUR, of which these holdings.
fn account(holdings: &[(u32, Option<Money>)]) -> PortfolioState {
    let position = |(number, value): &(u32, Option<Money>)| Position {
        isin: isin(*number),
        value_eur: *value,
        ..PortfolioState::sample().positions[0].clone()
    };
    let positions = holdings.iter().map(position).collect();
    PortfolioState { positions, nav: Some(eur(10_000)), ..PortfolioState::sample() }
}

fn sum(weights: &[(Isin, i64)]) -> i64 {
    weights.iter().map(|(_, weight)| weight).sum()
}

#[test]
fn good_scores_share_all_but_the_cash_exactly() {
    let world = World::of(&[0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68, 0.39]);
    let weights = world.weights();
    assert_eq!((weights.len(), sum(&weights)), (8, 950_000));
    let run = world.runs().pop().unwrap();
    assert_eq!(run.method, "score_tilt");
    assert!(run.weights.iter().all(|weight| weight.reason.contains("score 0.6")));
    assert!(run.relaxed.is_empty());
    assert_eq!(world.count("SELECT count(*) FROM api_target"), 8);
    assert_eq!(world.count("SELECT sum(weight) FROM api_target"), 950_000);
}

#[test]
fn fewer_than_three_scores_say_nothing_and_say_why() {
    let world = World::of(&[0.9, 0.8]);
    assert!(world.runs().is_empty());
    assert!(world.decision().contains("fewer than three"), "{}", world.decision());
    assert_eq!(World::of(&[0.9, 0.8, 0.7]).runs().len(), 1);
}

#[test]
fn an_unknown_score_is_none() {
    let mut world = World::silent();
    world.say_all(&[0.9, 0.8]);
    world.say(universe(3));
    world.say(score(3, None));
    world.pass(SECOND);
    assert!(world.runs().is_empty());
}

#[test]
fn nothing_is_decided_before_the_account_and_its_value_are_known() {
    let mut world = World::silent();
    world.say(universe(3));
    for number in 1..=3 {
        world.say(score(number, Some(0.7)));
    }
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("not known yet"), "{}", world.decision());
    world.say(PortfolioState { nav: None, ..account(&[]) });
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("valued"), "{}", world.decision());
    world.say(account(&[]));
    world.pass(SECOND);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_holding_without_a_value_keeps_the_targets_said_before() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say(account(&[(1, None)]));
    world.say(score(2, Some(0.1)));
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("no value"), "{}", world.decision());
}

#[test]
fn the_caps_are_named_and_the_rest_stays_cash() {
    let mut world = World::silent();
    world.say_all(&[0.9, 0.8, 0.7]);
    let mut universe = universe(3);
    universe.securities[0].max_weight_e6 = Some(Weight::from_e6(50_000).unwrap());
    universe.securities[1].max_weight_e6 = Some(Weight::from_e6(300_000).unwrap());
    world.say(universe);
    world.pass(SECOND);
    assert_eq!(world.weights(), [(isin(1), 50_000), (isin(2), 150_000), (isin(3), 150_000)]);
    assert_eq!(world.runs().pop().unwrap().binding.len(), 3);
}

#[test]
fn what_must_not_be_bought_gets_nothing_new() {
    let mut world = World::silent();
    world.say_all(&[0.7; 9]);
    let mut universe = universe(9);
    universe.securities[0].allow_buy = false;
    world.say(universe);
    world.pass(SECOND);
    let weights = world.weights();
    assert!(weights.iter().all(|(held, _)| *held != isin(1)) && sum(&weights) == 950_000);
}

#[test]
fn a_holding_that_must_not_be_sold_keeps_its_share_within_the_whole() {
    let mut world = World::silent();
    world.say_all(&[0.3, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]);
    let mut universe = universe(8);
    universe.securities[0].allow_sell = false;
    world.say(universe);
    world.say(account(&[(1, Some(eur(1_000)))]));
    world.pass(SECOND);
    let weights = world.weights();
    assert_eq!((weights[0], sum(&weights)), ((isin(1), 100_000), 950_000));
    let run = world.runs().pop().unwrap();
    assert!(run.weights[0].reason.contains("must not be sold"), "{}", run.weights[0].reason);
    assert_eq!(run.weights[0].current_e6.e6(), 100_000);
}

#[test]
fn a_bad_holding_that_may_be_sold_has_no_target() {
    let mut world = World::silent();
    world.say_all(&[0.3, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]);
    world.say(account(&[(1, Some(eur(1_000)))]));
    world.pass(SECOND);
    assert!(world.weights().iter().all(|(held, _)| *held != isin(1)));
}

#[test]
fn targets_move_only_when_one_leaves_its_band() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say(score(1, Some(0.71)));
    world.pass(SECOND);
    assert!(world.runs().is_empty(), "a little better changes nothing");
    world.say(score(1, Some(0.55)));
    world.pass(SECOND);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn another_set_of_securities_moves_the_targets() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say(score(1, Some(0.399)));
    world.pass(SECOND);
    assert_eq!(world.weights().len(), 7);
    world.said.clear();
    world.say(universe(7));
    world.pass(SECOND);
    assert_eq!(world.weights().len(), 6);
}

#[test]
fn the_same_again_says_nothing() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    assert!(world.said.is_empty());
}

#[test]
fn wanting_nothing_is_no_order_to_sell_everything() {
    let mut world = World::of(&[0.3, 0.3, 0.3]);
    assert_eq!(world.runs().len(), 0);
    world.say_all(&[0.31, 0.32, 0.33]);
    world.pass(SECOND);
    assert_eq!(world.runs().len(), 0);
}

/// The same scores, with bars of today.
fn say_today(world: &mut World) {
    let today = world.now.day_utc();
    for number in 1..=8 {
        world.say(SecurityScore { bars_until: Some(today), ..score(number, Some(0.7)) });
    }
}

#[test]
fn targets_of_a_week_are_said_anew() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.pass(7 * DAY - 2 * SECOND);
    say_today(&mut world);
    world.pass(SECOND);
    assert!(world.said.is_empty());
    world.pass(2 * SECOND);
    say_today(&mut world);
    world.pass(SECOND);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_score_of_old_bars_is_no_score() {
    for (age, expected) in [(7, 1), (8, 0)] {
        let mut world = World::silent();
        world.pass(age * DAY);
        world.say_all(&[0.7; 8]);
        world.pass(SECOND);
        assert_eq!(world.runs().len(), expected, "{age} days");
    }
    let mut world = World::silent();
    world.say(universe(3));
    for number in 1..=3 {
        world.say(SecurityScore { bars_until: None, ..score(number, Some(0.7)) });
    }
    world.say(account(&[]));
    world.pass(SECOND);
    assert!(world.runs().is_empty(), "unknown bars are not fresh");
}

#[test]
fn a_restart_repeats_nothing_and_remembers_the_band() {
    let mut world = World::of(&[0.7; 8]);
    let runs = world.count("SELECT count(*) FROM optimiser_run");
    world.restart();
    world.say_all(&[0.71, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]);
    world.pass(SECOND);
    assert!(world.said.is_empty());
    assert_eq!(world.count("SELECT count(*) FROM optimiser_run"), runs);
}

#[test]
fn nothing_is_said_before_the_changes_have_settled() {
    let mut world = World::silent();
    world.say_all(&[0.7; 8]);
    world.pass(299);
    assert!(world.said.is_empty());
    world.pass(1);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn the_order_of_messages_does_not_matter() {
    let scores = [0.61, 0.65, 0.7, 0.75, 0.8, 0.66, 0.62, 0.9];
    let forward = World::of(&scores);
    let mut backward = World::silent();
    backward.say(account(&[]));
    for number in (1..=8_u32).rev() {
        let total = scores[usize::try_from(number - 1).unwrap()];
        backward.say(score(number, Some(total)));
    }
    backward.say(universe(8));
    backward.pass(SECOND);
    assert_eq!(forward.weights(), backward.weights());
}
