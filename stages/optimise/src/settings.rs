//! `[stage.optimise]`.

use serde::Deserialize;

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds after a change until weights are computed.
    pub settle_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { settle_ms: 300 }
    }
}

impl Settings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// One sentence naming field and rule.
    pub fn check(&self) -> Result<(), String> {
        if (0..=60_000).contains(&self.settle_ms) {
            return Ok(());
        }
        Err(format!("`settle_ms` is {}, it must be 0 to 60000", self.settle_ms))
    }
}
