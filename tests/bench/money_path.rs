//! The money path: how long the gate takes to judge, how long an approval takes to the broker's door over the real bus,
//! and how much memory the two programs take that hold the keys.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use contracts::{
    ApprovalKey, Body, ClockMode, ClockState, Envelope, Finite, Health, HealthState, Id, Mode, OrderApproved,
    Sample, Security, Universe, Venue,
};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity, Rate};
use risk_gate::checks::{GateOrder, GateSecurity, GateSettings, GateState, gate};
use steward_tests::processes::{Listener, eventually, ports, programs, pss_kb};

use crate::{Figures, quantile};

/// Adds the figures of the money path.
pub fn measure(figures: &mut Figures) {
    judging(figures);
    if !figures.small {
        to_the_broker(figures);
    }
}

/// A buy that passes every check: the longest way through the gate.
fn judging(figures: &mut Figures) {
    let rounds: u32 = if figures.small { 20 } else { 20_000 };
    let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
    let order = GateOrder {
        symbol: "DE000SMX0015".into(),
        side: Some(contracts::Side::Buy),
        quantity: Quantity::from_units(10).unwrap(),
        price: Price::from_e6(50_000_000).ok(),
        currency: Currency::EUR,
        kind: contracts::OrderKind::Normal,
    };
    let security = GateSecurity {
        known: true,
        allow_buy: true,
        allow_sell: true,
        min_lot: Quantity::from_units(1).unwrap(),
        tick: Price::from_e6(10_000).ok(),
        strict_hours: false,
        market_open: true,
    };
    let state = GateState {
        mode: Some(Mode::Live),
        snapshot_age_s: Some(10),
        price_age_s: Some(10),
        breaker: contracts::Breaker::Normal,
        since_last_trade_s: Some(100_000),
        trades_today: 0,
        trades_week: 0,
        pending_order: Some(false),
        since_submission_s: None,
        since_last_sell_s: None,
        days_since_last_buy: None,
        days_since_last_transaction: None,
        days_since_last_sell: None,
        position_quantity: Quantity::ZERO,
        avg_price: None,
        position_value_eur: Some(eur(0)),
        portfolio_value_eur: Some(eur(100_000)),
        balances: [(Currency::EUR, eur(20_000))].into(),
        pending_buy_value: [].into(),
        limiting_bucket: [].into(),
        eur_per_unit: [(Currency::EUR, Rate::ONE)].into(),
    };
    let settings = GateSettings::default();
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let verdict = gate(&order, &security, &state, &settings);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(verdict.code, None);
    }
    times.sort_by(f64::total_cmp);
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        if let Some(value) = quantile(&times, share) {
            figures.note(format!("the gate judges an order, {name}"), value, "ms");
        }
    }
}

/// A broker's door: answers every look with an empty, rich account and with the orders that came, all refused so that none
/// stays open; and tells when a placement arrives.
fn door(seen: mpsc::SyncSender<Instant>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(Mutex::new(Vec::<String>::new()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (seen, came) = (seen.clone(), came.clone());
            std::thread::spawn(move || {
                let mut number = 5_510_000_000_u64;
                let mut buffer = Vec::new();
                let mut chunk = [0_u8; 8_192];
                loop {
                    while let Some(end) = whole(&buffer) {
                        let request: Vec<u8> = buffer.drain(..end).collect();
                        let text = String::from_utf8_lossy(&request).to_string();
                        number += 1;
                        let body = if text.contains("putTradeOrder") {
                            let _ = seen.send(Instant::now());
                            came.lock().unwrap().push(refused(&text, number));
                            format!("{{\"order_id\":{number}}}")
                        } else if text.contains("getPositionJson") {
                            "{\"result\":{\"ps\":{\"loaded\":true,\"acc\":[{\"s\":\"1000000.00\",\"curr\":\"EUR\",\"currval\":1,\"forecast_in\":\"0\",\"forecast_out\":\"0\",\"t2_in\":\"0\",\"t2_out\":\"0\"}],\"pos\":[]}}}".to_string()
                        } else if text.contains("getTradesHistory") {
                            "{\"trades\":{\"trade\":[],\"max_trade_id\":[{\"@text\":\"0\"}]}}".to_string()
                        } else if text.contains("getOrdersHistory") {
                            format!(
                                "{{\"orders\":{{\"key\":\"x\",\"order\":[{}]}}}}",
                                came.lock().unwrap().join(",")
                            )
                        } else {
                            "{\"result\":{\"orders\":{\"key\":\"x\",\"order\":[]}}}".to_string()
                        };
                        let reply = format!(
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        if stream.write_all(reply.as_bytes()).is_err() {
                            return;
                        }
                    }
                    match stream.read(&mut chunk) {
                        Ok(count) if count > 0 => buffer.extend_from_slice(&chunk[..count]),
                        _ => return,
                    }
                }
            });
        }
    });
    port
}

