//! The command line on the bus: follows topics, and sends commands and waits for their replies.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bus_client::{
    Config, Publication, password, subscription_quality,
    transport::{Event as Transported, Transport, mqtt},
    wall,
};
use contracts::{Address, Body, Class, Envelope, Id, Reply, TopicId, receive};

use crate::Fault;

/// Who we are in the registry.
pub const NAME: &str = "steward";
/// Names under which commands sign in; two at work at once hardly ever share one.
const NAMES: u32 = 256;
/// How long a connection may take.
pub const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long a reply may take.
pub const REPLY_MAX: Duration = Duration::from_secs(5);

/// What happens on the bus.
#[derive(Debug)]
pub enum Event {
    /// It is there, and what was asked for is subscribed.
    Connected,
    /// It is gone; coming back is tried without end.
    Lost(String),
    /// A message.
    Message(Message),
}

/// One message.
#[derive(Debug)]
pub struct Message {
    /// Path on the wire.
    pub wire: String,
    /// The same, understood; absent for a topic that is not in the registry.
    pub address: Option<Address>,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// A connection that follows some topics.
pub struct Bus {
    transport: mqtt::MqttTransport,
    prefix: String,
    filters: Vec<(String, u8)>,
    waiting: VecDeque<Publication>,
    url: String,
}

impl Bus {
    /// Begins connecting as user `steward`, to follow these filters (below the prefix as well).
    ///
    /// # Errors
    /// Without a password, or with a URL that cannot be understood.
    pub fn open(config: &Config, filters: Vec<(String, u8)>) -> Result<Bus, Fault> {
        let access = mqtt::Access {
            url: config.bus.url.clone(),
            // The broker remembers every name it ever met, so there are only so many.
            instance: format!("{NAME}-{}", std::process::id() % NAMES),
            password: password(config, NAME)?,
            last_will: None,
        };
        let transport = mqtt::MqttTransport::start(&access).map_err(Fault::Unreachable)?;
        let (prefix, url) = (config.bus.prefix.clone(), config.bus.url.clone());
        Ok(Bus { transport, prefix, filters, waiting: VecDeque::new(), url })
    }

    /// As [`Bus::open`], and waits until it is there.
    ///
    /// # Errors
    /// Also [`Fault::Unreachable`] when it is not in time.
    pub async fn connect(config: &Config, filters: Vec<(String, u8)>) -> Result<Bus, Fault> {
        let mut bus = Bus::open(config, filters)?;
        let mut why = format!(
            "the broker at {} does not answer; start it with `steward demo` or `steward up`",
            bus.url
        );
        let there = async {
            loop {
                match bus.next().await {
                    Event::Connected => return,
                    Event::Lost(reason) => why = reason,
                    Event::Message(_) => {}
                }
            }
        };
        match tokio::time::timeout(CONNECT_MAX, there).await {
            Ok(()) => Ok(bus),
            Err(_) => Err(Fault::Unreachable(why)),
        }
    }

    /// The next thing that happens. May be dropped while waiting without losing anything.
    pub async fn next(&mut self) -> Event {
        loop {
            match self.transport.next().await {
                Transported::Connected => match self.transport.subscribe(&self.filters) {
                    Ok(()) => return Event::Connected,
                    Err(why) => return Event::Lost(why),
                },
                Transported::Lost(why) => return Event::Lost(why),
                Transported::Room => self.transport.publish(&mut self.waiting),
                Transported::Message(message) => {
                    self.transport.handled(message.ticket);
                    let address = Address::parse(&self.prefix, &message.topic).ok();
                    return Event::Message(Message {
                        wire: message.topic,
                        address,
                        payload: message.payload,
                    });
                }
            }
        }
    }

