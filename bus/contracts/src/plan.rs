//! What `plan` and `evaluate` say to each other and to people: contexts, jobs, results, the proposal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Isin, Mic, Timestamp};
use ::money::{Currency, Money, Price, Quantity, Weight};

use crate::{Finite, Id, Sample, Side, sample_values as v};

/// One trade that could be part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Candidate {
    /// Security.
    pub isin: Isin,
    /// Venue.
    pub mic: Mic,
    /// Buy or sell.
    pub side: Side,
    /// How many.
    pub qty_e6: Quantity,
    /// Price assumed, also the limit.
    pub price_e6: Price,
    /// Of the price.
    pub ccy: Currency,
    /// Worth in EUR.
    pub value_eur: Money,
    /// Estimated cost in EUR.
    pub cost_eur: Money,
    /// Why it was found.
    pub reason: String,
    /// Who found it.
    pub finder: String,
    /// Orders candidates; no part of the score.
    pub priority: Finite,
}

/// One holding as the evaluator sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holding {
    /// Security.
    pub isin: Isin,
    /// Worth now.
    pub value_eur: Money,
    /// Target share.
    pub target_e6: Weight,
    /// Its score, 0 to 1; 0.5 when unknown.
    pub quality: Finite,
}

/// Everything an evaluator needs, fixed once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanContext {
    /// Which part of the fund.
    pub bucket_id: String,
    /// 32 hexadecimal digits over all the rest.
    pub context_id: String,
    /// The holdings it starts from.
    pub state_id: String,
    /// When.
    pub at: Timestamp,
    /// Cash that may be used.
    pub cash_eur: Money,
    /// Holdings and all cash.
    pub total_eur: Money,
    /// All held or proposed securities, by ISIN.
    pub holdings: Vec<Holding>,
    /// What sequences are made of; a job names them by index.
    pub candidates: Vec<Candidate>,
}

impl Sample for Candidate {
    fn sample() -> Self {
        Candidate {
            isin: v::isin(),
            mic: v::mic(),
            side: Side::Buy,
            qty_e6: v::one(),
            price_e6: v::price(),
            ccy: Currency::EUR,
            value_eur: v::eur(),
            cost_eur: v::eur(),
            reason: "0.4 % under target".into(),
            finder: "weight_gap".into(),
            priority: v::number(0.8),
        }
    }
}

impl Sample for PlanContext {
    fn sample() -> Self {
        PlanContext {
            bucket_id: "core".into(),
            context_id: "00112233445566778899aabbccddeeff".into(),
            state_id: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            at: v::at(),
            cash_eur: v::eur(),
            total_eur: v::eur(),
            holdings: vec![Holding {
                isin: v::isin(),
                value_eur: v::eur(),
                target_e6: v::weight(),
                quality: v::number(0.6),
            }],
            candidates: vec![Candidate::sample()],
        }
    }
}

/// Sequences to evaluate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanJob {
    /// Number of the job, never used again.
    pub n: u64,
    /// Against which context.
    pub context_id: String,
    /// Where that context stands.
    pub bucket_id: String,
    /// 1, or more when an answer did not come.
    pub attempt: u32,
    /// Each a list of candidates by index, in the order of execution.
    pub sequences: Vec<Vec<u16>>,
    /// How many of the best to send back.
    pub keep: u16,
}

impl Sample for PlanJob {
    fn sample() -> Self {
        PlanJob {
            n: 1,
            context_id: "00112233445566778899aabbccddeeff".into(),
            bucket_id: "core".into(),
            attempt: 1,
            sequences: vec![vec![0]],
            keep: 20,
        }
    }
}

/// One evaluated sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evaluated {
    /// Candidates by index.
    pub actions: Vec<u16>,
    /// End-state score, 0 to 1.
    pub score: Finite,
    /// The same before costs.
    pub before_costs: Finite,
    /// All costs.
    pub cost_eur: Money,
    /// Cash left.
    pub cash_eur: Money,
}

/// The best of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanResult {
    /// Which job.
    pub n: u64,
    /// Against which context.
    pub context_id: String,
    /// Score of doing nothing.
    pub unchanged: Finite,
    /// Best first.
    pub best: Vec<Evaluated>,
    /// How many were scored.
    pub evaluated: u32,
    /// How many were not, by reason.
    pub infeasible: BTreeMap<String, u32>,
    /// Which instance did it.
    pub worker: String,
}

impl Sample for PlanResult {
    fn sample() -> Self {
        PlanResult {
            n: 1,
            context_id: "00112233445566778899aabbccddeeff".into(),
            unchanged: v::number(0.51),
            best: vec![Evaluated {
                actions: vec![0],
                score: v::number(0.55),
                before_costs: v::number(0.56),
                cost_eur: v::eur(),
                cash_eur: v::eur(),
            }],
            evaluated: 1,
            infeasible: BTreeMap::from([("cash".to_string(), 3)]),
            worker: "evaluate-1".into(),
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanStep {
    /// 1 is the first; only the first is ever executed.
    pub step: u16,
    /// Its order, once requested.
    pub order_id: Option<Id>,
    /// What is to be done.
    pub candidate: Candidate,
    /// What must happen before.
    pub waits_for: Option<String>,
}

/// A rejected sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rival {
    /// In words.
    pub actions: Vec<String>,
    /// Its score.
    pub score: Finite,
    /// Why not.
    pub reason: String,
}

/// A security that is not in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Which.
    pub isin: Isin,
    /// Why, as a code.
    pub code: String,
    /// Why, in words.
    pub text: String,
}

/// The best plan, or why nothing is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanProposed {
    /// Which plan.
    pub plan_id: Id,
    /// What it rests on.
    pub context_id: String,
    /// Holdings it starts from; another state ends it.
    pub state_id: String,
    /// Which part of the fund.
    pub bucket_id: String,
    /// When.
    pub at: Timestamp,
    /// When it ends by age.
    pub expires: Timestamp,
    /// Empty when nothing is to be done.
    pub steps: Vec<PlanStep>,
    /// Score of doing nothing.
    pub score_unchanged: Finite,
    /// Score of the plan.
    pub score_after: Finite,
    /// One sentence.
    pub why: String,
    /// Best rejected sequences.
    pub rivals: Vec<Rival>,
    /// Securities not in the plan.
    pub left_out: Vec<LeftOut>,
    /// Sequences scored.
    pub evaluated: u32,
    /// Sequences that were not, by reason.
    pub infeasible: BTreeMap<String, u32>,
}

impl Sample for PlanProposed {
    fn sample() -> Self {
        PlanProposed {
            plan_id: v::id(),
            context_id: "00112233445566778899aabbccddeeff".into(),
            state_id: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            bucket_id: "core".into(),
            at: v::at(),
            expires: v::at(),
            steps: vec![PlanStep {
                step: 1,
                order_id: Some(v::id()),
                candidate: Candidate::sample(),
                waits_for: None,
            }],
            score_unchanged: v::number(0.51),
            score_after: v::number(0.55),
            why: "Buys 12 RHNA: 2.1 % under target.".into(),
            rivals: vec![Rival {
                actions: vec!["buy 3 ALPB".into()],
                score: v::number(0.54),
                reason: "lower score".into(),
            }],
            left_out: vec![LeftOut {
                isin: v::isin(),
                code: "stale_price".into(),
                text: "No price since yesterday.".into(),
            }],
            evaluated: 12,
            infeasible: BTreeMap::new(),
        }
    }
}
