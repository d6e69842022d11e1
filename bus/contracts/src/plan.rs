//! What `plan` and `evaluate` say to each other and to people: contexts, jobs, results, the proposal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Isin, Mic, Timestamp};
use ::money::{Currency, Money, Price, Quantity, Rate, Weight};

use crate::{Finite, Id, Sample, Side, SubsetRange, sample_values as v};

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
    /// Rate used for the value.
    pub eur_per_unit_e9: Rate,
    /// Worth in EUR.
    pub value_eur: Money,
    /// Estimated cost in EUR.
    pub cost_eur: Money,
    /// Why it was found.
    pub reason: String,
    /// Who found it.
    pub finder: String,
    /// The kind of trade that patterns and caps know.
    pub category: String,
    /// What else explains it, as codes.
    pub tags: Vec<String>,
    /// Orders candidates; no part of the score.
    pub priority: Finite,
}

/// One holding as the evaluator sees it; a security that is only proposed is a holding worth nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holding {
    /// Security.
    pub isin: Isin,
    /// Worth now, in this bucket.
    pub value_eur: Money,
    /// Target share.
    pub target_e6: Weight,
    /// Its constants in the end-state score.
    pub constants: ScoreConstants,
    /// Its country group, as a place in the context's `groups`; `None` without a country group.
    pub group: Option<u16>,
    /// The concentrations that it is part of.
    pub counts_in: Vec<Membership>,
    /// The most that it may be worth after a purchase, in this bucket.
    pub limit_eur: Money,
}

/// What the end-state score knows about a security.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScoreConstants {
    /// Expected total return, 0 to 1.
    pub total_return: Finite,
    /// Long-term promise, 0 to 1.
    pub promise: Finite,
    /// Stability, 0 to 1.
    pub stability: Finite,
    /// Dividends of a year as a part of the price.
    pub dividend_yield: Finite,
    /// How good it is, 0 to 1.
    pub quality: Finite,
}

/// A part of a holding that counts in a concentration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Membership {
    /// Place in the context's `concentrations`.
    pub place: u16,
    /// How much of the holding; industries share it equally.
    pub share_e6: Weight,
}

/// A country group and how much of the invested value it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanGroup {
    /// Its name.
    pub name: String,
    /// Target share; a group without one is measured but not judged.
    pub target_e6: Option<Weight>,
}

/// A country or an industry that may only be so much of the whole fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Concentration {
    /// `country` or `industry`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What other buckets hold of it.
    pub elsewhere_eur: Money,
    /// The most that it may be of `nav_eur`.
    pub limit_e6: Weight,
}

/// Cash that a plan may spend; nothing of the reserve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpendableCash {
    /// In which currency it lies.
    pub ccy: Currency,
    /// What it is worth.
    pub value_eur: Money,
    /// On what terms more of it is had for EUR; without them there is only what lies there.
    #[serde(default)]
    pub exchange: Option<ExchangeTerms>,
}

/// What it takes to exchange EUR for another currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExchangeTerms {
    /// Fee as a part of what is exchanged.
    pub fee_e6: Weight,
    /// Smallest fee.
    pub least_eur: Money,
    /// How much more is exchanged than is missing, because rates move; it stays cash.
    pub room_e6: Weight,
}

/// How much each part of the end-state score counts; together one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScoreWeights {
    /// Of the expected total return.
    pub total_return: Finite,
    /// Of allocation, dividends and quality together.
    pub portfolio: Finite,
    /// Of the long-term promise.
    pub promise: Finite,
    /// Of stability.
    pub stability: Finite,
    /// Of a constant opinion of one half.
    pub opinion: Finite,
}

