//! The money path on a real store against a scripted broker: placed once, followed to the end, whatever happens.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bus_client::{Config, Engine, Place, Publication};
use contracts::{
    Address, ApprovalKey, Body, Envelope, Health, HealthState, Id, IncidentKind, Mode, OrderApproved,
    OrderIncident, OrderKind as Kind, OrderState, OrderStatus, Quote, RiskHalt, RiskState, Sample, Security,
    SettingsSnapshot, SettleOrder, Side, Universe, Venue, receive,
};
use execute::{Call, Execute, Reply, Seen};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity};
use tempfile::TempDir;
use tradernet::{
    BrokerOrderId, Doubt, OrderForm, Placed, PutOrder, Ticker, TradeId,
    commands::{
        order_rows::{OrderKind, OrderRow},
        order_status::OrderStatus as Theirs,
        positions::{Account, CashRow, PositionRow},
        trades::TradeRow,
    },
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
const TICKER: &str = "RHNA.EU";

fn start() -> Timestamp {
    "2026-03-02T14:00:00.000Z".parse().unwrap()
}

fn pieces(units: i64) -> Quantity {
    Quantity::from_units(units).unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

/// How the broker treats the next placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Accepts,
    /// Accepts, and the answer is lost.
    AcceptsSilently,
    /// The request is lost.
    Loses,
    Refuses,
    NotReached,
}

/// A broker with one order book and a memory of every placement.
struct Broker {
    manner: Manner,
    reads: bool,
    /// Rows carry our number.
    echoes: Option<&'static str>,
    orders: Vec<OrderRow>,
    trades: Vec<TradeRow>,
    held: i64,
    cash: i64,
    placements: Vec<String>,
    clock_ahead_s: Option<i64>,
    cancels: usize,
    looks: usize,
    /// What a look that fails says about the next one.
    rest_ms: i64,
    next_id: i64,
}

impl Broker {
    fn new() -> Broker {
        Broker {
            manner: Manner::Accepts,
            reads: true,
            echoes: None,
            orders: Vec::new(),
            trades: Vec::new(),
            held: 100,
            cash: 20_000,
            placements: Vec::new(),
            clock_ahead_s: Some(0),
            cancels: 0,
            looks: 0,
            rest_ms: 0,
            next_id: 5_510_020_011,
        }
    }

    fn perform(&mut self, call: Call) -> Reply {
        match call {
            Call::Look { order_id, .. } => {
                self.looks += 1;
                let seen = if self.reads { Ok(Box::new(self.seen())) } else { Err("no answer".to_string()) };
                Reply::Looked { order_id, seen, rest_ms: self.rest_ms }
            }
            Call::Place { order_id, side, quantity, lot, limit, user_order_id, ticker } => {
                // Like the edge: what is no order never leaves.
                let theirs = if side == Side::Buy { tradernet::Side::Buy } else { tradernet::Side::Sell };
                let name = Ticker::parse(&ticker).unwrap();
                let form = OrderForm { ticker: name, side: theirs, quantity, lot, limit, user_order_id };
                if let Err(fault) = PutOrder::new(form) {
                    return Reply::Placed { order_id, placed: Placed::NotSent { reason: fault.to_string() } };
                }
                self.placements.push(order_id.clone());
                let placed = match self.manner {
                    Manner::Loses => Placed::Unknown { why: doubt() },
                    Manner::NotReached => Placed::NotSent { reason: "no connection".into() },
                    Manner::Refuses => Placed::RefusedByBroker {
                        kind: tradernet::ApiErrorKind::Rejected,
                        code: Some(12),
                        text: "not enough money".into(),
                    },
                    Manner::Accepts | Manner::AcceptsSilently => {
                        let id = self.take(&ticker, side, quantity, limit, user_order_id);
                        match self.manner {
                            Manner::Accepts => Placed::Accepted { order_id: id },
                            _ => Placed::Unknown { why: doubt() },
                        }
                    }
                };
                Reply::Placed { order_id, placed }
            }
            Call::Cancel { order_id, .. } => {
                self.cancels += 1;
                Reply::Cancelled { order_id, text: "the cancellation is on its way".into() }
            }
            Call::Follow { .. } => Reply::Following,
        }
    }

    fn take(
        &mut self,
        ticker: &str,
        side: Side,
        quantity: Quantity,
        limit: Price,
        number: u64,
    ) -> BrokerOrderId {
        let order_id = BrokerOrderId::parse(&self.next_id.to_string()).unwrap();
        self.next_id += 1;
        self.orders.push(OrderRow {
            order_id: order_id.clone(),
            ticker: Ticker::parse(ticker).unwrap(),
            side: if side == Side::Buy { tradernet::Side::Buy } else { tradernet::Side::Sell },
            kind: OrderKind::Limit,
            quantity,
            remaining: Some(quantity),
            limit: Some(limit),
            currency: Some(Currency::EUR),
            status: Theirs::Working,
            status_at: None,
            created_at: None,
            validity: Some(1),
            user_order_id: match self.echoes {
                None => Some(number.to_string()),
                Some("") => None,
                Some(other) => Some(other.to_string()),
            },
            fills: vec![],
            reason: None,
        });
        order_id
    }

    /// Fills the newest order; its row may be told of it or not yet.
    fn trade(&mut self, id: &str, units: i64) {
        let row = self.orders.last_mut().unwrap();
        let left = row.remaining.unwrap().checked_sub(pieces(units)).unwrap();
        row.remaining = Some(left);
        row.status = if left.is_zero() { Theirs::Executed } else { Theirs::PartlyFilled };
        let row = row.clone();
        self.trades.push(TradeRow {
            trade_id: TradeId::parse(id).unwrap(),
            order_id: Some(row.order_id),
            ticker: row.ticker,
            side: row.side,
            quantity: pieces(units),
            price: row.limit.unwrap(),
            currency: row.currency,
            amount: None,
            commission: Some(eur(2)),
            at: None,
            exchange_at: None,
            settles_on: None,
        });
    }

    /// Fills the last order, if it was sent and nothing of it is filled.
    fn fill_all(&mut self) {
        if self.orders.last().is_some_and(|row| row.remaining == Some(row.quantity)) {
            self.trade(&format!("731{:05}", self.trades.len()), 10);
        }
    }

    fn end(&mut self, status: Theirs) {
        self.orders.last_mut().unwrap().status = status;
    }

    fn seen(&self) -> Seen {
        let cash = CashRow {
            currency: Currency::EUR,
            available: eur(self.cash),
            receivable: None,
            payable: None,
            forecast_in: None,
            forecast_out: None,
        };
        let position = PositionRow {
            ticker: Ticker::parse(TICKER).unwrap(),
            isin: None,
            name: None,
            quantity: pieces(self.held),
            currency: Currency::EUR,
            average_price: None,
            market_price: None,
            close_price: None,
            accrued: None,
            settlement: None,
            instrument_id: None,
            market_id: None,
        };
        let account = Some(Account { cash: vec![cash], positions: vec![position] });
        let (orders, trades, clock_ahead_s) = (self.orders.clone(), self.trades.clone(), self.clock_ahead_s);
        Seen { orders, unreadable: false, trades, account, clock_ahead_s }
    }
}

fn doubt() -> Doubt {
    Doubt::NoAnswer { reason: "time-out".into() }
}

struct World {
    folder: TempDir,
    engine: Engine<Execute>,
    broker: Broker,
    now: Timestamp,
    said: Vec<(Address, Vec<u8>)>,
    versions: u64,
    number: u64,
    environment: &'static str,
}

fn open(folder: &Path, environment: &str, now: Timestamp) -> Engine<Execute> {
    let text = format!("environment = \"{environment}\"\ndir = \"x\"\n[stage.execute]\nallow_live = true");
    let config = Config::parse(&text, &folder.join("steward.toml")).unwrap();
    Engine::open(&config, "execute", Some(Place::File(folder.join("orders.db"))), now).unwrap()
}

impl World {
    fn silent(environment: &'static str) -> World {
        let folder = TempDir::new().unwrap();
        let engine = open(folder.path(), environment, start());
        World {
            engine,
            folder,
            broker: Broker::new(),
            now: start(),
            said: vec![],
            versions: 0,
            number: 0,
            environment,
        }
    }

    /// The gate is there, nothing is halted, the security is known.
    fn ready() -> World {
        let mut world = World::silent("sim:1");
        world.say_all();
        world
    }

    fn say_all(&mut self) {
        self.tick();
        self.say(universe(Some("0.01")));
        self.say(venue(true));
        self.say(Venue { mic: contracts::pair_venue(), ..venue(true) });
        self.say(halt(false));
        self.say(RiskState { at: self.now, mode: Mode::Live, ..RiskState::sample() });
        self.say(gate(HealthState::Healthy));
        self.say_as("keeper", Health { stage: "keeper".into(), ..gate(HealthState::Healthy) });
        self.say(settings("live"));
    }

    /// A price of the security, half an euro beside both sides.
    fn quote(&mut self, last: &str) {
        let quote =
            Quote { price_e6: price(last), bid_e6: None, ask_e6: None, at: self.now, ..Quote::sample() };
        self.say(quote);
    }

    fn paper(&mut self, quoted: Option<&str>) -> OrderApproved {
        if let Some(last) = quoted {
            self.quote(last);
        }
        let terms = self.terms();
        let approval = self.key().sign(OrderApproved { mode: Mode::Research, ..terms });
        self.say(approval.clone());
        assert!(!self.step(), "nobody is called");
        approval
    }

    fn key(&self) -> ApprovalKey {
        bus_client::approval_key(&self.folder.path().join("x")).unwrap()
    }

    fn terms(&mut self) -> OrderApproved {
        self.number += 1;
        OrderApproved {
            order_id: Id::derive(self.now, &["order", &self.number.to_string()]),
            qty_e6: pieces(10),
            limit_price_e6: price("50"),
            issued: self.now,
            expires: self.now.saturating_plus_ms(2 * MINUTE),
            ..OrderApproved::sample()
        }
    }

    /// A second security, and an owner who lets orders follow one another after five minutes.
    fn know_another(&mut self) {
        let mut known = universe(Some("0.01"));
        let another = contracts::Security {
            isin: "DE0007164600".parse().unwrap(),
            ticker: "ALPB.EU".into(),
            ..known.securities[0].clone()
        };
        known.securities.push(another);
        self.say(known);
        let mut said = settings("live");
        said.revision += 1;
        said.values.insert("risk.min_gap_min".into(), 5.into());
        self.say(said);
    }

    fn set(&mut self, setting: &str, value: i64) {
        let mut said = settings("live");
        said.revision += 2;
        said.values.insert(setting.into(), value.into());
        self.say(said);
    }

    fn trouble(&self) -> Option<String> {
        self.engine.health(0, true).last_error
    }

    fn approval_of_another(&mut self) -> OrderApproved {
        let isin = "DE0007164600".parse().unwrap();
        let terms = OrderApproved { isin, ticker: "ALPB.EU".into(), ..self.terms() };
        self.key().sign(terms)
    }

    fn approval(&mut self) -> OrderApproved {
        let terms = self.terms();
        self.key().sign(terms)
    }

    fn say<B: Body>(&mut self, body: B) {
        let owner = match B::TOPIC.spec().owners[0] {
            "each" => "risk-gate",
            owner => owner,
        };
        self.say_as(owner, body);
    }

    fn say_as<B: Body>(&mut self, stage: &str, body: B) {
        self.versions += 1;
        let id = Id::derive(self.now, &["test", &self.versions.to_string()]);
        let (key, stage) = (body.key(), stage.to_string());
        let envelope =
            Envelope { id, key_version: self.versions, at: self.now, stage, trace: id, cause: None, body };
        let topic = B::TOPIC.spec().address("steward", &key);
        let said = self.engine.deliver(&topic, &envelope.encode().unwrap(), self.now).unwrap();
        self.take(said);
    }

    fn tick(&mut self) {
        let said = self.engine.tick(self.now).unwrap();
        self.take(said);
    }

    /// One step of the work between stage and broker; false when there is none.
    fn step(&mut self) -> bool {
        let Some((call, cause)) = self.engine.next_call() else { return false };
        let reply = self.broker.perform(call);
        let said = self.engine.reply(reply, cause, self.now).unwrap();
        self.take(said);
        true
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            if !self.step() {
                return;
            }
        }
        panic!("the stage does not come to rest");
    }

    fn pass(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        self.settle();
        for _ in 0..5_000 {
            let Some(then) = self.engine.wake_at().filter(|then| *then <= end) else { break };
            self.now = then.max(self.now);
            self.tick();
            self.settle();
            assert!(self.engine.wake_at().is_none_or(|next| next > self.now), "a tick moves the timer on");
        }
        self.now = end;
    }

    fn place(&mut self) -> OrderApproved {
        let approval = self.approval();
        self.say(approval.clone());
        self.settle();
        approval
    }

    /// Ends the process at once: calls that wait or are under way are gone.
    fn kill(&mut self) {
        self.engine = open(self.folder.path(), self.environment, self.now);
        let repeated = self.engine.repeat();
        self.take(repeated);
    }

    fn take(&mut self, publications: Vec<Publication>) {
        for one in publications {
            self.said.push((Address::parse("steward", &one.topic).unwrap(), one.payload));
        }
    }

    fn all<B: Body>(&self) -> Vec<Option<B>> {
        let about = self.said.iter().filter(|(to, _)| to.topic == B::TOPIC);
        about.map(|(to, payload)| receive::<B>(&to.key, payload).unwrap().body).collect()
    }

    fn state(&self, approval: &OrderApproved) -> OrderState {
        let mut all = self.all::<OrderState>().into_iter().flatten();
        all.rfind(|state| state.order_id == approval.order_id).unwrap()
    }

    fn words(&self, approval: &OrderApproved) -> Vec<OrderStatus> {
        let all = self.all::<OrderState>().into_iter().flatten();
        let mut words: Vec<_> =
            all.filter(|state| state.order_id == approval.order_id).map(|state| state.status).collect();
        words.dedup();
        words
    }

    fn is_unsaid(&self, approval: &OrderApproved) -> bool {
        !self.all::<OrderState>().into_iter().flatten().any(|state| state.order_id == approval.order_id)
    }

    fn incidents(&self) -> Vec<IncidentKind> {
        self.all::<OrderIncident>().into_iter().flatten().map(|one| one.kind).collect()
    }

    fn count(&self, sql: &str) -> i64 {
        let rows = bus_client::open_for_reading(&Place::File(self.folder.path().join("orders.db"))).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// A halt for everything that happened.
fn halt_for_incidents(world: &World) -> RiskHalt {
    let entry = |one: OrderIncident| contracts::HaltEntry {
        id: one.incident_id,
        since: one.at,
        actor: "execute".into(),
        reason: "incident".into(),
        text: one.text,
    };
    let halts = world.all::<OrderIncident>().into_iter().flatten().map(entry).collect();
    RiskHalt { halts, ..halt(true) }
}

fn halt(halted: bool) -> RiskHalt {
    RiskHalt { halted, halts: vec![], at: start() }
}

/// Of the sample security; open for as long as any of these stories goes on.
fn venue(open: bool) -> Venue {
    Venue { open, next_change: Some(start().saturating_plus_ms(400 * DAY)), ..Venue::sample() }
}

fn universe(tick: Option<&str>) -> Universe {
    Universe { securities: vec![Security { tick_e6: tick.map(price), ..Security::sample() }] }
}

fn settings(mode: &str) -> SettingsSnapshot {
    let values = [("trading_mode".to_string(), mode.into())].into();
    SettingsSnapshot { revision: u64::try_from(mode.len()).unwrap(), values }
}

fn gate(state: HealthState) -> Health {
    Health { stage: "risk-gate".into(), state, ..Health::sample() }
}

fn reason(state: &OrderState) -> &str {
    state.reason.as_deref().unwrap_or_default()
}

// ------------------------------------------------------- the plain path

#[test]
fn an_approved_order_is_placed_once_and_followed_to_its_fill() {
    let mut world = World::ready();
    let approval = world.place();
    assert_eq!(world.words(&approval), [OrderStatus::Armed, OrderStatus::Sending, OrderStatus::Accepted]);
    world.broker.trade("73100001", 10);
    world.pass(5 * SECOND);
    let state = world.state(&approval);
    assert_eq!((state.status, state.filled_e6), (OrderStatus::Filled, pieces(10)));
    assert_eq!(state.fills[0].fee, Some(eur(2)));
    assert_eq!(world.broker.placements, [approval.order_id.to_string()]);
    let sql =
        "SELECT count(*) FROM api_order_event WHERE state IN ('armed', 'sending', 'accepted', 'filled')";
    assert_eq!(world.count(sql), 4);
    assert_eq!(world.count("SELECT count(*) FROM api_order_fill"), 1);
}

#[test]
fn sending_is_on_disk_before_the_broker_is_asked() {
    let mut world = World::ready();
    let approval = world.approval();
    world.say(approval.clone());
    assert!(world.step(), "the account is read first");
    assert!(world.broker.placements.is_empty());
    assert_eq!(world.count("SELECT count(*) FROM \"order\" WHERE state = 'sending' AND sent IS NOT NULL"), 1);
    assert!(world.step());
    assert_eq!(world.broker.placements.len(), 1);
}

#[test]
fn research_never_reaches_the_broker() {
    let mut world = World::ready();
    let approval = world.paper(Some("49.9"));
    let state = world.state(&approval);
    assert_eq!((state.status, state.mode), (OrderStatus::Filled, Mode::Research));
    assert!(state.fills[0].trade_id.starts_with("paper-"));
    assert_eq!(state.fills[0].price_e6, price("49.92495"), "half a spread above the last price");
    assert_eq!(state.fills[0].fee, Some("3 EUR".parse().unwrap()), "2 EUR and 0.2 %");
    assert!(state.sent.is_some() && state.broker_order_id.is_some());
    let words = world.count(
        "SELECT count(*) FROM api_order_event WHERE state IN ('armed', 'sending', 'accepted', 'filled')",
    );
    assert_eq!(words, 4, "the same states as with real money");
    assert!(world.broker.placements.is_empty());
}

#[test]
fn on_paper_nothing_is_filled_without_a_quote() {
    let mut world = World::ready();
    let approval = world.paper(None);
    let state = world.state(&approval);
    assert_eq!((state.status, reason(&state)), (OrderStatus::Rejected, "paper: no usable quote"));
    assert!(state.fills.is_empty());
}

#[test]
fn on_paper_an_order_waits_for_its_price_over_a_restart() {
    let mut world = World::ready();
    let approval = world.paper(Some("50.2"));
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted);
    world.kill();
    world.say_all();
    world.pass(MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted);
    world.quote("49.9");
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
}

#[test]
fn on_paper_an_order_is_cancelled_when_the_price_leaves_it_behind_and_expires_with_its_day() {
    let mut world = World::ready();
    let approval = world.paper(Some("50.2"));
    world.pass(14 * MINUTE);
    world.quote("50.6");
    world.pass(2 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Cancelled);
    let approval = world.paper(Some("50.2"));
    world.say(Venue { open: false, ..Venue::sample() });
    world.quote("49.9");
    assert_eq!(world.state(&approval).status, OrderStatus::Expired);
}

// -------------------------------------------------------- live or not

#[test]
fn live_needs_the_flag_the_setting_and_a_keeper_that_speaks() {
    type Change = fn(&mut World);
    let cases: [(&str, Change, usize); 4] = [
        ("all three", |_| (), 1),
        ("research", |w| w.say(settings("research")), 0),
        ("anything else", |w| w.say(settings("LIVE!")), 0),
        (
            "a keeper that is gone",
            |w| w.say_as("keeper", Health { stage: "keeper".into(), ..gate(HealthState::Gone) }),
            0,
        ),
    ];
    for (name, change, sent) in cases {
        let mut world = World::silent("live");
        world.say_all();
        change(&mut world);
        let approval = world.place();
        assert_eq!(world.broker.placements.len(), sent, "{name}");
        if sent == 0 {
            assert!(reason(&world.state(&approval)).starts_with("not_sent: "), "{name}");
        }
    }
}

#[test]
fn without_the_flag_of_the_configuration_nothing_live_leaves() {
    let folder = TempDir::new().unwrap();
    let text = "environment = \"live\"\ndir = \"x\"";
    let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
    let place = Some(Place::File(folder.path().join("orders.db")));
    let mut world = World::silent("live");
    world.engine = Engine::open(&config, "execute", place, start()).unwrap();
    world.say_all();
    // The key is the other folder's too.
    let key = bus_client::approval_key(&folder.path().join("x")).unwrap();
    let terms = world.terms();
    let approval = key.sign(terms);
    world.say(approval.clone());
    world.settle();
    assert!(world.broker.placements.is_empty());
    assert_eq!(reason(&world.state(&approval)), "not_sent: steward.toml does not allow live orders");
}

// ------------------------------------------------------------ exchanges

#[test]
fn an_exchange_is_an_order_of_its_own_and_needs_the_money_it_gives() {
    let usd: Currency = "USD".parse().unwrap();
    for (units, sent) in [(20_000, 1), (20_001, 0)] {
        let mut world = World::ready();
        let terms = world.terms();
        let approval = world.key().sign(OrderApproved {
            isin: contracts::pair_isin(Currency::EUR, usd).unwrap(),
            mic: contracts::pair_venue(),
            ticker: "EUR/USD".into(),
            ccy: usd,
            side: Side::Sell,
            qty_e6: pieces(units),
            limit_price_e6: price("1.1"),
            ..terms
        });
        world.say(approval.clone());
        world.settle();
        assert_eq!(world.broker.placements.len(), sent, "{units}");
        let expected = if sent == 1 { OrderStatus::Accepted } else { OrderStatus::Rejected };
        assert_eq!(world.state(&approval).status, expected);
    }
}

#[test]
fn euros_that_a_working_exchange_gives_are_not_there_for_a_purchase() {
    let usd: Currency = "USD".parse().unwrap();
    for (cash, count) in [(1_502, 1), (1_503, 2)] {
        let mut world = World::ready();
        world.broker.cash = cash;
        let terms = world.terms();
        let exchange = world.key().sign(OrderApproved {
            isin: contracts::pair_isin(Currency::EUR, usd).unwrap(),
            mic: contracts::pair_venue(),
            ticker: "EUR/USD".into(),
            ccy: usd,
            side: Side::Sell,
            qty_e6: pieces(1_000),
            limit_price_e6: price("1.1"),
            ..terms
        });
        world.say(exchange);
        world.settle();
        world.place();
        assert_eq!(world.broker.placements.len(), count, "{cash}");
    }
}

// -------------------------------------------------- what must never be

#[test]
fn two_orders_for_one_halt_and_the_second_is_cancelled() {
    let mut world = World::ready();
    let approval = world.place();
    let twin =
        OrderRow { order_id: BrokerOrderId::parse("5510029999").unwrap(), ..world.broker.orders[0].clone() };
    world.broker.orders.push(twin);
    world.pass(5 * SECOND);
    assert_eq!(world.incidents(), [IncidentKind::DoubledOrder]);
    assert!(world.broker.cancels > 0);
    assert_eq!(world.state(&approval).broker_order_id.as_deref(), Some("5510020011"));
}

#[test]
fn a_fill_beyond_the_order_is_an_incident_and_no_crash() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let again = TradeRow { trade_id: TradeId::parse("73100002").unwrap(), ..world.broker.trades[0].clone() };
    world.broker.trades.push(again);
    world.pass(5 * SECOND);
    assert_eq!(world.incidents(), [IncidentKind::Overfilled]);
    assert_eq!(world.state(&approval).filled_e6, pieces(10));
}

