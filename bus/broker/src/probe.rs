//! The self-probe: signs in to the own listener as user `broker`, publishes a heartbeat and waits for it to come back.
//!
//! It walks the way of every stage (socket, sign-in, router, log, delivery), so a router that has died or hangs is
//! noticed although the process looks alive. Its traffic also wakes a router that waits although it has work to do.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time;
use tracing::warn;

use crate::guard::PROBE_THREAD;
use crate::health::{Failure, Health, Pulse};
use crate::limits::Limits;

/// Topic of the heartbeat: outside the namespace of the stages, never retained.
pub const PROBE_TOPIC: &str = "broker/probe";
/// User name of the self-probe.
pub const PROBE_USER: &str = "broker";
/// Client id of the self-probe. Nobody else may use it, or both would be cut off in turn.
pub const PROBE_CLIENT_ID: &str = "broker-probe";
/// Pause before another attempt to connect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
/// Requests the client may hold; two are ever under way.
const REQUESTS_MAX: usize = 8;
/// Keep-alive the client announces.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What the self-probe needs to know.
pub(crate) struct Settings {
    pub(crate) addr: SocketAddr,
    pub(crate) password: String,
    pub(crate) limits: Limits,
}

/// Starts the self-probe on a thread of its own.
pub(crate) fn spawn(settings: Settings, health: watch::Sender<Health>) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name(PROBE_THREAD.to_owned()).spawn(move || {
        runtime.block_on(watch_over(&settings, &health));
    })?;
    Ok(())
}

async fn watch_over(settings: &Settings, health: &watch::Sender<Health>) {
    let mut pulse = Pulse::new(settings.limits.probe_misses_max);
    let mut link = Link::new(settings);
    let interval = Duration::from_millis(settings.limits.probe_interval_ms);
    let deadline = Duration::from_millis(settings.limits.probe_deadline_ms);
    loop {
        if time::timeout(deadline, link.round_trip(pulse.beat())).await.is_ok() {
            if !publish(health, pulse.returned()) {
                return;
            }
        } else {
            warn!(beat = pulse.beat(), "A heartbeat did not come back in time.");
            if let Some(failure) = pulse.missed() {
                publish(health, Health::Failed(failure));
                return;
            }
            // A wait that was cut short may have left the client in the middle of a packet.
            link = Link::new(settings);
        }
        time::sleep(interval).await;
    }
}

/// Publishes the health unless it has failed for another reason; returns whether to go on.
fn publish(health: &watch::Sender<Health>, now: Health) -> bool {
    health.send_if_modified(|known| {
        let alive = !matches!(known, Health::Failed(_));
        if alive {
            *known = now;
        }
        alive
    })
}

/// Ends the broker's health for good, unless it already has ended.
pub(crate) fn fail(health: &watch::Sender<Health>, failure: Failure) {
    publish(health, Health::Failed(failure));
}

/// A connection to the own listener.
struct Link {
    client: AsyncClient,
    events: EventLoop,
    subscribed: bool,
}

impl Link {
    fn new(settings: &Settings) -> Link {
        let mut options =
            MqttOptions::new(PROBE_CLIENT_ID, settings.addr.ip().to_string(), settings.addr.port());
        options.set_credentials(PROBE_USER, settings.password.as_str());
        options.set_keep_alive(KEEP_ALIVE);
        options.set_clean_session(true);
        let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
        let mut network = events.network_options();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        Link { client, events, subscribed: false }
    }

    /// Sends one heartbeat and returns when it is back. Ends only so; the caller has the deadline.
    async fn round_trip(&mut self, beat: u64) {
        let payload = beat.to_be_bytes();
        let mut sent = false;
        loop {
            if self.subscribed && !sent {
                sent = self.client.try_publish(PROBE_TOPIC, QoS::AtLeastOnce, false, payload).is_ok();
            }
            match self.events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    self.subscribed = false;
                    // If the queue were full nothing would come back, and the deadline tells.
                    self.client.try_subscribe(PROBE_TOPIC, QoS::AtLeastOnce).ok();
                }
                Ok(Event::Incoming(Packet::SubAck(_))) => self.subscribed = true,
                Ok(Event::Incoming(Packet::Publish(publish))) if publish.payload == payload[..] => return,
                Ok(_) => {}
                Err(_) => {
                    self.subscribed = false;
                    sent = false;
                    time::sleep(RECONNECT_PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_stays() {
        let (sender, receiver) = watch::channel(Health::Starting);
        assert!(publish(&sender, Health::Healthy { beat: 0 }));
        fail(&sender, Failure::ListenerEnded);
        assert!(!publish(&sender, Health::Healthy { beat: 1 }));
        fail(&sender, Failure::ProbeEnded);
        assert_eq!(*receiver.borrow(), Health::Failed(Failure::ListenerEnded));
    }
}