    /// Sends one command; the id of its reply.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn command<B: Body>(&mut self, body: B) -> Result<Id, Fault> {
        assert!(B::TOPIC.spec().class == Class::Command, "the command line says nothing but commands");
        let at = wall();
        let id = Id::derive(at, &[NAME, &std::process::id().to_string(), B::TOPIC.spec().name]);
        let topic = B::TOPIC.spec().address(&self.prefix, &body.key());
        let envelope = Envelope { id, key_version: 0, at, stage: NAME.into(), trace: id, cause: None, body };
        let payload = envelope.encode().map_err(|error| Fault::System(error.to_string()))?;
        self.waiting.push_back(Publication { topic, payload, qos: 1, retain: false });
        self.transport.publish(&mut self.waiting);
        Ok(id)
    }

    /// Sends one command and waits for its reply; replies must be among what this connection follows.
    ///
    /// # Errors
    /// [`Fault::NoAnswer`] when it does not come in time.
    pub async fn ask<B: Body>(&mut self, stage: &str, body: B) -> Result<Reply, Fault> {
        self.ask_within(stage, body, REPLY_MAX, |_| ()).await
    }

    /// As [`Bus::ask`], for what takes longer; `waiting` is told every few seconds how long it has taken.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub async fn ask_within<B: Body>(
        &mut self,
        stage: &str,
        body: B,
        limit: Duration,
        mut waiting: impl FnMut(u64),
    ) -> Result<Reply, Fault> {
        let id = self.command(body)?;
        let begun = Instant::now();
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Fault::NoAnswer { stage: stage.into(), seconds: limit.as_secs() });
            }
            let Ok(event) = tokio::time::timeout(left.min(REPLY_MAX), self.next()).await else {
                waiting(begun.elapsed().as_secs());
                continue;
            };
            if let Event::Message(Message { address: Some(address), payload, .. }) = event
                && let Some(reply) = reply_to(id, &address, &payload)
            {
                return Ok(reply);
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        self.transport.close().await;
    }
}

/// Sends one command over a connection of its own and waits for its reply.
///
/// # Errors
/// When the bus cannot be reached, or as [`Bus::ask`].
pub async fn ask<B: Body>(config: &Config, stage: &str, body: B) -> Result<Reply, Fault> {
    ask_within(config, stage, body, REPLY_MAX, |_| ()).await
}

/// As [`ask`], for what takes longer, see [`Bus::ask_within`].
///
/// # Errors
/// As [`ask`].
pub async fn ask_within<B: Body>(
    config: &Config,
    stage: &str,
    body: B,
    limit: Duration,
    waiting: impl FnMut(u64),
) -> Result<Reply, Fault> {
    let mut bus = Bus::connect(config, topics(config, &[TopicId::Reply])).await?;
    let reply = bus.ask_within(stage, body, limit, waiting).await;
    bus.close().await;
    reply
}

/// The reply to a command, if this message is it.
#[must_use]
pub fn reply_to(id: Id, address: &Address, payload: &[u8]) -> Option<Reply> {
    if address.topic != TopicId::Reply || address.key != id.to_string() {
        return None;
    }
    receive::<Reply>(&address.key, payload).ok()?.body
}

/// How long kept statements may take to come in.
const KEPT_MAX: Duration = Duration::from_millis(400);

/// What is said at present about these topics.
///
/// # Errors
/// When the bus cannot be reached.
pub async fn kept(config: &Config, wanted: &[TopicId]) -> Result<Vec<Message>, Fault> {
    let mut bus = Bus::connect(config, topics(config, wanted)).await?;
    let deadline = tokio::time::Instant::now() + KEPT_MAX;
    let mut messages = Vec::new();
    while let Ok(event) = tokio::time::timeout_at(deadline, bus.next()).await {
        if let Event::Message(message) = event {
            messages.push(message);
        }
    }
    bus.close().await;
    Ok(messages)
}

/// The filter that catches every message of this system.
#[must_use]
pub fn everything(config: &Config) -> Vec<(String, u8)> {
    vec![(format!("{}/#", config.bus.prefix), 0)]
}

/// The filters that catch every key of these topics, as a stage subscribes to them.
#[must_use]
pub fn topics(config: &Config, topics: &[TopicId]) -> Vec<(String, u8)> {
    topics
        .iter()
        .map(|topic| topic.spec())
        .map(|spec| (spec.filter(&config.bus.prefix), subscription_quality(spec.class)))
        .collect()
}
