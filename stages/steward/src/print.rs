//! Standard output for data, standard error for messages; a reader that has gone away is no error.

use std::io::Write;

use contracts::{Outcome, Reply};

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

/// Says what became of a request; the exit code.
pub(crate) fn answer(reply: &Reply, as_json: bool) -> u8 {
    if as_json {
        json(reply);
    } else if reply.outcome == Outcome::Done {
        data(&reply.text);
    } else {
        let code = reply.code.as_deref().map_or_else(String::new, |code| format!(" ({code})"));
        note(&format!("Not done{code}: {}", reply.text));
    }
    u8::from(reply.outcome != Outcome::Done)
}
