//! The programs themselves: started, killed, attacked, restarted; on the embedded broker and on another one.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use contracts::{
    Address, Alert, Health, HealthState, OrderApproved, OrderIncident, Quote, RiskHalt, Sample, TopicId,
};
use steward_tests::processes::{
    Demo, Listener, control, eventually, ports, processes_in, programs, report, tail,
};

const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_secs(20);

#[test]
fn the_same_seed_twice_gives_the_same_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let hashes: Vec<_> = ["one.json", "two.json"]
        .iter()
        .map(|name| {
            let file = folder.path().join(name);
            let demo = Demo::start(&[
                "--seed",
                "7",
                "--days",
                "2",
                "--speed",
                "max",
                "--report",
                file.to_str().unwrap(),
            ]);
            let (status, text) = demo.wait(LONG);
            assert!(status.success(), "{}", tail(&text));
            let report = report(&file);
            assert_eq!(report["all_held"], true, "{report:#}");
            assert!(
                !report["orders"].as_array().unwrap().is_empty(),
                "two days without an order prove nothing"
            );
            report["decisions_hash"].as_str().unwrap().to_string()
        })
        .collect();
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn killed_programs_come_back_and_nothing_is_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let demo =
        Demo::start(&["--seed", "3", "--days", "3", "--speed", "max", "--report", file.to_str().unwrap()]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<Health>("the plan is healthy", SHORT, |health| {
        health.stage == "plan" && health.state == HealthState::Healthy
    });
    for program in [
        "steward-execute",
        "steward-portfolio",
        "steward-plan",
        "steward-risk-gate",
        "steward-evaluate",
        "steward-ingest",
        "steward-score",
        "steward-simworld",
    ] {
        let stage = program.trim_start_matches("steward-").to_string();
        let pid = eventually(program, SHORT, || demo.process(program));
        Demo::signal(pid, "-KILL");
        let killed = Instant::now();
        bus.wait_for::<Health>(&format!("{program} is back"), Duration::from_secs(6), |health| {
            contracts::stage_of(&health.stage) == stage
                && health.pid != pid
                && health.state == HealthState::Healthy
        });
        println!("{program} was back after {:.2} s", killed.elapsed().as_secs_f64());
    }
    let (status, text) = demo.wait(LONG);
    assert!(status.success(), "{}", tail(&text));
    assert_eq!(report(&file)["all_held"], true);
}

/// A program that was killed is healthy again in this time …
const HEALTHY_WITHIN: Duration = Duration::from_secs(3);
/// … and has said all its statements again in this.
const SAID_WITHIN: Duration = Duration::from_secs(5);

/// Every program of a demo but the bus, which has a test of its own, and the evaluators, which say nothing that stays.
#[test]
fn every_killed_program_is_healthy_in_three_seconds_and_has_said_everything_in_five() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "1000"]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<Health>("the plan is healthy", SHORT, |health| {
        health.stage == "plan" && health.state == HealthState::Healthy
    });
    let running: std::collections::BTreeSet<String> = demo
        .processes()
        .into_iter()
        .map(|(program, _)| program)
        .filter(|name| name != "steward-broker")
        .collect();
    let named = |program: &str| program.trim_start_matches("steward-").to_string();
    for stage in
        contracts::STAGES.iter().filter(|stage| !matches!(stage.name, "steward" | "broker" | "hardware"))
    {
        assert!(running.iter().any(|program| named(program) == stage.name), "{} does not run", stage.name);
    }
    for program in &running {
        let stage = named(program);
        let mut missing = own_statements(&demo, &stage);
        let count = missing.len();
        let pid = eventually(program, SHORT, || demo.process(program));
        // Only what is said from now on counts.
        let mut bus = demo.client("steward", &format!("steward-{stage}"));
        let kept = Instant::now() + Duration::from_millis(500);
        while Instant::now() < kept {
            bus.next(Duration::from_millis(50));
        }
        Demo::signal(pid, "-KILL");
        let killed = Instant::now();
        let mut healthy = None;
        while killed.elapsed() < SAID_WITHIN && (healthy.is_none() || !missing.is_empty()) {
            let Some((topic, payload)) = bus.next(Duration::from_millis(200)) else { continue };
            let Ok(address) = Address::parse("steward", &topic) else { continue };
            if let Ok(heard) = contracts::receive::<Health>(&address.key, &payload)
                && let Some(health) = heard.body
                && address.topic == TopicId::SystemHealth
                && contracts::stage_of(&health.stage) == stage
            {
                let back = health.pid != pid && health.state == HealthState::Healthy;
                healthy = healthy.or(back.then(|| killed.elapsed()));
            } else if healthy.is_some() || killed.elapsed() > Duration::from_millis(50) {
                missing.retain(|known| *known != topic);
            }
        }
        let said = killed.elapsed();
        let healthy = healthy.unwrap_or_else(|| panic!("{program} is not healthy within {SAID_WITHIN:?}"));
        println!(
            "{program}: healthy after {:.2} s, {count} statements said again after {:.2} s",
            healthy.as_secs_f64(),
            said.as_secs_f64()
        );
        assert!(healthy <= HEALTHY_WITHIN, "{program} was healthy only after {healthy:?}");
        assert!(missing.is_empty(), "{program} did not say again within {SAID_WITHIN:?}: {missing:?}");
    }
}

