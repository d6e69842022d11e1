//! What clients asked for, and what came of it.

use std::collections::VecDeque;

use serde::Serialize;

/// Requests remembered; older ones are dropped, the counters stay.
const ENTRIES_MAX: usize = 20_000;
/// Violations of one kind remembered.
const NOTES_MAX: usize = 100;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestEntry {
    /// Number, from 1.
    pub number: u64,
    /// Virtual milliseconds since 1970.
    pub virtual_ms: i64,
    /// Wall seconds since 1970, as the caller of the simulator told.
    pub wall_s: i64,
    /// Imitated service: `tn`, `yh`, `ecb`, `ff`, `figi`, `stooq`.
    pub target: &'static str,
    /// Command.
    pub command: String,
    /// Request body, shortened.
    pub params: String,
    /// Whether the signature was valid.
    pub signature_ok: bool,
    /// Fault rule that fired.
    pub rule: Option<String>,
    /// What the client got.
    pub outcome: String,
}

/// All requests of a world.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<RequestEntry>,
    total: u64,
    pub(crate) bad_signatures: Vec<String>,
    pub(crate) forbidden: Vec<String>,
    pub(crate) leaks: Vec<String>,
    pub(crate) unmodelled: Vec<String>,
}

impl RequestLog {
    /// Returns the number of the request being handled.
    pub(crate) fn begin(&mut self) -> u64 {
        self.total += 1;
        self.total
    }

    /// Remembers a request.
    pub(crate) fn note(&mut self, entry: RequestEntry) {
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Remembers a breach of a rule of conduct.
    pub(crate) fn breach(list: &mut Vec<String>, text: String) {
        if list.len() < NOTES_MAX {
            list.push(text);
        }
    }

    /// Shows all requests, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RequestEntry> {
        self.entries.iter()
    }

    /// Lists requests with a number greater than `since`.
    pub(crate) fn since(&self, since: u64) -> Vec<RequestEntry> {
        self.entries.iter().filter(|e| e.number > since).cloned().collect()
    }
}