#[test]
fn a_holding_that_moved_means_that_the_order_arrived_and_a_person_is_told() {
    for (moved, expected) in [(1, true), (10, true), (11, false), (-1, false)] {
        let mut world = World::ready();
        world.broker.manner = Manner::Loses;
        let approval = world.place();
        world.broker.held += moved;
        world.pass(10 * MINUTE);
        let status = world.state(&approval).status;
        let told = world.engine.health(0, true).last_error.unwrap_or_default();
        if expected {
            assert_eq!(status, OrderStatus::Accepted, "{moved}");
            assert!(told.contains("no list of the broker shows it"), "{told}");
            // Moved back by somebody else, it is still not absent.
            world.broker.held -= moved;
            world.pass(DAY);
            assert_eq!(world.state(&approval).status, OrderStatus::Accepted, "{moved}");
        } else {
            assert_eq!(status, OrderStatus::Rejected, "{moved}");
        }
        assert_eq!(world.broker.placements.len(), 1);
    }
}

#[test]
fn a_holding_that_only_lagged_behind_proves_nothing() {
    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    let approval = world.place();
    world.broker.held += 3;
    world.pass(MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
    world.broker.held -= 3;
    world.pass(10 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, reason(&state)), (OrderStatus::Rejected, "never_arrived"));
}

