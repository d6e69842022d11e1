//! Message types and typed topics: what travels on the stages' bus, and who may say it.
//!
//! `topics.toml` is the single registry. The build turns it into [`TopicId`], the table [`TOPICS`], and one
//! module per stage (for example [`stage::plan`]) with the messages that stage reads as one enum and, as trait
//! implementations of [`Owns`], the statements it may publish. A topic that is not declared cannot be named:
//!
//! ```compile_fail
//! fn may_say<C: contracts::Owns<B>, B: contracts::Body>() {}
//! // `score` does not own order/approved, so this does not compile.
//! may_say::<contracts::stage::score::Score, contracts::OrderApproved>();
//! ```
//! ```
//! fn may_say<C: contracts::Owns<B>, B: contracts::Body>() {}
//! may_say::<contracts::stage::risk_gate::RiskGate, contracts::OrderApproved>();
//! ```
//!
//! Every payload is one MessagePack map with named fields inside an [`Envelope`]. Unknown fields are ignored, so
//! a newer owner may say more; an unknown version of a topic is [`Refused`] by name. Decoding never panics.
//!
//! Deliberately absent: transport, storage, clocks, and any decision.

mod approval;
mod command;
mod digest;
mod display;
mod envelope;
mod evidence;
mod exchange;
mod finite;
mod id;
mod market;
pub mod mutants;
mod order;
mod plan;
mod planner;
mod portfolio;
mod refused;
mod risk;
mod sample_values;
mod score;
mod subset;
mod system;
mod target;
mod topic;

pub use approval::*;
pub use command::*;
pub use digest::*;
pub use display::*;
pub use envelope::*;
pub use evidence::*;
pub use exchange::*;
pub use finite::*;
pub use id::*;
pub use market::*;
pub use order::*;
pub use plan::*;
pub use planner::*;
pub use portfolio::*;
pub use refused::*;
pub use risk::*;
pub use score::*;
pub use subset::*;
pub use system::*;
pub use target::*;
pub use topic::*;

include!(concat!(env!("OUT_DIR"), "/topics.rs"));

/// The JSON schema of one body, for the generated documents.
#[cfg(feature = "schema")]
#[must_use]
pub fn schema_of<B: schemars::JsonSchema>() -> serde_json::Value {
    schemars::SchemaGenerator::default().into_root_schema_for::<B>().to_value()
}
