//! A planner on a real store, with a world around it that says what a test wants and evaluates as a test wants.
#![allow(dead_code, clippy::unwrap_used)]

use std::{collections::BTreeMap, path::Path};

use bus_client::{Config, Engine, Place, Publication};
use contracts::{
    Address, Body, Cash, Envelope, Evaluated, Finite, FxRates, Id, OrderRequested, PlanContext, PlanJob,
    PlanProposed, PlanResult, PortfolioState, Position, Quote, RiskHalt, Sample, ScoreParts, Security,
    SecurityScore, Side, TargetWeight, TargetWeights, TopicId, Universe, Venue, receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Weight};
use plan::Plan;
use tempfile::TempDir;

pub const E6: i64 = 1_000_000;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const DAY: i64 = 86_400 * SECOND;

/// Overweight: 100 pieces worth 5 000, target 5 %.
pub fn a() -> Isin {
    "DE000SMX0015".parse().unwrap()
}
/// Underweight: nothing held, target 8 %.
pub fn b() -> Isin {
    "DE0007164600".parse().unwrap()
}
/// Scores high, no target.
pub fn c() -> Isin {
    "NL0010273215".parse().unwrap()
}

pub fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

pub fn price(e6: i64) -> Price {
    Price::from_e6(e6).unwrap()
}

pub fn pieces(units: i64) -> Quantity {
    Quantity::from_units(units).unwrap()
}

pub fn number(number: f64) -> Finite {
    Finite::new(number).unwrap()
}

pub fn start() -> Timestamp {
    "2026-03-02T14:31:00.000Z".parse().unwrap()
}

/// One thing that the planner published.
#[derive(Debug, Clone)]
pub struct Said {
    pub topic: TopicId,
    pub key: String,
    pub payload: Vec<u8>,
}

pub struct World {
    folder: TempDir,
    environment: &'static str,
    pub engine: Engine<Plan>,
    pub now: Timestamp,
    pub said: Vec<Said>,
    versions: u64,
    /// Gain of each action; a sequence gains their sum.
    pub gains: BTreeMap<(Isin, Side), f64>,
    pub answers: bool,
    /// Results come in reverse order from two workers.
    pub two_workers: bool,
    pub context: Option<PlanContext>,
}

fn open(folder: &Path, environment: &str, now: Timestamp) -> Engine<Plan> {
    let text = format!("environment = \"{environment}\"\ndir = \"x\"");
    let config = Config::parse(&text, &folder.join("steward.toml")).unwrap();
    Engine::open(&config, "plan", Some(Place::File(folder.join("plans.db"))), now).unwrap()
}

impl World {
    pub fn silent() -> World {
        World::of("sim:1")
    }

    /// As [`World::silent`], in this environment.
    pub fn of(environment: &'static str) -> World {
        let folder = TempDir::new().unwrap();
        World {
            engine: open(folder.path(), environment, start()),
            folder,
            environment,
            now: start(),
            said: Vec::new(),
            versions: 0,
            gains: BTreeMap::from([
                ((a(), Side::Sell), 0.01),
                ((b(), Side::Buy), 0.02),
                ((c(), Side::Buy), 0.005),
            ]),
            answers: true,
            two_workers: false,
            context: None,
        }
    }

    /// Everything there and open: one run is due.
    pub fn ready() -> World {
        let mut world = World::silent();
        world.say_all();
        world
    }

    pub fn say_all(&mut self) {
        self.say(universe());
        for isin in [a(), b(), c()] {
            self.say(self.quote(isin));
            self.say(score(isin, if isin == c() { 0.75 } else { 0.62 }));
        }
        self.say(venue());
        self.say(targets(self.now));
        self.say(RiskHalt { halted: false, halts: vec![], at: self.now });
        self.say(FxRates::sample());
        self.say(PortfolioState { environment: self.environment.into(), ..state("s1") });
    }

    pub fn restart(&mut self) {
        self.engine = open(self.folder.path(), self.environment, self.now);
    }

    pub fn rows(&self) -> rusqlite::Connection {
        bus_client::open_for_reading(&Place::File(self.folder.path().join("plans.db"))).unwrap()
    }

