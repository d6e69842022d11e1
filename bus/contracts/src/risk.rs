//! What `risk-gate` says about itself: halts, mode, breaker and counts.

use serde::{Deserialize, Serialize};

use ::market::{Isin, Timestamp};

use crate::{Finite, Id, Mode, Sample, sample_values as v};

/// One reason to stand still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HaltEntry {
    /// Key.
    pub id: Id,
    /// Since when.
    pub since: Timestamp,
    /// Who: a user, a stage, the stop button.
    pub actor: String,
    /// As a code.
    pub reason: String,
    /// In words.
    pub text: String,
}

/// Open halts that are named in `risk/halt`; there may be more.
pub const HALTS_SAID: usize = 24;

/// Halted or not. Any open entry halts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskHalt {
    /// Nothing is traded.
    pub halted: bool,
    /// Open halts, oldest first.
    pub halts: Vec<HaltEntry>,
    /// When this last changed.
    pub at: Timestamp,
}

impl Sample for RiskHalt {
    fn sample() -> Self {
        RiskHalt {
            halted: true,
            halts: vec![HaltEntry {
                id: v::id(),
                since: v::at(),
                actor: "steward".into(),
                reason: "owner".into(),
                text: "Before the holidays.".into(),
            }],
            at: v::at(),
        }
    }
}

/// The daily-loss breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// No restriction.
    Normal,
    /// Nothing is sold.
    SellsBlocked,
    /// Nothing is traded.
    Halted,
    /// Cannot be judged: no order passes.
    Unknown,
}

/// One guard of the fund as a whole, and when it lets orders pass again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Guard {
    /// The check it belongs to.
    pub guard: String,
    /// Nothing stands in the way, as far as this guard goes.
    pub free: bool,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub limit: String,
    /// When it can pass again; unknown when only an event or a person ends it.
    pub until: Option<Timestamp>,
}

/// A security that may not be bought or sold for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cooldown {
    /// Which.
    pub isin: Isin,
    /// No purchase before this.
    pub buy_from: Option<Timestamp>,
    /// No sale before this.
    pub sell_from: Option<Timestamp>,
    /// The checks behind it.
    pub why: String,
}

/// What the gate judges by, besides the order itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskState {
    /// When.
    pub at: Timestamp,
    /// Live or research.
    pub mode: Mode,
    /// Daily-loss breaker.
    pub breaker: Breaker,
    /// Change of value today, as a fraction.
    pub day_change: Option<Finite>,
    /// Orders sent today.
    pub trades_today: u32,
    /// Orders sent in seven days.
    pub trades_week: u32,
    /// Last order sent.
    pub last_trade: Option<Timestamp>,
    /// Fall from the highest value of ninety days, flows taken out, as a fraction.
    #[serde(default)]
    pub drawdown: Option<Finite>,
    /// The guards that do not depend on a single order, in order of precedence.
    #[serde(default)]
    pub guards: Vec<Guard>,
    /// What rests after a trade, by security.
    #[serde(default)]
    pub cooldowns: Vec<Cooldown>,
}

impl Sample for RiskState {
    fn sample() -> Self {
        RiskState {
            at: v::at(),
            mode: Mode::Live,
            breaker: Breaker::Normal,
            day_change: Some(v::number(-0.004)),
            trades_today: 1,
            trades_week: 3,
            last_trade: Some(v::at()),
            drawdown: Some(v::number(0.031)),
            guards: vec![Guard {
                guard: "min_gap".into(),
                free: false,
                found: "last order 2026-03-02T14:31:07Z".into(),
                limit: "60 min".into(),
                until: Some(v::at()),
            }],
            cooldowns: vec![Cooldown {
                isin: v::isin(),
                buy_from: Some(v::at()),
                sell_from: None,
                why: "buy_cooldown".into(),
            }],
        }
    }
}
