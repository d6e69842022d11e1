//! What `optimise` says: how much of the fund each security should be.

use serde::{Deserialize, Serialize};

use ::market::{Isin, Timestamp};
use ::money::Weight;

use crate::{Id, Sample, sample_values as v};

/// One security's target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetWeight {
    /// Which.
    pub isin: Isin,
    /// Target share of the fund.
    pub weight_e6: Weight,
    /// Share now.
    pub current_e6: Weight,
    /// Why this much.
    pub reason: String,
}

/// All targets of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetWeights {
    /// Which run.
    pub run_id: Id,
    /// When.
    pub at: Timestamp,
    /// How they were found.
    pub method: String,
    /// Why this method.
    pub why: String,
    /// By ISIN; what is not listed has target zero.
    pub weights: Vec<TargetWeight>,
    /// Limits that decided something.
    pub binding: Vec<String>,
    /// Limits that had to give way.
    pub relaxed: Vec<String>,
}

impl Sample for TargetWeights {
    fn sample() -> Self {
        TargetWeights {
            run_id: v::id(),
            at: v::at(),
            method: "score_tilt".into(),
            why: "scores of 8 securities".into(),
            weights: vec![TargetWeight {
                isin: v::isin(),
                weight_e6: v::weight(),
                current_e6: Weight::ZERO,
                reason: "score 0.62".into(),
            }],
            binding: vec!["max_weight DE000SMX0015".into()],
            relaxed: vec![],
        }
    }
}
