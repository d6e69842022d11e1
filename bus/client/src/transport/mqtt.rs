//! Any MQTT 3.1.1 broker.
//!
//! Messages are acknowledged after they have been handled and in the order in which they came, so that the broker
//! keeps no more than its in-flight window waiting for us: back-pressure instead of loss. A task of its own keeps the
//! connection moving, and comes back after a loss with growing, jittered pauses.

use std::{collections::VecDeque, time::Duration};

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event as Mqtt, EventLoop, LastWill, MqttOptions,
    NetworkOptions, Packet, Publish, QoS, SubscribeFilter,
};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{Event, Message, Transport};
use crate::Publication;

/// Statements under way to the broker without its acknowledgement.
const INFLIGHT: u16 = 64;
/// Requests waiting for the connection's task.
const REQUESTS_MAX: usize = 128;
/// Events waiting for the runner; the connection's task pauses when it is full.
const EVENTS_MAX: usize = 256;
/// Largest packet; payloads are limited per topic, this adds room for a path.
const PACKET_MAX: usize = 256 * 1024 + 4_096;
/// Where a broker listens whose address names no port.
const PORT: u16 = 1883;
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT_S: u64 = 3;
/// First and longest pause before the next attempt to connect.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 50..=2_000;

/// How to reach a broker, and as whom.
#[derive(Clone)]
pub struct Access {
    /// `mqtt://host:port`.
    pub url: String,
    /// Instance name, also the client id.
    pub instance: String,
    /// Password of the stage; a broker of one's own may need none.
    pub password: Option<String>,
    /// What the broker says for us when we vanish.
    pub last_will: Option<Publication>,
}

/// The connection to an MQTT broker.
pub struct MqttTransport {
    client: AsyncClient,
    events: mpsc::Receiver<(u64, Mqtt2)>,
    task: JoinHandle<()>,
    /// Messages in the order they came, with whether they have been handled.
    tickets: VecDeque<(Option<Publish>, bool)>,
    first_ticket: u64,
    connection: u64,
}

enum Mqtt2 {
    Connected,
    Lost(String),
    Message(Publish),
    Room,
}

impl MqttTransport {
    /// Starts connecting. Must be called within a runtime.
    ///
    /// # Errors
    /// One sentence, if the URL cannot be understood.
    pub fn start(access: &Access) -> Result<MqttTransport, String> {
        let (client, mut eventloop) = AsyncClient::new(options(access)?, REQUESTS_MAX);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_TIMEOUT_S);
        eventloop.network_options = network;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let jitter = access
            .instance
            .bytes()
            .fold(u64::from(std::process::id()), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let address = access.url.clone();
        let task = tokio::spawn(keep_connected(eventloop, sender, address, jitter));
        Ok(MqttTransport { client, events, task, tickets: VecDeque::new(), first_ticket: 0, connection: 0 })
    }

    /// Acknowledges from the front what has been handled; the order of arrival is kept.
    fn acknowledge(&mut self) {
        while let Some((publish, true)) = self.tickets.front() {
            if let Some(publish) = publish
                && self.client.try_ack(publish).is_err()
            {
                return;
            }
            self.tickets.pop_front();
            self.first_ticket += 1;
        }
    }

    fn forget_tickets(&mut self) {
        self.first_ticket += self.tickets.len() as u64;
        self.tickets.clear();
    }
}

impl Drop for MqttTransport {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Transport for MqttTransport {
    async fn next(&mut self) -> Event {
        loop {
            let Some((connection, event)) = self.events.recv().await else {
                return std::future::pending().await;
            };
            match event {
                Mqtt2::Connected => {
                    self.connection = connection;
                    self.forget_tickets();
                    return Event::Connected;
                }
                Mqtt2::Lost(why) => {
                    self.forget_tickets();
                    return Event::Lost(why);
                }
                Mqtt2::Message(publish) if connection == self.connection => {
                    let ticket = self.first_ticket + self.tickets.len() as u64;
                    let message =
                        Message { topic: publish.topic.clone(), payload: publish.payload.to_vec(), ticket };
                    let acknowledged = publish.qos != QoS::AtMostOnce;
                    self.tickets.push_back((
                        acknowledged.then_some(Publish { payload: Vec::new().into(), ..publish }),
                        false,
                    ));
                    return Event::Message(message);
                }
                Mqtt2::Message(_) => {}
                Mqtt2::Room => {
                    self.acknowledge();
                    return Event::Room;
                }
            }
        }
    }

    fn publish(&mut self, waiting: &mut VecDeque<Publication>) {
        self.acknowledge();
        while let Some(publication) = waiting.front() {
            let sent = self.client.try_publish(
                &publication.topic,
                quality(publication.qos),
                publication.retain,
                publication.payload.clone(),
            );
            if sent.is_err() {
                return;
            }
            waiting.pop_front();
        }
    }

    fn subscribe(&mut self, filters: &[(String, u8)]) -> Result<(), String> {
        let filters = filters.iter().map(|(path, qos)| SubscribeFilter::new(path.clone(), quality(*qos)));
        self.client.try_subscribe_many(filters).map_err(|error| format!("subscribing failed: {error}"))
    }

    fn handled(&mut self, ticket: u64) {
        let place = ticket.checked_sub(self.first_ticket).and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = place.and_then(|place| self.tickets.get_mut(place)) {
            entry.1 = true;
        }
        self.acknowledge();
    }

