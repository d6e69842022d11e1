//! Requests to stages, each with an actor, and their answers.

use serde::{Deserialize, Serialize};

use ::market::{Day, Isin, Timestamp};

use crate::{Finite, Id, Sample, sample_values as v};

/// Stops all trading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Halt {
    /// Who asks.
    pub actor: String,
    /// As a code, for example `owner` or `stop_button`.
    pub reason: String,
    /// In words.
    pub text: String,
}

impl Sample for Halt {
    fn sample() -> Self {
        Halt { actor: "steward".into(), reason: "owner".into(), text: "Before the holidays.".into() }
    }
}

/// Clears all open halts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resume {
    /// Who asks.
    pub actor: String,
    /// Why it is safe.
    pub text: String,
}

impl Sample for Resume {
    fn sample() -> Self {
        Resume { actor: "steward".into(), text: "Looked at it.".into() }
    }
}

/// Lists every setting with its value, its default and its rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescribeSettings {
    /// Who asks.
    pub actor: String,
}

impl Sample for DescribeSettings {
    fn sample() -> Self {
        DescribeSettings { actor: "steward".into() }
    }
}

/// Settles an order whose fate no list of the broker shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettleOrder {
    /// Who asks.
    pub actor: String,
    /// Which order.
    pub order_id: Id,
    /// The order at the broker that it is; absent: it never arrived there, or is there no longer.
    pub broker_order_id: Option<String>,
    /// What was looked at.
    pub text: String,
}

impl Sample for SettleOrder {
    fn sample() -> Self {
        SettleOrder {
            actor: "steward".into(),
            order_id: v::id(),
            broker_order_id: None,
            text: "The broker's page shows no such order.".into(),
        }
    }
}

/// Plans at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanNow {
    /// Who asks.
    pub actor: String,
}

impl Sample for PlanNow {
    fn sample() -> Self {
        PlanNow { actor: "steward".into() }
    }
}

/// Agrees to one step of a plan that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApproveStep {
    /// Who asks.
    pub actor: String,
    /// Which plan; one that has been replaced is refused.
    pub plan_id: Id,
    /// Number of the step, from 1.
    pub step: u16,
}

impl Sample for ApproveStep {
    fn sample() -> Self {
        ApproveStep { actor: "steward".into(), plan_id: v::id(), step: 1 }
    }
}

/// Leaves one step of a plan out for a day; its security is not traded meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkipStep {
    /// Who asks.
    pub actor: String,
    /// Which plan; one that has been replaced is refused.
    pub plan_id: Id,
    /// Number of the step, from 1.
    pub step: u16,
}

impl Sample for SkipStep {
    fn sample() -> Self {
        SkipStep { actor: "steward".into(), plan_id: v::id(), step: 1 }
    }
}

/// Reads the brokerage account at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncNow {
    /// Who asks.
    pub actor: String,
}

impl Sample for SyncNow {
    fn sample() -> Self {
        SyncNow { actor: "steward".into() }
    }
}

/// Dates a holding that is older than the books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldSince {
    /// Who asks.
    pub actor: String,
    /// Which security.
    pub isin: Isin,
    /// The day since which it is held at least.
    pub since: Day,
    /// Where the date stands.
    pub text: String,
}

impl Sample for HeldSince {
    fn sample() -> Self {
        HeldSince {
            actor: "steward".into(),
            isin: v::isin(),
            since: v::day(),
            text: "The statement of that year.".into(),
        }
    }
}

/// Which file of an existing ledger is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LedgerFile {
    /// Purchases, sales and splits.
    Trades,
    /// Everything else that moved cash.
    CashFlows,
}

/// One part of an existing ledger; the last part is answered with what became of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportLedger {
    /// Who asks.
    pub actor: String,
    /// Which import the part belongs to; the next import throws away what is left of another.
    pub import: String,
    /// Which file.
    pub file: LedgerFile,
    /// Number of the part, from 1.
    pub part: u32,
    /// How many there are in all files together.
    pub parts: u32,
    /// Whole lines of CSV; the first part of a file begins with its heading.
    pub text: String,
    /// Only says what would happen.
    pub dry_run: bool,
}

impl Sample for ImportLedger {
    fn sample() -> Self {
        ImportLedger {
            actor: "steward".into(),
            import: "2026-03-02".into(),
            file: LedgerFile::Trades,
            part: 1,
            parts: 1,
            text: "date,side,isin,ticker,quantity,price,currency,fee,eur_per_unit,id\n".into(),
            dry_run: true,
        }
    }
}

/// Changes one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetSetting {
    /// Who asks.
    pub actor: String,
    /// Which.
    pub setting: String,
    /// New value; null takes the default back.
    pub value: serde_json::Value,
    /// What a setting that can cost money asks for, word for word.
    #[serde(default)]
    pub confirm: Option<String>,
}

impl Sample for SetSetting {
    fn sample() -> Self {
        SetSetting {
            actor: "steward".into(),
            setting: "risk.max_per_day".into(),
            value: serde_json::json!(4),
            confirm: None,
        }
    }
}

/// Changes the virtual clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockChange {
    /// Who asks.
    pub actor: String,
    /// New speed.
    pub speed: Option<Finite>,
    /// Moves this much forward at once.
    pub advance_s: Option<i64>,
    /// New end.
    pub until: Option<Timestamp>,
}

impl Sample for ClockChange {
    fn sample() -> Self {
        ClockChange { actor: "steward".into(), speed: Some(v::number(600.0)), advance_s: None, until: None }
    }
}

/// Asks the simulator for its own books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskTruth {
    /// Who asks.
    pub actor: String,
}

impl Sample for AskTruth {
    fn sample() -> Self {
        AskTruth { actor: "steward".into() }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As asked.
    Done,
    /// A rule forbids it.
    Refused,
    /// It could not be done.
    Failed,
}

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reply {
    /// Id of the command's envelope.
    pub id: Id,
    /// Who answers.
    pub stage: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why not, as a code.
    pub code: Option<String>,
    /// One sentence.
    pub text: String,
    /// What was asked for, or null.
    pub data: serde_json::Value,
}

impl Sample for Reply {
    fn sample() -> Self {
        Reply {
            id: v::id(),
            stage: "risk-gate".into(),
            outcome: Outcome::Done,
            code: None,
            text: "Trading is halted.".into(),
            data: serde_json::Value::Null,
        }
    }
}
