//! What `score` says: how good each security is, and in which regime the market is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Day, Isin, Timestamp};
use ::money::Price;

use crate::{Finite, Id, Sample, sample_values as v};

/// Days after which the newest bar of a score is too old to act on the score.
pub const BARS_AGE_MAX_DAYS: i32 = 7;
/// Completed sessions of its venue that the newest bar of a score may have missed for its security to be bought.
pub const SESSIONS_MISSED_MAX: usize = 2;

/// Which parts a security is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A share whose business figures are known.
    Full,
    /// A share of which only prices are known, and everything whose kind is unknown.
    Price,
    /// A fund.
    Fund,
    /// A commodity.
    Commodity,
}

impl Profile {
    /// The name in stores and statements.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Full => "full",
            Profile::Price => "price",
            Profile::Fund => "fund",
            Profile::Commodity => "commodity",
        }
    }
}

/// Why a security may not be bought, or that it may.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gates {
    /// No objection of the scorer; price limits and everything else is decided by others.
    pub buyable: bool,
    /// The objections, by name.
    pub objections: Vec<String>,
    /// Whether the quality gate is passed; unknown without its figures.
    pub quality: Option<bool>,
    /// The price has turned upwards; false without 130 closes, so nothing falling is bought.
    pub turn: bool,
    /// The price falls faster than usual; nothing is bought into it.
    pub freefall: bool,
    /// How deep the dip is, 0 to 1.
    pub dip: Option<Finite>,
}

/// What the planner's end state counts of a security, each 0 to 1 with three decimals; what is unknown is neutral.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndComponents {
    /// Total return.
    #[serde(rename = "return")]
    pub total_return: Finite,
    /// Promise.
    pub promise: Finite,
    /// Stability.
    pub stability: Finite,
}

/// How much speaks for selling a holding; the planner decides on what is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SellScore {
    /// 0 to 1, higher is more reason to sell; 0 while blocked.
    pub score: Finite,
    /// By name.
    pub parts: BTreeMap<String, Finite>,
    /// What forbids selling for now, if anything.
    pub blocked: Option<String>,
    /// A loss beyond the limit with a failed quality gate: a person should look at why it is held.
    pub review: bool,
    /// Gain since purchase as a fraction.
    pub profit: Option<Finite>,
    /// Whole days since the holding began.
    pub days_held: Option<i64>,
}

/// Gain beyond what the security's own past explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Windfall {
    /// 0 to 1.
    pub score: Finite,
    /// Gain less the expected gain, as a fraction.
    pub excess: Finite,
    /// Share of the holding that would be sold, as a fraction; 0 for none.
    pub sell: Finite,
    /// Why so much.
    pub reason: String,
}

/// A score that explains itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityScore {
    /// Which security.
    pub isin: Isin,
    /// When.
    pub at: Timestamp,
    /// 0 to 1, drawn towards 0.5 while little is known; absent while nothing can be said.
    pub total: Option<Finite>,
    /// The same before it was drawn towards 0.5.
    pub raw: Option<Finite>,
    /// Share of the profile's weight for which there was data.
    pub coverage: Finite,
    /// Which parts count.
    pub profile: Profile,
    /// Each group that has data, 0 to 1; stability also where it has no weight.
    pub groups: BTreeMap<String, Finite>,
    /// Each part that has data, 0 to 1, named `group.part`.
    pub parts: BTreeMap<String, Finite>,
    /// The figures the parts came from.
    pub inputs: BTreeMap<String, Finite>,
    /// Mean of long-term growth and the strength of the business, 0 to 1.
    pub quality: Option<Finite>,
    /// Total times what the owner prefers, four decimals; for ranking only.
    pub priority: Option<Finite>,
    /// What speaks against buying.
    pub gates: Gates,
    /// How good the moment is, 0 to 1; decides on the order of execution only.
    pub timing: Option<Finite>,
    /// How well it fits what is held and wanted, 0 to 1; for display only.
    pub fit: Option<Finite>,
    /// What the planner's end state counts.
    pub end: EndComponents,
    /// Of a holding only.
    pub sell: Option<SellScore>,
    /// Of a holding only.
    pub windfall: Option<Windfall>,
    /// Words for people; only `quality-gate-fail` and `bubble-risk` keep the planner from buying.
    pub tags: Vec<String>,
    /// Price used.
    pub price_e6: Option<Price>,
    /// The quote it came from.
    pub quote: Option<Id>,
    /// Daily bars used.
    pub bars: u32,
    /// Last of them.
    pub bars_until: Option<Day>,
    /// Length of the history in years.
    pub history_years: Finite,
    /// Which settings it was computed with, 16 hexadecimal digits.
    pub settings: String,
    /// What was missing or unusual.
    pub flags: Vec<String>,
}

