//! All stages in one process: a seeded bus, a virtual clock that jumps from one wish to the next, and the simulated
//! world. Stages can be killed and started again, the bus can lose its memory, messages can be lost.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use bus_client::{
    Config, Node, Publication,
    transport::local::{Faults, LocalBus},
};
use contracts::{Address, Body, receive};
use market::Timestamp;
use simworld::{World, WorldConfig};
use tempfile::TempDir;

use crate::stages::{STAGES, open};

/// Steps without an end of messages; more is a loop between stages.
const ROUNDS_MAX: usize = 20_000;
/// First instant of the simulated world.
pub const START: &str = "2026-03-02T08:00:00Z";
/// The universe of the tests.
pub const TICKERS: [&str; 8] =
    ["NRDW.US", "PRVL.US", "QXTM.US", "RHNA.EU", "ALPB.EU", "BVRN.EU", "MGLW.EU", "THMB.EU"];

/// What happened to one stage, for examinations that replay it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Path on the wire.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Virtual time.
    pub now: Timestamp,
}

/// The whole system in one process.
pub struct Pipeline {
    /// The bus, open to tests that want to do harm.
    pub bus: LocalBus,
    /// The simulated world.
    pub world: Rc<RefCell<World>>,
    /// What each stage heard, when asked for.
    pub heard: BTreeMap<String, Vec<Heard>>,
    /// Every payload published, by topic on the wire, newest last, when asked for.
    pub published: Vec<(Timestamp, Publication)>,
    /// Whether `heard` and `published` are kept.
    pub recording: bool,
    nodes: BTreeMap<String, Box<dyn Node>>,
    names: Vec<String>,
    now: Timestamp,
    folder: TempDir,
    config: Config,
}

impl Pipeline {
    /// A world of this seed with all stages, and this many evaluators.
    ///
    /// # Panics
    /// When a stage cannot start, with its sentence.
    #[must_use]
    pub fn new(seed: u64, evaluators: u32) -> Pipeline {
        Pipeline::with(seed, evaluators, "")
    }

    /// As [`Pipeline::new`], with more text for `steward.toml`.
    ///
    /// # Panics
    /// As [`Pipeline::new`].
    #[must_use]
    pub fn with(seed: u64, evaluators: u32, more: &str) -> Pipeline {
        let folder = crate::memory_folder();
        let config = config(folder.path(), seed, more);
        Pipeline::of(usual(seed), evaluators, folder, config)
    }

    /// As [`Pipeline::new`], in a world of its own: another preset, another manner of writing, other securities.
    ///
    /// # Panics
    /// As [`Pipeline::new`].
    #[must_use]
    pub fn in_world(world: WorldConfig, evaluators: u32) -> Pipeline {
        let folder = crate::memory_folder();
        let usual = || TICKERS.iter().map(|ticker| (*ticker).to_string()).collect::<Vec<_>>();
        let tickers = world.tickers.clone().unwrap_or_else(usual);
        let names: Vec<&str> = tickers.iter().map(String::as_str).collect();
        crate::stages::write_secrets(folder.path());
        let text =
            format!("environment = \"sim:{}\"\ndir = \".\"\n{}", world.seed, crate::stages::settings(&names));
        let config = Config::parse(&text, &folder.path().join("steward.toml"));
        let world = WorldConfig { tickers: Some(tickers), ..world };
        Pipeline::of(world, evaluators, folder, config.unwrap_or_else(|error| panic!("{error}")))
    }

    /// As [`Pipeline::new`], with orders `live` at the simulated broker or in `research`.
    ///
    /// # Panics
    /// As [`Pipeline::new`].
    #[must_use]
    pub fn in_mode(seed: u64, evaluators: u32, mode: &str) -> Pipeline {
        let folder = crate::memory_folder();
        let settings =
            crate::stages::settings(&TICKERS).replace("mode = \"live\"", &format!("mode = {mode:?}"));
        crate::stages::write_secrets(folder.path());
        let text = format!("environment = \"sim:{seed}\"\ndir = \".\"\n{settings}");
        let config = Config::parse(&text, &folder.path().join("steward.toml"));
        Pipeline::of(usual(seed), evaluators, folder, config.unwrap_or_else(|error| panic!("{error}")))
    }

