//! What a person should see: the board's display, and alerts.

use serde::{Deserialize, Serialize};

use ::market::Timestamp;
use ::money::Money;

use crate::{Finite, Id, Sample, sample_values as v};

/// What the LEDs say at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// All is well, nothing to do.
    Calm,
    /// An order is under way.
    Working,
    /// Venues are closed.
    Waiting,
    /// Trading is stopped.
    Halted,
    /// A person must look.
    Alarm,
}

/// What the board should show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DisplayState {
    /// At a glance.
    pub mood: Mood,
    /// Scrolling text.
    pub text: String,
    /// Value of the fund.
    pub nav: Option<Money>,
    /// Today, as a fraction.
    pub day_change: Option<Finite>,
    /// When.
    pub at: Timestamp,
}

impl Sample for DisplayState {
    fn sample() -> Self {
        DisplayState {
            mood: Mood::Calm,
            text: "EUR 12 345".into(),
            nav: Some(v::eur()),
            day_change: Some(v::number(0.004)),
            at: v::at(),
        }
    }
}

/// How urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look today.
    Warning,
    /// Look now.
    Alarm,
}

/// Something a person should know, until it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    /// Key.
    pub id: Id,
    /// As a code.
    pub code: String,
    /// How urgent.
    pub severity: Severity,
    /// What happened, why, what to do.
    pub text: String,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// How often.
    pub count: u32,
}

impl Sample for Alert {
    fn sample() -> Self {
        Alert {
            id: v::id(),
            code: "order_incident".into(),
            severity: Severity::Alarm,
            text: "Trading is halted: an approval was forged. Look at the log of execute, then `steward resume`.".into(),
            first: v::at(),
            last: v::at(),
            count: 1,
        }
    }
}