    async fn close(&mut self) {
        // Failing only means that the connection is gone already.
        drop(self.client.try_disconnect());
        let ended = tokio::time::timeout(Duration::from_millis(500), async {
            while self.events.recv().await.is_some() {}
        });
        drop(ended.await);
    }
}

fn quality(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

fn options(access: &Access) -> Result<MqttOptions, String> {
    let (host, port) = host_and_port(&access.url)?;
    let mut options = MqttOptions::new(&access.instance, host, port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true)
        .set_manual_acks(true)
        .set_inflight(INFLIGHT)
        .set_max_packet_size(PACKET_MAX, PACKET_MAX);
    if let Some(password) = &access.password {
        options.set_credentials(contracts::stage_of(&access.instance), password);
    }
    if let Some(will) = &access.last_will {
        options.set_last_will(LastWill::new(
            &will.topic,
            will.payload.clone(),
            quality(will.qos),
            will.retain,
        ));
    }
    Ok(options)
}

/// Host and port of `mqtt://host:port`.
///
/// # Errors
/// One sentence naming the field.
pub fn host_and_port(url: &str) -> Result<(String, u16), String> {
    if url.contains('@') {
        // The address is shown in messages, and a password must not be.
        return Err(
            "`bus.url` must not contain a user or password; credentials lie in the data folder".into()
        );
    }
    let wrong = || format!("`bus.url` is `{url}`, it must look like mqtt://127.0.0.1:1883");
    let rest = url.strip_prefix("mqtt://").or_else(|| url.strip_prefix("tcp://")).ok_or_else(wrong)?;
    let rest = rest.trim_end_matches('/');
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong())?),
        _ => (rest, PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_string(), port)) }
}

async fn keep_connected(
    mut eventloop: EventLoop,
    events: mpsc::Sender<(u64, Mqtt2)>,
    address: String,
    mut jitter: u64,
) {
    let mut connection = 0_u64;
    let mut pause = *PAUSE_MS.start();
    loop {
        let event = match eventloop.poll().await {
            Ok(Mqtt::Incoming(Packet::ConnAck(_))) => {
                connection += 1;
                pause = *PAUSE_MS.start();
                Mqtt2::Connected
            }
            Ok(Mqtt::Incoming(Packet::Publish(publish))) => Mqtt2::Message(publish),
            // Both mean that the request queue or the in-flight window has moved on.
            Ok(
                Mqtt::Outgoing(rumqttc::Outgoing::Publish(_) | rumqttc::Outgoing::PubAck(_))
                | Mqtt::Incoming(Packet::PubAck(_)),
            ) => Mqtt2::Room,
            Ok(_) => continue,
            Err(ConnectionError::RequestsDone) => return,
            Err(error) => {
                if events.send((connection, Mqtt2::Lost(sentence(&error, &address)))).await.is_err() {
                    return;
                }
                // A pause between half and the whole of the present one keeps many stages from coming back at once.
                jitter =
                    jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                tokio::time::sleep(Duration::from_millis(pause / 2 + (jitter >> 33) % (pause / 2 + 1))).await;
                pause = (pause * 2).min(*PAUSE_MS.end());
                continue;
            }
        };
        // Room is only a hint; when the runner is behind it will look anyway.
        if matches!(event, Mqtt2::Room) {
            drop(events.try_send((connection, event)));
        } else if events.send((connection, event)).await.is_err() {
            return;
        }
    }
}

fn sentence(error: &ConnectionError, address: &str) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => {
            format!(
                "the broker at {address} refused our password; compare `dir`/credentials with the broker's own folder"
            )
        }
        ConnectionError::Io(cause) => format!(
            "the broker at {address} cannot be reached ({cause}); start steward-broker or correct `bus.url`"
        ),
        // The embedded broker closes the connection of whoever has a wrong password without a word.
        ConnectionError::MqttState(_) => format!(
            "the broker at {address} closed the connection; if it does so again it refuses our password: compare `dir`/credentials with the broker's own folder"
        ),
        ConnectionError::NetworkTimeout => {
            format!("the broker at {address} does not answer; start steward-broker or correct `bus.url`")
        }
        other => format!("the connection to the broker at {address} was lost: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_urls_are_understood_or_named() {
        assert_eq!(host_and_port("mqtt://127.0.0.1:1883"), Ok(("127.0.0.1".into(), 1883)));
        assert_eq!(host_and_port("mqtt://broker.home:1884/"), Ok(("broker.home".into(), 1884)));
        assert_eq!(host_and_port("mqtt://127.0.0.1"), Ok(("127.0.0.1".into(), 1883)));
        assert_eq!(host_and_port("mqtt://[::1]:1884"), Ok(("::1".into(), 1884)));
        assert_eq!(host_and_port("mqtt://[::1]"), Ok(("::1".into(), 1883)));
        let secret = host_and_port("mqtt://u:secret@127.0.0.1:1883").unwrap_err();
        assert!(secret.contains("bus.url") && !secret.contains("secret"), "{secret}");
        for bad in ["", "127.0.0.1:1883", "mqtt://", "mqtt://:1", "mqtt://x:70000", "http://x:1"] {
            assert!(host_and_port(bad).is_err_and(|sentence| sentence.contains("bus.url")), "{bad}");
        }
    }
}
