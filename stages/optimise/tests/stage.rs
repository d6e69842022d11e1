//! The optimiser on a real store, with a market store of the same shape as the real one beside it: when it speaks,
//! when it stays silent, and what survives a restart.

#![allow(clippy::unwrap_used)]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bus_client::{Config, Edge, Engine, Place, Publication};
use contracts::{
    Address, Body, Envelope, Finite, Id, PortfolioState, Position, Sample, Security, SecurityScore,
    TargetStatus, TargetWeight, TargetWeights, Universe, receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money};
use optimise::{Bars, Optimise};
use rusqlite::Connection;
use tempfile::TempDir;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;
/// Of ten thousand in the core, with the market unknown: what a twentieth leaves.
const INVESTED_E6: i64 = 950_000;

fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn isin(number: u32) -> Isin {
    Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
}

fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

/// A future that never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("reading bars waits for nothing"),
    }
}

/// A price that wobbles in a way of its own and rises a little.
fn wave(number: u32, bars: i32) -> Vec<i64> {
    let mut state = u64::from(number) * 7_919 + 17;
    let mut price = 50_000_000_i64;
    (0..bars)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let move_e6 = i64::try_from((state >> 33) % 20_001).unwrap() - 9_800;
            price += price * move_e6 / 1_000_000;
            price
        })
        .collect()
}

struct World {
    folder: TempDir,
    engine: Engine<Optimise>,
    edge: Bars,
    now: Timestamp,
    version: u64,
    said: Vec<Publication>,
    reads: usize,
}

fn config(folder: &TempDir, settings: &str) -> Config {
    let text = format!("environment = \"sim:1\"\ndir = \"x\"\n[stage.optimise]\n{settings}");
    Config::parse(&text, &folder.path().join("steward.toml")).unwrap()
}

impl World {
    /// Nothing heard, no market store.
    fn bare(settings: &str) -> World {
        let folder = TempDir::new().unwrap();
        let config = config(&folder, settings);
        let place = Place::File(folder.path().join("targets.db"));
        World {
            engine: Engine::open(&config, "optimise", Some(place), start()).unwrap(),
            edge: Bars::new(&config),
            folder,
            now: start(),
            version: 0,
            said: Vec::new(),
            reads: 0,
        }
    }

    /// Bars of this many securities.
    fn silent(count: u32) -> World {
        let world = World::bare("");
        (1..=count).for_each(|number| world.store(number, 600));
        world
    }

    /// Securities with these scores and bars, and an account of cash.
    fn of(scores: &[f64]) -> World {
        let mut world = World::silent(u32::try_from(scores.len()).unwrap());
        world.say_all(scores);
        world.pass(SECOND);
        world
    }

    fn store(&self, number: u32, bars: i32) {
        let file = config(&self.folder, "").store_file("market");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let rows = Connection::open(file).unwrap();
        rows.execute_batch(
            "CREATE TABLE IF NOT EXISTS bar (isin, day, close, quality);
             CREATE VIEW IF NOT EXISTS api_bar AS SELECT * FROM bar;
             CREATE TABLE IF NOT EXISTS rate (ccy, day, eur_per_unit, source, as_of);
             CREATE VIEW IF NOT EXISTS api_fx AS SELECT * FROM rate;",
        )
        .unwrap();
        let rows = rows.unchecked_transaction().unwrap();
        for (close, age) in wave(number, bars).iter().rev().zip(1..) {
            let day = start().day_utc().plus_days(-age).to_string();
            rows.execute("INSERT INTO bar VALUES (?1, ?2, ?3, 'ok')", (isin(number).as_str(), day, close))
                .unwrap();
        }
        rows.commit().unwrap();
    }

