//! Switches of the market-data services: what a scenario or a test may turn on them.

use serde::{Deserialize, Serialize};

/// The switches, all off or unlimited at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Yahoo answers with its outage page.
    #[serde(rename = "yahoo.down")]
    pub yahoo_down: bool,
    /// Yahoo refuses clients whose name is not a browser's.
    #[serde(rename = "yahoo.block_plain_clients")]
    pub yahoo_block_plain_clients: bool,
    /// Yahoo has no fundamentals for anything.
    #[serde(rename = "yahoo.no_fundamentals")]
    pub yahoo_no_fundamentals: bool,
    /// Yahoo refuses everything after so many requests within one hour.
    #[serde(rename = "yahoo.rate_429_after_n")]
    pub yahoo_rate_429_after_n: Option<u64>,
    /// Seconds a crumb is good for.
    #[serde(rename = "yahoo.crumb_life_s")]
    pub yahoo_crumb_life_s: Option<i64>,
    /// Stooq asks for the key that its captcha gives out.
    #[serde(rename = "stooq.needs_apikey")]
    pub stooq_needs_apikey: bool,
}

impl crate::World {
    /// Returns the knobs as they stand.
    #[must_use]
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Sets all knobs at once.
    pub fn set_knobs(&mut self, knobs: Knobs) {
        self.knobs = knobs;
    }
}
