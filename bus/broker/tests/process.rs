//! The real binary: ready, stopped, restarted, and ended by its own faults.
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rumqttc::QoS;
use support::{Client, Process, free_port, options, output, run, settings};

/// Number of SIGABRT.
const ABORT: i32 = 6;

#[test]
fn is_ready_after_its_first_heartbeat_and_feeds_the_watchdog() {
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(dir.path(), free_port());
    process.told("WATCHDOG=1");
}

#[test]
fn a_signal_stops_it_cleanly_and_soon_even_with_clients() {
    for name in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::start(dir.path(), free_port());
        run(async {
            let mut client =
                Client::connect(options(process.addr, &dir.path().join("data"), "plan", "plan")).await;
            client.subscribe("#", QoS::AtLeastOnce).await;
            let start = Instant::now();
            process.signal(name);
            assert_eq!(process.ended().code(), Some(0), "{name}");
            assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
        });
        process.told("STOPPING=1");
    }
}

#[test]
fn nothing_retained_survives_a_restart_but_the_passwords_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let port = free_port();
    let mut process = Process::start(dir.path(), port);
    let before = broker::credentials::password(&data, "plan").unwrap();
    run(async {
        let mut owner = Client::connect(options(process.addr, &data, "plan", "plan")).await;
        owner.publish("plan/proposed", true, "old").await;
    });
    process.signal("-TERM");
    assert!(process.ended().success());
    let process = Process::start(dir.path(), port);
    assert_eq!(broker::credentials::password(&data, "plan").unwrap(), before);
    run(async {
        let mut reader = Client::connect(options(process.addr, &data, "bridge", "bridge")).await;
        reader.subscribe("plan/+", QoS::AtLeastOnce).await;
        reader.publish("plan/end", false, "end").await;
        assert_eq!(reader.next_text().await.1, "end");
    });
}

#[test]
fn a_panic_of_the_router_ends_the_process_instead_of_leaving_it_half_dead() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(dir.path(), free_port());
    run(async {
        let mut client =
            Client::connect(options(process.addr, &dir.path().join("data"), "plan", "plan")).await;
        // The library cuts the topic after its first byte, in the middle of this letter.
        client.client.publish("é", QoS::AtLeastOnce, false, "x").await.unwrap();
        client.ends().await;
    });
    assert_eq!(process.ended().signal(), Some(ABORT));
}

#[test]
fn a_port_in_use_ends_it_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (status, text) = output(&settings(dir.path(), port, ""));
    assert_eq!(status.code(), Some(1));
    assert!(text.contains(&format!("port {port} on 127.0.0.1 is in use by another program; stop")), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn broken_settings_end_it_with_file_line_and_rule() {
    let dir = tempfile::tempdir().unwrap();
    let path = settings(dir.path(), 1883, "[broker]\nmax_inflight = \"many\"\n");
    let (status, text) = output(&path);
    assert_eq!(status.code(), Some(1));
    assert!(text.contains(&format!("{}, line 5: invalid type", path.display())), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn an_address_others_could_reach_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("steward.toml");
    std::fs::write(&path, "dir = \"d\"\n[bus]\nurl = \"mqtt://0.0.0.0:1883\"\n").unwrap();
    let (status, text) = output(&path);
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("is not a loopback address"), "{text}");
}