/// The broker's row of an order that it refused, from the text of its placement.
fn refused(placement: &str, number: u64) -> String {
    let value = |field: &str| {
        let rest = placement.split(&format!("\"{field}\":")).nth(1).unwrap_or_default();
        rest.split([',', '}']).next().unwrap_or_default().to_string()
    };
    format!(
        "{{\"id\":{number},\"date\":\"2026-03-02T12:00:00\",\"stat\":70,\"instr\":{},\"oper\":{},\"type\":2,\"cur\":\"EUR\",\"p\":{},\"q\":{},\"leaves_qty\":{},\"exp\":1,\"user_order_id\":{},\"text\":\"no\"}}",
        value("instr_name"),
        value("action_id"),
        value("limit_price"),
        value("qty"),
        value("qty"),
        value("user_order_id"),
    )
}

/// Length of the first whole request, if there is one.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
    let length =
        text.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next()?.trim().parse().ok());
    let end = head + length.unwrap_or(0);
    (buffer.len() >= end).then_some(end)
}

struct Programs(Vec<Child>);

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Says something on the bus as the stage that owns it.
struct Voice {
    client: rumqttc::Client,
    version: u64,
}

impl Voice {
    fn new(port: u16, user: &str, password: &str) -> Voice {
        let mut options = rumqttc::MqttOptions::new(format!("bench-{user}"), "127.0.0.1", port);
        options.set_credentials(user, password);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = rumqttc::Client::new(options, 64);
        std::thread::spawn(move || while connection.recv().is_ok_and(|event| event.is_ok()) {});
        Voice { client, version: 1 << 40 }
    }

