//! Why a message is refused. A refused message changes nothing; it is counted and named in the stage's health.

use thiserror::Error;

/// Reasons in the order in which they are examined.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The path is not in the registry.
    #[error("`{wire}` is no topic of the registry")]
    UnknownTopic {
        /// The path on the wire.
        wire: String,
    },
    /// The topic exists, in another version.
    #[error(
        "topic `{topic}` came as version `{found}`, this program knows version {known}; update the older of the two"
    )]
    UnknownVersion {
        /// Topic.
        topic: &'static str,
        /// Version on the wire.
        found: String,
        /// Version known here.
        known: u8,
    },
    /// The stage does not read this topic.
    #[error("stage `{stage}` does not read topic `{topic}`")]
    NotRead {
        /// Topic.
        topic: &'static str,
        /// Stage.
        stage: &'static str,
    },
    /// Larger than the registry allows.
    #[error("a message of topic `{topic}` has {bytes} bytes, at most {max} are allowed")]
    TooLarge {
        /// Topic.
        topic: &'static str,
        /// Size found.
        bytes: usize,
        /// Size allowed.
        max: u32,
    },
    /// Not MessagePack, a field missing or out of its range.
    #[error("a message of topic `{topic}` cannot be read: {why}")]
    Unreadable {
        /// Topic.
        topic: &'static str,
        /// What the decoder says.
        why: String,
    },
    /// The body speaks about something else than its path.
    #[error("a message of topic `{topic}` stands under key `{path}` but is about `{body}`")]
    WrongKey {
        /// Topic.
        topic: &'static str,
        /// Key in the path.
        path: String,
        /// Key in the body.
        body: String,
    },
    /// Said by a stage that does not own the topic.
    #[error("`{claimed}` published on topic `{topic}`, which it does not own")]
    NotTheOwner {
        /// Topic.
        topic: &'static str,
        /// Who the envelope says it is from.
        claimed: String,
    },
    /// Encoding failed.
    #[error("a message cannot be written: {why}")]
    Unwritable {
        /// What the encoder says.
        why: String,
    },
}