#[test]
fn a_trade_without_an_order_in_any_list_is_taken_and_counted() {
    let mut world = World::ready();
    world.broker.manner = Manner::AcceptsSilently;
    let approval = world.place();
    world.broker.trade("73100001", 4);
    let row = world.broker.orders.pop().unwrap();
    world.pass(10 * SECOND);
    let state = world.state(&approval);
    assert_eq!((state.status, state.filled_e6), (OrderStatus::Partial, pieces(4)));
    world.broker.orders.push(row);
    world.broker.trade("73100002", 6);
    world.broker.orders.clear();
    world.pass(2 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, state.filled_e6), (OrderStatus::Filled, pieces(10)));
}

#[test]
fn an_order_that_says_the_same_at_another_time_is_neither_ours_nor_proof_of_absence() {
    // The broker's clock is three hours ahead: the first order, which carries our number, tells.
    let at = |text: &str| tradernet::WallTime::parse(text);
    for (created, ours) in [
        (at("2026-03-03 17:10:00"), true),
        (at("2026-03-03 17:10:01"), false),
        (at("2026-03-03 16:50:00"), true),
        (at("2026-03-03 16:49:59"), false),
        (None, true),
    ] {
        let mut world = World::ready();
        world.place();
        world.broker.orders[0].created_at = at("2026-03-02 17:00:00");
        world.pass(6 * SECOND);
        world.broker.trade("73100001", 10);
        world.pass(MINUTE);
        world.now = start().saturating_plus_ms(DAY);
        world.broker.manner = Manner::AcceptsSilently;
        world.broker.echoes = Some("");
        let approval = world.place();
        world.broker.orders[1].created_at = created;
        world.pass(10 * MINUTE);
        let expected = if ours { OrderStatus::Accepted } else { OrderStatus::Unknown };
        assert_eq!(world.state(&approval).status, expected, "{created:?}");
    }
}

