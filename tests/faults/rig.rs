//! The money path in one process: the real stages on real stores and a bad bus, the simulated broker, and a clock that
//! jumps from one wish to the next. Any process can end at any message and at any write.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use bus_client::{Config, Node, Publication, WriteFault, transport::local::LocalBus};
use contracts::{Address, Body, Envelope, Id, OrderStatus, receive};
use market::Timestamp;
use simworld::{World, WorldConfig};
use steward_tests::{memory_folder, pipeline::TICKERS, stages};
use tempfile::TempDir;

use crate::{
    dice::Dice,
    weather::{self, Weather},
};

/// The stages that move money; the others only advise and watch.
const MONEY_PATH: [&str; 6] = ["keeper", "ingest", "portfolio", "risk-gate", "execute", "notify"];
/// Rounds without an end of messages; more is a loop between stages.
const ROUNDS_MAX: usize = 20_000;
/// The broker's lists of orders are gone for at most so long.
const BLIND_MS: i64 = 10 * 60_000;
/// How often lost messages are looked for, as the keeper does it on a real bus.
const REPAIR_MS: i64 = 60_000;

/// The system under test and its world.
pub struct Rig {
    pub bus: LocalBus,
    pub world: Rc<RefCell<World>>,
    pub weather: Weather,
    pub dice: Dice,
    /// Decides when an exchange of currencies is asked for.
    pub exchanges: Dice,
    /// The clock of the stages is ahead of the world's by this.
    pub skew_ms: i64,
    /// The largest skew that there was.
    pub skew_max_ms: i64,
    /// Since when the broker's lists of orders are gone.
    blind_since: Option<Timestamp>,
    /// Processes that ended, for the report.
    pub deaths: u64,
    /// What the account began with, in 1/10 000.
    pub cash_at_start: BTreeMap<&'static str, i64>,
    /// Orders asked for so far, by id.
    pub asked: BTreeMap<String, Timestamp>,
    nodes: BTreeMap<String, Box<dyn Node>>,
    names: Vec<String>,
    back_at: BTreeMap<String, Timestamp>,
    /// Replies of the broker that are on their way back, by stage: one at a time, as in a process.
    reply_at: BTreeMap<String, Timestamp>,
    /// Stages that work on without the bus until then.
    cut_until: BTreeMap<String, Timestamp>,
    /// Stages whose disk is full until then.
    full_until: BTreeMap<String, Timestamp>,
    repair_at: Timestamp,
    now: Timestamp,
    folder: TempDir,
    config: Config,
    versions: u64,
}

impl Rig {
    pub fn new(seed: u64, mut dice: Dice, weather: Weather) -> Rig {
        let folder = memory_folder();
        let day = 86_400_000 * dice.between(0, 4);
        let start: Timestamp = "2026-03-02T07:30:00Z".parse().expect("a valid instant");
        let start = start.saturating_plus_ms(day);
        stages::write_secrets(folder.path());
        let settings = stages::settings(&TICKERS)
            .replace("history_days = 2600", "history_days = 30")
            .replace("[stage.risk-gate]\n", "[stage.risk-gate]\nmin_gap_min = 5\n");
        let text = format!("environment = \"sim:{seed}\"\ndir = \".\"\n{settings}");
        let config =
            Config::parse(&text, &folder.path().join("steward.toml")).expect("a valid configuration");
        let mut world = WorldConfig::new(seed, start);
        world.tickers = Some(TICKERS.iter().map(|ticker| (*ticker).to_string()).collect());
        world.rules.throttle = false;
        world.rules.echo_user_order_id = weather.echo;
        #[allow(clippy::cast_precision_loss)]
        let share = weather.parts as f64 / 1_000.0;
        world.rules.partial_fill_share = share;
        world.rules.fee_in_trade_row = weather.fee_in_rows;
        let world = World::new(world).expect("a valid world");
        let mut rig = Rig {
            bus: LocalBus::new(seed),
            cash_at_start: world.cash(),
            world: Rc::new(RefCell::new(world)),
            weather,
            exchanges: dice.apart(),
            dice,
            skew_ms: 0,
            skew_max_ms: 0,
            blind_since: None,
            deaths: 0,
            asked: BTreeMap::new(),
            nodes: BTreeMap::new(),
            names: MONEY_PATH.iter().map(|name| (*name).to_string()).collect(),
            back_at: BTreeMap::new(),
            reply_at: BTreeMap::new(),
            cut_until: BTreeMap::new(),
            full_until: BTreeMap::new(),
            repair_at: start,
            now: start,
            folder,
            config,
            versions: 1,
        };
        for rule in rig.weather.broker.clone() {
            let rule = serde_json::from_value(rule).expect("a rule that the simulator knows");
            rig.world.borrow_mut().put_fault(rule).expect("a rule that makes sense");
        }
        rig.bus.set_faults(rig.weather.bus);
        rig.start_missing();
        rig
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The stages' time.
    pub fn stage_now(&self) -> Timestamp {
        self.now.saturating_plus_ms(self.skew_ms)
    }

    pub fn store_file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("stores").join(format!("{name}.db"))
    }

