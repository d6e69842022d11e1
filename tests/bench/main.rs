//! Measures what the design promises, prints a table and writes `target/bench.json`. Nothing here judges: figures are
//! kept with machine and command in docs/performance.md.
//!
//! `cargo bench --profile ci -p steward-tests --bench steward -- planning` measures planning alone.
//!
//! With `--test` (as `cargo test` calls it) everything runs once, small, so that it cannot rot.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod backfill;
mod evaluate;
mod money_path;
mod planning;
mod scores;
mod weights;

use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use contracts::{Body, ClockState, Health, HealthState, Id, Quote, Sample, TopicId, receive, samples};
use market::Timestamp;
use serde_json::json;
use steward_tests::{
    pipeline::Pipeline,
    processes::{Demo, Listener, eventually, ports, programs, pss_kb},
};

struct Figures {
    rows: Vec<(String, f64, &'static str)>,
    /// By name: what a figure should stay below.
    aims: BTreeMap<String, f64>,
    small: bool,
}

impl Figures {
    fn note(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        println!("{name:<58} {value:>14.3} {unit}");
        self.rows.push((name, value, unit));
    }

    /// A figure that should be below its aim; one that is not says so and fails nothing, machines differ.
    fn below(&mut self, name: impl Into<String>, value: f64, unit: &'static str, aim: f64) {
        let name = name.into();
        let verdict = if value < aim { "ok" } else { "MISSED" };
        println!("{name:<58} {value:>14.3} {unit:<3} aim < {aim} {verdict}");
        self.aims.insert(name.clone(), aim);
        self.rows.push((name, value, unit));
    }

    /// The same where there may be no aim.
    fn against(&mut self, name: impl Into<String>, value: f64, unit: &'static str, aim: Option<f64>) {
        match aim {
            Some(aim) => self.below(name, value, unit, aim),
            None => self.note(name, value, unit),
        }
    }

