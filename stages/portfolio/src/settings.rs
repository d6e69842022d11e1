//! `[stage.portfolio]`.

use std::path::PathBuf;

use contracts::Mode;
use serde::Deserialize;

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the broker is.
    pub broker_url: String,
    /// Public key of the account.
    pub public_key: String,
    /// File of the private key, relative to the data folder, readable by nobody else.
    pub private_key_file: PathBuf,
    /// Seconds between readings of the account, 10 to 3 600.
    pub sync_interval_s: u32,
    /// Milliseconds for which messages are collected before the account is valued, 0 to 10 000.
    pub settle_ms: u32,
    /// Seconds after which a reading is too old to act on, 30 to 86 400, and more than `sync_interval_s`: else the account
    /// would grow too old right before each reading.
    pub stale_after_s: u32,
    /// Whether orders reach the real account.
    pub mode: Mode,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            broker_url: String::new(),
            public_key: String::new(),
            private_key_file: PathBuf::from("keys/broker"),
            sync_interval_s: 300,
            settle_ms: 100,
            stale_after_s: 900,
            mode: Mode::Research,
        }
    }
}

impl Settings {
    /// Checks ranges.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("sync_interval_s", self.sync_interval_s, 10, 3_600),
            ("settle_ms", self.settle_ms, 0, 10_000),
            ("stale_after_s", self.stale_after_s, 30, 86_400),
        ];
        match ranges.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((name, value, least, most)) => {
                Err(format!("[stage.portfolio] `{name}` is {value}, it must be {least} to {most}"))
            }
            None if self.stale_after_s <= self.sync_interval_s => Err(format!(
                "[stage.portfolio] `stale_after_s` is {}, it must be more than `sync_interval_s`, which is {}",
                self.stale_after_s, self.sync_interval_s
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn an_account_that_would_grow_too_old_before_each_reading_is_refused() {
        let settings = |sync_interval_s, stale_after_s| Settings {
            sync_interval_s,
            stale_after_s,
            ..Settings::default()
        };
        assert!(settings(900, 901).check().is_ok());
        let refused = settings(900, 900).check().err().unwrap_or_default();
        assert!(
            refused.contains("`stale_after_s` is 900") && refused.contains("sync_interval_s"),
            "{refused}"
        );
    }
}