    pub fn data_dir(&self) -> &Path {
        &self.config.dir
    }

    /// From now on everything works.
    pub fn calm(&mut self) {
        self.weather.calm();
        self.bus.set_faults(self.weather.bus);
        for rule in &self.weather.broker {
            self.world.borrow_mut().remove_fault(rule["id"].as_str().unwrap_or_default());
        }
        self.weather.broker.clear();
        self.world.borrow_mut().remove_fault(weather::BLINDFOLD);
        self.skew_ms = 0;
        self.back_at.clear();
        self.cut_until.clear();
        self.full_until.clear();
        self.start_missing();
        self.restart_bus();
    }

    /// Takes the broker's lists away while the fate of an order is open, and gives them back after ten minutes of it.
    pub fn blindfold(&mut self) {
        let is_open = self.weather.blind
            && self
                .statements::<contracts::OrderState>()
                .iter()
                .any(|order| order.status == OrderStatus::Unknown);
        let now = self.now;
        match self.blind_since {
            None if is_open => {
                self.blind_since = Some(now);
                let rule =
                    serde_json::from_value(weather::blindfold()).expect("a rule that the simulator knows");
                self.world.borrow_mut().put_fault(rule).expect("a rule that makes sense");
            }
            Some(_) if !is_open => self.blind_since = None,
            _ => {}
        }
        if self.blind_since.is_none_or(|since| now.since(since) >= BLIND_MS) {
            self.world.borrow_mut().remove_fault(weather::BLINDFOLD);
        }
    }

    pub fn restart_bus(&mut self) {
        self.bus.restart();
        for name in self.names.clone() {
            self.connect(&name);
        }
    }

    /// Ends a process at once; it stays away for a while.
    pub fn kill(&mut self, name: &str) {
        if self.nodes.remove(name).is_none() {
            return;
        }
        self.deaths += 1;
        self.reply_at.remove(name);
        self.bus.disconnect(name);
        let away = match self.full_until.get(name) {
            Some(end) if *end > self.now => 5_000,
            _ if self.dice.chance(700) => 100,
            _ => self.dice.between(1_000, 600_000),
        };
        self.back_at.insert(name.to_string(), self.now.saturating_plus_ms(away));
    }

    /// Keeps a stage away for so long.
    pub fn silence(&mut self, name: &str, ms: i64) {
        self.kill(name);
        self.back_at.insert(name.to_string(), self.now.saturating_plus_ms(ms));
    }

    /// Takes a stage off the bus for so long: it hears nothing, nobody hears it, and it works on with what it knows.
    pub fn cut_off(&mut self, name: &str, ms: i64) {
        self.bus.disconnect(name);
        self.cut_until.insert(name.to_string(), self.now.saturating_plus_ms(ms));
    }

    /// The disk of a stage has no room for so long.
    pub fn fill_disk(&mut self, name: &str, ms: i64) {
        self.full_until.insert(name.to_string(), self.now.saturating_plus_ms(ms));
    }