    pub fn quote(&self, isin: Isin) -> Quote {
        Quote {
            isin,
            price_e6: price(50 * E6),
            bid_e6: Some(price(49_950_000)),
            ask_e6: Some(price(50_050_000)),
            at: self.now,
            ..Quote::sample()
        }
    }

    pub fn say<B: Body>(&mut self, body: B) {
        self.versions += 1;
        let owner = B::TOPIC.spec().owners[0];
        let id = Id::derive(self.now, &["test", &self.versions.to_string()]);
        let key = body.key();
        let envelope = Envelope {
            id,
            key_version: self.versions,
            at: self.now,
            stage: owner.to_string(),
            trace: id,
            cause: None,
            body,
        };
        let topic = B::TOPIC.spec().address("steward", &key);
        let publications = self.engine.deliver(&topic, &envelope.encode().unwrap(), self.now).unwrap();
        self.take(publications);
    }

    pub fn clear<B: Body>(&mut self, key: &str) {
        let topic = B::TOPIC.spec().address("steward", key);
        let publications = self.engine.deliver(&topic, &[], self.now).unwrap();
        self.take(publications);
    }

    fn take(&mut self, publications: Vec<Publication>) {
        let mut jobs = Vec::new();
        for publication in publications {
            let Address { topic, key } = Address::parse("steward", &publication.topic).unwrap();
            let said = Said { topic, key, payload: publication.payload };
            match said.topic {
                TopicId::PlanContext => self.context = said.read::<PlanContext>(),
                TopicId::PlanJob => jobs.extend(said.read::<PlanJob>()),
                _ => {}
            }
            self.said.push(said);
        }
        if !self.answers {
            return;
        }
        if self.two_workers {
            jobs.reverse();
        }
        for job in jobs {
            let worker = if job.n % 2 == 0 || !self.two_workers { "evaluate-1" } else { "evaluate-2" };
            let result = self.evaluate(&job, worker);
            self.say(result);
        }
    }

    /// Doing nothing scores 0.5; each action adds its gain.
    pub fn evaluate(&self, job: &PlanJob, worker: &str) -> PlanResult {
        let context = self.context.as_ref().unwrap();
        let score = |actions: &[u16]| {
            let gains = actions.iter().map(|index| {
                let candidate = &context.candidates[usize::from(*index)];
                self.gains.get(&(candidate.isin, candidate.side)).copied().unwrap_or(0.0)
            });
            0.5 + gains.sum::<f64>()
        };
        let sequences = sequences(&context.pool, job);
        let mut best: Vec<Evaluated> = sequences
            .iter()
            .map(|actions| Evaluated {
                actions: actions.clone(),
                score: number(score(actions)),
                before_costs: number(score(actions)),
                cost_eur: eur(2 * i64::try_from(actions.len()).unwrap()),
                impact_eur: eur(0),
                cash_eur: eur(0),
                parts: ScoreParts::sample(),
            })
            .collect();
        best.sort_by(|one, other| {
            other.score.partial_cmp(&one.score).unwrap().then_with(|| {
                (one.actions.len(), one.cost_eur.e4(), &one.actions).cmp(&(
                    other.actions.len(),
                    other.cost_eur.e4(),
                    &other.actions,
                ))
            })
        });
        best.truncate(usize::from(job.keep));
        PlanResult {
            n: job.n,
            context_id: job.context_id.clone(),
            unchanged: number(0.5),
            unchanged_parts: ScoreParts::sample(),
            best,
            evaluated: u32::try_from(sequences.len()).unwrap(),
            infeasible: BTreeMap::new(),
            worker: worker.into(),
        }
    }

