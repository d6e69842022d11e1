//! Where vectors come from: the folder of this file, or the folder named by `STEWARD_VECTORS`.
//! Included by the tests of several crates, so that one variable points all of them elsewhere.

/// Whether another folder than the repository's own was named.
#[allow(dead_code)]
pub fn elsewhere() -> bool {
    std::env::var_os("STEWARD_VECTORS").is_some()
}

/// The text of `subject/name.json`; `None` only if the named folder does not hold that file.
///
/// # Panics
/// When a file of the repository itself is missing.
#[allow(dead_code)]
pub fn text(file: &str) -> Option<String> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors").into();
    let folder: std::path::PathBuf = std::env::var_os("STEWARD_VECTORS").map_or(own, Into::into);
    match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => Some(text),
        Err(_) if elsewhere() => None,
        Err(error) => panic!("tests/vectors/{file}: {error}"),
    }
}
