//! The one envelope around every body: who says it, when, which version, and what caused it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use ::market::Timestamp;

use crate::{Id, Refused};

/// What travels: a MessagePack map with these names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<B> {
    /// Derived from stage, cause and version; never random.
    pub id: Id,
    /// Grows with every change of this key's statement; older or equal ones change nothing.
    pub key_version: u64,
    /// When the owner said it (virtual time in a simulated environment).
    pub at: Timestamp,
    /// Who says it.
    pub stage: String,
    /// The first message of the chain this one belongs to.
    pub trace: Id,
    /// The message that made the owner say this; absent when time did.
    pub cause: Option<Id>,
    /// What is said.
    pub body: B,
}

/// An envelope without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// See [`Envelope::id`].
    pub id: Id,
    /// See [`Envelope::key_version`].
    pub key_version: u64,
    /// See [`Envelope::at`].
    pub at: Timestamp,
    /// See [`Envelope::stage`].
    pub stage: String,
    /// See [`Envelope::trace`].
    pub trace: Id,
    /// See [`Envelope::cause`].
    pub cause: Option<Id>,
}

impl<B> Envelope<B> {
    /// Takes the body out.
    pub fn split(self) -> (Meta, B) {
        let Envelope { id, key_version, at, stage, trace, cause, body } = self;
        (Meta { id, key_version, at, stage, trace, cause }, body)
    }
}

impl<B: Serialize> Envelope<B> {
    /// Encodes to MessagePack with named fields.
    ///
    /// # Errors
    /// [`Refused::Unwritable`] if a value has no MessagePack form.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        rmp_serde::to_vec_named(self).map_err(|error| Refused::Unwritable { why: error.to_string() })
    }

    pub(crate) fn sample(owner: &str, body: B) -> Self {
        let at = Timestamp::from_ms(1_772_461_867_250);
        let id = Id::derive(at, &[owner, "sample"]);
        Envelope {
            id,
            key_version: 7,
            at,
            stage: owner.to_string(),
            trace: id,
            cause: Some(Id::derive(at, &["cause"])),
            body,
        }
    }
}

/// Turns any MessagePack payload into JSON, for people.
///
/// # Errors
/// [`Refused::Unreadable`] if it is not MessagePack.
pub fn to_json(topic: &'static str, payload: &[u8]) -> Result<serde_json::Value, Refused> {
    decode(payload).map_err(|why| Refused::Unreadable { topic, why })
}

/// Deeper nesting than any body has; without a limit a hostile payload could exhaust the stack.
const DEPTH_MAX: usize = 24;

/// Decodes MessagePack of limited depth.
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(payload);
    deserializer.set_max_depth(DEPTH_MAX);
    T::deserialize(&mut deserializer).map_err(|error| error.to_string().chars().take(200).collect())
}
