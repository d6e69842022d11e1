//! The examination that every stage sits, with what it really hears in a day of the whole system: each input twice,
//! in another order, late, from the retained statements again; stopped after every step; unknown versions; empty
//! stores; oversize and unreadable payloads.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::OnceLock};

use bus_client::{Node, Publication};
use contracts::{Address, Class, Health, TopicId, examine};
use market::Timestamp;
use simworld::{World, WorldConfig};
use steward_tests::{
    pipeline::{Heard, Pipeline, START, TICKERS, config},
    stages::{STAGES, open},
};

/// Messages of one address and of one topic that an examination repeats, so that a long day stays a short examination
/// and yet holds every kind of message.
const OF_ADDRESS: usize = 5;
const OF_TOPIC: usize = 24;
const PREFIX: &str = "steward";

/// A day of the whole system, recorded once: what each stage heard.
fn day() -> &'static BTreeMap<String, Vec<Heard>> {
    static DAY: OnceLock<BTreeMap<String, Vec<Heard>>> = OnceLock::new();
    DAY.get_or_init(|| {
        let mut pipeline = Pipeline::new(7, 1);
        pipeline.recording = true;
        pipeline.run_days(1);
        let mut heard = pipeline.heard;
        for inputs in heard.values_mut() {
            thin_out(inputs);
        }
        heard
    })
}

fn thin_out(inputs: &mut Vec<Heard>) {
    let mut addresses: BTreeMap<String, usize> = BTreeMap::new();
    let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
    inputs.retain(|input| {
        let Ok(address) = Address::parse(PREFIX, &input.topic) else { return false };
        let (of_address, of_topic) = (
            addresses.entry(address.to_string()).or_insert(0),
            topics.entry(address.topic.spec().name).or_insert(0),
        );
        let kept = *of_address < OF_ADDRESS && *of_topic < OF_TOPIC;
        if kept {
            (*of_address, *of_topic) = (*of_address + 1, *of_topic + 1);
        }
        kept
    });
}

/// One stage on its own, with a world of its own.
struct Examinee {
    name: String,
    folder: tempfile::TempDir,
    world: Rc<RefCell<World>>,
    node: Option<Box<dyn Node>>,
}

impl Examinee {
    fn new(name: &str) -> Examinee {
        let mut world = WorldConfig::new(7, START.parse().unwrap());
        world.tickers = Some(TICKERS.iter().map(|ticker| (*ticker).to_string()).collect());
        world.rules.throttle = false;
        let world = Rc::new(RefCell::new(World::new(world).unwrap()));
        let mut examinee =
            Examinee { name: name.into(), folder: tempfile::tempdir().unwrap(), world, node: None };
        examinee.start();
        examinee
    }

    fn start(&mut self) {
        self.node = None;
        let config = config(self.folder.path(), 7, "");
        self.node = Some(open(&self.name, &config, &self.world));
    }

    fn node(&mut self) -> &mut dyn Node {
        self.node.as_deref_mut().unwrap()
    }

    fn hear(&mut self, input: &Heard) -> Vec<Publication> {
        self.world.borrow_mut().advance_to(input.now);
        let said = self.node().deliver(&input.topic, &input.payload, input.now).unwrap();
        self.inspect(&said);
        said
    }

    /// Time passes and calls come back, until the stage rests.
    fn rest(&mut self, now: Timestamp) -> Vec<Publication> {
        self.world.borrow_mut().advance_to(now);
        let mut all = Vec::new();
        for _ in 0..2_000 {
            let due = self.node().wake_at().is_some_and(|then| then <= now);
            let said =
                if due { Some(self.node().tick(now).unwrap()) } else { self.node().perform(now).unwrap() };
            match said {
                Some(said) => all.extend(said),
                None => {
                    self.inspect(&all);
                    return all;
                }
            }
        }
        panic!("{} never rests", self.name);
    }