#[test]
fn a_limit_that_the_broker_rounds_by_half_a_tick_is_still_ours() {
    for (shown, ours) in [("50.005", true), ("49.995", true), ("50.005001", false)] {
        let mut world = World::ready();
        world.broker.manner = Manner::AcceptsSilently;
        world.broker.echoes = Some("");
        let approval = world.place();
        world.broker.orders[0].limit = Some(price(shown));
        world.pass(10 * MINUTE);
        let expected = if ours { OrderStatus::Accepted } else { OrderStatus::Rejected };
        assert_eq!(world.state(&approval).status, expected, "{shown}");
    }
}

#[test]
fn by_a_clock_that_is_not_the_brokers_nothing_is_sent() {
    for (ahead, sent) in [(Some(5), 1), (Some(6), 0), (Some(-6), 0)] {
        let mut world = World::ready();
        world.broker.clock_ahead_s = ahead;
        let approval = world.place();
        assert_eq!(world.broker.placements.len(), sent, "{ahead:?}");
        let state = world.state(&approval);
        assert!(sent == 1 || reason(&state).starts_with("not_sent: our clock"), "{}", reason(&state));
    }
}

// ------------------------------------------------------- settled by hand

impl World {
    fn settle_by_hand(
        &mut self,
        of: &OrderApproved,
        broker_order_id: Option<&str>,
        text: &str,
    ) -> contracts::Reply {
        let before = self.said.len();
        self.say_as(
            "steward",
            SettleOrder {
                actor: "the owner".into(),
                order_id: of.order_id,
                broker_order_id: broker_order_id.map(Into::into),
                text: text.into(),
            },
        );
        self.settle();
        let (to, payload) =
            self.said[before..].iter().find(|(to, _)| to.topic == contracts::TopicId::Reply).unwrap();
        receive::<contracts::Reply>(&to.key, payload).unwrap().body.unwrap()
    }

    /// Two rows that could be it: evidence never comes.
    fn in_doubt() -> (World, OrderApproved) {
        let mut world = World::ready();
        world.broker.manner = Manner::AcceptsSilently;
        world.broker.echoes = Some("");
        let approval = world.place();
        world.broker.take(TICKER, Side::Buy, pieces(10), price("50"), 1);
        world.pass(5 * MINUTE);
        (world, approval)
    }
}

#[test]
fn a_person_ends_a_doubt_and_the_next_order_goes_out() {
    let (mut world, approval) = World::in_doubt();
    let reply = world.settle_by_hand(&approval, None, "Neither is ours.");
    assert_eq!(reply.outcome, contracts::Outcome::Done, "{}", reply.text);
    let state = world.state(&approval);
    assert_eq!(state.status, OrderStatus::Rejected);
    assert_eq!(reason(&state), "never_arrived: settled by the owner: Neither is ours.");
    let sql = "SELECT count(*) FROM api_order_event WHERE message LIKE '%settled by the owner%'";
    assert_eq!(world.count(sql), 1, "who and why is kept");
    world.broker.orders.clear();
    world.broker.manner = Manner::Accepts;
    world.place();
    assert_eq!(world.broker.placements.len(), 2);
    world.kill();
    assert_eq!(world.state(&approval).status, OrderStatus::Rejected, "also after a restart");
}

#[test]
fn a_person_names_the_brokers_order_and_evidence_goes_on_from_there() {
    let (mut world, approval) = World::in_doubt();
    assert_eq!(
        world.settle_by_hand(&approval, Some("5510020012"), "The second.").outcome,
        contracts::Outcome::Done
    );
    world.broker.trade("73100001", 10);
    world.pass(2 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, state.broker_order_id.as_deref()), (OrderStatus::Filled, Some("5510020012")));
    let sql = "SELECT count(*) FROM api_order_event WHERE message LIKE '%settled by the owner: The second.%'";
    assert_eq!(world.count(sql), 1, "who and why outlives the fill");
}

#[test]
fn lists_that_nobody_read_settle_nothing() {
    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    let approval = world.place();
    world.broker.reads = false;
    world.pass(6 * MINUTE);
    let reply = world.settle_by_hand(&approval, None, "It is not there.");
    assert_eq!(reply.code.as_deref(), Some("too_soon"), "{}", reply.text);
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
}

#[test]
fn an_order_that_was_there_before_ours_is_never_named_as_ours() {
    let mut world = World::ready();
    let earlier = world.broker.take("SAP.EU", Side::Sell, pieces(3), price("120"), 1);
    world.broker.end(Theirs::Executed);
    world.broker.manner = Manner::AcceptsSilently;
    world.broker.echoes = Some("");
    let approval = world.place();
    world.broker.take(TICKER, Side::Buy, pieces(10), price("50"), 1);
    world.pass(5 * MINUTE);
    let reply = world.settle_by_hand(&approval, Some(earlier.as_str()), "That one.");
    assert_eq!(reply.code.as_deref(), Some("before"), "{}", reply.text);
    assert_eq!(world.state(&approval).broker_order_id, None);
}

#[test]
fn a_strangers_trade_is_never_taken_for_ours() {
    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    let approval = world.place();
    world.broker.echoes = Some("");
    world.broker.take(TICKER, Side::Buy, pieces(10), price("49.50"), 1);
    world.broker.trade("73100077", 10);
    world.pass(3 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, state.broker_order_id), (OrderStatus::Unknown, None));
    assert!(state.filled_e6.is_zero(), "nothing of it is booked as ours");
}

