//! What a topic is: its rules, its path on the wire, and the traits that tie it to a Rust type and to stages.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Envelope, Refused, TOPICS, TopicId};

/// The rules of one topic, from `topics.toml`.
#[derive(Debug)]
pub struct TopicSpec {
    /// Which topic.
    pub id: TopicId,
    /// Its name in `topics.toml`.
    pub name: &'static str,
    /// Path below `{prefix}/v{version}/`, with `{variables}`.
    pub path: &'static str,
    /// Rust type of the body.
    pub body: &'static str,
    /// Who may publish; `each` = every stage about itself.
    pub owners: &'static [&'static str],
    /// Who subscribes.
    pub readers: &'static [&'static str],
    /// How it behaves.
    pub class: Class,
    /// MQTT quality of service.
    pub qos: u8,
    /// Version of its meaning.
    pub version: u8,
    /// Largest payload, envelope included.
    pub max_bytes: u32,
    /// What outsiders see of it.
    pub outside: Outside,
    /// One sentence.
    pub says: &'static str,
}

/// One stage of the registry.
#[derive(Debug)]
pub struct StageSpec {
    /// Its name.
    pub name: &'static str,
    /// The store it alone writes.
    pub store: Option<&'static str>,
    /// One sentence.
    pub says: &'static str,
}

/// How a topic behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Says how one thing is now: retained, versioned, repeated by its owner.
    Statement,
    /// Said once, not retained.
    Event,
    /// Work, given to one instance of its reader.
    Job,
    /// A request with an answer.
    Command,
    /// An answer.
    Reply,
}

/// What outsiders see of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Nothing.
    None,
    /// A mirrored copy.
    Read,
    /// They may send it.
    Command,
}

impl TopicId {
    /// The rules of this topic.
    #[must_use]
    pub fn spec(self) -> &'static TopicSpec {
        &TOPICS[self as usize]
    }

    /// Finds a topic by its name in `topics.toml`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<TopicId> {
        TOPICS.iter().find(|spec| spec.name == name).map(|spec| spec.id)
    }
}

impl TopicSpec {
    /// The subscription that catches every key of this topic.
    #[must_use]
    pub fn filter(&self, prefix: &str) -> String {
        let path: Vec<_> =
            self.path.split('/').map(|part| if part.starts_with('{') { "+" } else { part }).collect();
        let filter = format!("{prefix}/v{}/{}", self.version, path.join("/"));
        match (self.class, self.readers.first()) {
            (Class::Job, Some(reader)) => format!("$share/{reader}/{filter}"),
            _ => filter,
        }
    }

    /// The path on the wire for one key (`""` for a topic without variables).
    #[must_use]
    pub fn address(&self, prefix: &str, key: &str) -> String {
        let mut keys = key.split('/');
        let path: Vec<_> = self
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { keys.next().unwrap_or("") } else { part })
            .collect();
        format!("{prefix}/v{}/{}", self.version, path.join("/"))
    }

    /// Whether this stage publishes the topic. An instance such as `evaluate-2` counts as its stage.
    #[must_use]
    pub fn is_owned_by(&self, stage: &str) -> bool {
        self.owners == ["each"] || self.owners.contains(&stage_of(stage))
    }

    /// Whether this stage subscribes to the topic.
    #[must_use]
    pub fn is_read_by(&self, stage: &str) -> bool {
        self.readers == ["each"] || self.readers.contains(&stage_of(stage))
    }

    /// Whether delivery of this topic is compared between owner and reader.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.class == Class::Statement
            && !matches!(self.id, TopicId::SystemHealth | TopicId::SystemClock | TopicId::SystemRepeat)
    }

    fn key_in(&self, path: &str) -> Option<String> {
        let mut key = Vec::new();
        let mut found = path.split('/');
        for part in self.path.split('/') {
            let piece = found.next()?;
            if part.starts_with('{') {
                key.push(piece);
            } else if part != piece {
                return None;
            }
        }
        found.next().is_none().then(|| key.join("/"))
    }
}