    fn of(mut world: WorldConfig, evaluators: u32, folder: TempDir, config: Config) -> Pipeline {
        let (seed, start) = (world.seed, world.start);
        world.rules.throttle = false;
        let mut pipeline = Pipeline {
            bus: LocalBus::new(seed),
            world: Rc::new(RefCell::new(World::new(world).expect("a valid world"))),
            heard: BTreeMap::new(),
            published: Vec::new(),
            recording: false,
            nodes: BTreeMap::new(),
            names: names(evaluators),
            now: start,
            folder,
            config,
        };
        pipeline.start_missing();
        pipeline
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The folder of the stores.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a stage keeps its rows.
    #[must_use]
    pub fn store_file(&self, name: &str) -> std::path::PathBuf {
        self.config.store_file(name)
    }

    /// Ends a stage at once, as `kill -9` does: what it had committed stays, everything else is gone.
    pub fn kill(&mut self, name: &str) {
        self.nodes.remove(name);
        self.bus.disconnect(name);
    }

    /// Starts whatever is not running.
    ///
    /// # Panics
    /// As [`Pipeline::new`].
    pub fn start_missing(&mut self) {
        for name in self.names.clone() {
            if !self.nodes.contains_key(&name) {
                let node = open(&name, &self.config, &self.world);
                self.nodes.insert(name.clone(), node);
                self.connect(&name);
            }
        }
    }

    /// The broker is restarted: everybody connects anew and repeats.
    pub fn restart_bus(&mut self) {
        self.bus.restart();
        for name in self.names.clone() {
            self.connect(&name);
        }
    }

    fn connect(&mut self, name: &str) {
        let Some(node) = self.nodes.get(name) else { return };
        self.bus.connect(name, &node.filters());
        let mut said = node.repeat();
        let health = node.health(0, true);
        let now = self.now;
        said.extend(self.nodes.get_mut(name).map(|node| node.publish_health(health, now)));
        self.publish(said);
    }

    fn publish(&mut self, publications: Vec<Publication>) {
        for publication in publications {
            self.bus.publish(&publication);
            if self.recording {
                self.published.push((self.now, publication));
            }
        }
    }

    /// Delivers everything and performs every call until nothing moves. Returns how many inputs were handled.
    ///
    /// # Panics
    /// When stages never come to rest, or one fails for good.
    pub fn settle(&mut self) -> usize {
        let mut inputs = 0;
        for _ in 0..ROUNDS_MAX {
            let before = inputs;
            for name in self.names.clone() {
                while let Some((topic, payload)) = self.bus.take(&name) {
                    inputs += 1;
                    if self.recording {
                        let heard = Heard { topic: topic.clone(), payload: payload.clone(), now: self.now };
                        self.heard.entry(name.clone()).or_default().push(heard);
                    }
                    let now = self.now;
                    let Some(node) = self.nodes.get_mut(&name) else { break };
                    let said =
                        node.deliver(&topic, &payload, now).unwrap_or_else(|error| panic!("{name}: {error}"));
                    self.publish(said);
                }
                inputs += self.work(&name);
            }
            if inputs == before {
                return inputs;
            }
        }
        panic!("the stages never come to rest at {}", self.now);
    }

    /// Timers that are due and calls that wait.
    fn work(&mut self, name: &str) -> usize {
        let mut done = 0;
        let now = self.now;
        while let Some(node) = self.nodes.get_mut(name) {
            let due = node.wake_at().is_some_and(|then| then <= now);
            let said = if due { Some(node.tick(now)) } else { None };
            let said = match said {
                Some(said) => Some(said),
                None => node.perform(now).transpose(),
            };
            let Some(said) = said else { break };
            done += 1;
            assert!(done < ROUNDS_MAX, "{name} never comes to rest at {now}");
            self.publish(said.unwrap_or_else(|error| panic!("{name}: {error}")));
        }
        done
    }

    /// Goes to the next instant at which a stage wants to act, but not past `end`, and settles there.
    pub fn step(&mut self, end: Timestamp) {
        let next = self.nodes.values().filter_map(|node| node.wake_at()).min().unwrap_or(end);
        self.now = next.clamp(self.now.saturating_plus_ms(1), end);
        self.world.borrow_mut().advance_to(self.now);
        self.settle();
        self.repair();
    }

    /// Runs until this instant.
    pub fn run_until(&mut self, end: Timestamp) {
        self.settle();
        while self.now < end {
            self.step(end);
        }
    }

    /// Runs for so many virtual days.
    pub fn run_days(&mut self, days: i64) {
        let end = self.now.saturating_plus_ms(days * 86_400_000);
        self.run_until(end);
    }

    /// Lost messages are noticed by their fingerprints, as the keeper does it on a real bus.
    fn repair(&mut self) {
        let healths: Vec<_> = self.nodes.values().map(|node| node.health(0, true)).collect();
        let mut repeats = Vec::new();
        for owner in &healths {
            let missed = healths.iter().any(|reader| {
                let should = owner.said.get(contracts::stage_of(&reader.stage)).copied().unwrap_or(0);
                let seen = reader.seen.get(contracts::stage_of(&owner.stage)).copied().unwrap_or(0);
                should != seen
            });
            if missed {
                repeats.extend(self.nodes.get(&owner.stage).map(|node| node.repeat()));
            }
        }
        if repeats.is_empty() {
            return;
        }
        for said in repeats {
            self.publish(said);
        }
        self.settle();
    }

    /// From now on this is how bad the bus is.
    pub fn set_faults(&mut self, faults: Faults) {
        self.bus.set_faults(faults);
    }

    /// A live statement, as a newcomer would get it from the bus.
    #[must_use]
    pub fn statement<B: Body>(&self, key: &str) -> Option<B> {
        let wire = B::TOPIC.spec().address(&self.config.bus.prefix, key);
        receive::<B>(key, self.bus.retained(&wire)?).ok()?.body
    }

    /// All live statements of a type.
    #[must_use]
    pub fn statements<B: Body>(&self) -> Vec<B> {
        self.bus
            .all_retained()
            .filter_map(|(wire, payload)| {
                let address = Address::parse(&self.config.bus.prefix, wire).ok()?;
                (address.topic == B::TOPIC).then(|| receive::<B>(&address.key, payload).ok()?.body)?
            })
            .collect()
    }

    /// The stage, for asking about its health.
    ///
    /// # Panics
    /// When it is not running.
    #[must_use]
    pub fn node(&self, name: &str) -> &dyn Node {
        self.nodes.get(name).map(AsRef::as_ref).expect("the stage is running")
    }
}

/// The usual world of a seed.
fn usual(seed: u64) -> WorldConfig {
    let mut world = WorldConfig::new(seed, START.parse().expect("a valid instant"));
    world.tickers = Some(TICKERS.iter().map(|ticker| (*ticker).to_string()).collect());
    world
}

fn names(evaluators: u32) -> Vec<String> {
    let single = STAGES.iter().filter(|name| **name != "evaluate").map(|name| (*name).to_string());
    single.chain((1..=evaluators).map(|number| format!("evaluate-{number}"))).collect()
}

/// The configuration of a simulated system in a folder.
///
/// # Panics
/// When the text is no valid configuration, with its sentence.
#[must_use]
pub fn config(folder: &Path, seed: u64, more: &str) -> Config {
    let text =
        format!("environment = \"sim:{seed}\"\ndir = \".\"\n{}\n{more}", crate::stages::settings(&TICKERS));
    crate::stages::write_secrets(folder);
    Config::parse(&text, &folder.join("steward.toml")).unwrap_or_else(|error| panic!("{error}"))
}