#[test]
fn the_word_of_a_person_stands_below_evidence() {
    let (mut world, approval) = World::in_doubt();
    let code = |reply: contracts::Reply| reply.code.unwrap_or_default();
    assert_eq!(code(world.settle_by_hand(&approval, None, " ")), "no_reason");
    assert_eq!(code(world.settle_by_hand(&approval, Some(""), "x")), "no_broker_id");
    let unknown = world.terms();
    assert_eq!(code(world.settle_by_hand(&unknown, None, "x")), "not_known");
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown, "nothing was changed");

    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    let approval = world.place();
    assert_eq!(code(world.settle_by_hand(&approval, None, "x")), "too_soon");
    let mut world = World::ready();
    let approval = world.place();
    world.pass(6 * MINUTE);
    assert_eq!(code(world.settle_by_hand(&approval, None, "x")), "found");
    world.broker.trade("73100001", 10);
    world.pass(MINUTE);
    assert_eq!(code(world.settle_by_hand(&approval, None, "x")), "final");
    let mut world = World::ready();
    let paper = world.paper(Some("60"));
    assert_eq!(code(world.settle_by_hand(&paper, None, "x")), "on_paper");
}

// ------------------------------------------------------------ the venue

#[test]
fn an_order_whose_venue_is_not_known_to_be_open_is_not_sent() {
    type Change = fn(&mut World);
    let cases: &[(&str, Change, bool)] = &[
        ("open", |_| (), true),
        ("closed", |w| w.say(venue(false)), false),
        ("past its close", |w| w.say(Venue { next_change: Some(w.now), ..venue(true) }), false),
        (
            "just before it",
            |w| w.say(Venue { next_change: Some(w.now.saturating_plus_ms(1)), ..venue(true) }),
            true,
        ),
    ];
    for (name, change, sent) in cases {
        let mut world = World::ready();
        let approval = world.approval();
        world.say(approval.clone());
        // Closed after the approval, while the account is being read.
        change(&mut world);
        world.settle();
        assert_eq!(world.broker.placements.len(), usize::from(*sent), "{name}");
        if !sent {
            assert_eq!(
                reason(&world.state(&approval)),
                "not_sent: the venue is not known to be open",
                "{name}"
            );
        }
    }
}

#[test]
fn a_limit_beside_the_tick_or_of_an_unknown_tick_is_not_sent() {
    for (tick, limit, sent) in [
        (Some("0.05"), "50.05", true),
        (Some("0.05"), "50.04", false),
        (None, "50", false),
        (Some("50"), "50", true),
    ] {
        for mode in [Mode::Live, Mode::Research] {
            let mut world = World::ready();
            world.quote("60");
            world.say(universe(tick));
            let terms = world.terms();
            let approval = world.key().sign(OrderApproved { limit_price_e6: price(limit), mode, ..terms });
            world.say(approval.clone());
            world.settle();
            let state = world.state(&approval);
            assert_eq!(state.sent.is_some(), sent, "{tick:?} {limit} {mode:?}");
            assert!(sent || reason(&state).starts_with("not_sent: the limit"), "{}", reason(&state));
        }
    }
}

#[test]
fn a_restored_store_does_not_repeat_what_the_brokers_trades_show() {
    for (date, sent) in [("2026-03-02 13:00:01", 0), ("2026-03-02 13:00:00", 1), ("2026-03-02 16:59:00", 0)] {
        let mut world = World::ready();
        world.broker.take(TICKER, Side::Buy, pieces(10), price("50"), 7);
        world.broker.trade("73100001", 10);
        world.broker.trades[0].at = tradernet::WallTime::parse(date);
        let approval = world.place();
        assert_eq!(world.broker.placements.len(), sent, "{date}");
        if sent == 0 {
            assert!(
                reason(&world.state(&approval)).starts_with("state_changed: the broker's trade 73100001")
            );
        }
    }
}

#[test]
fn the_same_again_within_an_hour_is_not_sent_even_when_the_gate_approves() {
    let mut world = World::ready();
    world.place();
    world.broker.trade("73100001", 10);
    world.pass(59 * MINUTE);
    let approval = world.place();
    assert_eq!(reason(&world.state(&approval)), "not_sent: the same was traded less than an hour ago");
    world.pass(2 * MINUTE);
    world.place();
    assert_eq!(world.broker.placements.len(), 2);
}

#[test]
fn an_emergency_has_its_own_count() {
    let mut world = World::ready();
    let terms = world.terms();
    let approval = world.key().sign(OrderApproved { kind: Kind::Emergency, ..terms });
    world.say(approval.clone());
    world.settle();
    assert_eq!(world.broker.placements.len(), 1);
}

#[test]
fn an_order_near_the_market_is_left_to_work() {
    let mut world = World::ready();
    world.place();
    world.pass(14 * MINUTE);
    world.quote("50.4");
    world.pass(5 * MINUTE);
    assert_eq!(world.broker.cancels, 0, "0.8 % away may still be filled");
    world.quote("50.51");
    world.pass(2 * MINUTE);
    assert_eq!(world.broker.cancels, 1);
    world.pass(5 * MINUTE);
    assert_eq!(world.broker.cancels, 2, "asked again when the first one changed nothing");
}

#[test]
fn an_id_of_long_ago_is_never_used_again() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    world.pass(3 * DAY);
    world.kill();
    world.say_all();
    let expires = world.now.saturating_plus_ms(MINUTE);
    let again = world.key().sign(OrderApproved { issued: world.now, expires, ..approval });
    world.say(again);
    world.settle();
    assert_eq!(world.broker.placements.len(), 1);
    assert_eq!(world.incidents(), [IncidentKind::ReusedApproval]);
}

#[test]
fn the_same_approval_again_does_nothing() {
    let mut world = World::ready();
    let approval = world.place();
    for _ in 0..3 {
        world.say(approval.clone());
        world.pass(SECOND);
    }
    assert_eq!(world.broker.placements.len(), 1);
    assert!(world.incidents().is_empty());
}

#[test]
fn orders_wait_for_their_turn() {
    let mut world = World::ready();
    let (first, second) = (world.approval(), world.approval());
    world.say(first.clone());
    world.say(second.clone());
    assert!(world.is_unsaid(&second));
    world.broker.manner = Manner::AcceptsSilently;
    world.settle();
    assert_eq!(world.state(&first).status, OrderStatus::Unknown);
    assert!(world.is_unsaid(&second), "nothing goes out while a fate is unknown");
}

#[test]
fn an_approval_that_expires_while_it_waits_is_never_used() {
    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    world.place();
    let second = world.approval();
    world.say(second.clone());
    world.pass(20 * MINUTE);
    assert_eq!(world.broker.placements.len(), 1);
    assert!(world.is_unsaid(&second));
}

#[test]
fn an_approval_that_expires_while_the_account_is_read_is_not_sent() {
    let mut world = World::ready();
    let approval = world.approval();
    world.say(approval.clone());
    world.now = approval.expires;
    world.settle();
    assert_eq!(world.state(&approval).status, OrderStatus::Rejected);
    assert!(reason(&world.state(&approval)).starts_with("not_sent"));
    assert!(world.broker.placements.is_empty());
}

#[test]
fn an_expired_approval_does_nothing() {
    let mut world = World::ready();
    let approval = world.approval();
    world.now = approval.expires;
    world.say(approval);
    world.pass(MINUTE);
    assert!(world.all::<OrderState>().is_empty());
}

// ------------------------------------------------- obstacles before sending

#[test]
fn nothing_is_sent_while_something_stands_in_the_way() {
    type Change = fn(&mut World);
    let cases: &[(&str, Change)] = &[
        ("halted", |w| w.say(halt(true))),
        ("gate gone", |w| w.say(gate(HealthState::Gone))),
        ("research", |w| w.say(RiskState { mode: Mode::Research, ..RiskState::sample() })),
        ("unreadable account", |w| w.broker.reads = false),
        ("unknown security", |w| w.say(Universe { securities: vec![] })),
    ];
    for (name, change) in cases {
        let mut world = World::ready();
        change(&mut world);
        let approval = world.place();
        let state = world.state(&approval);
        assert_eq!(state.status, OrderStatus::Rejected, "{name}");
        assert!(reason(&state).starts_with("not_sent"), "{name}: {}", reason(&state));
        assert!(world.broker.orders.is_empty(), "{name}");
    }
}