/// What trades cost, and how much that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanCosts {
    /// Of every trade.
    pub fixed_eur: Money,
    /// Of its value.
    pub percent_e6: Weight,
    /// Spread and slippage as a part of the value: an estimate that moves no cash.
    pub impact_e6: Weight,
    /// Score lost per part of the fund that costs take.
    pub factor: Finite,
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
    /// Hash of the planner configuration in force.
    pub config_hash: String,
    /// Cash that may be used, by currency.
    pub cash: Vec<SpendableCash>,
    /// Holdings and all cash of the bucket.
    pub total_eur: Money,
    /// The whole fund, which concentrations are measured against.
    pub nav_eur: Money,
    /// Weights of the score's parts.
    pub weights: ScoreWeights,
    /// Costs.
    pub costs: PlanCosts,
    /// Country groups.
    pub groups: Vec<PlanGroup>,
    /// Countries and industries with limits.
    pub concentrations: Vec<Concentration>,
    /// All held or proposed securities, by ISIN.
    pub holdings: Vec<Holding>,
    /// What sequences are made of, in the order of execution; a job names them by index.
    pub candidates: Vec<Candidate>,
    /// The candidates, ascending, of which every subset is tried.
    pub pool: Vec<u16>,
    /// Pairs of purchases, by index, that move too much alike to be in one sequence.
    #[serde(default)]
    pub apart: Vec<[u16; 2]>,
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
            eur_per_unit_e9: Rate::ONE,
            value_eur: v::eur(),
            cost_eur: v::eur(),
            reason: "0.4 % under target".into(),
            finder: "weight_gap".into(),
            category: "rebalance_buys".into(),
            tags: vec!["optimizer_target".into()],
            priority: v::number(0.8),
        }
    }
}

impl Sample for ScoreConstants {
    fn sample() -> Self {
        ScoreConstants {
            total_return: v::number(0.7),
            promise: v::number(0.6),
            stability: v::number(0.65),
            dividend_yield: v::number(0.02),
            quality: v::number(0.6),
        }
    }
}

impl Sample for ScoreWeights {
    fn sample() -> Self {
        ScoreWeights {
            total_return: v::number(0.35),
            portfolio: v::number(0.25),
            promise: v::number(0.20),
            stability: v::number(0.15),
            opinion: v::number(0.05),
        }
    }
}