    /// Lets time pass, waking the planner whenever it wants.
    pub fn pass(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        for _ in 0..1_000 {
            match self.engine.wake_at().filter(|then| *then <= end) {
                Some(then) => {
                    self.now = self.now.max(then);
                    let publications = self.engine.tick(self.now).unwrap();
                    self.take(publications);
                }
                None => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the planner wakes without end");
    }

    /// Lets time pass while quotes and the venue stay fresh.
    pub fn live(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        while self.now < end {
            self.pass((5 * MINUTE).min(end.since(self.now)));
            for isin in [a(), b(), c()] {
                self.say(self.quote(isin));
            }
        }
    }

    pub fn all<B: Body>(&self) -> Vec<Option<B>> {
        self.said.iter().filter(|said| said.topic == B::TOPIC).map(Said::read).collect()
    }

    pub fn requests(&self) -> Vec<OrderRequested> {
        self.all::<OrderRequested>().into_iter().flatten().collect()
    }

    pub fn cleared_requests(&self) -> usize {
        self.all::<OrderRequested>().iter().filter(|request| request.is_none()).count()
    }

    pub fn plan(&self) -> PlanProposed {
        self.all::<PlanProposed>().last().cloned().flatten().unwrap()
    }

    pub fn waits_for(&self) -> String {
        self.plan().steps[0].waits_for.clone().unwrap_or_default()
    }

    pub fn left_out(&self, isin: Isin) -> String {
        let plan = self.plan();
        plan.left_out.iter().find(|one| one.isin == isin).map_or_else(String::new, |one| one.code.clone())
    }

    pub fn trouble(&self) -> Option<String> {
        use contracts::HealthState;
        let health = self.engine.health(0, true);
        (health.state == HealthState::Degraded).then(|| health.last_error.unwrap_or_default())
    }
}

impl Said {
    pub fn read<B: Body>(&self) -> Option<B> {
        receive::<B>(&self.key, &self.payload).unwrap().body
    }
}

/// Every sequence that a job asks about.
pub fn sequences(pool: &[u16], job: &PlanJob) -> Vec<Vec<u16>> {
    let mut all = job.sequences.clone();
    for range in &job.ranges {
        for number in (range.first..).take(usize::try_from(range.count).unwrap()) {
            let mut places = vec![0; usize::from(range.size)];
            assert!(contracts::subset_of(pool.len(), number, &mut places));
            all.push(places.iter().map(|place| pool[usize::from(*place)]).collect());
        }
    }
    all
}

pub fn security(isin: Isin, ticker: &str) -> Security {
    Security { isin, ticker: ticker.into(), tick_e6: Some(price(10_000)), ..Security::sample() }
}

pub fn universe() -> Universe {
    Universe {
        securities: vec![security(a(), "RHNA.EU"), security(b(), "ALPB.EU"), security(c(), "BVRN.EU")],
    }
}

pub fn score(isin: Isin, total: f64) -> SecurityScore {
    SecurityScore {
        isin,
        total: Some(number(total)),
        quality: Some(number(total)),
        ..SecurityScore::sample()
    }
}

pub fn venue() -> Venue {
    Venue { since_open_min: Some(90), until_close_min: Some(180), ..Venue::sample() }
}

pub fn target(isin: Isin, e6: i64) -> TargetWeight {
    TargetWeight {
        isin,
        weight_e6: Weight::from_e6(e6).unwrap(),
        current_e6: Weight::ZERO,
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        expected_return: Some(number(0.08)),
        reason: String::new(),
    }
}

pub fn targets(at: Timestamp) -> TargetWeights {
    let weights = vec![target(a(), 50_000), target(b(), 80_000), target(c(), 0)];
    TargetWeights { at, weights, groups: vec![], ..TargetWeights::sample() }
}

pub fn position() -> Position {
    let long_ago = start().saturating_plus_ms(-400 * DAY);
    Position {
        isin: a(),
        qty_e6: pieces(100),
        avg_price_e6: Some(price(45 * E6)),
        price_e6: Some(price(50 * E6)),
        value_eur: Some(eur(5_000)),
        opened: Some(long_ago),
        last_buy: Some(long_ago),
        ..PortfolioState::sample().positions[0].clone()
    }
}

/// 5 000 in one security and 35 000 in cash.
pub fn state(state_id: &str) -> PortfolioState {
    PortfolioState {
        state_id: state_id.into(),
        positions: vec![position()],
        cash: vec![Cash {
            bucket_id: "core".into(),
            amount: eur(35_000),
            reserved: eur(0),
            pending_in: None,
            pending_out: None,
            spendable: None,
        }],
        open_orders: vec![],
        nav: Some(eur(40_000)),
        ..PortfolioState::sample()
    }
}