#[test]
fn what_is_not_known_stands_in_the_way() {
    let mut world = World::silent("sim:1");
    world.tick();
    let approval = world.place();
    assert!(world.broker.placements.is_empty());
    assert_eq!(world.state(&approval).status, OrderStatus::Rejected);
}

#[test]
fn a_silent_gate_lets_nothing_out_in_a_live_environment() {
    for (ms, sent) in [(30 * SECOND, 1), (30 * SECOND + 1, 0)] {
        let mut world = World::silent("live");
        world.say_all();
        world.now = world.now.saturating_plus_ms(ms);
        world.place();
        assert_eq!(world.broker.placements.len(), sent, "{ms}");
    }
}

#[test]
fn a_halt_between_reading_and_sending_stops_the_order() {
    let mut world = World::ready();
    let approval = world.approval();
    world.say(approval.clone());
    world.say(halt(true));
    world.settle();
    assert!(world.broker.placements.is_empty());
    assert!(reason(&world.state(&approval)).starts_with("not_sent"));
}

#[test]
fn an_account_that_contradicts_the_approval_ends_the_order() {
    type Change = fn(&mut World);
    let cases: &[(&str, Side, Change)] = &[
        ("less cash", Side::Buy, |w| w.broker.cash = 502),
        ("less held", Side::Sell, |w| w.broker.held = 9),
        ("another order", Side::Buy, |w| {
            w.broker.take(TICKER, Side::Sell, pieces(1), price("60"), 7);
        }),
    ];
    for (name, side, change) in cases {
        let mut world = World::ready();
        change(&mut world);
        let terms = world.terms();
        let approval = world.key().sign(OrderApproved { side: *side, ..terms });
        world.say(approval.clone());
        world.settle();
        assert!(reason(&world.state(&approval)).starts_with("state_changed"), "{name}");
        assert!(world.broker.placements.is_empty(), "{name}");
    }
    let mut world = World::ready();
    (world.broker.cash, world.broker.held) = (503, 10);
    world.place();
    assert_eq!(world.broker.placements.len(), 1, "its worth and 3 EUR of fees are enough");
}

#[test]
fn an_order_that_the_broker_already_has_is_not_sent_by_an_old_store() {
    let mut world = World::ready();
    let approval = world.approval();
    let number = tradernet::user_order_id(&approval.order_id.to_string());
    world.broker.take(TICKER, Side::Buy, pieces(10), price("50"), number);
    world.broker.trade("73100001", 10);
    world.say(approval.clone());
    world.settle();
    assert!(world.broker.placements.is_empty(), "it would be the second time");
    assert!(reason(&world.state(&approval)).starts_with("state_changed"));
}

// ------------------------------------------------------------ the answers

#[test]
fn a_refusal_is_final_after_one_look() {
    let mut world = World::ready();
    world.broker.manner = Manner::Refuses;
    let approval = world.place();
    assert!(!world.state(&approval).status.is_final());
    world.pass(5 * SECOND);
    let state = world.state(&approval);
    assert_eq!((state.status, reason(&state)), (OrderStatus::Rejected, "broker: not enough money"));
    assert_eq!(world.broker.placements.len(), 1);
}

#[test]
fn a_broker_that_was_not_reached_has_nothing() {
    let mut world = World::ready();
    world.broker.manner = Manner::NotReached;
    let approval = world.place();
    let state = world.state(&approval);
    assert_eq!(state.status, OrderStatus::Rejected);
    assert!(reason(&state).starts_with("not_sent"));
    world.pass(DAY);
    assert_eq!(world.broker.placements.len(), 1);
}

#[test]
fn a_lost_answer_is_found_at_the_broker_and_never_sent_again() {
    // By our number, without any number, and with a number that the broker made up.
    for echoes in [None, Some(""), Some("apiv2:160810000002")] {
        let mut world = World::ready();
        world.broker.manner = Manner::AcceptsSilently;
        world.broker.echoes = echoes;
        let approval = world.place();
        assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
        world.pass(5 * SECOND);
        assert_eq!(world.state(&approval).status, OrderStatus::Accepted, "{echoes:?}");
        world.broker.trade("73100001", 10);
        world.pass(MINUTE);
        assert_eq!(world.state(&approval).status, OrderStatus::Filled, "{echoes:?}");
        assert_eq!(world.broker.placements.len(), 1);
    }
}

#[test]
fn two_rows_that_could_be_it_leave_the_fate_unknown() {
    let mut world = World::ready();
    world.broker.manner = Manner::AcceptsSilently;
    world.broker.echoes = Some("");
    let approval = world.place();
    world.broker.take(TICKER, Side::Buy, pieces(10), price("50"), 1);
    world.pass(20 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
}

#[test]
fn an_order_never_arrived_only_after_three_clean_looks_and_two_minutes() {
    let mut world = World::ready();
    world.broker.manner = Manner::Loses;
    let approval = world.place();
    world.pass(2 * MINUTE - 1);
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
    world.pass(4 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, reason(&state)), (OrderStatus::Rejected, "never_arrived"));
    assert_eq!(world.broker.placements.len(), 1);
}

#[test]
fn a_broker_that_cannot_be_read_proves_no_absence() {
    let mut world = World::ready();
    world.broker.manner = Manner::AcceptsSilently;
    let approval = world.place();
    world.broker.reads = false;
    world.pass(30 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
    let next = world.approval();
    world.say(next.clone());
    world.settle();
    assert!(world.is_unsaid(&next));
    world.broker.reads = true;
    world.pass(2 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted);
}

// ---------------------------------------------------------------- following

#[test]
fn fills_are_counted_once_by_the_brokers_id() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 4);
    let again = world.broker.trades[0].clone();
    world.broker.trades.push(again);
    world.pass(30 * SECOND);
    assert_eq!(
        (world.state(&approval).status, world.state(&approval).filled_e6),
        (OrderStatus::Partial, pieces(4))
    );
    world.broker.trade("73100002", 6);
    world.pass(30 * SECOND);
    let state = world.state(&approval);
    assert_eq!((state.status, state.fills.len()), (OrderStatus::Filled, 2));
    assert_eq!(world.count("SELECT sum(qty) FROM api_order_fill"), 10_000_000);
}

#[test]
fn a_day_that_ends_keeps_what_was_filled() {
    for (theirs, ours) in
        [(Theirs::PartlyExpired, OrderStatus::Expired), (Theirs::PartlyCancelled, OrderStatus::Cancelled)]
    {
        let mut world = World::ready();
        let approval = world.place();
        world.broker.trade("73100001", 4);
        world.pass(MINUTE);
        world.broker.end(theirs);
        world.pass(MINUTE);
        let state = world.state(&approval);
        assert_eq!((state.status, state.filled_e6), (ours, pieces(4)));
    }
}

#[test]
fn a_final_order_waits_for_its_late_trades() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let late = world.broker.trades.pop().unwrap();
    // The list of trades lags behind that of orders: three looks in a quarter of a minute prove nothing.
    world.pass(9 * MINUTE);
    assert!(!world.state(&approval).status.is_final());
    world.broker.trades.push(late);
    world.pass(MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
}

#[test]
fn an_executed_order_without_a_figure_of_what_is_left_waits_for_all_its_trades() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    world.broker.orders.last_mut().unwrap().remaining = None;
    let late = world.broker.trades.pop().unwrap();
    world.pass(9 * MINUTE);
    assert!(!world.state(&approval).status.is_final());
    world.broker.trades.push(late);
    world.pass(MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
}

#[test]
fn a_final_order_whose_trades_never_come_stays_open_and_a_person_is_told() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let late = world.broker.trades.pop().unwrap();
    world.pass(12 * MINUTE);
    assert_eq!(
        world.state(&approval).status,
        OrderStatus::Partial,
        "what was bought is not called cancelled"
    );
    let trouble = world.trouble().unwrap_or_default();
    assert!(trouble.contains("more filled than its lists of trades show"), "{trouble}");
    world.broker.trades.push(late);
    world.pass(2 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
    assert_eq!(world.trouble(), None);
}

