//! `[stage.simworld]`.

use std::net::SocketAddr;

use market::Timestamp;
use serde::Deserialize;

/// How virtual time moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As wall time.
    Real,
    /// Faster, by `speed`.
    Scaled,
    /// Faster, and over the times when every venue is closed in one jump.
    FastClosed,
    /// From one moment at which something happens to the next, when every stage is idle.
    Stepped,
}

/// What the owner of a simulated world can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the imitated services listen; loopback only.
    pub http: SocketAddr,
    /// How time moves.
    pub mode: Mode,
    /// Virtual seconds per second.
    pub speed: f64,
    /// First instant of the world, RFC 3339.
    pub start: String,
    /// Days after which time stands still; for ever when absent.
    pub days: Option<u32>,
    /// Tickers of the world; all when empty.
    pub tickers: Vec<String>,
    /// Stage instances that a step waits for.
    pub stages: Vec<String>,
    /// Preset of account and market mood.
    pub scenario: String,
    /// How answers are written: `clean`, `live_like` or `nasty`.
    pub profile: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            http: SocketAddr::from(([127, 0, 0, 1], 8900)),
            mode: Mode::Real,
            speed: 1.0,
            start: "2026-03-02T08:00:00Z".into(),
            days: None,
            tickers: Vec::new(),
            stages: Vec::new(),
            scenario: "default".into(),
            profile: "live_like".into(),
        }
    }
}

/// Fastest scaled time; beyond it wall time cannot be told apart.
const SPEED_MAX: f64 = 100_000.0;

impl Settings {
    /// The first instant.
    ///
    /// # Errors
    /// One sentence naming the field and the rule.
    pub fn checked_start(&self) -> Result<Timestamp, String> {
        if !self.http.ip().is_loopback() {
            return Err(format!(
                "`http` is {}, the simulator listens on loopback only; use 127.0.0.1 and a port",
                self.http
            ));
        }
        if !(self.speed > 0.0 && self.speed <= SPEED_MAX) {
            return Err(format!("`speed` is {}, it must be above 0 and at most {SPEED_MAX}", self.speed));
        }
        if self.mode == Mode::Stepped && self.stages.is_empty() {
            return Err("`stages` is empty, but stepped time waits for them; list the stage instances".into());
        }
        self.start
            .parse()
            .map_err(|_| format!("`start` is `{}`, it must look like 2026-03-02T08:00:00Z", self.start))
    }
}