impl Sample for SecurityScore {
    fn sample() -> Self {
        SecurityScore {
            isin: v::isin(),
            at: v::at(),
            total: Some(v::number(0.62)),
            raw: Some(v::number(0.63)),
            coverage: v::number(0.75),
            profile: Profile::Full,
            groups: BTreeMap::from([("opportunity".to_string(), v::number(0.7))]),
            parts: BTreeMap::from([("opportunity.below_52w_high".to_string(), v::number(0.7))]),
            inputs: BTreeMap::from([("rsi_14".to_string(), v::number(41.5))]),
            quality: Some(v::number(0.66)),
            priority: Some(v::number(0.62)),
            gates: Gates {
                buyable: true,
                objections: vec![],
                quality: Some(true),
                turn: true,
                freefall: false,
                dip: Some(v::number(0.2)),
            },
            timing: Some(v::number(0.55)),
            fit: Some(v::number(0.6)),
            end: EndComponents {
                total_return: v::number(0.8),
                promise: v::number(0.6),
                stability: v::number(0.7),
            },
            sell: Some(SellScore {
                score: v::number(0.3),
                parts: BTreeMap::from([("underperformance".to_string(), v::number(0.1))]),
                blocked: None,
                review: false,
                profit: Some(v::number(0.12)),
                days_held: Some(400),
            }),
            windfall: Some(Windfall {
                score: v::number(0.0),
                excess: v::number(-0.02),
                sell: v::number(0.0),
                reason: "near_expected".into(),
            }),
            tags: vec!["stable".into()],
            price_e6: Some(v::price()),
            quote: Some(v::id()),
            bars: 252,
            bars_until: Some(v::day()),
            history_years: v::number(1.0),
            settings: "a1b2c3d4e5f60718".into(),
            flags: vec!["no_dividends".into()],
        }
    }
}

/// The market regime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Regime {
    /// When.
    pub at: Timestamp,
    /// bull, sideways or bear; unknown without enough data.
    pub label: String,
    /// -1 to 1.
    pub score: Option<Finite>,
    /// Smoothed distance of the indices from their 200-day averages, as a fraction.
    pub smoothed: Option<Finite>,
    /// Each region's distance on the last day; what is missing is not listed.
    pub regions: BTreeMap<String, Finite>,
    /// First day of the present label.
    pub since: Option<Day>,
    /// Last day that the indices cover.
    pub until: Option<Day>,
    /// Markets are unusually restless.
    pub high_volatility: bool,
    /// What dropped out, or why nothing is known.
    pub reasons: Vec<String>,
}

impl Sample for Regime {
    fn sample() -> Self {
        Regime {
            at: v::at(),
            label: "sideways".into(),
            score: Some(v::number(0.1)),
            smoothed: Some(v::number(0.01)),
            regions: BTreeMap::from([("EU".to_string(), v::number(0.012))]),
            since: Some(v::day()),
            until: Some(v::day()),
            high_volatility: false,
            reasons: vec!["no index is named for ASIA".into()],
        }
    }
}