#[test]
fn what_ended_short_of_its_trades_is_ended_by_a_person_and_not_called_never_arrived() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    world.broker.trades.clear();
    world.pass(6 * MINUTE);
    assert_eq!(world.settle_by_hand(&approval, None, "Too soon.").code.as_deref(), Some("found"));
    world.pass(6 * MINUTE);
    let reply = world.settle_by_hand(&approval, None, "The broker's page shows it busted.");
    assert_eq!(reply.outcome, contracts::Outcome::Done, "{}", reply.text);
    let state = world.state(&approval);
    assert_eq!(state.status, OrderStatus::Cancelled);
    assert!(reason(&state).starts_with("settled by"), "{}", reason(&state));
    assert_eq!(world.trouble(), None);
}

#[test]
fn fills_that_only_the_orders_own_row_lists_count_in_the_end() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let listed = world.broker.trades.pop().unwrap();
    world.broker.orders.last_mut().unwrap().fills.push(tradernet::commands::order_rows::OrderFill {
        trade_id: listed.trade_id,
        quantity: listed.quantity,
        price: listed.price,
        amount: None,
        at: None,
    });
    world.pass(12 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
}

#[test]
fn more_than_was_asked_for_in_the_orders_own_row_is_an_incident() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let listed = world.broker.trades.pop().unwrap();
    let part = |id: &str| tradernet::commands::order_rows::OrderFill {
        trade_id: tradernet::TradeId::parse(id).unwrap(),
        quantity: pieces(6),
        price: listed.price,
        amount: None,
        at: None,
    };
    world.broker.orders.last_mut().unwrap().fills = vec![part("73100001"), part("73100002")];
    world.pass(12 * MINUTE);
    assert_eq!(world.incidents(), [IncidentKind::Overfilled]);
    assert!(!world.state(&approval).status.is_final());
}

#[test]
fn what_ended_in_part_without_a_figure_was_filled_in_part_and_never_counts_as_nothing() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 4);
    let late = world.broker.trades.pop().unwrap();
    let row = world.broker.orders.last_mut().unwrap();
    (row.status, row.remaining) = (Theirs::PartlyCancelled, None);
    world.pass(15 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Partial);
    assert!(world.trouble().unwrap().contains("more filled than its lists of trades show"));
    world.broker.trades.push(late);
    world.pass(2 * MINUTE);
    let state = world.state(&approval);
    assert_eq!((state.status, state.filled_e6), (OrderStatus::Cancelled, pieces(4)));
    assert_eq!(world.trouble(), None);
}

#[test]
fn an_order_that_is_executed_in_parts_until_nothing_is_left_is_filled() {
    let mut world = World::ready();
    let approval = world.place();
    world.broker.trade("73100001", 10);
    let row = world.broker.orders.last_mut().unwrap();
    (row.status, row.remaining) = (Theirs::PartlyExecuted, Some(pieces(0)));
    world.pass(MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);
    world.pass(20 * MINUTE);
    assert_eq!(world.broker.cancels, 0);
}

#[test]
fn an_order_whose_row_disappears_is_told_and_not_forgotten() {
    let mut world = World::ready();
    let approval = world.place();
    world.pass(MINUTE);
    let row = world.broker.orders.pop().unwrap();
    world.pass(9 * MINUTE);
    let trouble = world.trouble().unwrap_or_default();
    assert!(trouble.contains("no list of the broker shows it"), "{trouble}");
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted);
    world.broker.orders.push(row);
    world.pass(2 * MINUTE);
    assert_eq!(world.trouble(), None);
}

#[test]
fn what_other_purchases_may_still_take_is_not_there_for_this_one() {
    // The first one works still: 500 and 3 of fees for it, as much for the second.
    for (cash, count) in [(1_005, 1), (1_006, 2)] {
        let mut world = World::ready();
        world.know_another();
        world.broker.cash = cash;
        world.place();
        world.pass(6 * MINUTE);
        let other = world.approval_of_another();
        world.say(other);
        world.settle();
        let reason = world.all::<OrderState>().pop().flatten().and_then(|order| order.reason);
        assert_eq!(world.broker.placements.len(), count, "{cash}: {reason:?}");
    }
}

#[test]
fn a_broker_that_throttles_or_shuts_the_door_is_left_alone_and_nothing_is_sent() {
    let mut world = World::ready();
    world.know_another();
    world.place();
    (world.broker.reads, world.broker.rest_ms) = (false, 5 * MINUTE);
    world.pass(10 * SECOND);
    let before = world.broker.looks;
    world.pass(4 * MINUTE);
    assert_eq!(world.broker.looks, before, "it asked for a rest");
    let other = world.approval_of_another();
    world.say(other.clone());
    world.settle();
    assert!(reason(&world.state(&other)).contains("asked nothing for a while"));
    (world.broker.reads, world.broker.rest_ms) = (true, 0);
    world.pass(2 * MINUTE);
    assert!(world.broker.looks > before);
    let other = world.approval_of_another();
    world.say(other);
    world.settle();
    assert_eq!(world.broker.placements.len(), 2);
}

#[test]
fn a_placement_never_waits_behind_looks_at_other_orders() {
    let mut world = World::ready();
    world.know_another();
    let first = world.place();
    // The look at the first order is due and waits when the approval comes.
    world.now = world.now.saturating_plus_ms(6 * MINUTE);
    world.engine.tick(world.now).unwrap();
    let other = world.approval_of_another();
    world.say(other.clone());
    assert_eq!(world.state(&other).reason, None);
    let called = |world: &mut World| format!("{:?}", world.engine.next_call().unwrap().0);
    let look = called(&mut world);
    assert!(look.contains(&other.order_id.to_string()) && look.contains("before_sending: true"), "{look}");
    let behind = called(&mut world);
    assert!(behind.contains(&first.order_id.to_string()), "{behind}");
}

#[test]
fn an_order_that_lies_for_a_quarter_of_an_hour_is_cancelled_once() {
    let mut world = World::ready();
    let approval = world.place();
    world.pass(14 * MINUTE);
    assert_eq!(world.broker.cancels, 0);
    world.pass(5 * MINUTE);
    assert_eq!(world.broker.cancels, 1);
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted, "it may still fill");
    world.broker.end(Theirs::Cancelled);
    world.pass(2 * MINUTE);
    assert_eq!(world.state(&approval).status, OrderStatus::Cancelled);
}

#[test]
fn the_reading_reaches_back_to_the_day_of_the_order() {
    let mut world = World::ready();
    world.place();
    world.kill();
    world.now = world.now.saturating_plus_ms(4 * DAY);
    world.say_all();
    let Some((Call::Look { from, .. }, _)) = world.engine.next_call() else { panic!("it is looked for") };
    assert!(from <= start().day_utc());
}

#[test]
fn a_final_order_is_taken_back_after_a_day_over_any_restart() {
    for killed in [false, true] {
        let mut world = World::ready();
        let approval = world.place();
        world.broker.trade("73100001", 10);
        world.pass(5 * SECOND);
        assert_eq!(world.state(&approval).status, OrderStatus::Filled);
        if killed {
            world.now = world.now.saturating_plus_ms(2 * DAY);
            world.kill();
            world.say_all();
        }
        world.pass(DAY);
        assert_eq!(world.all::<OrderState>().last(), Some(&None), "{killed}");
        world.say(approval);
        world.pass(MINUTE);
        assert_eq!(world.broker.placements.len(), 1);
    }
}

// ---------------------------------------------------------------- incidents

#[test]
fn a_forged_approval_is_an_incident_and_stops_everything() {
    let mut world = World::ready();
    let genuine = world.approval();
    world.say(OrderApproved { qty_e6: pieces(11), ..genuine });
    assert_eq!(world.incidents(), [IncidentKind::ForgedApproval]);
    let next = world.place();
    assert_eq!(world.state(&next).status, OrderStatus::Rejected);
    world.kill();
    world.say_all();
    world.place();
    assert!(world.broker.placements.is_empty(), "a restart is no answer to an incident");
    // The owner halts for a reason of his own and resumes: nobody has looked at the incident.
    world.say(halt(true));
    world.say(halt(false));
    world.place();
    assert!(world.broker.placements.is_empty(), "a halt for something else is no answer to an incident");
    world.say(halt_for_incidents(&world));
    world.place();
    assert!(world.broker.placements.is_empty());
    world.say(halt(false));
    world.place();
    assert_eq!(world.broker.placements.len(), 1, "a person has looked and resumed");
}

