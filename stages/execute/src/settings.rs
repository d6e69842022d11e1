//! `[stage.execute]`.

use std::path::PathBuf;

use serde::Deserialize;

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of the broker.
    pub broker_url: String,
    /// Whether a word on the broker's socket may bring a look at an order forward.
    pub broker_socket: bool,
    /// Public part of the trading key.
    pub public_key: String,
    /// File of the private part, relative to the data folder.
    pub private_key_file: PathBuf,
    /// The first of the three conditions for real money; see `live.rs`.
    pub allow_live: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            broker_url: String::new(),
            broker_socket: true,
            public_key: String::new(),
            private_key_file: "keys/broker".into(),
            allow_live: false,
        }
    }
}
