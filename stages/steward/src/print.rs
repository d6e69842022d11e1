//! Standard output for data, standard error for messages; a reader that has gone away is no error.

use std::io::Write;

/// Writes one line of data.
pub(crate) fn data(line: &str) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Writes one line for a person.
pub(crate) fn note(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Writes a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) {
    data(&serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")));
}