    /// Whatever it says is declared, its own, readable and within its limit.
    fn inspect(&self, said: &[Publication]) {
        for publication in said {
            let address = Address::parse(PREFIX, &publication.topic)
                .unwrap_or_else(|error| panic!("{}: {error}", self.name));
            let spec = address.topic.spec();
            assert!(spec.is_owned_by(&self.name), "{} published {address}", self.name);
            assert_eq!(publication.retain, spec.class == Class::Statement);
            examine(address.topic, &address.key, &publication.payload)
                .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
    }

    fn refused(&mut self) -> u64 {
        self.node().health(0, true).refused
    }

    /// Its statements as a newcomer would hear them: topic → version and payload.
    fn statements(&mut self) -> BTreeMap<String, (u64, Vec<u8>)> {
        self.node()
            .repeat()
            .into_iter()
            .filter(|publication| !publication.payload.is_empty())
            .map(|publication| (publication.topic, (version(&publication.payload), publication.payload)))
            .collect()
    }
}

fn version(payload: &[u8]) -> u64 {
    contracts::to_json("any", payload).unwrap()["key_version"].as_u64().unwrap()
}

fn body(payload: &[u8]) -> serde_json::Value {
    contracts::to_json("any", payload).unwrap()["body"].take()
}

/// Every stage but the simulator sits it; the simulator's own time is the wall's.
fn each(mut examination: impl FnMut(&str, &[Heard])) {
    for stage in STAGES {
        let name = if *stage == "evaluate" { "evaluate-1" } else { stage };
        let inputs = day().get(name).cloned().unwrap_or_default();
        examination(name, &inputs);
    }
}

fn is_statement(input: &Heard) -> bool {
    Address::parse(PREFIX, &input.topic).is_ok_and(|address| address.topic.spec().class == Class::Statement)
}

#[test]
fn an_empty_store_is_a_beginning_like_any_other() {
    each(|name, _| {
        let mut examinee = Examinee::new(name);
        let start: Timestamp = START.parse().unwrap();
        examinee.rest(start);
        let before = examinee.statements();
        examinee.start();
        let again = examinee.statements();
        for (topic, (version, _)) in &before {
            assert!(again.get(topic).is_some_and(|(later, _)| later >= version), "{name} forgot {topic}");
        }
    });
}

#[test]
fn a_doubled_statement_changes_nothing() {
    each(|name, inputs| {
        let mut examinee = Examinee::new(name);
        for input in inputs.iter().filter(|input| is_statement(input)) {
            examinee.hear(input);
            let again = examinee.hear(input);
            assert!(
                input.payload.is_empty() || again.is_empty(),
                "{name} answered a doubled {} with {:?}",
                input.topic,
                topics(&again)
            );
            examinee.rest(input.now);
        }
    });
}

/// Events, jobs, results, commands and replies carry no version: what keeps them from counting twice is their key.
#[test]
fn whatever_comes_twice_is_done_once() {
    each(|name, inputs| {
        let run = |times: usize| {
            let mut examinee = Examinee::new(name);
            for input in inputs {
                for _ in 0..times {
                    examinee.hear(input);
                }
                examinee.rest(input.now);
            }
            once_only(&examinee.statements())
        };
        assert_eq!(run(1), run(2), "{name} did something twice");
    });
}

#[test]
fn an_older_version_changes_nothing() {
    each(|name, inputs| {
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        let mut examinee = Examinee::new(name);
        let statements: Vec<_> =
            inputs.iter().filter(|input| is_statement(input) && !input.payload.is_empty()).collect();
        for input in &statements {
            examinee.hear(input);
            examinee.rest(input.now);
            let found = version(&input.payload);
            let known = newest.entry(&input.topic).or_insert(found);
            *known = found.max(*known);
        }
        let now = statements.last().map_or(Timestamp::ZERO, |input| input.now);
        for input in statements.iter().filter(|input| version(&input.payload) < newest[input.topic.as_str()])
        {
            let said = examinee.hear(&Heard { now, ..(*input).clone() });
            assert!(said.is_empty(), "{name} believed an old {}: {:?}", input.topic, topics(&said));
        }
    });
}

#[test]
fn retained_statements_again_after_a_restart_repeat_no_effect() {
    each(|name, inputs| {
        let mut examinee = Examinee::new(name);
        let mut now = Timestamp::ZERO;
        for input in inputs {
            examinee.hear(input);
            examinee.rest(input.now);
            now = input.now;
        }
        let before = once_only(&examinee.statements());
        examinee.start();
        for input in inputs.iter().filter(|input| is_statement(input)) {
            examinee.hear(&Heard { now, ..input.clone() });
        }
        examinee.rest(now);
        let after = once_only(&examinee.statements());
        for (topic, body) in &after {
            assert!(
                before.get(topic).is_none_or(|old| old == body),
                "{name} changed {topic} by being started again"
            );
        }
        assert!(
            after.len() <= before.len(),
            "{name} made something anew by being started again: {:?}",
            after.keys().filter(|key| !before.contains_key(*key)).collect::<Vec<_>>()
        );
    });
}

/// What must happen once: orders in all their forms.
fn once_only(statements: &BTreeMap<String, (u64, Vec<u8>)>) -> BTreeMap<String, serde_json::Value> {
    let wanted = ["/order/requested/", "/order/approved/", "/order/refused/"];
    statements
        .iter()
        .filter(|(topic, _)| wanted.iter().any(|part| topic.contains(part)))
        .map(|(topic, (_, payload))| (topic.clone(), body(payload)))
        .collect()
}

#[test]
fn stopped_after_every_step_it_loses_no_statement_and_no_version_falls() {
    each(|name, inputs| {
        let mut examinee = Examinee::new(name);
        let mut known: BTreeMap<String, u64> = BTreeMap::new();
        for (number, input) in inputs.iter().enumerate() {
            // Killed right after the commit: what it wanted to publish or to ask for is lost.
            examinee.hear(input);
            if number % 3 == 0 {
                examinee.rest(input.now);
            }
            for (topic, (version, _)) in examinee.statements() {
                let before = known.insert(topic.clone(), version).unwrap_or(0);
                assert!(
                    version >= before,
                    "{name} let the version of {topic} fall from {before} to {version}"
                );
            }
            if contracts::STAGES
                .iter()
                .any(|stage| stage.name == contracts::stage_of(name) && stage.store.is_some())
            {
                examinee.start();
            }
            for (topic, (version, _)) in examinee.statements() {
                assert!(
                    version >= known.get(&topic).copied().unwrap_or(0),
                    "{name} forgot a version of {topic}"
                );
            }
        }
    });
}

#[test]
fn another_order_of_statements_ends_in_the_same_words() {
    each(|name, inputs| {
        let statements: Vec<_> = latest(inputs);
        let Some(now) = statements.iter().map(|input| input.now).max() else { return };
        let settle = now.saturating_plus_ms(60_000);
        let run = |order: &mut dyn Iterator<Item = &Heard>| {
            let mut examinee = Examinee::new(name);
            examinee.rest(now);
            for input in order {
                examinee.hear(&Heard { now, ..input.clone() });
            }
            examinee.rest(settle);
            comparable(&examinee.statements())
        };
        let forward = run(&mut statements.iter());
        let backward = run(&mut statements.iter().rev());
        assert_eq!(forward, backward, "{name} depends on the order of what it hears");
    });
}

/// Orders on their way among them: what comes of it may differ, but nothing breaks, and no order is answered twice.
#[test]
fn any_order_of_anything_breaks_nothing() {
    each(|name, inputs| {
        for seed in 1..=3_u64 {
            let mut shuffled: Vec<&Heard> = inputs.iter().collect();
            shuffled.sort_by_key(|input| {
                let place = inputs.iter().position(|other| std::ptr::eq(other, *input)).unwrap_or(0);
                (place as u64 + 1)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .rotate_left(23)
                    .wrapping_mul(2 * seed + 1)
            });
            let Some(now) = inputs.iter().map(|input| input.now).max() else { return };
            let mut examinee = Examinee::new(name);
            for input in shuffled {
                examinee.hear(&Heard { now, ..input.clone() });
                examinee.rest(now);
            }
            let said = once_only(&examinee.statements());
            let id = |topic: &String| topic.rsplit('/').next().unwrap_or_default().to_string();
            let of =
                |part: &str| said.keys().filter(|topic| topic.contains(part)).map(id).collect::<Vec<_>>();
            let (approved, refused) = (of("/order/approved/"), of("/order/refused/"));
            assert!(approved.iter().all(|order| !refused.contains(order)), "{name}, seed {seed}");
        }
    });
}

/// The newest statement of each topic, without those on which a stage must act at once.
fn latest(inputs: &[Heard]) -> Vec<Heard> {
    let mut newest = BTreeMap::new();
    for input in inputs.iter().filter(|input| is_statement(input) && !input.payload.is_empty()) {
        if !input.topic.contains("/order/") {
            newest.insert(input.topic.clone(), input.clone());
        }
    }
    newest.into_values().collect()
}

fn comparable(statements: &BTreeMap<String, (u64, Vec<u8>)>) -> BTreeMap<String, String> {
    statements
        .iter()
        .map(|(topic, (_, payload))| (topic.clone(), without_times(body(payload)).to_string()))
        .collect()
}

/// When something was noticed may depend on the order; what is said may not.
fn without_times(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| !matches!(key.as_str(), "at" | "quote" | "run_id" | "started" | "ended"))
            .map(|(key, value)| (key, without_times(value)))
            .collect(),
        serde_json::Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}

