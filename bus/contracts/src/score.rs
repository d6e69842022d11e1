//! What `score` says: how good each security is, and in which regime the market is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Day, Isin, Timestamp};
use ::money::Price;

use crate::{Finite, Id, Sample, sample_values as v};

/// A score that explains itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityScore {
    /// Which security.
    pub isin: Isin,
    /// When.
    pub at: Timestamp,
    /// 0 to 1; unknown while nothing can be said.
    pub total: Option<Finite>,
    /// Share of the parts for which there was data.
    pub coverage: Finite,
    /// Each part, 0 to 1.
    pub parts: BTreeMap<String, Finite>,
    /// The figures the parts came from.
    pub inputs: BTreeMap<String, Finite>,
    /// Price used.
    pub price_e6: Option<Price>,
    /// The quote it came from.
    pub quote: Option<Id>,
    /// Daily bars used.
    pub bars: u32,
    /// Last of them.
    pub bars_until: Option<Day>,
    /// What was missing or unusual.
    pub flags: Vec<String>,
}

impl Sample for SecurityScore {
    fn sample() -> Self {
        SecurityScore {
            isin: v::isin(),
            at: v::at(),
            total: Some(v::number(0.62)),
            coverage: v::number(0.75),
            parts: BTreeMap::from([("opportunity".to_string(), v::number(0.7))]),
            inputs: BTreeMap::from([("rsi".to_string(), v::number(41.5))]),
            price_e6: Some(v::price()),
            quote: Some(v::id()),
            bars: 252,
            bars_until: Some(v::day()),
            flags: vec!["no_fundamentals".into()],
        }
    }
}

/// The market regime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Regime {
    /// When.
    pub at: Timestamp,
    /// bull, neutral or bear; unknown without enough data.
    pub label: String,
    /// -1 to 1.
    pub score: Option<Finite>,
}

impl Sample for Regime {
    fn sample() -> Self {
        Regime { at: v::at(), label: "neutral".into(), score: Some(v::number(0.1)) }
    }
}