/// The stage an instance name belongs to: `evaluate-2` is an `evaluate`.
#[must_use]
pub fn stage_of(instance: &str) -> &str {
    match instance.rsplit_once('-') {
        Some((stage, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => stage,
        _ => instance,
    }
}

/// A path on the wire, understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Which topic.
    pub topic: TopicId,
    /// The values of its variables, joined by `/`.
    pub key: String,
}

impl Address {
    /// Understands `{prefix}/v{n}/{path}`.
    ///
    /// # Errors
    /// [`Refused::UnknownTopic`] or [`Refused::UnknownVersion`].
    pub fn parse(prefix: &str, wire: &str) -> Result<Address, Refused> {
        let unknown = || Refused::UnknownTopic { wire: wire.chars().take(200).collect() };
        let rest = wire.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("/v")).ok_or_else(unknown)?;
        let (version, path) = rest.split_once('/').ok_or_else(unknown)?;
        let (spec, key) =
            TOPICS.iter().find_map(|spec| spec.key_in(path).map(|key| (spec, key))).ok_or_else(unknown)?;
        if version.parse() != Ok(spec.version) {
            return Err(Refused::UnknownVersion {
                topic: spec.name,
                found: version.chars().take(20).collect(),
                known: spec.version,
            });
        }
        Ok(Address { topic: spec.id, key })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.topic.spec().name)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, "/{}", self.key) }
    }
}

/// A type that is the body of exactly one topic.
pub trait Body: Serialize + DeserializeOwned + Sample + Clone + fmt::Debug + 'static {
    /// Its topic.
    const TOPIC: TopicId;
    /// The values of the topic's variables, taken from the body's own fields.
    fn key(&self) -> String;
}

/// An example that golden files and examinations use.
pub trait Sample {
    /// A complete example with no field left empty by chance.
    fn sample() -> Self;
}

/// The right of a stage to publish a body; implemented only by the generated code.
pub trait Owns<B: Body> {}

/// What a stage may publish and must handle; implemented only by the generated code.
pub trait Contract: 'static {
    /// Name in `topics.toml`, also its user name at the broker.
    const NAME: &'static str;
    /// The store it alone writes.
    const STORE: Option<&'static str>;
    /// Topics it publishes.
    const OWNS: &'static [TopicId];
    /// Topics it subscribes to.
    const READS: &'static [TopicId];
    /// One variant per topic read.
    type Input: fmt::Debug;
    /// Decodes one payload of a topic it reads.
    ///
    /// # Errors
    /// Why the payload is refused; nothing has changed then.
    fn decode(topic: TopicId, key: &str, payload: &[u8]) -> Result<Self::Input, Refused>;
}

/// One message as a stage receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received<B> {
    /// Values of the topic's variables.
    pub key: String,
    /// Where it came from; absent for a cleared statement.
    pub meta: Option<crate::Meta>,
    /// What it says; absent when the statement is over.
    pub body: Option<B>,
}

/// Decodes and checks one payload; an empty one says that the statement is over.
///
/// # Errors
/// Too large, unreadable, or about another key than its path.
pub fn receive<B: Body>(key: &str, payload: &[u8]) -> Result<Received<B>, Refused> {
    let spec = B::TOPIC.spec();
    if payload.is_empty() {
        return Ok(Received { key: key.to_string(), meta: None, body: None });
    }
    if payload.len() > spec.max_bytes as usize {
        return Err(Refused::TooLarge { topic: spec.name, bytes: payload.len(), max: spec.max_bytes });
    }
    let envelope: Envelope<B> =
        crate::envelope::decode(payload).map_err(|why| Refused::Unreadable { topic: spec.name, why })?;
    if envelope.body.key() != key {
        return Err(Refused::WrongKey { topic: spec.name, path: key.to_string(), body: envelope.body.key() });
    }
    let (meta, body) = envelope.split();
    if !spec.is_owned_by(&meta.stage) {
        return Err(Refused::NotTheOwner { topic: spec.name, claimed: meta.stage });
    }
    Ok(Received { key: key.to_string(), meta: Some(meta), body: Some(body) })
}

/// One topic's example, encoded.
#[derive(Debug)]
pub struct Example {
    /// Which topic.
    pub topic: TopicId,
    /// The key of the example.
    pub key: String,
    /// The envelope as MessagePack.
    pub payload: Vec<u8>,
    /// The same as JSON.
    pub json: serde_json::Value,
}

impl Example {
    /// Encodes the sample of a type.
    ///
    /// # Panics
    /// If the sample cannot be encoded, which a test excludes for every type.
    #[must_use]
    pub fn of<B: Body>() -> Example {
        let body = B::sample();
        let owner = B::TOPIC.spec().owners.first().copied().unwrap_or("each");
        let owner = if owner == "each" { "ingest" } else { owner };
        let key = body.key();
        let envelope = Envelope::sample(owner, body);
        let payload = envelope.encode().expect("every sample can be encoded");
        let json = serde_json::to_value(&envelope).expect("every sample has a JSON form");
        Example { topic: B::TOPIC, key, payload, json }
    }
}