    fn say<B: Body>(&mut self, stage: &str, at: Timestamp, body: B) {
        self.version += 1;
        let id = Id::derive(at, &["bench", stage, &self.version.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let stage = stage.to_string();
        let envelope = Envelope { id, key_version: self.version, at, stage, trace: id, cause: None, body };
        self.client.publish(topic, rumqttc::QoS::AtLeastOnce, true, envelope.encode().unwrap()).unwrap();
    }
}

/// A day of virtual time that runs as fast as the real one.
fn day(number: i64) -> ClockState {
    let first: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    ClockState {
        mode: ClockMode::Scaled,
        v0: first.saturating_plus_ms(number * 86_400_000),
        w0_unix_ms: bus_client::wall().ms(),
        speed: Finite::new(1.0).unwrap(),
        epoch: u64::try_from(number).unwrap() + 1,
        step: 0,
        start: first,
        until: None,
        ended: false,
    }
}

/// Lets everything that is under way be heard and written.
fn quiet(bus: &mut Listener) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(100) {
        bus.next(Duration::from_millis(5));
    }
}

/// The real programs on the real bus: from the approval's publication to its request at the broker.
fn to_the_broker(figures: &mut Figures) {
    const COUNT: i64 = 150;
    let (sender, seen) = mpsc::sync_channel(64);
    let broker_port = door(sender);
    let folder = tempfile::tempdir().unwrap();
    let port = ports();
    let config = folder.path().join("steward.toml");
    std::fs::write(
        &config,
        format!(
            "environment = \"sim:1\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n[stage.risk-gate]\nmode = \"live\"\n[stage.execute]\nbroker_url = \"http://127.0.0.1:{broker_port}/tn\"\npublic_key = \"sim-public-key-0001\"\nprivate_key_file = \"keys/broker\"\n"
        ),
    )
    .unwrap();
    steward_tests::stages::write_secrets(folder.path());
    let start = |program: &str| {
        Command::new(programs().join(program))
            .arg("--config")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut running = Programs(vec![start("steward-broker")]);
    eventually("the broker listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let password = |user: &str| {
        let text = std::fs::read_to_string(folder.path().join("credentials").join(user)).unwrap();
        text.trim().to_string()
    };
    let mut world = Voice::new(port, "simworld", &password("simworld"));
    let mut gate = Voice::new(port, "risk-gate", &password("risk-gate"));
    world.say("simworld", day(0).v0, day(0));
    running.0.extend([start("steward-risk-gate"), start("steward-execute")]);
    let mut bus = Listener::connect(port, "steward-bench", Some(("steward", &password("steward"))));
    // Whichever is there first: a statement that passed by while the other was awaited does not come again.
    let there = std::cell::RefCell::new(std::collections::BTreeSet::new());
    bus.wait_for::<Health>("both are there", Duration::from_secs(10), |health| {
        if health.state == HealthState::Healthy {
            there.borrow_mut().insert(health.stage.clone());
        }
        ["risk-gate", "execute"].iter().all(|stage| there.borrow().contains(*stage))
    });
    // What execute looks at by itself right before it sends: that the venue is open, and the tick of each security.
    let isin = |number: i64| market::Isin::with_check_digit(&format!("XB{number:09}")).unwrap();
    let listed =
        |number| Security { isin: isin(number), ticker: format!("BN{number}.EU"), ..Security::sample() };
    let universe = Universe { securities: (0..COUNT).map(listed).collect() };
    let mut ingest = Voice::new(port, "ingest", &password("ingest"));
    ingest.say("ingest", day(0).v0, universe);
    ingest.say("ingest", day(0).v0, Venue { next_change: Some(day(COUNT + 2).v0), ..Venue::sample() });
    bus.wait_for::<Venue>("the venue is known", Duration::from_secs(10), |venue| venue.open);
    let heard = Instant::now();
    while heard.elapsed() < Duration::from_millis(500) {
        bus.next(Duration::from_millis(50));
    }
    let key: ApprovalKey = bus_client::approval_key(folder.path()).unwrap();
    let mut latencies = Vec::new();
    for number in 0..COUNT {
        // One order a day, and everything about the one before is written when it comes.
        let today = day(number + 1);
        let now = today.v0;
        world.say("simworld", now, today);
        quiet(&mut bus);
        // Each order has a security of its own, so that no other one stands in its way.
        let approval = key.sign(OrderApproved {
            order_id: Id::derive(now, &["bench", &number.to_string()]),
            isin: isin(number),
            ticker: format!("BN{number}.EU"),
            mode: Mode::Live,
            issued: now,
            expires: now.saturating_plus_ms(contracts::APPROVAL_LIFE_MS),
            ..OrderApproved::sample()
        });
        let sent = Instant::now();
        gate.say("risk-gate", now, approval);
        let Ok(arrived) = seen.recv_timeout(Duration::from_secs(5)) else {
            println!("approval {number} did not reach the broker");
            continue;
        };
        latencies.push(arrived.duration_since(sent).as_secs_f64() * 1e3);
        quiet(&mut bus);
    }
    latencies.sort_by(f64::total_cmp);
    #[allow(clippy::cast_precision_loss)]
    figures.note("approval to the broker's door over the bus, samples", latencies.len() as f64, "");
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        if let Some(value) = quantile(&latencies, share) {
            figures.note(format!("approval to the broker's door over the bus, {name}"), value, "ms");
        }
    }
    let kb: u64 = running.0[1..].iter().filter_map(|child| pss_kb(child.id())).sum();
    #[allow(clippy::cast_precision_loss)]
    figures.note("memory of gate and execute (sum of PSS)", kb as f64 / 1024.0, "MB");
}
