//! The order of a rescue as a plan: one step, because the next one is planned when the balances after it are known.

use contracts::{
    Candidate, ConfigUsed, Finite, OrderRequested, PlanKind, PlanProposed, PlanStep, ScoreParts, pair_of,
};
use money::{Currency, Money, Rate};

use crate::limits::PLAN_LIFE_MS;

/// An order that was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The order.
    pub order: OrderRequested,
    /// The rate that its worth in EUR was counted with.
    pub rate: Rate,
    /// What is done, in words.
    pub words: String,
}

/// The plan; what a comparison would have found is zero in it.
#[must_use]
pub fn plan(Asked { order, rate, .. }: &Asked, why: &str, config: ConfigUsed, cause: String) -> PlanProposed {
    let nothing = Money::zero(Currency::EUR);
    let category = if pair_of(&order.isin).is_some() { "exchange" } else { "sale" };
    let candidate = Candidate {
        isin: order.isin,
        mic: order.mic,
        side: order.side,
        qty_e6: order.qty_e6,
        price_e6: order.limit_price_e6,
        ccy: order.ccy,
        eur_per_unit_e9: *rate,
        value_eur: order.value_eur,
        cost_eur: order.fee_eur,
        reason: order.reason.clone(),
        finder: "rescue".into(),
        category: category.into(),
        tags: Vec::new(),
        priority: Finite::ZERO,
    };
    PlanProposed {
        plan_id: order.plan_id,
        kind: PlanKind::Rescue,
        context_id: String::new(),
        state_id: order.state_id.clone(),
        bucket_id: order.bucket_id.clone(),
        at: order.at,
        expires: order.at.saturating_plus_ms(PLAN_LIFE_MS),
        steps: vec![PlanStep {
            step: order.step,
            order_id: Some(order.order_id),
            candidate,
            waits_for: None,
        }],
        score_unchanged: Finite::ZERO,
        score_before_costs: Finite::ZERO,
        score_after: Finite::ZERO,
        min_improvement: Finite::ZERO,
        parts_unchanged: ScoreParts::default(),
        parts_after: ScoreParts::default(),
        cost_eur: order.fee_eur,
        impact_eur: nothing,
        cash_before_eur: nothing,
        cash_after_eur: nothing,
        targets: None,
        config,
        cause,
        why: why.to_string(),
        rivals: Vec::new(),
        left_out: Vec::new(),
        evaluated: 0,
        infeasible: std::collections::BTreeMap::new(),
    }
}
