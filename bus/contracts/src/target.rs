//! What `optimise` says: how much of the fund each security should be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Isin, Timestamp};
use ::money::Weight;

use crate::{Finite, Id, Sample, sample_values as v};

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
    /// Least share that was allowed.
    pub lower_e6: Weight,
    /// Largest share that was allowed.
    pub upper_e6: Weight,
    /// Expected return, fraction a year; absent for what keeps its share, and for what is neither wanted nor held: it is not
    /// to be bought.
    pub expected_return: Option<Finite>,
    /// Why this much.
    pub reason: String,
}

/// How far a target is from what is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetChange {
    /// Which.
    pub isin: Isin,
    /// Target less present share, in millionths of the fund; below zero for less of it.
    pub change_e6: i64,
}

/// How good a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetStatus {
    /// As asked.
    Ok,
    /// Something gave way or was missing; it is said what.
    Degraded,
}

/// A group of securities, its target and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetGroup {
    /// `country` or `industry`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How much of each member belongs to it, 0 to 1.
    pub members: BTreeMap<Isin, Finite>,
    /// Share of the fund it should have, if the owner wants one.
    pub target_e6: Option<Weight>,
    /// Least share in force.
    pub lower_e6: Weight,
    /// Largest share in force.
    pub upper_e6: Weight,
    /// Share with the new targets.
    pub value_e6: Weight,
    /// `lower` or `upper` if that limit decided something.
    pub binding: Option<String>,
}

/// Expected return and volatility of one stage of a run, fractions a year of the fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetFigures {
    /// `mean_variance`, `risk_parity`, `blend` or `final`.
    pub of: String,
    /// Expected return.
    pub expected_return: Finite,
    /// Volatility.
    pub volatility: Finite,
}

/// Two securities that move nearly alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alike {
    /// One of them.
    pub first: Isin,
    /// The other.
    pub second: Isin,
    /// -1 to 1.
    pub correlation: Finite,
}

/// A security without a say in the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Excluded {
    /// Which.
    pub isin: Isin,
    /// Why.
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
    /// Hash of everything the run decided from.
    pub snapshot: String,
    /// How good the run is.
    pub status: TargetStatus,
    /// How they were found, for example `blend of efficient_return and risk parity`.
    pub method: String,
    /// Why this method.
    pub why: String,
    /// How much of the groups' limits is in force: full, `minima_halved`, `minima_dropped`, `caps_widened`.
    pub level: String,
    /// Share of risk parity in the blend, 0 to 1.
    pub blend: Finite,
    /// By ISIN, also with target zero; what is not listed has no say and nothing held.
    pub weights: Vec<TargetWeight>,
    /// Share of the fund that stays cash.
    pub cash_e6: Weight,
    /// Of mean-variance, risk parity, blend and the final weights.
    pub figures: Vec<TargetFigures>,
    /// What differs by more than a thousandth of the fund, the largest first.
    pub changes: Vec<TargetChange>,
    /// Mean loss of the final weights on the worst twentieth of all days, below zero for a loss; absent with fewer than 250.
    pub cvar_95_1d: Option<Finite>,
    /// What each security contributes to that, where it is more than a millionth.
    pub cvar_parts: BTreeMap<Isin, Finite>,
    /// The same of all stretches of twenty days.
    pub cvar_95_20d: Option<Finite>,
    /// Countries, then industries; the only source of groups for other stages.
    pub groups: Vec<TargetGroup>,
    /// The pairs that move most alike, at most five.
    pub alike: Vec<Alike>,
    /// Securities without a say, and why.
    pub excluded: Vec<Excluded>,
    /// Limits that decided something.
    pub binding: Vec<String>,
    /// Limits that had to give way.
    pub relaxed: Vec<String>,
    /// A smallest set of limits that cannot be kept together, when some had to give way.
    pub clash: Vec<String>,
    /// Anything else worth knowing.
    pub warnings: Vec<String>,
}

