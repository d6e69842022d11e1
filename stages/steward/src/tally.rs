//! What a run did, counted from everything that was said. Pure.
//!
//! The hash of decisions holds only what must be the same in the same simulated history: instants of virtual time,
//! securities, sides, quantities, prices, codes. Ids of processes, versions and wall time are left out.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    Address, ClockState, Health, HealthState, Id, Nav, OrderApproved, OrderFill, OrderRefused,
    OrderRequested, OrderState, PlanProposed, PortfolioState, Side, TopicId, Universe, receive,
};
use market::{Isin, Timestamp};
use serde::Serialize;

/// Everything counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Messages by the first two words of their path.
    pub messages: BTreeMap<String, u64>,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Newest clock.
    pub clock: Option<ClockState>,
    /// First and newest value.
    pub nav: Option<(Nav, Nav)>,
    /// Newest holdings.
    pub portfolio: Option<PortfolioState>,
    healths: BTreeMap<String, Health>,
    tickers: BTreeMap<Isin, String>,
    requested: BTreeMap<Id, OrderRequested>,
    states: BTreeMap<Id, OrderState>,
    refused: BTreeSet<(Id, Timestamp, String)>,
    decisions: BTreeSet<(Timestamp, String)>,
}

/// One order of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderLine {
    /// Which.
    pub order_id: String,
    /// Buy or sell.
    pub side: Side,
    /// The broker's ticker, else the ISIN.
    pub ticker: String,
    /// Which security.
    pub isin: String,
    /// How many.
    pub qty: String,
    /// Limit.
    pub limit: String,
    /// Of the limit.
    pub ccy: String,
    /// As the broker's side has it, else `refused: code` or `requested`.
    pub status: String,
    /// When it was requested, virtual time.
    pub at: String,
    /// Its fills.
    pub fills: Vec<OrderFill>,
}

impl Tally {
    /// Takes in one message.
    pub fn hear(&mut self, address: &Address, payload: &[u8]) {
        let path = address.topic.spec().path;
        let family: Vec<&str> = path.split('/').take(2).filter(|word| !word.starts_with('{')).collect();
        *self.messages.entry(family.join("/")).or_default() += 1;
        self.bytes += payload.len() as u64;
        self.understand(address, payload);
    }

    fn understand(&mut self, address: &Address, payload: &[u8]) {
        match address.topic {
            TopicId::SystemClock => self.clock = body(address, payload).or(self.clock.take()),
            TopicId::SystemHealth => {
                if let Some(health) = body::<Health>(address, payload) {
                    self.healths.insert(health.stage.clone(), health);
                }
            }
            TopicId::MarketUniverse => {
                if let Some(universe) = body::<Universe>(address, payload) {
                    self.tickers =
                        universe.securities.into_iter().map(|one| (one.isin, one.ticker)).collect();
                }
            }
            TopicId::PortfolioNav => {
                if let Some(nav) = body::<Nav>(address, payload) {
                    let first = self.nav.take().map_or_else(|| nav.clone(), |(first, _)| first);
                    self.nav = Some((first, nav));
                }
            }
            TopicId::PortfolioState => self.portfolio = body(address, payload).or(self.portfolio.take()),
            TopicId::PlanProposed => body(address, payload).into_iter().for_each(|plan| self.plan(&plan)),
            TopicId::OrderRequested => {
                body(address, payload).into_iter().for_each(|order| self.request(order))
            }
            TopicId::OrderApproved => {
                body(address, payload).into_iter().for_each(|order| self.approval(&order))
            }
            TopicId::OrderRefused => {
                body(address, payload).into_iter().for_each(|order| self.refusal(&order))
            }
            TopicId::OrderState => body(address, payload).into_iter().for_each(|order| self.order(order)),
            _ => {}
        }
    }

    fn decide(&mut self, at: Timestamp, line: String) {
        self.decisions.insert((at, line));
    }

    fn plan(&mut self, plan: &PlanProposed) {
        let steps: Vec<String> = plan
            .steps
            .iter()
            .map(|step| {
                let c = &step.candidate;
                format!("{:?} {} {} at {} {}", c.side, c.qty_e6, c.isin, c.price_e6, c.ccy)
            })
            .collect();
        self.decide(plan.at, format!("plan {} [{}]", plan.bucket_id, steps.join(", ")));
    }