/// The statements of one stage that stay on the bus; orders and alerts may end at any moment.
fn own_statements(demo: &Demo, stage: &str) -> Vec<String> {
    let mut bus = demo.client("steward", &format!("steward-before-{stage}"));
    let mut all = live(&mut bus, Duration::from_secs(2));
    all.retain(|topic| {
        Address::parse("steward", topic).is_ok_and(|address| {
            let spec = address.topic.spec();
            spec.owners == [stage]
                && !topic.contains("/order/")
                && !topic.contains("/alert/")
                && !topic.contains("/plan/")
        })
    });
    all
}

#[test]
fn an_outsider_without_credentials_or_with_wrong_ones_says_nothing_on_the_bus() {
    use std::io::{Read, Write};
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<RiskHalt>("the gate has spoken", SHORT, |halt| !halt.halted);
    let forged = OrderApproved::sample();
    let topic = TopicId::OrderApproved.spec().address("steward", &forged.order_id.to_string());
    let payload = steward_tests::encode(&serde_json::json!({
        "id": forged.order_id, "key_version": 9_000_000, "at": 1_772_461_867_250_i64, "stage": "risk-gate", "trace": forged.order_id, "cause": null,
        "body": serde_json::to_value(&forged).unwrap(),
    }));
    for (name, login) in [
        ("nobody", None),
        ("a wrong password", Some(("risk-gate", "0123456789abcdef-wrong"))),
        ("an unknown name", Some(("stranger", "0123456789abcdef-wrong"))),
    ] {
        // Does not wait to be let in: a bus that reads on before it has judged would take the message.
        let mut wire = std::net::TcpStream::connect(("127.0.0.1", demo.ports)).unwrap();
        wire.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        wire.write_all(&connect(login)).unwrap();
        drop(wire.write_all(&publish(&topic, &payload)));
        let mut said = Vec::new();
        drop(wire.read_to_end(&mut said));
        // An accepted connection is acknowledged with 32 2 0 0, a message with 64.
        assert!(!said.starts_with(&[0x20, 2, 0, 0]), "{name} was let in");
        assert!(!said.contains(&0x40), "{name}: the message was taken");
    }
    let mut fresh = demo.client("steward", "steward-after");
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        let Some((heard, _)) = fresh.next(Duration::from_millis(200)) else { continue };
        assert!(heard != topic, "the forged approval is on the bus");
        assert!(!heard.contains("order/incident"), "execute heard of it");
    }
}

/// The first packet of MQTT 3.1.1.
fn connect(login: Option<(&str, &str)>) -> Vec<u8> {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let mut body = text("MQTT");
    body.extend([4, if login.is_some() { 0xc2 } else { 0x02 }, 0, 30]);
    body.extend(text("outsider"));
    if let Some((user, password)) = login {
        body.extend(text(user));
        body.extend(text(password));
    }
    packet(0x10, body)
}

/// A message that is to be kept and acknowledged.
fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend([0, 1]);
    body.extend(payload);
    packet(0x33, body)
}

fn packet(kind: u8, body: Vec<u8>) -> Vec<u8> {
    let mut all = vec![kind];
    let mut left = body.len();
    loop {
        let part = u8::try_from(left % 128).unwrap();
        left /= 128;
        all.push(if left > 0 { part | 0x80 } else { part });
        if left == 0 {
            break;
        }
    }
    all.extend(body);
    all
}