    fn join_again(&mut self) {
        self.full_until.retain(|_, end| *end > self.now);
        let over: Vec<String> = self
            .cut_until
            .iter()
            .filter(|(_, end)| **end <= self.now)
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            self.cut_until.remove(&name);
            self.connect(&name);
        }
    }

    fn start_missing(&mut self) {
        self.join_again();
        for name in self.names.clone() {
            let away = self.back_at.get(&name).is_some_and(|then| *then > self.now);
            if away || self.nodes.contains_key(&name) {
                continue;
            }
            self.back_at.remove(&name);
            let node = stages::open(&name, &self.config, &self.world);
            self.nodes.insert(name.clone(), node);
            self.connect(&name);
        }
    }

    fn connect(&mut self, name: &str) {
        let now = self.stage_now();
        if self.cut_until.contains_key(name) {
            return;
        }
        let Some(node) = self.nodes.get_mut(name) else { return };
        let mut said = node.repeat();
        let health = node.health(0, true);
        said.push(node.publish_health(health, now));
        let filters = node.filters();
        self.bus.connect(name, &filters);
        self.publish(said);
    }

    pub fn publish(&mut self, publications: Vec<Publication>) {
        publications.iter().for_each(|one| self.bus.publish(one));
    }

    /// Says something as any stage would, true or not.
    pub fn say_as<B: Body>(&mut self, stage: &str, body: B) -> Id {
        self.versions += 1;
        let at = self.stage_now();
        let id = Id::derive(at, &["rig", stage, &self.versions.to_string()]);
        let key = body.key();
        let envelope = Envelope {
            id,
            key_version: self.versions,
            at,
            stage: stage.into(),
            trace: id,
            cause: None,
            body,
        };
        let spec = B::TOPIC.spec();
        let publication = Publication {
            topic: spec.address("steward", &key),
            payload: envelope.encode().expect("plain fields"),
            retain: spec.class == contracts::Class::Statement,
            qos: 1,
        };
        self.bus.publish(&publication);
        id
    }

    /// A live statement, as a newcomer would get it.
    pub fn statement<B: Body>(&self, key: &str) -> Option<B> {
        receive::<B>(key, self.bus.retained(&B::TOPIC.spec().address("steward", key))?).ok()?.body
    }

    /// What the stages say is wrong.
    pub fn troubles(&self) -> Vec<(String, String)> {
        let all = self.nodes.values().map(|node| node.health(0, true));
        all.filter_map(|health| Some((health.stage, health.last_error?))).collect()
    }

    /// All live statements of a type.
    pub fn statements<B: Body>(&self) -> Vec<B> {
        let understood = |(wire, payload): (&str, &[u8])| {
            let address = Address::parse("steward", wire).ok()?;
            (address.topic == B::TOPIC).then(|| receive::<B>(&address.key, payload).ok()?.body)?
        };
        self.bus.all_retained().filter_map(understood).collect()
    }

    /// Goes to the next instant at which anything wants to happen, but not past `end`.
    pub fn step(&mut self, end: Timestamp) {
        let wishes = self.nodes.values().filter_map(|node| node.wake_at());
        let next = wishes.min().map(|then| then.saturating_plus_ms(-self.skew_ms)).unwrap_or(end);
        let others = self.back_at.values().chain(self.reply_at.values()).chain(self.cut_until.values());
        let next = others.copied().fold(next, Timestamp::min);
        self.now = next.clamp(self.now.saturating_plus_ms(1), end);
        self.world.borrow_mut().advance_to(self.now);
        self.start_missing();
        self.settle();
        if self.now >= self.repair_at {
            self.repair_at = self.now.saturating_plus_ms(REPAIR_MS);
            self.repair();
        }
    }

    /// Delivers everything and performs every call until nothing moves.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for name in self.names.clone() {
                moved |= self.work(&name);
            }
            if !moved {
                return;
            }
        }
        panic!("the stages never come to rest at {}", self.now);
    }

    /// One stage's messages, timers and calls; false when there were none.
    fn work(&mut self, name: &str) -> bool {
        let mut moved = false;
        for _ in 0..ROUNDS_MAX {
            let now = self.stage_now();
            let Some(node) = self.nodes.get_mut(name) else { return moved };
            let full = self.full_until.contains_key(name);
            let said = if let Some((topic, payload)) = self.bus.take(name) {
                if self.dice.chance(self.weather.kills) {
                    self.kill(name);
                    return true;
                }
                arm(node.as_mut(), &mut self.dice, self.weather.writes, full);
                node.deliver(&topic, &payload, now)
            } else if node.wake_at().is_some_and(|then| then <= now) {
                arm(node.as_mut(), &mut self.dice, self.weather.writes, full);
                node.tick(now)
            } else if let Some(then) = self.reply_at.get(name).copied() {
                if then > self.now {
                    return moved;
                }
                self.reply_at.remove(name);
                // One whose next write fails has asked, and does not know the answer.
                arm(node.as_mut(), &mut self.dice, self.weather.writes * 4, full);
                node.hear_reply(now).map(Option::unwrap_or_default)
            } else if node.has_call() {
                // A process that ends here has committed that it is about to ask, and has not asked.
                if self.dice.chance(self.weather.kills * 4) {
                    self.kill(name);
                    return true;
                }
                node.ask();
                // The answer took its time, and the world went on meanwhile.
                self.now = self.now.max(self.world.borrow().now());
                // And this one has asked, and never hears the answer.
                if self.dice.chance(self.weather.kills * 4) {
                    self.kill(name);
                    return true;
                }
                let late = self.dice.chance(self.weather.late_replies);
                let wait_ms = if late { self.dice.between(50, 40_000) } else { 0 };
                self.reply_at.insert(name.to_string(), self.now.saturating_plus_ms(wait_ms));
                Ok(Vec::new())
            } else {
                return moved;
            };
            moved = true;
            match said {
                Ok(said) => self.hand_out(name, said),
                // The process ends with its sentence and is started again.
                Err(_) => {
                    self.kill(name);
                    return true;
                }
            }
        }
        panic!("{name} never comes to rest at {}", self.now);
    }

    /// Publishes; a process may end in the middle of that.
    fn hand_out(&mut self, name: &str, said: Vec<Publication>) {
        if self.cut_until.contains_key(name) {
            return;
        }
        let fatal = !said.is_empty() && self.dice.chance(self.weather.kills);
        let spoken =
            if fatal { usize::try_from(self.dice.roll(said.len() as u64)).unwrap_or(0) } else { said.len() };
        self.publish(said.into_iter().take(spoken).collect());
        if fatal {
            self.kill(name);
        }
    }

    /// Lost messages are noticed by their fingerprints.
    fn repair(&mut self) {
        let healths: Vec<_> = self.nodes.values().map(|node| node.health(0, true)).collect();
        let mut repeats = Vec::new();
        for owner in &healths {
            let missed = healths.iter().any(|reader| {
                let should = owner.said.get(contracts::stage_of(&reader.stage)).copied().unwrap_or(0);
                let seen = reader.seen.get(contracts::stage_of(&owner.stage)).copied().unwrap_or(0);
                should != seen
            });
            let heard = !self.cut_until.contains_key(&owner.stage);
            if missed
                && heard
                && let Some(node) = self.nodes.get(&owner.stage)
            {
                repeats.extend(node.repeat());
            }
        }
        if !repeats.is_empty() {
            self.publish(repeats);
            self.settle();
        }
    }
}

fn arm(node: &mut dyn Node, dice: &mut Dice, of_1000: u64, full: bool) {
    if full {
        node.fail_next_write(WriteFault::Before);
    } else if dice.chance(of_1000) {
        let fault = match dice.roll(4) {
            0 => WriteFault::Before,
            1 => WriteFault::Full,
            2 => WriteFault::AtCommit,
            _ => WriteFault::AfterCommit,
        };
        node.fail_next_write(fault);
    }
}
