//! The bridge over real sockets on loopback, with a bus inside this process.
#![allow(clippy::unwrap_used)]

use std::{cell::RefCell, collections::VecDeque, net::SocketAddr, rc::Rc, time::Duration};

use bridge::{Bridge, HttpEdge};
use bus_client::{
    Clock, Config, Engine, Place, Publication,
    runner::run,
    transport::{
        Event, Transport,
        local::{LocalBus, LocalTransport},
    },
};
use contracts::{Body, Envelope, FxRates, Halt, Health, Id, Reply, RiskHalt, Sample, receive};
use market::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::LocalSet,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    address: SocketAddr,
    gate: LocalTransport,
    _folder: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

fn publication<B: Body>(from: &str, body: B, version: u64, cause: Option<(Id, Id)>) -> Publication {
    let at = Timestamp::from_ms(1_772_461_867_250);
    let id = Id::derive(at, &[from, &version.to_string()]);
    let topic = B::TOPIC.spec().address("steward", &body.key());
    let (trace, cause) = cause.map_or((id, None), |(command, trace)| (trace, Some(command)));
    let envelope = Envelope { id, key_version: version, at, stage: from.into(), trace, cause, body };
    let retain = B::TOPIC.spec().class == contracts::Class::Statement;
    Publication { topic, payload: envelope.encode().unwrap(), retain, qos: 1 }
}

impl World {
    /// A running bridge, and the risk-gate's place on the bus, to be played by the test.
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let text = "environment = \"live\"\ndir = \"x\"\n[stage.bridge]\nlisten = \"127.0.0.1:0\"";
        let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
        let place = Place::File(folder.path().join("access.db"));
        let engine = Engine::<Bridge>::open(&config, "bridge", Some(place), bus_client::wall()).unwrap();
        let edge = HttpEdge::open(&engine).unwrap();
        let address = edge.address().unwrap();
        let bus = Rc::new(RefCell::new(LocalBus::new(1)));
        let wake = Rc::new(Notify::new());
        let transport = LocalTransport::new(Rc::clone(&bus), "bridge", Rc::clone(&wake));
        let mut gate = LocalTransport::new(bus, "risk-gate", wake);
        gate.subscribe(&[("steward/v1/command/risk-gate/halt".into(), 1)]).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::task::spawn_local(run(engine, transport, edge, Clock::System, async {
            drop(stopped.await);
        }));
        World { address, gate, _folder: folder, _stop: stop }
    }

    fn publish(&mut self, publication: Publication) {
        self.gate.publish(&mut VecDeque::from([publication]));
    }

    /// The next command to the gate, answered.
    async fn obey(&mut self) -> Halt {
        loop {
            if let Event::Message(message) = self.gate.next().await {
                let received = receive::<Halt>("", &message.payload).unwrap();
                let meta = received.meta.unwrap();
                let reply = Reply { id: meta.id, ..Reply::sample() };
                self.publish(publication("risk-gate", reply, 9, Some((meta.id, meta.trace))));
                return received.body.unwrap();
            }
        }
    }

    async fn send(&self, head: &str, body: &str) -> String {
        let host = format!("Host: {}\r\n", self.address);
        let length = format!("Content-Length: {}\r\n", body.len());
        exchange(self.address, &format!("{head} HTTP/1.1\r\n{host}{length}\r\n{body}")).await
    }

    async fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path}"), "").await
    }
}

async fn exchange(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads until the text has come.
async fn wait_for(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut piece = [0_u8; 4_096];
    while !text.contains(wanted) {
        let count = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(count > 0, "the stream ended without `{wanted}`: {text}");
        text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
    text
}

fn in_world<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async { test(World::new()).await });
}

#[test]
fn the_page_and_the_plain_routes_are_served_with_security_headers() {
    in_world(|world| async move {
        for (path, words) in [
            ("/", "<!doctype html>"),
            ("/page.js", "EventSource"),
            ("/page.css", "prefers-color-scheme"),
            ("/api/version", "\"environment\":\"live\""),
            ("/api/topics", "market-quote"),
            ("/api/statements", "\r\n\r\n["),
            ("/api/statements/market-fx", "[]"),
            ("/api/health", "\"unwell\":[]"),
        ] {
            let answer = world.get(path).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(words), "{path}: {answer}");
            assert!(answer.contains("content-security-policy") && answer.contains("nosniff"), "{path}");
        }
    });
}

