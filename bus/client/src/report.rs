//! What a stage says about itself, collected by the engine and published by the runner.

use contracts::{Health, HealthState};
use market::Timestamp;

/// Counters and last sentences since the start.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Messages handled.
    pub inputs: u64,
    /// Messages refused.
    pub refused: u64,
    /// Last thing that went wrong.
    pub last_error: Option<String>,
    /// Present trouble that a person should look at.
    pub trouble: Option<String>,
    /// Last decision.
    pub last_decision: Option<String>,
    /// How long the last input took, wall time.
    pub lag_ms: u64,
}

impl Report {
    /// The statement, but for what only the engine knows.
    pub(crate) fn health(&self, instance: &str, incarnation: u64, wake_at: Option<Timestamp>) -> Health {
        Health {
            stage: instance.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            state: if self.trouble.is_some() { HealthState::Degraded } else { HealthState::Healthy },
            pid: std::process::id(),
            incarnation,
            lag_ms: self.lag_ms,
            inputs: self.inputs,
            refused: self.refused,
            last_error: self.trouble.clone().or_else(|| self.last_error.clone()),
            last_decision: self.last_decision.clone(),
            step: 0,
            idle: false,
            wake_at,
            said: std::collections::BTreeMap::new(),
            seen: std::collections::BTreeMap::new(),
        }
    }
}