#[test]
fn an_unknown_version_an_oversize_and_an_unreadable_payload_change_nothing() {
    each(|name, inputs| {
        let mut examinee = Examinee::new(name);
        for input in inputs.iter().take(40) {
            examinee.hear(input);
            examinee.rest(input.now);
        }
        let Some(last) = inputs.last() else { return };
        let before = examinee.statements();
        let mut expected = examinee.refused();
        let wire = |version: &str| last.topic.replace("/v1/", version);
        let limit = Address::parse(PREFIX, &last.topic).unwrap().topic.spec().max_bytes as usize;
        let bad = [
            (wire("/v9/"), last.payload.clone()),
            (last.topic.clone(), vec![0x81; limit + 1]),
            (last.topic.clone(), b"\xc1not messagepack".to_vec()),
            (last.topic.clone(), b"\x80".to_vec()),
            ("steward/v1/no/such/topic".into(), b"\x80".to_vec()),
        ];
        for (topic, payload) in bad {
            let input = Heard { topic, payload, now: last.now };
            examinee.hear(&input);
            expected += 1;
            assert_eq!(examinee.refused(), expected, "{name} did not refuse {}", input.topic);
        }
        assert_eq!(examinee.statements(), before, "{name} changed its mind over a refused message");
        assert!(examinee.node().health(0, true).last_error.is_some(), "{name} keeps silent about refusals");
    });
}