    fn write(&self) {
        let row = |(name, value, unit): &(String, f64, &'static str)| {
            let aim = self.aims.get(name);
            let met = aim.map(|aim| value < aim);
            json!({"name": name, "value": value, "unit": unit, "aim": aim, "met": met})
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/bench.json");
        fs::write(&file, serde_json::to_string_pretty(&rows).unwrap()).unwrap();
        println!("\nwritten to target/bench.json");
    }
}

fn main() {
    let small = std::env::args().any(|word| word == "--test");
    let mut figures = Figures { rows: Vec::new(), aims: BTreeMap::new(), small };
    // One measurement alone, without the file: `-- backfill`, `-- planning`, `-- scores`, `-- weights`, `-- start`,
    // `-- money`.
    if std::env::args().any(|word| word == "scores") {
        return scores::measure(&mut figures);
    }
    if std::env::args().any(|word| word == "weights") {
        return weights::weights(&mut figures);
    }
    if std::env::args().any(|word| word == "backfill") {
        return backfill::measure(&mut figures);
    }
    if std::env::args().any(|word| word == "planning") {
        evaluate::sequences(&mut figures);
        planning::measure(&mut figures);
        planning::from_quote_to_request(&mut figures);
        return;
    }
    if std::env::args().any(|word| word == "start") {
        return start_and_memory(&mut figures);
    }
    if std::env::args().any(|word| word == "money") {
        return money_path::measure(&mut figures);
    }
    decoding(&mut figures);
    scores::measure(&mut figures);
    money_path::measure(&mut figures);
    one_process(&mut figures);
    weights::weights(&mut figures);
    evaluate::sequences(&mut figures);
    if small {
        return;
    }
    backfill::measure(&mut figures);
    planning::measure(&mut figures);
    runner(&mut figures);
    start_and_memory(&mut figures);
    a_month(&mut figures);
    planning::from_quote_to_request(&mut figures);
    from_cause_to_request(&mut figures);
    figures.write();
}

fn decoding(figures: &mut Figures) {
    let rounds: u32 = if figures.small { 10 } else { 200_000 };
    for topic in
        [TopicId::MarketQuote, TopicId::PortfolioState, TopicId::OrderApproved, TopicId::PlanProposed]
    {
        let example = samples().into_iter().find(|example| example.topic == topic).unwrap();
        let start = Instant::now();
        for _ in 0..rounds {
            contracts::examine(topic, &example.key, black_box(&example.payload)).unwrap();
        }
        let nanos = start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds);
        figures.note(format!("decode {} ({} B)", topic.spec().name, example.payload.len()), nanos, "ns");
    }
}

/// All stages in one process under the virtual clock.
fn one_process(figures: &mut Figures) {
    let days = if figures.small { 0 } else { 30 };
    let mut pipeline = Pipeline::new(7, 1);
    let start = Instant::now();
    pipeline.settle();
    pipeline.run_days(days);
    let seconds = start.elapsed().as_secs_f64();
    let messages: u64 = pipeline.bus.delivered.values().sum();
    figures.note(format!("{days} simulated days, all stages in one process"), seconds, "s");
    figures.note("messages handled in one process", to_f64(messages) / seconds, "1/s");
}

/// How many statements one stage takes from a real broker.
fn runner(figures: &mut Figures) {
    const COUNT: u64 = 30_000;
    let folder = tempfile::tempdir().unwrap();
    let port = ports();
    let config = folder.path().join("steward.toml");
    fs::write(
        &config,
        format!("environment = \"live\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n"),
    )
    .unwrap();
    let start = |program: &str| {
        Command::new(programs().join(program))
            .arg("--config")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut broker = start("steward-broker");
    eventually("the broker listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let mut score = start("steward-score");
    let password = fs::read_to_string(folder.path().join("credentials/steward")).unwrap();
    let mut bus = Listener::connect(port, "steward-bench", Some(("steward", password.trim())));
    bus.wait_for::<Health>("score is healthy", Duration::from_secs(10), |health| {
        health.stage == "score" && health.state == HealthState::Healthy
    });
    let password = fs::read_to_string(folder.path().join("credentials/ingest")).unwrap();
    let publisher = std::thread::spawn(move || publish_quotes(port, password.trim(), COUNT));
    let begin = Instant::now();
    let health = bus.wait_for::<Health>("all quotes are handled", Duration::from_secs(60), |health| {
        health.stage == "score" && health.inputs >= COUNT * 9 / 10
    });
    figures.note(
        "statements through broker and runner to one stage",
        to_f64(health.inputs) / begin.elapsed().as_secs_f64(),
        "1/s",
    );
    publisher.join().unwrap();
    for child in [&mut score, &mut broker] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

fn publish_quotes(port: u16, password: &str, count: u64) {
    let mut options = rumqttc::MqttOptions::new("ingest", "127.0.0.1", port);
    options.set_credentials("ingest", password).set_inflight(64);
    let (client, mut connection) = rumqttc::Client::new(options, 256);
    let sender = std::thread::spawn(move || {
        for number in 1..=count {
            let quote = Quote { at: Timestamp::from_ms(i64::try_from(number).unwrap()), ..Quote::sample() };
            let id = contracts::Id::derive(quote.at, &["bench"]);
            let envelope = json!({"id": id, "key_version": number, "at": quote.at, "stage": "ingest", "trace": id, "cause": null, "body": quote});
            let topic = Quote::TOPIC.spec().address("steward", &quote.key());
            client.publish(topic, rumqttc::QoS::AtLeastOnce, true, steward_tests::encode(&envelope)).unwrap();
        }
        client.disconnect().unwrap();
    });
    while connection.recv().is_ok_and(|event| event.is_ok()) {}
    sender.join().unwrap();
}

/// Listens to a demo as soon as its broker is there.
fn observer(demo: &Demo) -> Listener {
    eventually("the broker is there", Duration::from_secs(10), || {
        let there = demo.dir().join("credentials/steward").exists()
            && std::net::TcpStream::connect(("127.0.0.1", demo.ports)).is_ok();
        there.then(|| demo.client("steward", "steward-bench"))
    })
}

fn start_and_memory(figures: &mut Figures) {
    let start = Instant::now();
    let demo = Demo::start(&["--seed", "7", "--days", "400", "--speed", "1"]);
    let mut bus = observer(&demo);
    let mut waiting: Vec<&str> =
        contracts::STAGES.iter().map(|stage| stage.name).filter(|name| *name != "steward").collect();
    while !waiting.is_empty() {
        let health = bus.wait_for::<Health>("every stage is healthy", Duration::from_secs(30), |health| {
            health.state == HealthState::Healthy
        });
        waiting.retain(|name| *name != contracts::stage_of(&health.stage));
    }
    figures.below("start of all processes to healthy", start.elapsed().as_secs_f64(), "s", 1.0);
    bus.wait_for::<contracts::PortfolioState>("the account has been read", Duration::from_secs(30), |_| true);
    let settled = Instant::now();
    while settled.elapsed() < Duration::from_secs(5) {
        bus.next(Duration::from_millis(500));
    }
    memory(figures, &demo, "idle", 80.0);
    drop(demo);
    first_words(figures);
}

/// What a pipeline has said once it is at work, from the market to the plan.
const FAMILIES: [TopicId; 10] = [
    TopicId::MarketUniverse,
    TopicId::MarketQuote,
    TopicId::MarketFx,
    TopicId::MarketVenue,
    TopicId::ScoreSecurity,
    TopicId::TargetWeights,
    TopicId::PortfolioState,
    TopicId::PlanProposed,
    TopicId::RiskState,
    TopicId::DisplayState,
];

/// From the command to the first statement of every family, at the speed of `make demo`.
fn first_words(figures: &mut Figures) {
    let start = Instant::now();
    let demo = Demo::start(&["--seed", "7", "--days", "400", "--speed", "1800"]);
    let mut bus = observer(&demo);
    let mut unheard = FAMILIES.to_vec();
    while !unheard.is_empty()
        && let Some((topic, payload)) = bus.next(Duration::from_secs(20))
    {
        let Ok(address) = contracts::Address::parse("steward", &topic) else { continue };
        if !payload.is_empty() && unheard.contains(&address.topic) {
            unheard.retain(|family| *family != address.topic);
            figures.note(
                format!("  {} first said", address.topic.spec().name),
                start.elapsed().as_secs_f64(),
                "s",
            );
        }
    }
    assert!(unheard.is_empty(), "never said: {unheard:?}");
    figures.below("start to the first statement of every family", start.elapsed().as_secs_f64(), "s", 1.0);
}

/// The board has no simulated world: the aim is for all the others.
fn memory(figures: &mut Figures, demo: &Demo, when: &str, aim: f64) {
    let mut sum = 0;
    let mut parts = BTreeMap::new();
    for (name, pid) in demo.processes() {
        let kb = pss_kb(pid).unwrap_or(0);
        sum += kb;
        *parts.entry(name).or_insert(0) += kb;
    }
    let world = parts.get("steward-simworld").copied().unwrap_or(0);
    figures.note(format!("memory of all processes, {when} (sum of PSS)"), to_f64(sum) / 1024.0, "MB");
    let without = to_f64(sum - world) / 1024.0;
    figures.below(format!("  without the simulated world, {when}"), without, "MB", aim);
    for (name, kb) in parts {
        figures.note(format!("  {name}, {when}"), to_f64(kb) / 1024.0, "MB");
    }
}

/// Worlds whose first days bring requests; a world in which nothing is worth buying has none to time.
const WORLDS: [&str; 10] = ["1", "2", "4", "5", "6", "8", "9", "10", "11", "12"];

/// A month as fast as it goes: duration and memory at work.
fn a_month(figures: &mut Figures) {
    let start = Instant::now();
    let seen = as_fast_as_it_goes("7", "30", Some(figures));
    figures.note("30 simulated days, all processes, stepped", start.elapsed().as_secs_f64(), "s");
    figures.note("  steps", to_f64(seen.steps), "");
    figures.note(
        "  messages seen by one observer",
        to_f64(seen.messages) / start.elapsed().as_secs_f64(),
        "1/s",
    );
}

/// How long it takes from what led to a request (a reading of the account, a venue that opened, a fill) to the request, as
/// its trace says. Time is stepped, so the pauses that the stages make on purpose pass at once and what is left is work,
/// the stepping of fifteen programs included.
fn from_cause_to_request(figures: &mut Figures) {
    let mut latencies: Vec<f64> =
        WORLDS.into_iter().flat_map(|seed| as_fast_as_it_goes(seed, "2", None).latencies).collect();
    latencies.sort_by(f64::total_cmp);
    figures.note("cause to order/requested, stepped, samples", to_f64(latencies.len() as u64), "");
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        if let Some(value) = quantile(&latencies, share) {
            figures.note(format!("cause to order/requested, stepped, {name}"), value, "ms");
        }
    }
}

/// What every message says of itself and of its origin.
#[derive(serde::Deserialize)]
struct Head {
    id: Id,
    trace: Id,
}

/// What an observer of a demo saw.
#[derive(Default)]
struct Seen {
    messages: u64,
    steps: u64,
    /// From what led to a request to the request, in ms.
    latencies: Vec<f64>,
}

/// Runs a demo to its end beside an observer; measures memory in the middle where figures are wanted.
fn as_fast_as_it_goes(seed: &str, days: &str, mut memory_into: Option<&mut Figures>) -> Seen {
    let demo = Demo::start(&["--seed", seed, "--days", days, "--speed", "max"]);
    let mut bus = observer(&demo);
    let mut said: BTreeMap<Id, Instant> = BTreeMap::new();
    let mut seen = Seen::default();
    while let Some((topic, payload)) = bus.next(Duration::from_secs(20)) {
        seen.messages += 1;
        let Ok(address) = contracts::Address::parse("steward", &topic) else { continue };
        if address.topic != TopicId::SystemHealth
            && let Ok(head) = rmp_serde::from_slice::<Head>(&payload)
        {
            said.entry(head.id).or_insert_with(Instant::now);
            if address.topic == TopicId::OrderRequested
                && let Some(when) = said.get(&head.trace)
            {
                seen.latencies.push(when.elapsed().as_secs_f64() * 1e3);
            }
        }
        if address.topic != TopicId::SystemClock {
            continue;
        }
        let Some(clock) = body::<ClockState>(&address.key, &payload) else { continue };
        seen.steps = clock.step;
        if clock.step > 500
            && let Some(figures) = memory_into.take()
        {
            memory(figures, &demo, "at work", 160.0);
        }
        if clock.ended {
            break;
        }
    }
    seen
}

fn body<B: Body>(key: &str, payload: &[u8]) -> Option<B> {
    receive::<B>(key, payload).ok()?.body
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = ((sorted.len() as f64 - 1.0) * share).ceil().max(0.0) as usize;
    sorted.get(place).copied()
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(number: u64) -> f64 {
    number as f64
}
