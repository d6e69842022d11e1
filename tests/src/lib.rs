//! What the tests of the whole system share: every stage in one process under a virtual clock, real processes on a
//! real broker, and a small client that nobody trusts.

pub mod outside;
pub mod pipeline;
pub mod processes;
pub mod stages;
pub mod world;

/// MessagePack of any JSON, for clients that nobody trusts.
///
/// # Panics
/// Never: JSON always has a MessagePack form.
#[must_use]
pub fn encode(value: &serde_json::Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("JSON always has a MessagePack form")
}
