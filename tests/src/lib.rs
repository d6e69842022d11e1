//! What the tests of the whole system share: every stage in one process under a virtual clock, real processes on a
//! real broker, and a small client that nobody trusts.

pub mod client_books;
pub mod outside;
pub mod pipeline;
pub mod planners;
pub mod processes;
pub mod stages;
pub mod world;

/// A temporary folder in memory, where there is one: on a disk every commit of every store would wait for it.
///
/// # Panics
/// When no folder can be made.
#[must_use]
pub fn memory_folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// MessagePack of any JSON, for clients that nobody trusts.
///
/// # Panics
/// Never: JSON always has a MessagePack form.
#[must_use]
pub fn encode(value: &serde_json::Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("JSON always has a MessagePack form")
}
