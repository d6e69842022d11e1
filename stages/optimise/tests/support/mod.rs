//! An optimiser on a real store, with a market store of the same shape as the real one beside it.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use bus_client::{Config, Edge, Engine, Place, Publication};
use contracts::{
    Address, Body, Envelope, Finite, HealthState, Id, PortfolioState, Position, Quote, Reply, Sample,
    Security, SecurityScore, TargetWeight, TargetWeights, Universe, receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money};
use optimise::{Bars, Optimise};
use rusqlite::Connection;
use tempfile::TempDir;

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const DAY: i64 = 86_400 * SECOND;
/// Of ten thousand in the core, with the market unknown: what a twentieth leaves.
pub const INVESTED_E6: i64 = 950_000;

pub fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

pub fn isin(number: u32) -> Isin {
    Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
}

pub fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

/// A future that never waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("reading bars waits for nothing"),
    }
}

/// A price that wobbles in a way of its own and rises a little.
pub fn wave(number: u32, bars: i32) -> Vec<i64> {
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

pub struct World {
    pub folder: TempDir,
    pub engine: Engine<Optimise>,
    pub edge: Bars,
    pub now: Timestamp,
    pub version: u64,
    pub said: Vec<Publication>,
    pub reads: usize,
}

pub fn config(folder: &TempDir, settings: &str) -> Config {
    let text = format!("environment = \"sim:1\"\ndir = \"x\"\n[stage.optimise]\n{settings}");
    Config::parse(&text, &folder.path().join("steward.toml")).unwrap()
}

impl World {
    /// Nothing heard, no market store.
    pub fn bare(settings: &str) -> World {
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

    /// Bars and prices of this many securities.
    pub fn silent(count: u32) -> World {
        let mut world = World::bare("");
        (1..=count).for_each(|number| world.store(number, 600));
        (1..=count).for_each(|number| world.say(quote(number, start())));
        world
    }

    /// Securities with these scores and bars, and an account of cash.
    pub fn of(scores: &[f64]) -> World {
        let mut world = World::silent(u32::try_from(scores.len()).unwrap());
        world.say_all(scores);
        world.pass(SECOND);
        world
    }

    pub fn store(&self, number: u32, bars: i32) {
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

    pub fn say_all(&mut self, scores: &[f64]) {
        self.say(universe(scores.len()));
        for (number, total) in (1..).zip(scores) {
            self.say(quote(number, self.now));
            self.say(score(number, Some(*total), self.now));
        }
        self.say(account(&[]));
    }

    pub fn say<B: Body>(&mut self, body: B) {
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
    pub fn pass(&mut self, ms: i64) {
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

    pub fn restart(&mut self) {
        self.said.clear();
        let place = Place::File(self.folder.path().join("targets.db"));
        self.engine = Engine::open(&config(&self.folder, ""), "optimise", Some(place), self.now).unwrap();
    }

    /// What was said on a topic, in order.
    fn all<B: Body>(&self) -> Vec<B> {
        let read = |publication: &Publication| {
            let Address { topic, key } = Address::parse("steward", &publication.topic).unwrap();
            (topic == B::TOPIC).then(|| receive::<B>(&key, &publication.payload).unwrap().body.unwrap())
        };
        self.said.iter().filter_map(read).collect()
    }

    pub fn runs(&self) -> Vec<TargetWeights> {
        self.all()
    }

    /// The last answer.
    pub fn reply(&self) -> Reply {
        self.all().pop().unwrap_or_else(|| panic!("no answer: {}", self.decision()))
    }

    pub fn run(&self) -> TargetWeights {
        self.runs().pop().unwrap_or_else(|| panic!("no targets: {}", self.decision()))
    }

    pub fn weight(&self, number: u32) -> Option<TargetWeight> {
        self.run().weights.into_iter().find(|weight| weight.isin == isin(number))
    }

    pub fn decision(&self) -> String {
        let health = self.engine.health(0, true);
        format!("{} {:?}", health.last_decision.clone().unwrap_or_default(), health.last_error)
    }

    pub fn is_degraded(&self) -> bool {
        self.engine.health(0, true).state == HealthState::Degraded
    }

    pub fn count(&self, sql: &str) -> i64 {
        let place = Place::File(self.folder.path().join("targets.db"));
        let rows = bus_client::open_for_reading(&place).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

pub fn security(number: u32) -> Security {
    // Countries of two regions and of none, so that the caps of groups leave room.
    let country = ["DE", "US", "JP", "BR"][usize::try_from(number).unwrap() % 4];
    Security { isin: isin(number), country: Some(country.into()), ..Security::sample() }
}

pub fn universe(count: usize) -> Universe {
    Universe { securities: (1..).take(count).map(security).collect() }
}

/// A price made at this moment.
pub fn quote(number: u32, at: Timestamp) -> Quote {
    Quote { isin: isin(number), at, ..Quote::sample() }
}

/// A score that rests on bars of this moment's day.
pub fn score(number: u32, total: Option<f64>, at: Timestamp) -> SecurityScore {
    let (total, bars_until) = (total.and_then(Finite::new), Some(at.day_utc()));
    let growth = Finite::new(0.02 + 0.01 * f64::from(number)).unwrap();
    let inputs = [("cagr_5y".to_string(), growth)].into();
    SecurityScore { isin: isin(number), total, bars_until, inputs, ..SecurityScore::sample() }
}

/// 10 000 EUR in the core, of which these holdings.
pub fn account(holdings: &[(u32, Option<Money>)]) -> PortfolioState {
    let sample = PortfolioState::sample();
    let position = |(number, value): &(u32, Option<Money>)| Position {
        isin: isin(*number),
        value_eur: *value,
        ..sample.positions[0].clone()
    };
    let positions = holdings.iter().map(position).collect();
    PortfolioState { positions, nav: Some(eur(10_000)), cash: vec![], ..sample.clone() }
}

pub fn sum(run: &TargetWeights) -> i64 {
    run.weights.iter().map(|weight| weight.weight_e6.e6()).sum()
}