    fn request(&mut self, order: OrderRequested) {
        let line = format!(
            "request {:?} {} {} at {} {}",
            order.side, order.qty_e6, order.isin, order.limit_price_e6, order.ccy
        );
        self.decide(order.at, line);
        self.requested.insert(order.order_id, order);
    }

    fn approval(&mut self, order: &OrderApproved) {
        let line =
            format!("approve {:?} {} {} at {}", order.side, order.qty_e6, order.isin, order.limit_price_e6);
        self.decide(order.issued, line);
    }

    fn refusal(&mut self, order: &OrderRefused) {
        self.decide(order.at, format!("refuse {:?} {} {}", order.side, order.isin, order.code));
        self.refused.insert((order.order_id, order.at, order.code.clone()));
    }

    fn order(&mut self, order: OrderState) {
        for (fill, number) in order.fills.iter().zip(1..) {
            let line =
                format!("fill {number} {:?} {} {} at {}", order.side, fill.qty_e6, order.isin, fill.price_e6);
            self.decide(fill.at, line);
        }
        // Statements come in order per key, but after a reconnect an owner repeats itself: never fewer fills.
        if self.states.get(&order.order_id).is_none_or(|known| known.fills.len() <= order.fills.len()) {
            self.states.insert(order.order_id, order);
        }
    }

    /// Whether all these stages have said that they work.
    #[must_use]
    pub fn is_healthy(&self, stages: &[String]) -> bool {
        stages.iter().all(|stage| {
            self.healths
                .get(stage)
                .is_some_and(|health| matches!(health.state, HealthState::Healthy | HealthState::Degraded))
        })
    }

    /// Stages that have finished the present step of the clock and have nothing left to do.
    #[must_use]
    pub fn is_settled(&self, stages: &[String]) -> bool {
        let step = self.clock.as_ref().map_or(0, |clock| clock.step);
        stages
            .iter()
            .all(|stage| self.healths.get(stage).is_some_and(|health| health.idle && health.step >= step))
    }

    /// What a stage last said about itself.
    #[must_use]
    pub fn said_by(&self, stage: &str) -> Option<&Health> {
        self.healths.get(stage)
    }

    /// Number of orders requested, and of fills.
    #[must_use]
    pub fn orders_and_fills(&self) -> (usize, usize) {
        (self.requested.len(), self.states.values().map(|order| order.fills.len()).sum())
    }

    /// How often each code refused an order.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let mut codes = BTreeMap::new();
        for (_, _, code) in &self.refused {
            *codes.entry(code.clone()).or_default() += 1;
        }
        codes
    }

    /// A hash over all decisions in the order of virtual time.
    #[must_use]
    pub fn decisions_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (at, line) in &self.decisions {
            hasher.update(format!("{at} {line}\n").as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The decisions themselves, one line each.
    #[must_use]
    pub fn decisions(&self) -> Vec<String> {
        self.decisions.iter().map(|(at, line)| format!("{at} {line}")).collect()
    }

    /// All orders, oldest first.
    #[must_use]
    pub fn orders(&self) -> Vec<OrderLine> {
        let mut lines: Vec<_> = self.requested.values().map(|order| (order.at, self.line(order))).collect();
        lines.sort_by(|one, other| (one.0, &one.1.order_id).cmp(&(other.0, &other.1.order_id)));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn line(&self, order: &OrderRequested) -> OrderLine {
        let state = self.states.get(&order.order_id);
        let refusal = self.refused.iter().rfind(|(id, _, _)| *id == order.order_id);
        let status = match (state, refusal) {
            (Some(state), _) => word(&state.status),
            (None, Some((_, _, code))) => format!("refused: {code}"),
            (None, None) => "requested".into(),
        };
        OrderLine {
            order_id: order.order_id.to_string(),
            side: order.side,
            ticker: self.ticker(&order.isin),
            isin: order.isin.to_string(),
            qty: order.qty_e6.to_string(),
            limit: order.limit_price_e6.to_string(),
            ccy: order.ccy.to_string(),
            status,
            at: order.at.to_string(),
            fills: state.map(|state| state.fills.clone()).unwrap_or_default(),
        }
    }

    /// The broker's ticker of a security, or its ISIN while that is unknown.
    #[must_use]
    pub fn ticker(&self, isin: &Isin) -> String {
        self.tickers.get(isin).cloned().unwrap_or_else(|| isin.to_string())
    }
}

/// The word of an enum as it travels.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => "unknown".into(),
    }
}