    fn say_all(&mut self, scores: &[f64]) {
        self.say(universe(scores.len()));
        for (number, total) in (1..).zip(scores) {
            self.say(score(number, Some(*total), self.now));
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

    /// Lets time pass; calls are performed when they are asked for, as the runner does.
    fn pass(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        for _ in 0..1_000 {
            while let Some((call, cause)) = self.engine.next_call() {
                self.reads += 1;
                let reply = at_once(Edge::<Optimise>::perform(&self.edge, call));
                self.said.extend(self.engine.reply(reply, cause, self.now).unwrap());
            }
            match self.engine.wake_at().filter(|then| *then <= end) {
                Some(then) => {
                    self.now = self.now.max(then);
                    self.said.extend(self.engine.tick(self.now).unwrap());
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the optimiser wakes without end");
    }

    fn restart(&mut self) {
        self.said.clear();
        let place = Place::File(self.folder.path().join("targets.db"));
        self.engine = Engine::open(&config(&self.folder, ""), "optimise", Some(place), self.now).unwrap();
    }

    fn runs(&self) -> Vec<TargetWeights> {
        let read = |publication: &Publication| {
            let Address { topic, key } = Address::parse("steward", &publication.topic).unwrap();
            assert_eq!(topic, TargetWeights::TOPIC);
            receive::<TargetWeights>(&key, &publication.payload).unwrap().body.unwrap()
        };
        self.said.iter().map(read).collect()
    }

    fn run(&self) -> TargetWeights {
        self.runs().pop().unwrap_or_else(|| panic!("no targets: {}", self.decision()))
    }

    fn weight(&self, number: u32) -> Option<TargetWeight> {
        self.run().weights.into_iter().find(|weight| weight.isin == isin(number))
    }

    fn decision(&self) -> String {
        let health = self.engine.health(0, true);
        format!("{} {:?}", health.last_decision.clone().unwrap_or_default(), health.last_error)
    }

    fn count(&self, sql: &str) -> i64 {
        let place = Place::File(self.folder.path().join("targets.db"));
        let rows = bus_client::open_for_reading(&place).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn security(number: u32) -> Security {
    // Countries of two regions and of none, so that the caps of groups leave room.
    let country = ["DE", "US", "JP", "BR"][usize::try_from(number).unwrap() % 4];
    Security { isin: isin(number), country: Some(country.into()), ..Security::sample() }
}

fn universe(count: usize) -> Universe {
    Universe { securities: (1..).take(count).map(security).collect() }
}

/// A score that rests on bars of this moment's day.
fn score(number: u32, total: Option<f64>, at: Timestamp) -> SecurityScore {
    let (total, bars_until) = (total.and_then(Finite::new), Some(at.day_utc()));
    SecurityScore { isin: isin(number), total, bars_until, ..SecurityScore::sample() }
}

/// 10 000 EUR in the core, of which these holdings.
fn account(holdings: &[(u32, Option<Money>)]) -> PortfolioState {
    let sample = PortfolioState::sample();
    let position = |(number, value): &(u32, Option<Money>)| Position {
        isin: isin(*number),
        value_eur: *value,
        ..sample.positions[0].clone()
    };
    let positions = holdings.iter().map(position).collect();
    PortfolioState { positions, nav: Some(eur(10_000)), cash: vec![], ..sample.clone() }
}

fn sum(run: &TargetWeights) -> i64 {
    run.weights.iter().map(|weight| weight.weight_e6.e6()).sum()
}

#[test]
fn a_fund_of_cash_gets_targets_with_method_figures_groups_and_reasons() {
    let world = World::of(&[0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68]);
    let run = world.run();
    assert_eq!(sum(&run), INVESTED_E6, "{run:?}");
    assert_eq!(run.cash_e6.e6(), 1_000_000 - INVESTED_E6);
    assert!(
        run.method.starts_with("blend of ") && run.method.ends_with(" and risk parity"),
        "{}",
        run.method
    );
    let figures: Vec<&str> = run.figures.iter().map(|figures| figures.of.as_str()).collect();
    assert_eq!(figures, ["mean_variance", "risk_parity", "blend", "final"]);
    assert!(run.weights.iter().all(|one| one.reason.contains("risk parity") && one.upper_e6.e6() <= 150_000));
    assert!(
        run.groups.iter().any(|group| group.name == "EU" && !group.members.is_empty()),
        "{:?}",
        run.groups
    );
    assert!(run.cvar_95_20d.is_some_and(|loss| loss.get() < 0.0));
    assert_eq!(world.count("SELECT sum(weight) FROM api_target"), INVESTED_E6);
    assert_eq!(world.count("SELECT count(DISTINCT member) FROM api_group WHERE kind = 'country'"), 8);
    assert_eq!(world.count("SELECT count(*) FROM api_run WHERE volatility > 0"), 1);
}

#[test]
fn one_score_says_nothing_and_says_why() {
    let world = World::of(&[0.9]);
    assert!(world.runs().is_empty());
    assert!(world.decision().contains("fewer than two"), "{}", world.decision());
}

#[test]
fn two_and_three_securities_are_enough() {
    for count in [2, 3] {
        let world = World::of(&vec![0.7; count]);
        let run = world.run();
        assert_eq!(sum(&run), 150_000 * i64::try_from(count).unwrap(), "the rest stays cash");
        assert!(run.binding.iter().any(|limit| limit.contains("at most 15.0 %")), "{:?}", run.binding);
    }
}

#[test]
fn nothing_is_decided_before_the_account_and_its_value_are_known() {
    let mut world = World::silent(8);
    world.say(universe(8));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
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
fn without_a_market_store_it_says_so_and_tries_again() {
    let mut world = World::bare("");
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("market"), "{}", world.decision());
    (1..=8).for_each(|number| world.store(number, 600));
    world.pass(2 * MINUTE);
    assert_eq!((world.runs().len(), world.reads), (1, 2));
}

#[test]
fn a_holding_without_history_keeps_its_share_and_says_why() {
    let mut world = World::silent(8);
    world.store(9, 30);
    world.say(account(&[(9, Some(eur(1_200)))]));
    world.say(universe(9));
    (1..=9).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.pass(SECOND);
    let kept = world.weight(9).unwrap();
    assert_eq!((kept.weight_e6.e6(), kept.current_e6.e6()), (120_000, 120_000));
    assert!(kept.reason.contains("kept") && kept.reason.contains("short history"), "{}", kept.reason);
    assert_eq!(sum(&world.run()), INVESTED_E6, "the others share what is left");
}

#[test]
fn a_holding_of_which_nothing_is_known_is_never_sold() {
    for change in ["gone", "idle", "no score"] {
        let mut world = World::silent(9);
        let mut universe = universe(9);
        match change {
            "gone" => drop(universe.securities.pop()),
            "idle" => universe.securities[8].active = false,
            _ => {}
        }
        world.say(account(&[(9, Some(eur(1_200)))]));
        world.say(universe);
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
        world.pass(SECOND);
        assert_eq!(world.weight(9).unwrap().weight_e6.e6(), 120_000, "{change}");
    }
}

#[test]
fn permissions_hold_to_the_last_millionth() {
    let mut world = World::silent(9);
    let mut universe = universe(9);
    (universe.securities[0].allow_buy, universe.securities[0].allow_sell) = (false, false);
    universe.securities[1].allow_buy = false;
    universe.securities[2].allow_sell = false;
    world.say(universe);
    (1..=9).for_each(|number| world.say(score(number, Some(0.6), start())));
    world.say(account(&[(1, Some(eur(2_345))), (3, Some(eur(1_111)))]));
    world.pass(SECOND);
    assert_eq!(world.weight(1).unwrap().weight_e6.e6(), 234_500);
    assert!(world.weight(2).is_none(), "what must not be bought gets nothing new");
    assert!(world.weight(3).unwrap().weight_e6.e6() >= 111_100);
}

#[test]
fn contradictory_groups_give_way_and_are_named() {
    let groups = "[[country_groups]]\nname = \"A\"\nmembers = [\"DE\"]\ntarget = 0.6\n[[country_groups]]\nname = \"B\"\nmembers = [\"US\"]\ntarget = 0.4\n";
    let text = format!(
        "country_cap = 0.6\n{}",
        groups.replace("[[country_groups]]", "[[stage.optimise.country_groups]]")
    );
    let mut world = World::bare(&text);
    (1..=8).for_each(|number| world.store(number, 600));
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    let run = world.run();
    assert_eq!(run.status, TargetStatus::Degraded, "{run:?}");
    assert_ne!(run.level, "full");
    assert!(run.clash.iter().any(|limit| limit.contains("country A at least 50.0 %")), "{:?}", run.clash);
    assert!(!run.relaxed.is_empty());
}

#[test]
fn scores_that_move_within_a_day_change_nothing_and_the_next_day_they_do() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say(score(1, Some(0.05), world.now));
    world.pass(2 * 60 * MINUTE);
    assert!(world.said.is_empty(), "one run a day");
    world.pass(DAY);
    let today = world.now;
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), today)));
    world.say(score(1, Some(0.05), today));
    world.pass(SECOND);
    assert_eq!(world.reads, 2, "the bars are read once a day");
}

#[test]
fn a_fill_asks_for_another_run_but_never_within_ten_minutes() {
    let mut world = World::of(&[0.7; 8]);
    let reads = world.reads;
    world.said.clear();
    world.say(account(&[(1, Some(eur(4_000)))]));
    world.pass(9 * MINUTE);
    assert!(world.said.is_empty());
    world.pass(2 * MINUTE);
    assert_eq!(world.reads, reads, "the bars of today are still there");
    assert!(world.decision().contains("targets"), "{}", world.decision());
}

#[test]
fn a_score_of_old_bars_is_no_score() {
    for (age, expected) in [(7, 1), (8, 0)] {
        let mut world = World::silent(8);
        world.say(universe(8));
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
        world.pass(age * DAY);
        world.said.clear();
        world.say(account(&[]));
        world.pass(SECOND);
        assert_eq!(world.runs().len(), expected, "{age} days: {}", world.decision());
    }
}

#[test]
fn a_restart_repeats_nothing_and_remembers_what_was_said() {
    let mut world = World::of(&[0.7; 8]);
    let runs = world.count("SELECT count(*) FROM optimiser_run");
    world.restart();
    world.say_all(&[0.7; 8]);
    world.pass(20 * MINUTE);
    assert!(world.said.is_empty());
    assert_eq!(world.count("SELECT count(*) FROM optimiser_run"), runs);
    assert!(world.decision().contains("stay"), "{}", world.decision());
}

#[test]
fn targets_of_a_week_are_said_anew() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    for (day, expected) in [(6, 0), (7, 1)] {
        let then = start().saturating_plus_ms(day * DAY + MINUTE);
        world.pass(then.since(world.now));
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), then)));
        world.pass(SECOND);
        assert_eq!(world.runs().len(), expected, "day {day}: {}", world.decision());
    }
}

#[test]
fn the_order_of_messages_does_not_matter() {
    let scores = [0.61, 0.65, 0.7, 0.75, 0.8, 0.66, 0.62, 0.9];
    let forward = World::of(&scores);
    let mut backward = World::silent(8);
    backward.say(account(&[]));
    for number in (1..=8_u32).rev() {
        backward.say(score(number, Some(scores[usize::try_from(number - 1).unwrap()]), start()));
    }
    let mut reversed = universe(8);
    reversed.securities.reverse();
    backward.say(reversed);
    backward.pass(SECOND);
    assert_eq!(forward.run().weights, backward.run().weights);
    assert_eq!(forward.run().snapshot, backward.run().snapshot);
}

#[test]
fn a_reserve_larger_than_the_core_invests_nothing_and_is_no_error() {
    let mut world = World::silent(8);
    world.say(universe(8));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.say(PortfolioState { nav: Some(eur(300)), ..account(&[]) });
    world.pass(SECOND);
    assert_eq!(sum(&world.run()), 0);
}
