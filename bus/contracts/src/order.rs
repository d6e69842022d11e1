//! The life of one order: requested, approved or refused, placed, filled; and incidents.

use serde::{Deserialize, Serialize};

use ::market::{Isin, Mic, Timestamp};
use ::money::{Currency, Money, Price, Quantity, Weight};

use crate::{CheckEvidence, Finite, Id, Sample, sample_values as v};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Money becomes a holding.
    Buy,
    /// A holding becomes money.
    Sell,
}

/// Whether orders reach the real broker account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They do.
    Live,
    /// They end in the paper ledger.
    Research,
}

/// Which checks apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// From a plan.
    Normal,
    /// From a person.
    Manual,
    /// From the rescue of a negative balance.
    Emergency,
}

/// The numbers a request rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Grounds {
    /// The quote.
    pub quote: Option<Id>,
    /// Its price.
    pub quote_price_e6: Price,
    /// Its time.
    pub quote_at: Timestamp,
    /// Total score of the security.
    pub score: Option<Finite>,
    /// Target share.
    pub target_e6: Option<Weight>,
    /// Share now.
    pub current_e6: Option<Weight>,
    /// Score of doing nothing.
    pub score_unchanged: Finite,
    /// Score of the plan.
    pub score_after: Finite,
}

/// One intent to trade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderRequested {
    /// Key, and the client's id at the broker.
    pub order_id: Id,
    /// The plan it belongs to.
    pub plan_id: Id,
    /// Its step there.
    pub step: u16,
    /// For which part of the fund.
    pub bucket_id: String,
    /// Which checks apply.
    pub kind: OrderKind,
    /// Buy or sell.
    pub side: Side,
    /// Security.
    pub isin: Isin,
    /// Venue.
    pub mic: Mic,
    /// How many.
    pub qty_e6: Quantity,
    /// Not above (buy) or below (sell) this.
    pub limit_price_e6: Price,
    /// Of the limit.
    pub ccy: Currency,
    /// Estimated worth.
    pub value_eur: Money,
    /// Estimated fee.
    pub fee_eur: Money,
    /// Holdings it assumes.
    pub state_id: String,
    /// When.
    pub at: Timestamp,
    /// One sentence.
    pub reason: String,
    /// A sale that limits a loss: exempt from the minimum hold, and nothing else.
    #[serde(default)]
    pub stop_loss: bool,
    /// The numbers.
    pub grounds: Grounds,
}

impl Sample for OrderRequested {
    fn sample() -> Self {
        OrderRequested {
            order_id: v::id(),
            plan_id: v::id(),
            step: 1,
            bucket_id: "core".into(),
            kind: OrderKind::Normal,
            side: Side::Buy,
            isin: v::isin(),
            mic: v::mic(),
            qty_e6: v::one(),
            limit_price_e6: v::price(),
            ccy: Currency::EUR,
            value_eur: v::eur(),
            fee_eur: v::eur(),
            state_id: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            at: v::at(),
            reason: "2.1 % under target.".into(),
            stop_loss: false,
            grounds: Grounds {
                quote: Some(v::id()),
                quote_price_e6: v::price(),
                quote_at: v::at(),
                score: Some(v::number(0.62)),
                target_e6: Some(v::weight()),
                current_e6: Some(Weight::ZERO),
                score_unchanged: v::number(0.51),
                score_after: v::number(0.55),
            },
        }
    }
}

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It could pass later; the plan keeps the step.
    Defer,
    /// It is wrong now; the plan drops the step.
    Block,
}

/// The gate's refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderRefused {
    /// Which order.
    pub order_id: Id,
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// What follows.
    pub decision: Refusal,
    /// The first check that failed.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// Every check up to that one.
    pub checks: Vec<CheckEvidence>,
    /// When a deferred one can change.
    pub earliest: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