fn body<B: contracts::Body>(address: &Address, payload: &[u8]) -> Option<B> {
    receive::<B>(&address.key, payload).ok()?.body
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Body, Envelope, Sample};

    use super::*;

    fn hear<B: Body>(tally: &mut Tally, version: u64, body: B) {
        let owner = match B::TOPIC.spec().owners.first().copied().unwrap() {
            "each" => "ingest",
            owner => owner,
        };
        let address = Address { topic: B::TOPIC, key: body.key() };
        let id = Id::derive(Timestamp::ZERO, &["x"]);
        let envelope = Envelope {
            id,
            key_version: version,
            at: Timestamp::ZERO,
            stage: owner.into(),
            trace: id,
            cause: None,
            body,
        };
        tally.hear(&address, &envelope.encode().unwrap());
    }

    fn busy() -> Tally {
        let mut tally = Tally::default();
        hear(&mut tally, 1, Universe::sample());
        hear(&mut tally, 1, PlanProposed::sample());
        hear(&mut tally, 1, OrderRequested::sample());
        hear(&mut tally, 1, OrderRefused::sample());
        hear(&mut tally, 1, OrderState::sample());
        tally
    }

    #[test]
    fn messages_are_counted_by_family() {
        let mut tally = busy();
        hear(&mut tally, 2, Universe::sample());
        assert_eq!(tally.messages["market/universe"], 2);
        assert_eq!(tally.messages["order/state"], 1);
        assert!(tally.bytes > 0);
    }

    #[test]
    fn an_order_has_its_ticker_status_and_fills() {
        let orders = busy().orders();
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].ticker.as_str(), orders[0].status.as_str()), ("RHNA.EU", "filled"));
        assert_eq!(orders[0].fills.len(), 1);
        assert_eq!(busy().orders_and_fills(), (1, 1));
    }

    #[test]
    fn an_order_without_a_state_says_what_the_gate_said() {
        let mut tally = Tally::default();
        hear(&mut tally, 1, OrderRequested::sample());
        assert_eq!(tally.orders()[0].status, "requested");
        hear(&mut tally, 1, OrderRefused::sample());
        assert_eq!(tally.orders()[0].status, "refused: market_closed");
        assert_eq!(tally.refusals()["market_closed"], 1);
    }

    #[test]
    fn repeating_versions_and_order_do_not_change_the_hash() {
        let mut again = Tally::default();
        hear(&mut again, 9, OrderState::sample());
        hear(&mut again, 9, OrderRefused::sample());
        hear(&mut again, 9, OrderRequested::sample());
        hear(&mut again, 9, PlanProposed::sample());
        hear(&mut again, 10, PlanProposed::sample());
        assert_eq!(again.decisions_hash(), busy().decisions_hash());
    }

    #[test]
    fn another_decision_changes_the_hash() {
        let mut other = busy();
        hear(&mut other, 2, OrderRefused { code: "stale_price".into(), ..OrderRefused::sample() });
        assert_ne!(other.decisions_hash(), busy().decisions_hash());
    }

    #[test]
    fn a_repeated_older_state_takes_no_fill_away() {
        let mut tally = busy();
        hear(&mut tally, 1, OrderState { fills: vec![], ..OrderState::sample() });
        assert_eq!(tally.orders_and_fills(), (1, 1));
    }

    #[test]
    fn the_first_value_is_kept() {
        let mut tally = Tally::default();
        hear(&mut tally, 1, Nav::sample());
        let later = Nav { at: Timestamp::ZERO, ..Nav::sample() };
        hear(&mut tally, 2, later.clone());
        assert_eq!(tally.nav, Some((Nav::sample(), later)));
    }

    #[test]
    fn health_needs_every_stage() {
        let mut tally = Tally::default();
        let wanted = ["ingest".to_string()];
        assert!(!tally.is_healthy(&wanted));
        hear(&mut tally, 1, Health { state: HealthState::Starting, ..Health::sample() });
        assert!(!tally.is_healthy(&wanted));
        hear(&mut tally, 2, Health::sample());
        assert!(tally.is_healthy(&wanted));
    }

    #[test]
    fn unreadable_messages_are_counted_and_change_nothing() {
        let mut tally = Tally::default();
        tally.hear(&Address { topic: TopicId::OrderState, key: "x".into() }, b"\xff\xff");
        assert_eq!(tally.messages["order/state"], 1);
        assert_eq!(tally.orders_and_fills(), (0, 0));
    }
}
