//! What the command line has heard, as a person wants to see it. Pure: statements in, nothing out.

use std::collections::{BTreeMap, VecDeque};

use bus_client::virtual_time;
use contracts::{
    Address, Alert, Body, ClockState, Finite, Health, HealthState, Id, Nav, OrderApproved, OrderRefused,
    OrderRequested, OrderState, PlanProposed, PortfolioState, Received, Refusal, RiskHalt, RiskState, Side,
    TargetWeights, TopicId, Universe, pair_of, pair_ticker, receive,
};
use market::{Isin, Timestamp};
use money::{Quantity, Weight};

/// A stage that has not been heard for longer than this counts as gone.
pub const SILENCE_MAX_MS: i64 = 10_000;
/// Orders kept for the screen; older ones are in the store.
const ORDERS_MAX: usize = 200;
/// Values kept for the curve.
const VALUES_MAX: usize = 1_024;

/// What this model is fed with.
pub const TOPICS: [TopicId; 14] = [
    TopicId::SystemClock,
    TopicId::SystemHealth,
    TopicId::MarketUniverse,
    TopicId::PortfolioState,
    TopicId::PortfolioNav,
    TopicId::TargetWeights,
    TopicId::PlanProposed,
    TopicId::OrderRequested,
    TopicId::OrderApproved,
    TopicId::OrderRefused,
    TopicId::OrderState,
    TopicId::RiskHalt,
    TopicId::RiskState,
    TopicId::Alert,
];

/// How a stage stands, its age considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Working.
    Healthy,
    /// Not ready yet.
    Starting,
    /// Working, with something to look at.
    Degraded,
    /// It said so, or has not been heard for too long.
    Gone,
}

impl Standing {
    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Standing::Healthy => "healthy",
            Standing::Starting => "starting",
            Standing::Degraded => "degraded",
            Standing::Gone => "gone",
        }
    }
}

/// A stage's last word.
#[derive(Debug, Clone)]
pub struct StageHeard {
    /// What it said.
    pub health: Health,
    version: u64,
    /// Wall time it is known to have been alive; unknown while only a kept word was heard in a simulated world.
    alive_at: Option<Timestamp>,
    first_heard: Timestamp,
}

/// One order on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// When it was requested, or first heard of.
    pub at: Timestamp,
    /// Buy or sell.
    pub side: Side,
    /// Which security.
    pub isin: Isin,
    /// How many.
    pub qty: Quantity,
    /// How far.
    pub status: String,
    /// Nothing can change any more.
    pub is_final: bool,
}

/// Everything heard.
#[derive(Debug, Default)]
pub struct Model {
    /// `live` or `sim:<seed>`.
    pub environment: String,
    /// How virtual time moves.
    pub clock: Option<ClockState>,
    /// By instance.
    pub stages: BTreeMap<String, StageHeard>,
    /// Value of the fund.
    pub nav: Option<Nav>,
    /// Holdings.
    pub portfolio: Option<PortfolioState>,
    /// Target shares.
    pub targets: BTreeMap<Isin, Weight>,
    /// Halted or not.
    pub halt: Option<RiskHalt>,
    /// Mode and breaker.
    pub risk: Option<RiskState>,
    /// Present plan.
    pub plan: Option<PlanProposed>,
    /// By id.
    pub orders: BTreeMap<Id, OrderRow>,
    /// By id.
    pub alerts: BTreeMap<String, Alert>,
    /// Values in the order they came.
    pub values: VecDeque<f64>,
    /// Why the bus is away, while it is.
    pub away: Option<String>,
    names: BTreeMap<Isin, String>,
}

impl Model {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(environment: &str) -> Model {
        Model { environment: environment.into(), ..Model::default() }
    }

