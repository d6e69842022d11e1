//! Measures how long a message takes through the broker, with and without `TCP_NODELAY` on the broker's side.
//!
//! One publisher and one subscriber in this process. Every ten milliseconds three messages come one after the other,
//! and the subscriber, as a stage does, then publishes something itself: the traffic in which a delayed
//! acknowledgement and Nagle's algorithm meet. Prints the median and the 99th percentile in microseconds from handing
//! over to arrival, and the memory of the process at the end.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use broker::{Config, Limits, credentials};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};

const BURSTS: usize = 150;
const BURST: usize = 3;
const PAUSE: Duration = Duration::from_millis(10);

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

/// Sends bursts and notes how long each of their messages takes.
async fn measure(addr: SocketAddr, dir: &Path, qos: QoS, bytes: usize) -> Vec<Duration> {
    let topic = format!("latency/{}/{bytes}", qos as u8);
    let (reader, mut reads) = connect(addr, dir, "score");
    reader.subscribe(&topic, qos).await.unwrap();
    while !matches!(reads.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    let (arrivals, mut arrived) = tokio::sync::mpsc::channel(BURST);
    let reading = tokio::spawn(async move {
        while let Ok(event) = reads.poll().await {
            if matches!(event, Event::Incoming(Packet::Publish(_))) {
                arrivals.send(Instant::now()).await.unwrap();
            }
        }
    });
    let (writer, mut writes) = connect(addr, dir, "ingest");
    let writing = tokio::spawn(async move { while writes.poll().await.is_ok() {} });
    let mut times = Vec::with_capacity(BURSTS * BURST);
    for _ in 0..BURSTS {
        let mut sent = Vec::with_capacity(BURST);
        for _ in 0..BURST {
            sent.push(Instant::now());
            writer.publish(&topic, qos, false, vec![7; bytes]).await.unwrap();
            // Lets the message go out alone, so that the next one finds it unacknowledged.
            tokio::task::yield_now().await;
        }
        for start in sent {
            times.push(arrived.recv().await.unwrap() - start);
        }
        reader.publish("latency/answer", QoS::AtMostOnce, false, "read").await.unwrap();
        tokio::time::sleep(PAUSE).await;
    }
    reading.abort();
    writing.abort();
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
