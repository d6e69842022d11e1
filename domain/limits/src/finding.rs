//! What a check found, in a form that a person and a store can read.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// The answer of one check with its two numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Finding {
    /// Whether the check passed.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub limit: String,
}

impl Finding {
    /// Records what was found, what is allowed, and whether that passes.
    pub fn new(passed: bool, found: impl Display, limit: impl Display) -> Self {
        Self { passed, found: found.to_string(), limit: limit.to_string() }
    }
}

/// Writes a number of days, or that there never was such an event.
pub(crate) fn days(count: Option<u32>) -> String {
    count.map_or_else(|| "never".to_owned(), |count| format!("{count} days ago"))
}