#[test]
fn a_key_in_an_error_text_is_in_no_log_and_no_store_of_the_real_programs() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<Quote>("the first quote", SHORT, |_| true);
    let text = format!("bad key {} for {}", simworld::PRIVATE_KEY, simworld::PUBLIC_KEY);
    let rule = serde_json::json!([{
        "id": "leak", "target": "tn", "cmd": "*", "ticker": "*", "when": {"prob": 1.0},
        "effect": {"kind": "error", "code": 12, "text": text},
    }]);
    eventually("the simulated broker misbehaves", SHORT, || {
        control(demo.ports + 1, "POST /sim/faults", &rule.to_string())
    });
    bus.wait_for::<Health>("a stage repeats what the broker said", SHORT, |health| {
        health.last_error.as_deref().is_some_and(|error| error.contains("bad key [hidden]"))
    });
    let hidden = |place: &str, bytes: &[u8]| {
        let all = String::from_utf8_lossy(bytes);
        for key in [simworld::PRIVATE_KEY, simworld::PUBLIC_KEY] {
            assert!(!all.contains(key), "{place} shows {key}");
        }
        all.contains("bad key [hidden]")
    };
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        if let Some((topic, payload)) = bus.next(Duration::from_millis(200)) {
            hidden(&topic, &payload);
        }
    }
    let dir = demo.dir();
    Demo::signal(demo.pid(), "-TERM");
    let mut told = 0;
    let (_, said) = demo.wait_and(LONG, || {
        for folder in ["stores", "log"] {
            for entry in fs::read_dir(dir.join(folder)).into_iter().flatten().map(Result::unwrap) {
                // The simulated broker keeps the rule that makes it say this; nothing of Steward's is in there.
                let is_the_worlds = entry.file_name().to_string_lossy().starts_with("world.db");
                if entry.file_type().unwrap().is_file() && !is_the_worlds {
                    let place = entry.path().display().to_string();
                    told += usize::from(hidden(&place, &fs::read(entry.path()).unwrap()));
                }
            }
        }
    });
    hidden("what it printed", said.as_bytes());
    assert!(told > 0, "no log or store repeats the text, so nothing was proved");
}

#[test]
fn a_killed_broker_loses_nothing_that_is_not_said_again() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
    let before = live(&mut demo.client("steward", "steward-test"), Duration::from_secs(6));
    assert!(before.len() > 40, "only {} statements before", before.len());
    let broker = demo.process("steward-broker").unwrap();
    Demo::signal(broker, "-KILL");
    let killed = Instant::now();
    eventually("another broker", SHORT, || demo.process("steward-broker").filter(|pid| *pid != broker));
    let mut bus = eventually("the new broker answers", SHORT, || {
        std::net::TcpStream::connect(("127.0.0.1", demo.ports))
            .ok()
            .map(|_| demo.client("steward", "steward-again"))
    });
    let mut missing = before.clone();
    while killed.elapsed() < SAID_WITHIN && !missing.is_empty() {
        if let Some((topic, _)) = bus.next(Duration::from_millis(200)) {
            missing.retain(|known| *known != topic);
        }
    }
    println!("all statements were back {:.2} s after the broker was killed", killed.elapsed().as_secs_f64());
    // Orders and alerts may have ended meanwhile; what describes the world may not be missing.
    missing.retain(|topic| !topic.contains("/order/") && !topic.contains("/alert/"));
    assert!(missing.is_empty(), "not said again: {missing:?}");
}

/// Any stage can clear a statement on the bus, and its readers must believe a clearing. The owner does not mean it: the
/// fingerprints differ, and what it says again counts, although no version is newer.
#[test]
fn a_statement_that_a_stranger_cleared_is_back_while_its_owner_goes_on_speaking() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "60"]);
    let mut bus = demo.client("steward", "steward-test");
    let universe = Address { topic: contracts::TopicId::MarketUniverse, key: String::new() };
    let version = eventually("the universe is said", SHORT, || {
        let (topic, payload) = bus.next(SHORT)?;
        let address = Address::parse("steward", &topic).ok().filter(|address| *address == universe)?;
        Some(contracts::receive::<contracts::Universe>(&address.key, &payload).ok()?.meta?.key_version)
    });
    let mut of_universe = contracts::Digest::default();
    of_universe.note(&universe, version);
    // What the plan lacks of ingest's statements, as a sum of fingerprints.
    let mut lacking = |what: &str, amount: u64| {
        let (mut said, mut seen) = (None, None);
        bus.wait_for::<Health>(what, Duration::from_secs(60), |health| {
            match health.stage.as_str() {
                "ingest" => said = health.said.get("plan").copied(),
                "plan" => seen = health.seen.get("ingest").copied(),
                _ => return false,
            }
            said.zip(seen).is_some_and(|(said, seen)| said.wrapping_sub(seen) == amount)
        });
    };
    lacking("ingest and plan are level", 0);
    demo.speaker("score", "score-astray").publish("steward/v1/market/universe", &[]);
    lacking("the plan has lost the universe", of_universe.sum());
    lacking("the plan has the universe again", 0);
}