impl Sample for OrderRefused {
    fn sample() -> Self {
        OrderRefused {
            order_id: v::id(),
            isin: v::isin(),
            side: Side::Sell,
            decision: Refusal::Defer,
            code: "market_closed".into(),
            text: "XETR is closed.".into(),
            checks: vec![CheckEvidence::sample()],
            earliest: Some(v::at()),
            at: v::at(),
        }
    }
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Approval verified, nothing sent.
    Armed,
    /// About to leave, or left.
    Sending,
    /// The broker has it.
    Accepted,
    /// Partly filled.
    Partial,
    /// May or may not have arrived; never sent again.
    Unknown,
    /// Final: wholly filled.
    Filled,
    /// Final: cancelled, perhaps with fills.
    Cancelled,
    /// Final: its day is over, perhaps with fills.
    Expired,
    /// Final: refused, or never sent.
    Rejected,
}

impl OrderStatus {
    /// Whether nothing can change any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected
        )
    }
}

/// One fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderFill {
    /// The broker's id.
    pub trade_id: String,
    /// How many.
    pub qty_e6: Quantity,
    /// At which price.
    pub price_e6: Price,
    /// Fee, once known.
    pub fee: Option<Money>,
    /// When.
    pub at: Timestamp,
}

/// An order's life so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderState {
    /// Which.
    pub order_id: Id,
    /// The plan behind it.
    pub plan_id: Id,
    /// For which part of the fund.
    pub bucket_id: String,
    /// Live or paper.
    pub mode: Mode,
    /// Security.
    pub isin: Isin,
    /// Venue.
    pub mic: Mic,
    /// Buy or sell.
    pub side: Side,
    /// How many.
    pub qty_e6: Quantity,
    /// Limit.
    pub limit_price_e6: Price,
    /// Of the limit.
    pub ccy: Currency,
    /// How far.
    pub status: OrderStatus,
    /// Why, for a rejection.
    pub reason: Option<String>,
    /// Our number at the broker.
    pub user_order_id: u64,
    /// Theirs.
    pub broker_order_id: Option<String>,
    /// Sum of the fills.
    pub filled_e6: Quantity,
    /// All fills.
    pub fills: Vec<OrderFill>,
    /// When it was armed.
    pub created: Timestamp,
    /// When it left.
    pub sent: Option<Timestamp>,
    /// When it became final.
    pub ended: Option<Timestamp>,
}

impl Sample for OrderState {
    fn sample() -> Self {
        OrderState {
            order_id: v::id(),
            plan_id: v::id(),
            bucket_id: "core".into(),
            mode: Mode::Live,
            isin: v::isin(),
            mic: v::mic(),
            side: Side::Buy,
            qty_e6: v::one(),
            limit_price_e6: v::price(),
            ccy: Currency::EUR,
            status: OrderStatus::Filled,
            reason: None,
            user_order_id: 4_503_599_627_370_497,
            broker_order_id: Some("5510020001".into()),
            filled_e6: v::one(),
            fills: vec![OrderFill {
                trade_id: "73100001".into(),
                qty_e6: v::one(),
                price_e6: v::price(),
                fee: Some(v::eur()),
                at: v::at(),
            }],
            created: v::at(),
            sent: Some(v::at()),
            ended: Some(v::at()),
        }
    }
}

/// What must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// An approval whose signature is not the gate's.
    ForgedApproval,
    /// An approval published by another stage than the gate.
    ForeignApproval,
    /// An approval for an order id that has been used with other terms.
    ReusedApproval,
    /// The broker reports something we did not do.
    BooksDiffer,
    /// The broker holds two orders for one that was sent once.
    DoubledOrder,
    /// The broker filled more of an order than was asked for.
    Overfilled,
}

/// Something that must never happen on the money path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderIncident {
    /// Key.
    pub incident_id: Id,
    /// What.
    pub kind: IncidentKind,
    /// The order id it was about, as claimed.
    pub order_id: String,
    /// One sentence.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Sample for OrderIncident {
    fn sample() -> Self {
        OrderIncident {
            incident_id: v::id(),
            kind: IncidentKind::ForgedApproval,
            order_id: v::id().to_string(),
            text: "An approval carried a signature that is not the gate's.".into(),
            at: v::at(),
        }
    }
}