    /// Whether this is no real money.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.environment != "live"
    }

    /// The time of the world.
    #[must_use]
    pub fn now(&self, wall: Timestamp) -> Option<Timestamp> {
        if self.is_simulated() { Some(virtual_time(self.clock.as_ref()?, wall)) } else { Some(wall) }
    }

    /// A security's name, or its ISIN while that is unknown; a pair of currencies by its ticker.
    #[must_use]
    pub fn name(&self, isin: &Isin) -> String {
        match pair_of(isin) {
            Some((base, quote)) => pair_ticker(base, quote),
            None => self.names.get(isin).cloned().unwrap_or_else(|| isin.to_string()),
        }
    }

    /// How a stage stands.
    #[must_use]
    pub fn standing(&self, stage: &StageHeard, wall: Timestamp) -> Standing {
        let silent_since = stage.alive_at.unwrap_or(stage.first_heard);
        if wall.since(silent_since) > SILENCE_MAX_MS {
            return Standing::Gone;
        }
        match stage.health.state {
            HealthState::Starting => Standing::Starting,
            HealthState::Healthy => Standing::Healthy,
            HealthState::Degraded => Standing::Degraded,
            HealthState::Gone => Standing::Gone,
        }
    }

    /// Milliseconds since a stage was last known to be alive.
    #[must_use]
    pub fn age_ms(&self, stage: &StageHeard, wall: Timestamp) -> Option<i64> {
        Some(wall.since(stage.alive_at?).max(0))
    }

    /// Whether every stage heard of has said something while we listened, or is known to be old.
    #[must_use]
    pub fn all_ages_known(&self) -> bool {
        self.stages.values().all(|stage| stage.alive_at.is_some() || stage.health.state == HealthState::Gone)
    }

    /// Change of value since the end of the day before, flows taken out.
    #[must_use]
    pub fn day_change(&self) -> Option<Finite> {
        let nav = self.nav.as_ref()?;
        let start = nav.day_start.to_f64();
        let change = nav.nav.to_f64() - nav.flow_today.to_f64() - start;
        if start > 0.0 { Finite::new(change / start) } else { None }
    }

    /// Orders that are not final.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.orders.values().filter(|order| !order.is_final).count()
    }

    /// Takes in one message.
    pub fn hear(&mut self, address: &Address, payload: &[u8], wall: Timestamp) {
        match address.topic {
            TopicId::SystemClock => self.clock = said(address, payload).or(self.clock.take()),
            TopicId::SystemHealth => self.health(address, payload, wall),
            TopicId::MarketUniverse => {
                if let Some(universe) = said::<Universe>(address, payload) {
                    self.names = universe.securities.into_iter().map(|one| (one.isin, one.name)).collect();
                }
            }
            TopicId::PortfolioState => self.portfolio = said(address, payload).or(self.portfolio.take()),
            TopicId::PortfolioNav => said(address, payload).into_iter().for_each(|nav| self.value(nav)),
            TopicId::TargetWeights => {
                if let Some(targets) = said::<TargetWeights>(address, payload) {
                    self.targets = targets.weights.into_iter().map(|one| (one.isin, one.weight_e6)).collect();
                }
            }
            TopicId::PlanProposed => self.plan = heard(address, payload).and_then(|plan| plan.body),
            TopicId::RiskHalt => self.halt = said(address, payload).or(self.halt.take()),
            TopicId::RiskState => self.risk = said(address, payload).or(self.risk.take()),
            TopicId::Alert => match heard::<Alert>(address, payload).map(|alert| alert.body) {
                Some(Some(alert)) => drop(self.alerts.insert(address.key.clone(), alert)),
                Some(None) => drop(self.alerts.remove(&address.key)),
                None => {}
            },
            TopicId::OrderRequested => {
                said(address, payload).into_iter().for_each(|order| self.requested(&order))
            }
            TopicId::OrderApproved => {
                said(address, payload).into_iter().for_each(|order| self.approved(&order))
            }
            TopicId::OrderRefused => {
                said(address, payload).into_iter().for_each(|order| self.refused(&order))
            }
            TopicId::OrderState => said(address, payload).into_iter().for_each(|order| self.ordered(&order)),
            _ => {}
        }
    }

    fn health(&mut self, address: &Address, payload: &[u8], wall: Timestamp) {
        let Some(Received { meta: Some(meta), body: Some(health), .. }) = heard::<Health>(address, payload)
        else {
            self.stages.remove(&address.key);
            return;
        };
        let known = self.stages.get(&address.key);
        // The first word may have been kept by the broker for long. In the real world its own time tells; in a
        // simulated one only a second, newer word proves life.
        let alive_at = match known {
            Some(known) if meta.key_version > known.version => Some(wall),
            Some(known)
                if meta.key_version < known.version && health.incarnation <= known.health.incarnation =>
            {
                return;
            }
            Some(known) => known.alive_at,
            None if self.is_simulated() => None,
            None => Some(meta.at.min(wall)),
        };
        let first_heard = known.map_or(wall, |known| known.first_heard);
        let heard = StageHeard { health, version: meta.key_version, alive_at, first_heard };
        self.stages.insert(address.key.clone(), heard);
    }

    fn value(&mut self, nav: Nav) {
        if self.values.len() >= VALUES_MAX {
            self.values.pop_front();
        }
        self.values.push_back(nav.nav.to_f64());
        self.nav = Some(nav);
    }

    fn requested(&mut self, order: &OrderRequested) {
        let row = OrderRow {
            at: order.at,
            side: order.side,
            isin: order.isin,
            qty: order.qty_e6,
            status: "requested".into(),
            is_final: false,
        };
        self.orders.entry(order.order_id).or_insert(row).at = order.at;
        self.forget_old_orders();
    }

    fn approved(&mut self, order: &OrderApproved) {
        let row = OrderRow {
            at: order.issued,
            side: order.side,
            isin: order.isin,
            qty: order.qty_e6,
            status: "approved".into(),
            is_final: false,
        };
        let row = self.orders.entry(order.order_id).or_insert(row);
        // A gate may refuse first and approve later; what execute says is further than both.
        if undecided(&row.status) {
            (row.status, row.is_final) = ("approved".into(), false);
        }
        self.forget_old_orders();
    }

    fn refused(&mut self, order: &OrderRefused) {
        if let Some(row) = self.orders.get_mut(&order.order_id)
            && undecided(&row.status)
        {
            let word = if order.decision == Refusal::Defer { "waits" } else { "refused" };
            row.status = format!("{word}: {}", order.code);
            row.is_final = true;
        }
    }

    fn ordered(&mut self, order: &OrderState) {
        let status = match serde_json::to_value(order.status) {
            Ok(serde_json::Value::String(word)) => word,
            _ => "unknown".into(),
        };
        let at = self.orders.get(&order.order_id).map_or(order.created, |row| row.at);
        let row = OrderRow {
            at,
            side: order.side,
            isin: order.isin,
            qty: order.qty_e6,
            status,
            is_final: order.status.is_final(),
        };
        self.orders.insert(order.order_id, row);
        self.forget_old_orders();
    }

    /// Ids begin with their time, so the first are the oldest.
    fn forget_old_orders(&mut self) {
        while self.orders.len() > ORDERS_MAX {
            let oldest = self.orders.iter().find(|(_, order)| order.is_final).or(self.orders.iter().next());
            let Some(id) = oldest.map(|(id, _)| *id) else { return };
            self.orders.remove(&id);
        }
    }
}