fn live(bus: &mut Listener, for_so_long: Duration) -> Vec<String> {
    let end = Instant::now() + for_so_long;
    let mut topics = std::collections::BTreeSet::new();
    while Instant::now() < end {
        if let Some((topic, payload)) = bus.next(Duration::from_millis(200)) {
            let statement = Address::parse("steward", &topic)
                .is_ok_and(|address| address.topic.spec().class == contracts::Class::Statement);
            if statement && !payload.is_empty() {
                topics.insert(topic);
            } else {
                topics.remove(&topic);
            }
        }
    }
    topics.into_iter().collect()
}

#[test]
fn a_forged_approval_is_refused_alarms_and_halts() {
    for user in ["score", "bridge"] {
        let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
        let mut bus = demo.client("steward", "steward-test");
        bus.wait_for::<RiskHalt>("the gate has spoken", SHORT, |halt| !halt.halted);
        bus.wait_for::<Health>("execute is healthy", SHORT, |health| {
            health.stage == "execute" && health.state == HealthState::Healthy
        });
        let mut thief = demo.speaker(user, &format!("{user}-thief"));
        let forged = OrderApproved::sample();
        let topic = TopicId::OrderApproved.spec().address("steward", &forged.order_id.to_string());
        let claims = if user == "score" { "score" } else { "risk-gate" };
        let payload = steward_tests::encode(&serde_json::json!({
            "id": forged.order_id, "key_version": 9_000_000, "at": 1_772_461_867_250_i64, "stage": claims, "trace": forged.order_id, "cause": null,
            "body": serde_json::to_value(&forged).unwrap(),
        }));
        thief.publish(&topic, &payload);
        let mut bus = demo.client("steward", "steward-test-2");
        bus.wait_for::<OrderIncident>("the forgery is named", SHORT, |_| true);
        // A fresh client for each: what is retained comes again, in whatever order it happened.
        let mut bus = demo.client("steward", "steward-test-4");
        bus.wait_for::<RiskHalt>("trading is halted", SHORT, |halt| halt.halted);
        let mut bus = demo.client("steward", "steward-test-3");
        bus.wait_for::<Alert>("a person is told", SHORT, |_| true);
        let orders = rusqlite::Connection::open(demo.dir().join("stores/orders.db")).unwrap();
        let known: u32 = orders
            .query_row(
                "SELECT count(*) FROM api_order WHERE order_id = ?1",
                [forged.order_id.to_string()],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(known, 0, "execute took the forged order up");
    }
}

#[test]
fn a_killed_supervisor_leaves_no_orphan() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<Quote>("the first quote", SHORT, |_| true);
    let folder = demo.dir();
    assert!(processes_in(&folder).len() > 10, "the programs of the demo were not found");
    Demo::signal(demo.pid(), "-KILL");
    eventually("every child is gone", SHORT, || processes_in(&folder).is_empty().then_some(()));
}

#[test]
fn a_second_demo_in_the_same_folder_is_refused() {
    let demo = Demo::start(&["--seed", "5", "--days", "400", "--speed", "2000"]);
    let mut bus = demo.client("steward", "steward-test");
    bus.wait_for::<Health>("it runs", SHORT, |_| true);
    let second = Command::new(programs().join("steward"))
        .args(["demo", "--headless", "--seed", "5", "--ports", &ports().to_string(), "--dir"])
        .arg(demo.dir())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains(&demo.pid().to_string()), "{text}");
    let third = Command::new(programs().join("steward"))
        .args(["demo", "--headless", "--ports", &demo.ports.to_string(), "--dir"])
        .arg(tempfile::tempdir().unwrap().path().join("demo"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&third.stderr);
    assert!(!third.status.success() && text.contains(&demo.ports.to_string()), "{text}");
}

#[test]
fn every_program_says_what_it_is_and_names_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for stage in contracts::STAGES.iter().filter(|stage| stage.name != "steward") {
        let program = programs().join(format!("steward-{}", stage.name));
        let help = Command::new(&program).arg("--help").output().unwrap();
        assert!(
            help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Exit codes"),
            "{}",
            stage.name
        );
        let odd = Command::new(&program).arg("--nonsense").output().unwrap();
        assert_eq!(odd.status.code(), Some(2), "{}", stage.name);
        let cases = [
            ("", "environment"),
            ("environment = \"live\"\n[stage.unknown]\n", "stage.unknown"),
            ("environment = 5", "line 1"),
        ];
        for (text, expected) in cases {
            let file = folder.path().join("steward.toml");
            fs::write(&file, text).unwrap();
            let bad =
                Command::new(&program).arg("--config").arg(&file).stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&bad.stderr);
            assert_eq!(bad.status.code(), Some(1), "{}: {said}", stage.name);
            assert!(said.contains(expected), "{}: {said}", stage.name);
            assert_eq!(said.trim().lines().count(), 1, "{} needs one sentence: {said}", stage.name);
        }
    }
}