#[test]
fn a_halt_that_came_and_went_unheard_answers_ten_minutes_later() {
    let mut world = World::ready();
    let genuine = world.approval();
    world.say(OrderApproved { qty_e6: pieces(11), ..genuine });
    assert!(world.trouble().unwrap().contains("signature"));
    world.kill();
    world.say_all();
    assert!(world.trouble().unwrap().contains("has not been answered"), "{:?}", world.trouble());
    for (minutes, halted, count) in [(9, true, 0), (10, false, 0), (10, true, 1)] {
        let at = world.now.saturating_plus_ms(minutes * MINUTE);
        world.say(RiskHalt { at, ..halt(halted) });
        world.say(RiskHalt { at, ..halt(false) });
        world.place();
        assert_eq!(world.broker.placements.len(), count, "{minutes} {halted}");
    }
    assert_eq!(world.trouble(), None);
}

#[test]
fn a_week_has_ten_orders_and_the_owners_gap_may_be_days() {
    let mut world = World::ready();
    world.know_another();
    world.set("risk.min_gap_min", 2_880);
    let mut sent = 0;
    for day in 0..8 {
        let order = if day % 2 == 0 { world.approval() } else { world.approval_of_another() };
        world.say(order);
        world.settle();
        world.broker.fill_all();
        world.pass(DAY);
        let now = world.broker.placements.len();
        let last = world.all::<OrderState>().into_iter().flatten().last();
        let why = last.map(|order| (order.status, order.reason));
        assert_eq!(now > sent, day % 2 == 0, "{day}: {why:?}");
        sent = now;
    }
    let mut world = World::ready();
    world.know_another();
    world.set("risk.min_gap_min", 0);
    for day in 0..6 {
        for other in [false, true] {
            let order = if other { world.approval_of_another() } else { world.approval() };
            world.say(order);
            world.settle();
            world.broker.fill_all();
            world.pass(2 * MINUTE);
        }
        assert_eq!(world.broker.placements.len(), (2 * day + 2).min(10), "{day}");
        world.pass(DAY);
    }
    world.pass(2 * DAY);
    world.place();
    assert_eq!(world.broker.placements.len(), 11, "the first ones are a week old");
}

#[test]
fn the_same_claim_on_another_day_is_another_incident() {
    let mut world = World::ready();
    let approval = world.approval();
    world.say_as("plan", approval.clone());
    world.pass(DAY);
    world.say_as("plan", approval);
    assert_eq!(world.incidents().len(), 2);
}

#[test]
fn an_approval_from_another_stage_is_an_incident() {
    let mut world = World::ready();
    let approval = world.approval();
    world.say_as("plan", approval.clone());
    world.say_as("plan", approval);
    assert_eq!(world.incidents(), [IncidentKind::ForeignApproval]);
    world.place();
    assert!(world.broker.placements.is_empty());
}

#[test]
fn a_used_order_id_with_other_terms_is_an_incident() {
    for waits in [false, true] {
        let mut world = World::ready();
        if waits {
            world.broker.manner = Manner::Loses;
            world.place();
        }
        let first = world.approval();
        world.say(first.clone());
        let other = world.key().sign(OrderApproved { qty_e6: pieces(20), ..first });
        world.say(other);
        assert_eq!(world.incidents(), [IncidentKind::ReusedApproval], "{waits}");
        world.settle();
        assert!(world.broker.orders.iter().all(|row| row.quantity != pieces(20)));
    }
}

// ------------------------------------------------------------------- kills

/// Everything that can happen between approval and end, one step after the other.
fn steps(world: &mut World, approval: &OrderApproved, kill_after: usize, lose: bool) {
    world.say(approval.clone());
    for step in 0..kill_after {
        if lose && step + 1 == kill_after {
            // The broker has done it, and the process dies before the answer is there.
            if let Some((call, _)) = world.engine.next_call() {
                world.broker.perform(call);
            }
            return;
        }
        if !world.step() {
            world.pass(5 * SECOND);
        }
    }
}

#[test]
fn killed_after_any_step_an_order_is_sent_at_most_once_and_its_end_is_the_brokers() {
    for manner in
        [Manner::Accepts, Manner::AcceptsSilently, Manner::Loses, Manner::Refuses, Manner::NotReached]
    {
        for lose in [false, true] {
            for kill_after in 0..7 {
                let name = format!("{manner:?} {kill_after} {lose}");
                let mut world = World::ready();
                world.broker.manner = manner;
                let approval = world.approval();
                steps(&mut world, &approval, kill_after, lose);
                world.kill();
                world.say_all();
                world.say(approval.clone());
                world.pass(20 * SECOND);
                if !world.broker.orders.is_empty() {
                    world.broker.trade("73100001", 10);
                }
                world.pass(10 * MINUTE);
                world.say(approval.clone());
                world.pass(10 * MINUTE);
                assert!(world.broker.placements.len() <= 1, "{name}: {:?}", world.broker.placements);
                let state = world.state(&approval);
                let expected =
                    if world.broker.orders.is_empty() { OrderStatus::Rejected } else { OrderStatus::Filled };
                assert_eq!(state.status, expected, "{name}: {:?}", state.reason);
                let held = if expected == OrderStatus::Filled { pieces(10) } else { Quantity::ZERO };
                assert_eq!(state.filled_e6, held, "{name}");
            }
        }
    }
}

#[test]
fn killed_again_and_again_an_unknown_order_stays_one_order() {
    let mut world = World::ready();
    world.broker.manner = Manner::AcceptsSilently;
    let approval = world.approval();
    world.say(approval.clone());
    world.step();
    world.step();
    for _ in 0..10 {
        world.kill();
        world.say_all();
        world.say(approval.clone());
        world.now = world.now.saturating_plus_ms(SECOND);
    }
    world.pass(MINUTE);
    assert_eq!(world.broker.placements.len(), 1);
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted);
}

// ------------------------------------------------------- words on the socket

impl World {
    fn hint(&mut self) {
        let said = self.engine.told(Reply::Moved, self.now).unwrap();
        self.take(said);
        self.tick();
        self.settle();
    }
}

#[test]
fn a_word_on_the_socket_brings_a_look_forward_and_is_no_evidence() {
    let mut world = World::ready();
    let approval = world.place();
    // Two minutes old: looks come every quarter of a minute.
    world.pass(2 * MINUTE + SECOND);
    world.hint();
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted, "a word alone says nothing");
    world.pass(6 * SECOND);
    world.broker.trade("73100001", 10);
    world.hint();
    assert_eq!(world.state(&approval).status, OrderStatus::Filled, "seen at once");
    assert_eq!(world.broker.placements.len(), 1);
    // Words without an order, and after its end, do nothing.
    let said = world.said.len();
    world.hint();
    assert_eq!(world.said.len(), said);
}

#[test]
fn many_words_bring_one_look_in_five_seconds_and_none_while_the_fate_is_unknown() {
    let mut world = World::ready();
    let approval = world.place();
    world.pass(2 * MINUTE + SECOND);
    world.hint();
    world.broker.trade("73100001", 10);
    for _ in 0..4 {
        world.now = world.now.saturating_plus_ms(SECOND);
        world.hint();
    }
    assert_eq!(world.state(&approval).status, OrderStatus::Accepted, "four seconds after the last look");
    world.now = world.now.saturating_plus_ms(SECOND);
    world.hint();
    assert_eq!(world.state(&approval).status, OrderStatus::Filled);

    let mut world = World::ready();
    world.broker.manner = Manner::AcceptsSilently;
    let approval = world.place();
    assert_eq!(world.state(&approval).status, OrderStatus::Unknown);
    let looks = world.engine.wake_at();
    let said = world.engine.told(Reply::Moved, world.now).unwrap();
    world.take(said);
    assert_eq!(world.engine.wake_at(), looks, "its own times of looking stay");
}