fn heard<B: Body>(address: &Address, payload: &[u8]) -> Option<Received<B>> {
    receive::<B>(&address.key, payload).ok()
}

fn said<B: Body>(address: &Address, payload: &[u8]) -> Option<B> {
    heard::<B>(address, payload)?.body
}

/// Whether the gate's word is all there is: it may still change its mind.
fn undecided(status: &str) -> bool {
    status == "requested" || status.starts_with("refused") || status.starts_with("waits")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use contracts::{Envelope, OrderStatus, Sample};

    use super::*;

    /// Feeds a statement as its owner would say it.
    pub(crate) fn hear<B: Body>(model: &mut Model, version: u64, at: Timestamp, wall: Timestamp, body: B) {
        let owner = match B::TOPIC.spec().owners.first().copied().unwrap() {
            "each" => "ingest",
            owner => owner,
        };
        let address = Address { topic: B::TOPIC, key: body.key() };
        let id = Id::derive(at, &["x"]);
        let envelope =
            Envelope { id, key_version: version, at, stage: owner.into(), trace: id, cause: None, body };
        model.hear(&address, &envelope.encode().unwrap(), wall);
    }

    const WALL: Timestamp = Timestamp::from_ms(1_772_461_900_000);

    fn later(ms: i64) -> Timestamp {
        WALL.saturating_plus_ms(ms)
    }

    #[test]
    fn a_live_stage_is_as_old_as_its_word() {
        let mut model = Model::new("live");
        hear(&mut model, 1, later(-9_000), WALL, Health::sample());
        let stage = model.stages["ingest"].clone();
        assert_eq!(model.age_ms(&stage, WALL), Some(9_000));
        assert_eq!(model.standing(&stage, later(1_000)), Standing::Healthy);
        assert_eq!(model.standing(&stage, later(1_001)), Standing::Gone);
    }

    #[test]
    fn a_word_from_the_future_is_not_fresher_than_now() {
        let mut model = Model::new("live");
        hear(&mut model, 1, later(3_600_000), WALL, Health::sample());
        let stage = model.stages["ingest"].clone();
        assert_eq!(model.standing(&stage, later(SILENCE_MAX_MS + 1)), Standing::Gone);
    }

    #[test]
    fn a_simulated_stage_proves_life_by_a_second_word() {
        let mut model = Model::new("sim:1");
        hear(&mut model, 1, Timestamp::ZERO, WALL, Health::sample());
        assert!(!model.all_ages_known());
        hear(&mut model, 1, Timestamp::ZERO, later(1_000), Health::sample());
        assert!(!model.all_ages_known(), "the same word again proves nothing");
        hear(&mut model, 2, Timestamp::ZERO, later(2_000), Health::sample());
        assert!(model.all_ages_known());
        let stage = model.stages["ingest"].clone();
        assert_eq!(model.standing(&stage, later(12_000)), Standing::Healthy);
        assert_eq!(model.standing(&stage, later(12_001)), Standing::Gone);
    }

    #[test]
    fn a_stage_that_says_goodbye_is_gone_at_once() {
        let mut model = Model::new("live");
        hear(&mut model, 1, WALL, WALL, Health { state: HealthState::Gone, ..Health::sample() });
        assert_eq!(model.standing(&model.stages["ingest"].clone(), WALL), Standing::Gone);
    }

    #[test]
    fn an_older_word_changes_nothing() {
        let mut model = Model::new("live");
        hear(&mut model, 5, WALL, WALL, Health::sample());
        hear(&mut model, 4, WALL, WALL, Health { state: HealthState::Gone, ..Health::sample() });
        assert_eq!(model.standing(&model.stages["ingest"].clone(), WALL), Standing::Healthy);
    }

    #[test]
    fn an_orders_status_only_goes_forward() {
        let mut model = Model::new("sim:1");
        let status = |model: &Model| model.orders.values().next().map(|order| order.status.clone());
        hear(&mut model, 1, WALL, WALL, OrderRequested::sample());
        assert_eq!(status(&model).unwrap(), "requested");
        hear(&mut model, 1, WALL, WALL, OrderRefused::sample());
        assert_eq!(status(&model).unwrap(), "waits: market_closed");
        hear(&mut model, 2, WALL, WALL, OrderRefused { decision: Refusal::Block, ..OrderRefused::sample() });
        assert_eq!(status(&model).unwrap(), "refused: market_closed");
        hear(&mut model, 1, WALL, WALL, OrderApproved::sample());
        assert_eq!(status(&model).unwrap(), "approved");
        assert_eq!(model.open_orders(), 1);
        hear(&mut model, 1, WALL, WALL, OrderState { status: OrderStatus::Filled, ..OrderState::sample() });
        hear(&mut model, 2, WALL, WALL, OrderApproved::sample());
        hear(&mut model, 2, WALL, WALL, OrderRequested::sample());
        assert_eq!(status(&model).unwrap(), "filled");
        assert_eq!(model.open_orders(), 0);
    }

    #[test]
    fn an_alert_that_is_over_disappears() {
        let mut model = Model::new("live");
        hear(&mut model, 1, WALL, WALL, Alert::sample());
        assert_eq!(model.alerts.len(), 1);
        let address = Address { topic: TopicId::Alert, key: Alert::sample().key() };
        model.hear(&address, b"\xff", WALL);
        assert_eq!(model.alerts.len(), 1, "an unreadable one changes nothing");
        model.hear(&address, b"", WALL);
        assert!(model.alerts.is_empty());
    }

    #[test]
    fn the_change_of_the_day_leaves_flows_out() {
        let mut model = Model::new("live");
        assert_eq!(model.day_change(), None);
        let euros = |text: &str| text.parse::<money::Money>().unwrap();
        let nav = Nav {
            nav: euros("1110 EUR"),
            day_start: euros("1000 EUR"),
            flow_today: euros("100 EUR"),
            ..Nav::sample()
        };
        hear(&mut model, 1, WALL, WALL, nav.clone());
        assert!((model.day_change().unwrap().get() - 0.01).abs() < 1e-12);
        hear(&mut model, 2, WALL, WALL, Nav { day_start: euros("0 EUR"), ..nav });
        assert_eq!(model.day_change(), None, "nothing can be said against a value of zero");
    }

    #[test]
    fn old_orders_are_forgotten_open_ones_last() {
        let mut model = Model::new("live");
        for number in 0..=i64::try_from(ORDERS_MAX).unwrap() {
            let at = Timestamp::from_ms(number * 1_000);
            let status = if number == 0 { OrderStatus::Unknown } else { OrderStatus::Filled };
            let order =
                OrderState { order_id: Id::derive(at, &["o"]), status, created: at, ..OrderState::sample() };
            hear(&mut model, 1, at, WALL, order);
        }
        assert_eq!(model.orders.len(), ORDERS_MAX);
        assert_eq!(model.open_orders(), 1);
    }
}
