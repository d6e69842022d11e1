//! The live statements of one owner: their versions, and how a payload is put together.

use std::collections::BTreeMap;

use contracts::{Address, Class, Digest, Id, Meta, STAGES};
use market::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Publication, out::Said};

/// One statement as it was last published.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    /// The whole envelope; empty once the statement is over.
    pub(crate) payload: Vec<u8>,
}

/// Everything this stage says now.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    live: BTreeMap<Address, Live>,
    /// Versions of what is not known yet start above this.
    floor: u64,
    said: BTreeMap<&'static str, Digest>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    id: Id,
    key_version: u64,
    at: Timestamp,
    stage: String,
    trace: Id,
    cause: Option<Id>,
}

impl Statements {
    pub(crate) fn new(floor: u64) -> Self {
        Statements { floor, ..Statements::default() }
    }

    /// Takes a statement back from the store.
    pub(crate) fn restore(&mut self, address: Address, live: Live) {
        self.note(&address, &live);
        self.live.insert(address, live);
    }

    /// The envelope for something said, or `None` if it says nothing new. Nothing changes before [`Self::accept`].
    pub(crate) fn next(&self, who: &str, said: &Said, now: Timestamp, number: u64) -> Option<Live> {
        let spec = said.address.topic.spec();
        let old = self.live.get(&said.address);
        let version = match (spec.class, old) {
            (Class::Statement, Some(old)) => old.version + 1,
            (Class::Statement, None) => self.floor + 1,
            _ => 0,
        };
        if said.body.is_empty() {
            // Clearing what is not there says nothing.
            return old.is_some_and(|old| !old.payload.is_empty()).then(|| Live {
                version,
                at: now,
                payload: Vec::new(),
            });
        }
        if old.is_some_and(|old| body_of(&old.payload) == Some(&said.body)) {
            return None;
        }
        Some(Live { version, at: now, payload: envelope(who, said, version, now, number) })
    }

    /// Makes it what this stage says, once it is committed.
    pub(crate) fn accept(&mut self, address: &Address, live: &Live) {
        if address.topic.spec().class == Class::Statement {
            self.note(address, live);
            self.live.insert(address.clone(), live.clone());
        }
    }

    fn note(&mut self, address: &Address, live: &Live) {
        let spec = address.topic.spec();
        if !spec.is_compared() {
            return;
        }
        for stage in STAGES.iter().filter(|stage| spec.is_read_by(stage.name)) {
            let digest = self.said.entry(stage.name).or_default();
            if live.payload.is_empty() { digest.forget(address) } else { digest.note(address, live.version) }
        }
    }

    /// All statements, cleared ones too: a clearing can be lost like anything else.
    pub(crate) fn repeat<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Publication> + 'a {
        self.live.iter().map(move |(address, live)| Publication::of(prefix, address, live.payload.clone()))
    }

    /// Per reader, the fingerprint of what it should have seen.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, u64> {
        self.said.iter().map(|(reader, digest)| ((*reader).to_string(), digest.sum())).collect()
    }
}

/// Head and body put together: a MessagePack map of seven whose last field is the body as it was encoded.
pub(crate) fn envelope(who: &str, said: &Said, version: u64, now: Timestamp, number: u64) -> Vec<u8> {
    let cause = said.cause.as_ref();
    let cause_text = cause.map(|meta| meta.id.to_string()).unwrap_or_default();
    let id = Id::derive(
        now,
        &[who, &cause_text, &said.address.to_string(), &version.to_string(), &number.to_string()],
    );
    let head = Head {
        id,
        key_version: version,
        at: now,
        stage: who.to_string(),
        trace: cause.map_or(id, |meta| meta.trace),
        cause: cause.map(|meta| meta.id),
    };
    let mut bytes = rmp_serde::to_vec_named(&head).expect("plain fields always have a MessagePack form");
    debug_assert_eq!(bytes.first(), Some(&0x86));
    if let Some(first) = bytes.first_mut() {
        *first = 0x87;
    }
    bytes.extend_from_slice(b"\xa4body");
    bytes.extend_from_slice(&said.body);
    bytes
}

/// The body's own bytes inside a payload made by [`envelope`].
fn body_of(payload: &[u8]) -> Option<&[u8]> {
    let head: Head = rmp_serde::from_slice(payload).ok()?;
    let length = rmp_serde::to_vec_named(&head).ok()?.len() + b"\xa4body".len();
    payload.get(length..)
}

/// The head of a received payload.
pub(crate) fn meta_of(payload: &[u8]) -> Option<Meta> {
    let Head { id, key_version, at, stage, trace, cause } = rmp_serde::from_slice(payload).ok()?;
    Some(Meta { id, key_version, at, stage, trace, cause })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Body, FxRates, Quote, Sample, receive};

    use super::*;

    fn said<B: Body>(body: &B) -> Said {
        Said {
            address: Address { topic: B::TOPIC, key: body.key() },
            body: rmp_serde::to_vec_named(body).unwrap(),
            cause: None,
        }
    }

    #[test]
    fn an_envelope_put_together_is_read_by_its_readers() {
        let quote = Quote::sample();
        let now = Timestamp::from_ms(5);
        let payload = envelope("ingest", &said(&quote), 3, now, 0);
        let received = receive::<Quote>(&quote.key(), &payload).unwrap();
        assert_eq!(received.body, Some(quote));
        assert_eq!(received.meta.unwrap().key_version, 3);
    }

    #[test]
    fn the_same_again_says_nothing() {
        let mut statements = Statements::new(0);
        let said = said(&FxRates::sample());
        let first = statements.next("ingest", &said, Timestamp::ZERO, 0).unwrap();
        statements.accept(&said.address, &first);
        assert!(statements.next("ingest", &said, Timestamp::from_ms(9), 1).is_none());
    }

    #[test]
    fn versions_grow_across_clearing() {
        let mut statements = Statements::new(0);
        let mut said = said(&FxRates::sample());
        let body = said.body.clone();
        for (body, version) in [(body.clone(), 1), (Vec::new(), 2), (body, 3)] {
            said.body = body;
            let live = statements.next("ingest", &said, Timestamp::ZERO, 0).unwrap();
            assert_eq!(live.version, version);
            statements.accept(&said.address, &live);
        }
    }

    #[test]
    fn clearing_nothing_says_nothing() {
        let statements = Statements::new(0);
        let mut said = said(&FxRates::sample());
        said.body.clear();
        assert!(statements.next("ingest", &said, Timestamp::ZERO, 0).is_none());
    }
}