impl Sample for TargetWeights {
    fn sample() -> Self {
        TargetWeights {
            run_id: v::id(),
            at: v::at(),
            snapshot: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            status: TargetStatus::Degraded,
            method: "blend of efficient_return and risk parity".into(),
            why: "8 securities compared over 504 days".into(),
            level: "minima_halved".into(),
            blend: v::number(0.5),
            weights: vec![TargetWeight {
                isin: v::isin(),
                weight_e6: v::weight(),
                current_e6: Weight::ZERO,
                lower_e6: Weight::ZERO,
                upper_e6: v::weight(),
                expected_return: Some(v::number(0.08)),
                reason: "expected 8.0 % a year".into(),
            }],
            cash_e6: v::weight(),
            figures: vec![TargetFigures {
                of: "final".into(),
                expected_return: v::number(0.08),
                volatility: v::number(0.12),
            }],
            changes: vec![TargetChange { isin: v::isin(), change_e6: 150_000 }],
            cvar_95_1d: Some(v::number(-0.017)),
            cvar_parts: BTreeMap::from([(v::isin(), v::number(-0.017))]),
            cvar_95_20d: Some(v::number(-0.06)),
            groups: vec![TargetGroup {
                kind: "country".into(),
                name: "EU".into(),
                members: BTreeMap::from([(v::isin(), v::number(1.0))]),
                target_e6: Some(v::weight()),
                lower_e6: Weight::ZERO,
                upper_e6: v::weight(),
                value_e6: v::weight(),
                binding: Some("upper".into()),
            }],
            alike: vec![Alike { first: v::isin(), second: v::isin(), correlation: v::number(0.91) }],
            excluded: vec![Excluded { isin: v::isin(), reason: "it has no score".into() }],
            binding: vec!["DE000SMX0015 at most 15.0 %".into()],
            relaxed: vec!["country EU at least 30.0 % from 15.0 %".into()],
            clash: vec!["country EU at least 30.0 %".into()],
            warnings: vec!["DE000SMX0015 is compared in USD".into()],
        }
    }
}

/// What a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// Countries, two letters each.
    Country,
    /// Industries in words.
    Industry,
}

impl GroupKind {
    /// As in the store, in statements and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            GroupKind::Country => "country",
            GroupKind::Industry => "industry",
        }
    }
}

/// Computes the targets at once instead of at the next change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OptimiseNow {
    /// Who asks.
    pub actor: String,
}

impl Sample for OptimiseNow {
    fn sample() -> Self {
        OptimiseNow { actor: "steward".into() }
    }
}

/// Makes a group, or gives one other members; its target stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupPut {
    /// Who asks.
    pub actor: String,
    /// Of what.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
    /// All its members; a group may have none.
    pub members: Vec<String>,
}

impl Sample for GroupPut {
    fn sample() -> Self {
        GroupPut {
            actor: "steward".into(),
            kind: GroupKind::Country,
            name: "NORDIC".into(),
            members: vec!["DK".into(), "SE".into()],
        }
    }
}

/// Takes a group away, with its target; its members belong to `OTHER` then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupDelete {
    /// Who asks.
    pub actor: String,
    /// Of what.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
}

impl Sample for GroupDelete {
    fn sample() -> Self {
        GroupDelete { actor: "steward".into(), kind: GroupKind::Country, name: "NORDIC".into() }
    }
}

/// Sets targets of groups; groups that are not named keep theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetsPut {
    /// Who asks.
    pub actor: String,
    /// Of what.
    pub kind: GroupKind,
    /// Share of the fund by the group's name; 0 takes a target away.
    pub targets: BTreeMap<String, Weight>,
}

impl Sample for TargetsPut {
    fn sample() -> Self {
        TargetsPut {
            actor: "steward".into(),
            kind: GroupKind::Country,
            targets: BTreeMap::from([("EU".to_string(), v::weight())]),
        }
    }
}