#[test]
fn a_wrong_password_and_an_absent_broker_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports();
    let config = folder.path().join("steward.toml");
    fs::write(
        &config,
        format!("environment = \"sim:1\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n"),
    )
    .unwrap();
    let mut broker = Command::new(programs().join("steward-broker"))
        .arg("--config")
        .arg(&config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the broker listens", SHORT, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    fs::write(folder.path().join("credentials/keeper"), "0123456789abcdef-wrong").unwrap();
    let said = first_warning(&config);
    assert!(said.contains("our password"), "{said}");
    broker.kill().unwrap();
    broker.wait().unwrap();
    let said = first_warning(&config);
    assert!(said.contains("cannot be reached") && said.contains("bus.url"), "{said}");
}

/// A real file system of two megabytes, filled up. Needs the right to mount one for itself (as root or in a user
/// namespace); where a machine forbids both, the store's own test of a full disk remains.
#[test]
fn a_full_disk_is_one_sentence_and_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |script: &str| {
        Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script])
            .current_dir(folder.path())
            .env("PROGRAM", programs().join("steward-keeper"))
            .output()
    };
    if !inside("mount -t tmpfs -o size=2m tmpfs .").is_ok_and(|output| output.status.success()) {
        println!("left out: this machine lets nobody mount a small disk");
        return;
    }
    let output = inside(
        "mount -t tmpfs -o size=2m tmpfs \"$PWD\" && cd \"$PWD\" && mkdir credentials && chmod 700 credentials
        printf 'environment = \"sim:1\"\\ndir = \".\"\\n[bus]\\nanonymous = true\\n' > steward.toml
        timeout -s TERM 2 \"$PROGRAM\" --config steward.toml 2>/dev/null
        head -c 4m /dev/zero > filler 2>/dev/null
        \"$PROGRAM\" --config steward.toml 2>full; echo \"exit $?\"
        \"$PROGRAM\" --config steward.toml 2>&1; echo \"exit $?\"
        rm filler; timeout -s TERM --preserve-status 2 \"$PROGRAM\" --config steward.toml 2>/dev/null; echo \"then $?\"",
    )
    .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    // Once with its own words going to the full disk as well, once with them shown, once with room again.
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.first() == Some(&"exit 1") && lines.get(2) == Some(&"exit 1"), "{text}");
    assert!(lines[1].contains("keeper.db cannot be written") && lines[1].contains("free space"), "{text}");
    assert_eq!(lines.get(3..), Some(&["then 0"][..]), "{text}");
}

/// What the keeper says first about its bus.
fn first_warning(config: &std::path::Path) -> String {
    use std::io::{BufRead, BufReader};
    let mut keeper = Command::new(programs().join("steward-keeper"))
        .arg("--config")
        .arg(config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(keeper.stderr.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find(|line| line.contains("broker")).unwrap_or_default();
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    said
}

#[test]
fn a_program_told_to_stop_is_gone_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports();
    let config = folder.path().join("steward.toml");
    fs::write(
        &config,
        format!("environment = \"live\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n"),
    )
    .unwrap();
    let mut broker = Command::new(programs().join("steward-broker"))
        .arg("--config")
        .arg(&config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the broker listens", SHORT, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let mut keeper = Command::new(programs().join("steward-keeper"))
        .arg("--config")
        .arg(&config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let password = fs::read_to_string(folder.path().join("credentials/steward")).unwrap();
    let mut bus = Listener::connect(port, "steward-test", Some(("steward", password.trim())));
    bus.wait_for::<Health>("the keeper is healthy", SHORT, |health| health.stage == "keeper");
    for (name, child) in [("keeper", &mut keeper), ("broker", &mut broker)] {
        let told = Instant::now();
        Demo::signal(child.id(), "-TERM");
        let status =
            eventually(&format!("{name} stops"), Duration::from_secs(2), || child.try_wait().unwrap());
        assert!(status.success(), "{name}: {status}");
        println!("{name} stopped after {:.2} s", told.elapsed().as_secs_f64());
    }
}