impl Sample for PlanCosts {
    fn sample() -> Self {
        PlanCosts {
            fixed_eur: Money::from_e4(20_000, Currency::EUR),
            percent_e6: v::share(2_000),
            impact_e6: v::share(2_500),
            factor: v::number(1.0),
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
            config_hash: "0123456789abcdef".into(),
            cash: vec![
                SpendableCash { ccy: Currency::EUR, value_eur: v::eur(), exchange: None },
                SpendableCash {
                    ccy: Currency::USD,
                    value_eur: Money::zero(Currency::EUR),
                    exchange: Some(ExchangeTerms {
                        fee_e6: v::share(1_000),
                        least_eur: Money::from_e4(9_000, Currency::EUR),
                        room_e6: v::share(30_200),
                    }),
                },
            ],
            total_eur: v::eur(),
            nav_eur: v::eur(),
            weights: ScoreWeights::sample(),
            costs: PlanCosts::sample(),
            groups: vec![PlanGroup { name: "EU".into(), target_e6: Some(v::weight()) }],
            concentrations: vec![Concentration {
                kind: "country".into(),
                name: "Germany".into(),
                elsewhere_eur: Money::zero(Currency::EUR),
                limit_e6: v::share(350_000),
            }],
            holdings: vec![Holding {
                isin: v::isin(),
                value_eur: v::eur(),
                target_e6: v::weight(),
                constants: ScoreConstants::sample(),
                group: Some(0),
                counts_in: vec![Membership { place: 0, share_e6: v::share(1_000_000) }],
                limit_eur: v::eur(),
            }],
            candidates: vec![Candidate::sample()],
            pool: vec![0],
            apart: vec![],
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
    /// Subsets of the context's pool, by number.
    pub ranges: Vec<SubsetRange>,
    /// Further sequences, each a list of candidates by index, in the order of execution.
    pub sequences: Vec<Vec<u16>>,
    /// How many of the best to send back.
    pub keep: u16,
}

impl PlanJob {
    /// How many sequences it asks about.
    #[must_use]
    pub fn sequence_count(&self) -> usize {
        let by_number = self.ranges.iter().map(|range| usize::try_from(range.count).unwrap_or(usize::MAX));
        by_number.fold(self.sequences.len(), usize::saturating_add)
    }
}

impl Sample for PlanJob {
    fn sample() -> Self {
        PlanJob {
            n: 1,
            context_id: "00112233445566778899aabbccddeeff".into(),
            bucket_id: "core".into(),
            attempt: 1,
            ranges: vec![SubsetRange { size: 1, first: 0, count: 1 }],
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
    /// Commission and conversions.
    pub cost_eur: Money,
    /// Estimated spread and slippage.
    pub impact_eur: Money,
    /// Spendable cash left.
    pub cash_eur: Money,
    /// What the score is made of.
    pub parts: ScoreParts,
}

/// What an end-state score is made of, each 0 to 1 and before its weight.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScoreParts {
    /// Expected total return, weighted by value.
    pub total_return: Finite,
    /// Long-term promise.
    pub promise: Finite,
    /// Stability.
    pub stability: Finite,
    /// Nearness of the country groups to their targets.
    pub diversification: Finite,
    /// Dividends.
    pub dividend: Finite,
    /// Quality.
    pub quality: Finite,
}

impl Sample for ScoreParts {
    fn sample() -> Self {
        ScoreParts {
            total_return: v::number(0.5),
            promise: v::number(0.57),
            stability: v::number(0.69),
            diversification: v::number(0.57),
            dividend: v::number(0.43),
            quality: v::number(0.7),
        }
    }
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
    /// What that is made of.
    pub unchanged_parts: ScoreParts,
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
            unchanged_parts: ScoreParts::sample(),
            best: vec![Evaluated {
                actions: vec![0],
                score: v::number(0.55),
                before_costs: v::number(0.56),
                cost_eur: v::eur(),
                impact_eur: v::eur(),
                cash_eur: v::eur(),
                parts: ScoreParts::sample(),
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
    /// Its commission and conversions.
    pub cost_eur: Money,
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

/// Which targets a plan rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetsUsed {
    /// The run of the optimiser.
    pub run_id: Id,
    /// When it was.
    pub at: Timestamp,
    /// How the targets were found.
    pub method: String,
}

/// Which planner configuration a plan rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigUsed {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub hash: String,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// A better fund.
    #[default]
    Normal,
    /// A balance that is not negative any more. It follows from the debt and compares nothing: scores, spread and the cash before
    /// and after are zero in it.
    Rescue,
}

/// The best plan, or why nothing is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanProposed {
    /// Which plan.
    pub plan_id: Id,
    /// What it is for.
    #[serde(default)]
    pub kind: PlanKind,
    /// What it rests on; empty for a rescue, which rests on the balances alone.
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
    /// Score of the plan before its costs.
    pub score_before_costs: Finite,
    /// Score of the plan.
    pub score_after: Finite,
    /// By how much a plan must beat doing nothing.
    pub min_improvement: Finite,
    /// What the score of doing nothing is made of.
    pub parts_unchanged: ScoreParts,
    /// What the score of the plan is made of.
    pub parts_after: ScoreParts,
    /// Commission and conversions of all steps.
    pub cost_eur: Money,
    /// Estimated spread and slippage of all steps.
    pub impact_eur: Money,
    /// Spendable cash before the first step.
    pub cash_before_eur: Money,
    /// Spendable cash after the last step.
    pub cash_after_eur: Money,
    /// The targets used.
    pub targets: Option<TargetsUsed>,
    /// The planner configuration used.
    pub config: ConfigUsed,
    /// Why it was planned just then.
    pub cause: String,
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
            kind: PlanKind::Normal,
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
            score_before_costs: v::number(0.56),
            score_after: v::number(0.55),
            min_improvement: v::number(0.002),
            parts_unchanged: ScoreParts::sample(),
            parts_after: ScoreParts::sample(),
            cost_eur: v::eur(),
            impact_eur: v::eur(),
            cash_before_eur: v::eur(),
            cash_after_eur: v::eur(),
            targets: Some(TargetsUsed { run_id: v::id(), at: v::at(), method: "score_tilt".into() }),
            config: ConfigUsed { name: "default".into(), hash: "0123456789abcdef".into() },
            cause: "Other holdings.".into(),
            why: "Buys 12 RHNA: 2.1 % under target.".into(),
            rivals: vec![Rival {
                actions: vec!["buy 3 ALPB".into()],
                score: v::number(0.54),
                cost_eur: v::eur(),
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
