//! The edge against a double of the board's router on a socket of its own.
#![allow(clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use bus_client::{Config, Edge, Engine};
use leds::{Mood, Scene};
use link::{BoardEdge, BoardEvent, Hardware, NextEvent};
use market::Timestamp;
use protocol::{Decoder, Frame, Item, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn engine(folder: &Path, more: &str) -> Engine<Hardware> {
    let folder = folder.display();
    let text = format!(
        "environment = \"sim:1\"\n[stage.hardware]\nrouter_socket = \"{folder}/router.sock\"\nleds = \"{folder}/leds\"\n{more}"
    );
    let config = Config::parse(&text, Path::new("steward.toml")).unwrap();
    Engine::open(&config, "hardware", None, Timestamp::ZERO).unwrap()
}

/// Answers everything, with a status of the heartbeat, until a method has been called; gives its parameters.
async fn serve_until(
    stream: &mut UnixStream,
    decoder: &mut Decoder,
    status: i64,
    wanted: &str,
) -> Vec<Value> {
    let mut bytes = [0_u8; 512];
    loop {
        while let Some(item) = decoder.next_item().unwrap() {
            let Item::Frame(Frame::Request { id, method, params }) = item else { panic!("{item:?}") };
            let result = if method == "$/register" {
                true.into()
            } else {
                Value::Int(if method == "hb" { status } else { 0 })
            };
            stream.write_all(&Frame::Response { id, result: Ok(result) }.encode()).await.unwrap();
            if method == wanted {
                return params;
            }
        }
        let count = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert!(count > 0);
        decoder.feed(&bytes[..count]);
    }
}

async fn event(edge: &BoardEdge) -> BoardEvent {
    timeout(PATIENCE, edge.perform(NextEvent)).await.unwrap()
}

fn on_runtime(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_board_is_greeted_and_drawn_on_and_its_stop_is_heard() {
    on_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("router.sock")).unwrap();
        let engine = engine(folder.path(), "");
        let edge = BoardEdge::open(&engine).unwrap();
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut decoder = Decoder::default();
        let frame = serve_until(&mut stream, &mut decoder, 1, "fr").await;
        assert_eq!(frame[0].as_text().unwrap().len(), 52);
        assert_eq!(event(&edge).await, BoardEvent::Board(Ok(())));
        assert_eq!(event(&edge).await, BoardEvent::Pressed { button: "estop" });
        let scene = Scene {
            mood: Some(Mood::Working),
            text: "buy 3".into(),
            value: None,
            change: None,
            degraded: false,
            gone: false,
        };
        engine.stage().desk().put(scene);
        let text = serve_until(&mut stream, &mut decoder, 0, "tx").await;
        assert_eq!(text[0].as_text(), Some("BUY 3"));
    });
}

#[test]
fn a_router_that_hangs_up_is_reported() {
    on_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("router.sock")).unwrap();
        let edge = BoardEdge::open(&engine(folder.path(), "")).unwrap();
        drop(timeout(PATIENCE, listener.accept()).await.unwrap().unwrap());
        assert!(matches!(event(&edge).await, BoardEvent::Board(Err(_))));
    });
}

#[test]
fn a_machine_without_a_board_is_said_once() {
    on_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let edge = BoardEdge::open(&engine(folder.path(), "")).unwrap();
        assert!(matches!(event(&edge).await, BoardEvent::Board(Err(why)) if why.contains("router.sock")));
        assert!(timeout(Duration::from_millis(50), edge.perform(NextEvent)).await.is_err());
    });
}

#[test]
fn a_stop_button_that_cannot_be_read_is_refused_at_the_start() {
    on_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path(), "stop_button_gpio = 9999999");
        let sentence = BoardEdge::open(&engine).err().unwrap();
        assert!(sentence.contains("`stop_button_gpio` is 9999999"), "{sentence}");
    });
}