#[test]
fn what_a_stage_subscribes_to_is_what_it_is_declared_to_read() {
    each(|name, _| {
        let mut examinee = Examinee::new(name);
        for (filter, _) in examinee.node().filters() {
            let plain = filter.rsplit("$share/").next().unwrap().trim_start_matches("evaluate/").to_string();
            let address = Address::parse(PREFIX, &plain.replace('+', "x")).unwrap();
            assert!(address.topic.spec().is_read_by(name), "{name} subscribes to {filter}");
        }
        let health = examinee.node().health(0, true);
        assert_eq!(Health { stage: name.into(), ..health.clone() }, health);
    });
}

#[test]
fn the_recorded_day_holds_every_topic_that_matters() {
    let mut seen: Vec<TopicId> = day()
        .values()
        .flatten()
        .filter_map(|input| Address::parse(PREFIX, &input.topic).ok())
        .map(|address| address.topic)
        .collect();
    seen.sort();
    seen.dedup();
    for topic in [
        TopicId::MarketQuote,
        TopicId::MarketFx,
        TopicId::MarketVenue,
        TopicId::MarketUniverse,
        TopicId::MarketHistory,
        TopicId::PortfolioState,
        TopicId::PortfolioNav,
        TopicId::ScoreSecurity,
        TopicId::TargetWeights,
        TopicId::PlanContext,
        TopicId::PlanJob,
        TopicId::PlanResult,
        TopicId::PlanProposed,
        TopicId::OrderRequested,
        TopicId::OrderApproved,
        TopicId::OrderState,
        TopicId::RiskHalt,
        TopicId::RiskState,
        TopicId::SystemSettings,
    ] {
        assert!(seen.contains(&topic), "no stage heard {} in a day", topic.spec().name);
    }
}

fn topics(said: &[Publication]) -> Vec<&str> {
    said.iter().map(|publication| publication.topic.as_str()).collect()
}