#[test]
fn errors_are_json_with_a_code() {
    in_world(|world| async move {
        for (head, status, code) in [
            ("GET /nowhere", "404", "not_found"),
            ("DELETE /api/statements", "405", "method_not_allowed"),
            ("GET /api/halt", "405", "method_not_allowed"),
            ("POST /api/events", "405", "method_not_allowed"),
            ("GET /api/statements/nonsense", "404", "unknown_topic"),
            ("GET /api/statements/market-quote/DE000SMX0015", "404", "no_statement"),
        ] {
            let answer = world.send(head, "").await;
            assert!(answer.contains(status) && answer.contains(&format!("\"{code}\"")), "{head}: {answer}");
        }
    });
}

#[test]
fn another_sites_requests_are_refused() {
    in_world(|world| async move {
        let evil = "Host: evil.example\r\n";
        let cross = format!("Host: {}\r\nOrigin: http://evil.example\r\n", world.address);
        for (path, headers) in [("GET /", evil), ("POST /api/halt", &cross), ("GET /api/events", evil)] {
            let request = format!("{path} HTTP/1.1\r\n{headers}Content-Length: 0\r\n\r\n");
            let answer = exchange(world.address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("not_this_machine"), "{answer}");
        }
    });
}

#[test]
fn a_halt_is_asked_for_and_answered() {
    in_world(|mut world| async move {
        let address = world.address;
        let request = format!(
            "POST /api/halt HTTP/1.1\r\nHost: {address}\r\nContent-Length: 20\r\n\r\n{{\"text\": \"Too hot.\"}}"
        );
        let asked = tokio::task::spawn_local(async move { exchange(address, &request).await });
        let halt = timeout(PATIENCE, world.obey()).await.unwrap();
        assert_eq!((halt.actor.as_str(), halt.text.as_str()), ("http", "Too hot."));
        let answer = asked.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Trading is halted."), "{answer}");
    });
}

#[test]
fn bodies_that_are_no_reason_are_refused() {
    in_world(|world| async move {
        let long = format!("{{\"text\": \"{}\"}}", "x".repeat(501));
        let huge = "x".repeat(4_097);
        for (body, code) in [
            ("no json", "invalid_body"),
            ("{\"text\": 1}", "invalid_body"),
            ("{\"text\": \"a\", \"order\": 1}", "invalid_body"),
            ("[]", "invalid_body"),
            (long.as_str(), "invalid_body"),
            (huge.as_str(), "too_large"),
        ] {
            let answer = world.send("POST /api/halt", body).await;
            assert!(answer.contains(code), "{body}: {answer}");
        }
    });
}

#[test]
fn a_head_without_end_or_of_nonsense_is_closed() {
    in_world(|world| async move {
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(20_000));
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        drop(stream.write_all(endless.as_bytes()).await);
        let mut bytes = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
        assert!(ended.is_err() || bytes.is_empty());
        assert!(exchange(world.address, "\u{1}\u{2}\r\n\r\n").await.contains("400"));
    });
}

#[test]
fn events_begin_with_everything_and_go_on_with_changes() {
    in_world(|mut world| async move {
        world.publish(publication("ingest", FxRates::sample(), 1, None));
        while !world.get("/api/statements").await.contains("market-fx") {}
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n", world.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let first = wait_for(&mut stream, "changes follow").await;
        assert!(first.contains("text/event-stream") && first.contains("market-fx"), "{first}");
        world.publish(publication("risk-gate", RiskHalt::sample(), 1, None));
        wait_for(&mut stream, "\"topic\":\"risk-halt\"").await;
        let mut cleared = publication("ingest", FxRates::sample(), 2, None);
        cleared.payload.clear();
        world.publish(cleared);
        wait_for(&mut stream, "\"body\":null").await;
    });
}

#[test]
fn health_is_well_only_when_every_stage_is() {
    in_world(|mut world| async move {
        world.publish(publication("ingest", Health::sample(), 1, None));
        while !world.get("/api/health").await.contains("\"stage\":\"ingest\"") {}
        assert!(world.get("/api/health").await.contains("\"ok\":true"));
    });
}
