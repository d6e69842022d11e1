//! What notify knows, from what it has heard.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    Health, Nav, OrderIncident, OrderRefused, OrderState, PlanProposed, Received, Reconciliation, RiskHalt,
    SecurityScore, Venue,
};
use market::Timestamp;

use crate::limits::{DAY_MS, REMEMBERED_MAX, STAGES_MAX};

/// A stage's health and when it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What it said.
    pub health: Health,
    /// When, by this stage's clock.
    pub at: Timestamp,
}

/// Everything that alerts and the display are decided from.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Halted or not; unknown until heard.
    pub halt: Option<RiskHalt>,
    /// Value of the fund.
    pub nav: Option<Nav>,
    /// What the gate says about itself.
    pub risk: Option<contracts::RiskState>,
    /// Last plan.
    pub plan: Option<PlanProposed>,
    /// Orders that are not final, by id.
    pub orders: BTreeMap<String, OrderState>,
    /// Refusals of the last days, by order.
    pub refusals: BTreeMap<String, OrderRefused>,
    /// Incidents that are not over, by id.
    pub incidents: BTreeMap<String, OrderIncident>,
    /// Last comparison of the books, by currency.
    pub books: BTreeMap<String, Reconciliation>,
    /// Holdings that lost more than allowed and fail the quality gate, by ISIN.
    pub reviews: BTreeSet<String>,
    /// Open or not, by venue.
    pub venues: BTreeMap<String, Venue>,
    /// Stages, by instance.
    pub stages: BTreeMap<String, Heard>,
}

impl View {
    pub(crate) fn order(&mut self, received: Received<OrderState>) {
        let open = received.body.filter(|order| !order.status.is_final());
        note(&mut self.orders, received.key, open, REMEMBERED_MAX);
    }

    pub(crate) fn incident(&mut self, received: Received<OrderIncident>) {
        note(&mut self.incidents, received.key, received.body, REMEMBERED_MAX);
    }

    pub(crate) fn reconciliation(&mut self, received: Received<Reconciliation>) {
        note(&mut self.books, received.key, received.body, REMEMBERED_MAX);
    }

    /// Says whether that is news.
    pub(crate) fn score(&mut self, received: Received<SecurityScore>) -> bool {
        let review = received.body.and_then(|score| score.sell).is_some_and(|sell| sell.review);
        if !review {
            return self.reviews.remove(&received.key);
        }
        self.reviews.len() < REMEMBERED_MAX && self.reviews.insert(received.key)
    }

    pub(crate) fn venue(&mut self, received: Received<Venue>) {
        note(&mut self.venues, received.key, received.body, REMEMBERED_MAX);
    }

    /// A refusal stays counted after its statement is over; its day decides.
    pub(crate) fn refusal(&mut self, received: Received<OrderRefused>, now: Timestamp) {
        self.refusals.retain(|_, refusal| now.since(refusal.at) <= 2 * DAY_MS);
        if let Some(refusal) = received.body {
            note(&mut self.refusals, received.key, Some(refusal), REMEMBERED_MAX);
        }
    }

    pub(crate) fn health(&mut self, received: Received<Health>, now: Timestamp) {
        let heard = received.body.map(|health| Heard { health, at: now });
        note(&mut self.stages, received.key, heard, STAGES_MAX);
    }
}

/// Keeps, replaces or forgets; beyond the limit the smallest key goes, which for ids is the oldest.
fn note<T>(map: &mut BTreeMap<String, T>, key: String, value: Option<T>, max: usize) {
    match value {
        Some(value) => {
            map.insert(key, value);
        }
        None => {
            map.remove(&key);
        }
    }
    while map.len() > max {
        map.pop_first();
    }
}
