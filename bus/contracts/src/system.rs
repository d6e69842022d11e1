//! What stages say about themselves, and the settings and the clock that all follow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::Timestamp;

use crate::{Finite, Id, Mode, Sample, sample_values as v};

/// How a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Not ready yet.
    Starting,
    /// Working.
    Healthy,
    /// Working, with something a person should look at.
    Degraded,
    /// No longer there.
    Gone,
}

/// A stage is alive. Its age decides, never its absence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// Instance, for example `evaluate-2`.
    pub stage: String,
    /// Of the program.
    pub version: String,
    /// How it is.
    pub state: HealthState,
    /// Process.
    pub pid: u32,
    /// Grows with every start.
    pub incarnation: u64,
    /// How long the last input waited and took, wall time.
    pub lag_ms: u64,
    /// Messages handled since the start.
    pub inputs: u64,
    /// Messages refused since the start.
    pub refused: u64,
    /// Last thing that went wrong.
    pub last_error: Option<String>,
    /// Last decision, one sentence.
    pub last_decision: Option<String>,
    /// Last step of the virtual clock that was finished.
    pub step: u64,
    /// Nothing is waiting, nothing is under way.
    pub idle: bool,
    /// When time alone will make it act.
    pub wake_at: Option<Timestamp>,
    /// Per reader: fingerprint of the statements it should have seen.
    pub said: BTreeMap<String, u64>,
    /// Per owner: fingerprint of the statements seen.
    pub seen: BTreeMap<String, u64>,
}

impl Sample for Health {
    fn sample() -> Self {
        Health {
            stage: "ingest".into(),
            version: "0.1.0".into(),
            state: HealthState::Healthy,
            pid: 4711,
            incarnation: 3,
            lag_ms: 1,
            inputs: 120,
            refused: 0,
            last_error: None,
            last_decision: Some("8 quotes read.".into()),
            step: 17,
            idle: true,
            wake_at: Some(v::at()),
            said: BTreeMap::from([("score".to_string(), 12)]),
            seen: BTreeMap::new(),
        }
    }
}

/// How a job run is or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// Under way.
    Running,
    /// Finished.
    Done,
    /// Given up.
    Failed,
}

/// A recurring job's last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobRun {
    /// Whose.
    pub stage: String,
    /// Which.
    pub job: String,
    /// Which run.
    pub run_id: Id,
    /// Why it ran.
    pub trigger: String,
    /// When.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How.
    pub outcome: JobOutcome,
    /// Items done.
    pub done: u64,
    /// Items in all.
    pub total: u64,
    /// One sentence.
    pub text: String,
}

impl Sample for JobRun {
    fn sample() -> Self {
        JobRun {
            stage: "ingest".into(),
            job: "history".into(),
            run_id: v::id(),
            trigger: "start".into(),
            started: v::at(),
            ended: Some(v::at()),
            outcome: JobOutcome::Done,
            done: 8,
            total: 8,
            text: "8 securities complete.".into(),
        }
    }
}

/// All settings in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsSnapshot {
    /// Grows with every change.
    pub revision: u64,
    /// By key, for example `risk.max_per_day`.
    pub values: BTreeMap<String, serde_json::Value>,
}

/// Key of the setting that says whether orders may reach the real account.
pub const TRADING_MODE: &str = "trading_mode";

impl SettingsSnapshot {
    /// What the owner wants; anything but the word `live` is research.
    #[must_use]
    pub fn trading_mode(&self) -> Mode {
        match self.values.get(TRADING_MODE).and_then(serde_json::Value::as_str) {
            Some("live") => Mode::Live,
            _ => Mode::Research,
        }
    }

    /// The mode that holds: live only when `steward.toml` allows it, and in the real world only while the owner's setting
    /// says so too. Nothing heard is research.
    #[must_use]
    pub fn mode_in_force(allowed: Mode, simulated: bool, heard: Option<&SettingsSnapshot>) -> Mode {
        let asked = heard.map_or(Mode::Research, SettingsSnapshot::trading_mode);
        if allowed == Mode::Live && (simulated || asked == Mode::Live) { Mode::Live } else { Mode::Research }
    }
}

impl Sample for SettingsSnapshot {
    fn sample() -> Self {
        SettingsSnapshot {
            revision: 2,
            values: BTreeMap::from([("risk.max_per_day".to_string(), serde_json::json!(4))]),
        }
    }
}

/// Owners whose readers have missed something. A number that has grown since it was last seen asks for one repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RepeatWanted {
    /// By stage.
    pub asked: BTreeMap<String, u64>,
}

impl Sample for RepeatWanted {
    fn sample() -> Self {
        RepeatWanted { asked: BTreeMap::from([("ingest".to_string(), 2)]) }
    }
}

/// How virtual time moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// As wall time.
    Real,
    /// As wall time, times a speed.
    Scaled,
    /// Scaled, jumping over times when every venue is closed.
    FastClosed,
    /// Only from step to step, when every stage is idle.
    Stepped,
}

/// Virtual time = v0 + speed · (wall − w0); stepped: v0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockState {
    /// How time moves.
    pub mode: ClockMode,
    /// Virtual time of this statement.
    pub v0: Timestamp,
    /// Wall time of this statement.
    pub w0_unix_ms: i64,
    /// Virtual seconds per second.
    pub speed: Finite,
    /// Grows with every jump or change of speed.
    pub epoch: u64,
    /// Grows with every step.
    pub step: u64,
    /// Where the simulated time began.
    pub start: Timestamp,
    /// Where it ends.
    pub until: Option<Timestamp>,
    /// It has reached its end.
    pub ended: bool,
}

impl Sample for ClockState {
    fn sample() -> Self {
        ClockState {
            mode: ClockMode::Scaled,
            v0: v::at(),
            w0_unix_ms: 1_772_461_867_250,
            speed: v::number(60.0),
            epoch: 3,
            step: 0,
            start: v::at(),
            until: None,
            ended: false,
        }
    }
}
