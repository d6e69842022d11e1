//! Measures how long a message takes through the broker, with and without `TCP_NODELAY` on the broker's side.
//!
//! One publisher and one subscriber in this process, one message under way at a time; prints the median and the 99th
//! percentile in microseconds, and the memory of the process at the end.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use broker::{Config, Limits, credentials};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};

const MESSAGES: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for no_delay in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            dir: dir.path().to_path_buf(),
            listen: "127.0.0.1:0".parse().unwrap(),
            limits: Limits::default(),
            no_delay,
        };
        let handle = broker::run(&config).unwrap();
        runtime.block_on(async {
            handle.healthy().await.unwrap();
            for (qos, bytes) in [
                (QoS::AtMostOnce, 200),
                (QoS::AtLeastOnce, 200),
                (QoS::AtMostOnce, 4096),
                (QoS::AtLeastOnce, 4096),
            ] {
                let mut times = measure(handle.addr(), dir.path(), qos, bytes).await;
                times.sort_unstable();
                let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_micros();
                println!(
                    "broker no_delay={no_delay:5} QoS {} {bytes:5} B: p50 {:6} us  p99 {:6} us",
                    qos as u8,
                    at(50),
                    at(99)
                );
            }
        });
    }
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    for line in rollup.lines().filter(|line| line.starts_with("Pss:")) {
        println!("this process, clients and two brokers: {line}");
    }
}

/// Sends one message after the other, the next when the last has arrived.
async fn measure(addr: SocketAddr, dir: &Path, qos: QoS, bytes: usize) -> Vec<Duration> {
    let topic = format!("latency/{}/{bytes}", qos as u8);
    let (reader, mut reads) = connect(addr, dir, "score");
    reader.subscribe(&topic, qos).await.unwrap();
    while !matches!(reads.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    let (writer, mut writes) = connect(addr, dir, "ingest");
    let pump = tokio::spawn(async move { while writes.poll().await.is_ok() {} });
    let mut times = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        let start = Instant::now();
        writer.publish(&topic, qos, false, vec![7; bytes]).await.unwrap();
        while !matches!(reads.poll().await.unwrap(), Event::Incoming(Packet::Publish(_))) {}
        times.push(start.elapsed());
    }
    pump.abort();
    times
}

fn connect(addr: SocketAddr, dir: &Path, stage: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(stage, addr.ip().to_string(), addr.port());
    options.set_credentials(stage, credentials::password(dir, stage).unwrap());
    options.set_max_packet_size(512 * 1024, 512 * 1024);
    let (client, mut events) = AsyncClient::new(options, 64);
    let mut network = events.network_options();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    (client, events)
}
