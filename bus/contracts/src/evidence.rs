//! How a check shows what it saw.

use serde::{Deserialize, Serialize};

use crate::Sample;

/// One check of the gate with its two numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckEvidence {
    /// Which.
    pub check: String,
    /// Passed.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// What was allowed.
    pub limit: String,
}

impl Sample for CheckEvidence {
    fn sample() -> Self {
        CheckEvidence {
            check: "stale_price".into(),
            passed: true,
            found: "60 s".into(),
            limit: "1800 s".into(),
        }
    }
}
