//! The gate in a small world: what passes, what does not, what is said once for ever, and what a restart keeps.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, path::Path};

use bus_client::{Config, Engine, Place, Publication};
use contracts::{
    Address, ApprovalKey, Body, Breaker, Cash, Closed, Envelope, FxRate, FxRates, Halt, HaltEntry, Id,
    IncidentKind, Mode, Nav, OrderApproved, OrderFill, OrderIncident, OrderRefused, OrderRequested,
    OrderState, OrderStatus, Outcome, PortfolioState, Position, Quote, Reconciliation, Refusal, Reply,
    Resume, RiskHalt, RiskState, Sample, Security, SettingsSnapshot, Side, Source, TopicId, Universe, Venue,
    receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate};
use risk_gate::RiskGate;
use tempfile::TempDir;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn a() -> Isin {
    "DE000SMX0015".parse().unwrap()
}
fn b() -> Isin {
    "DE0007164600".parse().unwrap()
}

fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn pieces(units: i64) -> Quantity {
    Quantity::from_units(units).unwrap()
}

/// A Monday.
fn start() -> Timestamp {
    "2026-03-02T14:00:00.000Z".parse().unwrap()
}

struct World {
    folder: TempDir,
    mode: &'static str,
    engine: Engine<RiskGate>,
    now: Timestamp,
    said: Vec<(Address, Vec<u8>)>,
    versions: u64,
    requests: u64,
}

fn open(folder: &Path, mode: &str, now: Timestamp) -> Engine<RiskGate> {
    let text = format!("environment = \"sim:1\"\ndir = \"x\"\n[stage.risk-gate]\nmode = \"{mode}\"");
    let config = Config::parse(&text, &folder.join("steward.toml")).unwrap();
    Engine::open(&config, "risk-gate", Some(Place::File(folder.join("risk.db"))), now).unwrap()
}

impl World {
    /// Started, nothing heard.
    fn silent(mode: &'static str) -> World {
        let folder = TempDir::new().unwrap();
        let engine = open(folder.path(), mode, start());
        let said = Vec::new();
        let mut world = World { engine, folder, mode, now: start(), said, versions: 0, requests: 0 };
        world.tick();
        world
    }

    /// Everything there, fresh and open.
    fn ready() -> World {
        let mut world = World::silent("live");
        world.say_all();
        world
    }

    fn say_all(&mut self) {
        self.say(universe());
        self.say(self.venue());
        self.say(FxRates {
            rates: BTreeMap::from([(
                Currency::USD,
                FxRate { eur_per_unit_e9: Rate::ONE, as_of: self.now, source: Source::Ecb },
            )]),
            at: self.now,
        });
        self.say(self.quote(a()));
        self.say(self.quote(b()));
        self.say(self.nav(100_000));
        self.say(self.portfolio("s1"));
    }

    fn venue(&self) -> Venue {
        Venue { open: true, next_change: Some(self.now.saturating_plus_ms(7 * HOUR)), ..Venue::sample() }
    }

    fn quote(&self, isin: Isin) -> Quote {
        let (bid, ask) = (Some(price("49.95")), Some(price("50.05")));
        Quote { isin, price_e6: price("50"), bid_e6: bid, ask_e6: ask, at: self.now, ..Quote::sample() }
    }

    fn nav(&self, units: i64) -> Nav {
        let day = self.now.day_utc();
        Nav {
            at: self.now,
            nav: eur(units),
            day,
            day_start: eur(100_000),
            flow_today: eur(0),
            ..Nav::sample()
        }
    }

    /// A hundred pieces of the first security, bought long ago, and cash.
    fn portfolio(&self, state_id: &str) -> PortfolioState {
        let long_ago = Some(self.now.saturating_minus_ms(400 * DAY));
        PortfolioState {
            state_id: state_id.into(),
            mode: Mode::Live,
            at: self.now,
            positions: vec![Position {
                isin: a(),
                qty_e6: pieces(100),
                avg_price_e6: Some(price("48")),
                value_eur: Some(eur(5_000)),
                opened: long_ago,
                last_buy: long_ago,
                last_sell: None,
                frozen: false,
                ..PortfolioState::sample().positions[0].clone()
            }],
            cash: vec![Cash {
                bucket_id: "core".into(),
                amount: eur(20_000),
                reserved: eur(0),
                pending_in: None,
                pending_out: None,
                spendable: None,
            }],
            open_orders: vec![],
            nav: Some(eur(100_000)),
            unvalued: vec![],
            stale: false,
            ..PortfolioState::sample()
        }
    }

    fn buy(&mut self) -> OrderRequested {
        self.requests += 1;
        OrderRequested {
            order_id: Id::derive(self.now, &["order", &self.requests.to_string()]),
            isin: b(),
            side: Side::Buy,
            qty_e6: pieces(10),
            limit_price_e6: price("50.1"),
            state_id: "s1".into(),
            at: self.now,
            ..OrderRequested::sample()
        }
    }

    fn sell(&mut self) -> OrderRequested {
        OrderRequested { isin: a(), side: Side::Sell, limit_price_e6: price("49.9"), ..self.buy() }
    }

    fn order(&self, of: &OrderRequested, status: OrderStatus) -> OrderState {
        let filled = status == OrderStatus::Filled;
        let fill = OrderFill {
            trade_id: "1".into(),
            qty_e6: of.qty_e6,
            price_e6: of.limit_price_e6,
            fee: None,
            at: self.now,
        };
        OrderState {
            order_id: of.order_id,
            isin: of.isin,
            side: of.side,
            qty_e6: of.qty_e6,
            status,
            filled_e6: if filled { of.qty_e6 } else { Quantity::ZERO },
            fills: if filled { vec![fill] } else { vec![] },
            sent: (status != OrderStatus::Armed).then_some(self.now),
            ended: status.is_final().then_some(self.now),
            ..OrderState::sample()
        }
    }

    fn say<B: Body>(&mut self, body: B) -> Id {
        let owner = B::TOPIC.spec().owners[0];
        self.say_as(owner, body)
    }

    fn tell<B: Body>(&mut self, body: B) {
        self.say(body);
    }

    fn say_as<B: Body>(&mut self, stage: &str, body: B) -> Id {
        self.versions += 1;
        let id = Id::derive(self.now, &["test", &self.versions.to_string()]);
        let (key, stage) = (body.key(), stage.to_string());
        let envelope =
            Envelope { id, key_version: self.versions, at: self.now, stage, trace: id, cause: None, body };
        let topic = B::TOPIC.spec().address("steward", &key);
        let said = self.engine.deliver(&topic, &envelope.encode().unwrap(), self.now).unwrap();
        self.take(said);
        id
    }

    fn command<B: Body>(&mut self, body: B) -> Reply {
        let id = self.say_as("steward", body);
        let key = id.to_string();
        let found = self.said.iter().rev().find(|(to, _)| to.topic == TopicId::Reply && to.key == key);
        receive::<Reply>(&key, &found.unwrap().1).unwrap().body.unwrap()
    }

    fn halt(&mut self, reason: &str) -> Reply {
        self.command(Halt { actor: "steward".into(), reason: reason.into(), text: "Wait.".into() })
    }

    fn resume(&mut self) -> Reply {
        self.command(Resume { actor: "steward".into(), text: "Looked at it.".into() })
    }

    fn tick(&mut self) {
        let said = self.engine.tick(self.now).unwrap();
        self.take(said);
    }

    /// Lets time pass and gives the stage every tick it asks for.
    fn pass(&mut self, ms: i64) {
        let end = self.now.saturating_plus_ms(ms);
        for _ in 0..1_000 {
            let Some(then) = self.engine.wake_at().filter(|then| *then <= end) else { break };
            self.now = then.max(self.now);
            self.tick();
            assert!(self.engine.wake_at().is_none_or(|next| next > self.now), "a tick moves the timer on");
        }
        self.now = end;
    }

    fn restart(&mut self) {
        self.engine = open(self.folder.path(), self.mode, self.now);
        self.said.clear();
        self.tick();
    }

    /// What the stage says again when it connects.
    fn connect(&mut self) {
        let repeated = self.engine.repeat();
        self.take(repeated);
    }

    fn take(&mut self, publications: Vec<Publication>) {
        for one in publications {
            self.said.push((Address::parse("steward", &one.topic).unwrap(), one.payload));
        }
    }

    /// All words on a topic, oldest first; nothing where it was taken back.
    fn all<B: Body>(&self) -> Vec<Option<B>> {
        let about = self.said.iter().filter(|(to, _)| to.topic == B::TOPIC);
        about.map(|(to, payload)| receive::<B>(&to.key, payload).unwrap().body).collect()
    }

    fn last<B: Body>(&self) -> B {
        self.all::<B>().pop().flatten().unwrap()
    }

    /// Asks, and gives the code of the refusal; nothing when it was approved.
    fn ask(&mut self, request: &OrderRequested) -> Option<String> {
        let key = request.order_id.to_string();
        self.say(request.clone());
        let refused =
            self.all::<OrderRefused>().into_iter().flatten().find(|one| one.order_id.to_string() == key);
        let approved =
            self.all::<OrderApproved>().into_iter().flatten().any(|one| one.order_id.to_string() == key);
        assert!(approved != refused.is_some(), "exactly one verdict");
        refused.map(|refused| refused.code)
    }

    fn rows(&self) -> rusqlite::Connection {
        bus_client::open_for_reading(&Place::File(self.folder.path().join("risk.db"))).unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        self.rows().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn key(&self) -> ApprovalKey {
        bus_client::approval_key(&self.folder.path().join("x")).unwrap()
    }
}

fn universe() -> Universe {
    let security = |isin| Security { isin, tick_e6: Some(price("0.01")), ..Security::sample() };
    Universe { securities: vec![security(b()), security(a())] }
}

fn incident(name: &str) -> OrderIncident {
    OrderIncident {
        incident_id: Id::derive(start(), &[name]),
        kind: IncidentKind::ForgedApproval,
        ..OrderIncident::sample()
    }
}

fn differs(at: Timestamp) -> Reconciliation {
    Reconciliation { at, broker: eur(1), agrees: false, ..Reconciliation::sample() }
}

// ------------------------------------------------------------ approving

#[test]
fn approves_what_passes_every_check_with_a_genuine_signature() {
    let mut world = World::ready();
    for request in [world.buy(), world.sell()] {
        let mut world = World::ready();
        assert_eq!(world.ask(&request), None);
        let approval = world.last::<OrderApproved>();
        assert_eq!((approval.mode, approval.ticker.as_str()), (Mode::Live, "RHNA.EU"));
        assert_eq!((approval.qty_e6, approval.limit_price_e6), (request.qty_e6, request.limit_price_e6));
        assert_eq!(
            (approval.isin, approval.side, &approval.state_id),
            (request.isin, request.side, &request.state_id)
        );
        assert!(approval.expires.since(approval.issued) <= 2 * MINUTE);
        assert!(approval.checks.iter().all(|check| check.passed));
        assert!(world.key().verify(approval, world.now).is_ok());
        assert_eq!(world.count("SELECT count(*) FROM api_verdict WHERE decision = 'allow'"), 1);
    }
}

#[test]
fn research_takes_the_same_path_and_says_so() {
    let mut world = World::silent("research");
    world.say_all();
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("stale_state"), "the account is not the paper ledger");
    world.say(PortfolioState { mode: Mode::Research, ..world.portfolio("s1") });
    let request = OrderRequested { order_id: Id::derive(world.now, &["on paper"]), ..world.buy() };
    assert_eq!(world.ask(&request), None);
    assert_eq!(world.last::<OrderApproved>().mode, Mode::Research);
    assert_eq!(world.last::<RiskState>().mode, Mode::Research);
    assert_eq!(world.count("SELECT count(*) FROM api_verdict WHERE decision = 'simulate'"), 1);
}

#[test]
fn nothing_heard_lets_nothing_pass() {
    let mut world = World::silent("live");
    let request = world.buy();
    world.say(request.clone());
    assert!(world.all::<OrderApproved>().is_empty());
    assert!(world.all::<OrderRefused>().is_empty(), "a verdict is for ever, and no security is known yet");
    world.tell(universe());
    assert_eq!(world.ask(&request), Some("stale_state".into()), "it was judged when the securities came");
    // One that is taken back meanwhile is nobody's any more.
    let mut world = World::silent("live");
    let request = world.buy();
    world.say(request.clone());
    let topic = OrderRequested::TOPIC.spec().address("steward", &request.order_id.to_string());
    let said = world.engine.deliver(&topic, &[], world.now).unwrap();
    world.take(said);
    world.tell(universe());
    assert!(world.all::<OrderRefused>().is_empty());
}

#[test]
fn the_guard_of_the_account_shuts_when_the_reading_grows_old() {
    let mut world = World::ready();
    let free = |world: &World| {
        let state = world.last::<RiskState>();
        state.guards.iter().find(|guard| guard.guard == "stale_state").unwrap().free
    };
    assert!(free(&world));
    world.pass(300_000);
    assert!(free(&world));
    world.pass(2_000);
    assert!(!free(&world));
}

#[test]
fn the_guard_of_the_venue_of_currencies_needs_no_edges() {
    let mut world = World::ready();
    for open in [true, false] {
        let around_the_clock = Venue {
            mic: contracts::pair_venue(),
            open,
            since_open_min: None,
            until_close_min: None,
            next_change: None,
            ..world.venue()
        };
        world.say(around_the_clock);
        let state = world.last::<RiskState>();
        let found = format!("{} ", contracts::pair_venue());
        let guard = state.guards.iter().find(|one| one.found.starts_with(&found)).unwrap();
        assert_eq!(guard.free, open, "{guard:?}");
    }
}

#[test]
fn each_missing_or_odd_fact_refuses_with_its_code() {
    type Change = fn(&mut World, &mut OrderRequested);
    let cases: &[(&str, Change, &str)] = &[
        ("no universe", |w, _| w.tell(Universe { securities: vec![] }), "unknown_security"),
        ("other venue", |_, r| r.mic = "XNYS".parse().unwrap(), "unknown_security"),
        ("other currency", |_, r| r.ccy = Currency::USD, "unknown_security"),
        ("other holdings", |_, r| r.state_id = "s0".into(), "stale_state"),
        ("stale account", |w, _| w.tell(PortfolioState { stale: true, ..w.portfolio("s1") }), "stale_state"),
        (
            "paper account",
            |w, _| w.tell(PortfolioState { mode: Mode::Research, ..w.portfolio("s1") }),
            "stale_state",
        ),
        (
            "account of the future",
            |w, _| w.tell(PortfolioState { at: w.now.saturating_plus_ms(1), ..w.portfolio("s1") }),
            "stale_state",
        ),
        ("limit beside the tick", |_, r| r.limit_price_e6 = price("50.105"), "tick_size"),
        (
            "unknown tick",
            |w, _| {
                let blind = Security { isin: b(), tick_e6: None, ..Security::sample() };
                w.tell(Universe { securities: vec![blind] });
            },
            "tick_size",
        ),
        ("suspect price", |w, _| w.tell(Quote { suspect: true, ..w.quote(b()) }), "stale_price"),
        (
            "price of the future",
            |w, _| w.tell(Quote { at: w.now.saturating_plus_ms(1), ..w.quote(b()) }),
            "stale_price",
        ),
        ("price of zero", |w, _| w.tell(Quote { price_e6: price("0"), ..w.quote(b()) }), "stale_price"),
        ("limit too high", |_, r| r.limit_price_e6 = price("50.19"), "stale_price"),
        ("limit too low", |_, r| r.limit_price_e6 = price("49.49"), "stale_price"),
        ("closed", |w, _| w.tell(Venue { open: false, ..w.venue() }), "market_closed"),
        ("just opened", |w, _| w.tell(Venue { since_open_min: Some(9), ..w.venue() }), "market_closed"),
        ("about to close", |w, _| w.tell(Venue { until_close_min: Some(9), ..w.venue() }), "market_closed"),
        ("nobody knows the close", |w, _| w.tell(Venue { next_change: None, ..w.venue() }), "market_closed"),
        ("unknown value", |w, _| w.tell(PortfolioState { nav: None, ..w.portfolio("s1") }), "concentration"),
        (
            "no cash of the bucket",
            |w, _| {
                let cash = vec![Cash {
                    bucket_id: "satellite".into(),
                    amount: eur(20_000),
                    reserved: eur(0),
                    pending_in: None,
                    pending_out: None,
                    spendable: None,
                }];
                w.tell(PortfolioState { cash, ..w.portfolio("s1") });
            },
            "insufficient_cash",
        ),
        (
            "cash promised",
            |w, _| {
                let cash = vec![Cash {
                    bucket_id: "core".into(),
                    amount: eur(20_000),
                    reserved: eur(19_800),
                    pending_in: None,
                    pending_out: None,
                    spendable: None,
                }];
                w.tell(PortfolioState { cash, ..w.portfolio("s1") });
            },
            "insufficient_cash",
        ),
        (
            "overdrawn",
            |w, _| {
                let cash = vec![Cash {
                    bucket_id: "core".into(),
                    amount: eur(-1),
                    reserved: eur(0),
                    pending_in: None,
                    pending_out: None,
                    spendable: None,
                }];
                w.tell(PortfolioState { cash, ..w.portfolio("s1") });
            },
            "negative_balance",
        ),
        ("nothing asked for", |_, r| r.qty_e6 = Quantity::ZERO, "invalid_order"),
        ("more than may be held", |_, r| r.qty_e6 = pieces(300), "concentration"),
        (
            "overflow",
            |_, r| r.qty_e6 = Quantity::from_e6(i64::MAX - i64::MAX % 1_000_000).unwrap(),
            "concentration",
        ),
        ("fund in decline", |w, _| w.tell(w.nav(94_000)), "circuit_breaker"),
        ("worthless fund", |w, _| w.tell(w.nav(0)), "circuit_breaker"),
    ];
    for (name, change, code) in cases {
        let mut world = World::ready();
        let mut request = world.buy();
        change(&mut world, &mut request);
        assert_eq!(world.ask(&request).as_deref(), Some(*code), "{name}");
        let refused = world.last::<OrderRefused>();
        assert!(
            !refused.checks.last().unwrap().passed && refused.text.contains(code),
            "{name}: {}",
            refused.text
        );
    }
}

#[test]
fn ages_count_up_to_their_limit() {
    for (ms, code) in [(300 * SECOND, None), (301 * SECOND, Some("stale_state"))] {
        let mut world = World::ready();
        world.now = world.now.saturating_plus_ms(ms);
        let request = world.buy();
        assert_eq!(world.ask(&request).as_deref(), code, "{ms}");
    }
    for (ms, code) in [(1_800 * SECOND, None), (1_801 * SECOND, Some("stale_price"))] {
        let mut world = World::ready();
        world.now = world.now.saturating_plus_ms(ms);
        world.say(world.portfolio("s1"));
        let request = world.buy();
        assert_eq!(world.ask(&request).as_deref(), code, "{ms}");
    }
}

#[test]
fn an_old_statement_does_not_keep_a_venue_open() {
    let mut world = World::ready();
    world.say(Venue { next_change: Some(world.now.saturating_plus_ms(30 * MINUTE)), ..world.venue() });
    for (ms, code) in [(20 * MINUTE, None), (1, Some("market_closed"))] {
        world.now = world.now.saturating_plus_ms(ms);
        world.say(world.portfolio("s1"));
        world.say(world.quote(b()));
        world.say(world.quote(a()));
        let request = world.sell();
        let found = world.ask(&request);
        assert_eq!(found.as_deref(), code);
        let cancelled = OrderState {
            reason: Some("not_sent".into()),
            sent: None,
            ..world.order(&request, OrderStatus::Rejected)
        };
        world.say(cancelled);
    }
}

#[test]
fn a_rate_older_than_two_days_is_no_rate() {
    let mut world = World::ready();
    let tick_e6 = Some(price("0.01"));
    let usd = Security { isin: b(), ccy: Currency::USD, tick_e6, ..Security::sample() };
    world.say(Universe { securities: vec![usd] });
    world.say(Quote { ccy: Currency::USD, ..world.quote(b()) });
    world.say(FxRates {
        rates: BTreeMap::from([(
            Currency::USD,
            FxRate {
                eur_per_unit_e9: Rate::ONE,
                as_of: world.now.saturating_minus_ms(5 * DAY),
                source: Source::Ecb,
            },
        )]),
        at: world.now,
    });
    let request = OrderRequested { ccy: Currency::USD, ..world.buy() };
    assert_eq!(world.ask(&request).as_deref(), Some("no_fx_rate"));
}

#[test]
fn a_deferred_order_names_the_time_at_which_it_can_pass() {
    let mut world = World::ready();
    let opens = world.now.saturating_plus_ms(3 * HOUR);
    world.say(Venue { open: false, next_change: Some(opens), ..world.venue() });
    let request = world.buy();
    world.ask(&request);
    let refused = world.last::<OrderRefused>();
    // The first minutes after an opening are not traded in.
    let then = opens.saturating_plus_ms(10 * 60_000);
    assert_eq!((refused.decision, refused.earliest), (Refusal::Defer, Some(then)));
}

// ---------------------------------------------------- once, and for ever

#[test]
fn an_order_id_is_judged_once_for_ever() {
    let mut world = World::ready();
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
    let first = world.last::<OrderApproved>();
    for _ in 0..2 {
        world.say(request.clone());
        world.say(OrderRequested { qty_e6: pieces(11), ..request.clone() });
        assert!(world.all::<OrderApproved>().into_iter().flatten().all(|one| one == first));
        world.restart();
        world.say_all();
    }
    world.say(request);
    assert!(world.all::<OrderApproved>().is_empty(), "nothing new is said after a restart");
    assert_eq!(world.count("SELECT count(*) FROM verdict"), 1);
    assert_eq!(world.count("SELECT count(*) FROM approval"), 1);
}

#[test]
fn a_refused_order_stays_refused_when_the_reason_is_gone() {
    let mut world = World::ready();
    let request = world.buy();
    world.halt("owner");
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    world.resume();
    world.say(request.clone());
    world.restart();
    world.say_all();
    world.say(request);
    assert!(world.all::<OrderApproved>().is_empty());
}

#[test]
fn the_statement_of_a_verdict_survives_a_restart_word_for_word() {
    let mut world = World::ready();
    let request = world.buy();
    world.ask(&request);
    let first = world.last::<OrderApproved>();
    world.restart();
    world.connect();
    assert_eq!(world.last::<OrderApproved>(), first);
}

#[test]
fn one_approval_is_out_at_a_time() {
    let mut world = World::ready();
    let (first, second) = (world.buy(), world.sell());
    assert_eq!(world.ask(&first), None);
    assert_eq!(world.ask(&second).as_deref(), Some("pending_order"));
    world.restart();
    world.say_all();
    let third = world.sell();
    assert_eq!(world.ask(&third).as_deref(), Some("pending_order"), "a restart forgets no permission");
    world.pass(2 * MINUTE);
    let fourth = world.sell();
    assert_eq!(world.ask(&fourth), None, "an unused permission ends by itself");
}

#[test]
fn an_order_that_is_not_acknowledged_stops_every_other() {
    for (status, code) in [
        (OrderStatus::Armed, Some("pending_order")),
        (OrderStatus::Sending, Some("min_gap")),
        (OrderStatus::Unknown, Some("min_gap")),
    ] {
        let mut world = World::ready();
        let first = world.buy();
        assert_eq!(world.ask(&first), None);
        world.say(world.order(&first, status));
        let second = world.sell();
        assert_eq!(world.ask(&second).as_deref(), code, "{status:?}");
        world.pass(61 * MINUTE);
        world.say_all();
        let third = world.sell();
        assert_eq!(world.ask(&third).as_deref(), Some("pending_order"), "{status:?} an hour later");
    }
}

#[test]
fn an_open_order_stops_its_own_security_only() {
    let mut world = World::ready();
    let first = world.buy();
    world.ask(&first);
    world.say(world.order(&first, OrderStatus::Accepted));
    world.pass(61 * MINUTE);
    world.say_all();
    let same = world.buy();
    assert_eq!(world.ask(&same).as_deref(), Some("pending_order"));
    let other = world.sell();
    assert_eq!(world.ask(&other), None);
}

// ------------------------------------------------------------- activity

#[test]
fn orders_sent_count_and_are_remembered_over_a_restart() {
    let mut world = World::ready();
    let first = world.buy();
    world.ask(&first);
    world.say(world.order(&first, OrderStatus::Filled));
    world.say(world.order(&first, OrderStatus::Filled));
    assert_eq!(world.last::<RiskState>().trades_today, 1);
    world.restart();
    world.pass(59 * MINUTE);
    world.say_all();
    assert_eq!(world.last::<RiskState>().trades_today, 1);
    let second = world.sell();
    assert_eq!(world.ask(&second).as_deref(), Some("min_gap"));
    assert_eq!(world.last::<OrderRefused>().earliest, Some(start().saturating_plus_ms(HOUR)));
    world.pass(MINUTE);
    world.say_all();
    let third = world.buy();
    assert_eq!(world.ask(&third).as_deref(), Some("buy_cooldown"));
    let fourth = world.sell();
    assert_eq!(world.ask(&fourth), None);
}

#[test]
fn a_snapshot_from_before_a_fill_is_stale() {
    let mut world = World::ready();
    let old = world.portfolio("s1");
    let first = world.buy();
    world.ask(&first);
    world.pass(SECOND);
    world.say(world.order(&first, OrderStatus::Filled));
    world.say(old);
    world.pass(4 * MINUTE);
    let second = world.sell();
    assert_eq!(world.ask(&second).as_deref(), Some("stale_state"));
}

// ------------------------------------------------------ taking back words

#[test]
fn an_unused_approval_is_taken_back_ten_minutes_after_its_end() {
    let mut world = World::ready();
    let request = world.buy();
    world.ask(&request);
    world.pass(12 * MINUTE - 1);
    assert_eq!(world.all::<OrderApproved>().len(), 1);
    world.pass(1);
    assert_eq!(world.all::<OrderApproved>().last(), Some(&None));
}

#[test]
fn a_refusal_is_taken_back_after_a_day_over_any_restart() {
    let mut world = World::ready();
    let request = world.buy();
    world.halt("owner");
    world.ask(&request);
    world.pass(12 * HOUR);
    world.restart();
    world.pass(12 * HOUR - 1);
    assert!(world.all::<OrderRefused>().is_empty());
    world.pass(1);
    assert_eq!(world.all::<OrderRefused>(), [None]);
    world.restart();
    world.pass(2 * DAY);
    assert!(world.all::<OrderRefused>().is_empty(), "it is taken back once");
}

// ---------------------------------------------------------------- halts

#[test]
fn the_gate_says_from_the_start_that_nothing_is_halted() {
    let world = World::silent("live");
    assert!(!world.last::<RiskHalt>().halted);
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Unknown);
}

#[test]
fn a_halt_stops_everything_until_a_person_resumes() {
    let mut world = World::ready();
    assert_eq!(world.halt("owner").outcome, Outcome::Done);
    assert!(world.last::<RiskHalt>().halted);
    world.restart();
    world.connect();
    world.say_all();
    assert!(world.last::<RiskHalt>().halted, "a restart is no resume");
    let request = world.sell();
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    assert_eq!(world.resume().outcome, Outcome::Done);
    assert!(!world.last::<RiskHalt>().halted);
    let request = world.sell();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn resuming_nothing_is_refused() {
    let reply = World::ready().resume();
    assert_eq!(reply.outcome, Outcome::Refused);
    assert!(reply.text.contains("nothing to resume"), "{}", reply.text);
}

#[test]
fn a_button_pressed_again_opens_no_second_halt() {
    let mut world = World::ready();
    for _ in 0..5 {
        assert_eq!(world.halt("stop_button").outcome, Outcome::Done);
    }
    world.halt("owner");
    assert_eq!(world.last::<RiskHalt>().halts.len(), 2);
    world.resume();
    world.halt("stop_button");
    assert_eq!(world.last::<RiskHalt>().halts.len(), 1, "after a resume it halts again");
}

#[test]
fn any_number_of_long_halts_is_still_said() {
    let mut world = World::ready();
    for number in 0..60 {
        let reason = format!("{number} {}", "ü".repeat(200));
        world.command(Halt { actor: "ä".repeat(300), reason, text: "€".repeat(300) });
    }
    assert!(world.last::<RiskHalt>().halted);
    assert_eq!(world.resume().outcome, Outcome::Done);
    assert!(!world.last::<RiskHalt>().halted);
    assert_eq!(world.count("SELECT count(*) FROM api_halt WHERE cleared IS NULL"), 0);
}

#[test]
fn an_incident_halts_once_and_not_again_when_it_is_repeated() {
    let mut world = World::ready();
    world.say(incident("one"));
    assert_eq!(world.last::<RiskHalt>().halts.len(), 1);
    world.say(incident("one"));
    world.say(incident("two"));
    assert_eq!(world.last::<RiskHalt>().halts.len(), 2);
    world.resume();
    world.restart();
    world.connect();
    world.say(incident("one"));
    world.say(incident("two"));
    assert!(!world.last::<RiskHalt>().halted, "a cleared cause does not halt again");
    world.say(incident("three"));
    assert!(world.last::<RiskHalt>().halted);
}

#[test]
fn books_that_differ_halt_once_per_comparison() {
    let mut world = World::ready();
    world.say(Reconciliation { agrees: true, ..differs(start()) });
    assert!(!world.last::<RiskHalt>().halted);
    world.say(differs(start()));
    let reasons = |halts: Vec<HaltEntry>| halts.into_iter().map(|halt| halt.reason).collect::<Vec<_>>();
    assert_eq!(reasons(world.last::<RiskHalt>().halts), ["reconciliation"]);
    world.resume();
    world.say(differs(start()));
    assert!(!world.last::<RiskHalt>().halted);
    world.say(differs(start().saturating_plus_ms(MINUTE)));
    assert!(world.last::<RiskHalt>().halted);
}

// -------------------------------------------------------------- breaker

#[test]
fn blocked_sales_stop_sales_only() {
    let mut world = World::ready();
    world.say(world.nav(98_000));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::SellsBlocked);
    let request = world.sell();
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn a_latched_halt_of_the_breaker_survives_a_restart_and_ends_with_the_day() {
    let mut world = World::ready();
    world.say(world.nav(95_000));
    world.say(world.nav(100_000));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Halted);
    world.restart();
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Halted, "before any value is known");
    world.say_all();
    let manual = OrderRequested { kind: contracts::OrderKind::Manual, ..world.sell() };
    assert_eq!(world.ask(&manual).as_deref(), Some("circuit_breaker"));
    world.pass(DAY);
    world.say_all();
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Normal);
    let request = world.sell();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn sales_are_free_again_once_the_loss_is_small_enough() {
    let mut world = World::ready();
    world.say(world.nav(98_000));
    world.say(world.nav(98_500));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::SellsBlocked, "−1.5 % is not enough");
    world.restart();
    world.say(universe());
    world.say(world.nav(98_400));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::SellsBlocked, "a restart does not free them");
    world.say(world.nav(98_501));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Normal);
}

#[test]
fn a_large_loss_is_a_halt_that_a_person_can_end_but_sales_rest_for_the_day() {
    let mut world = World::ready();
    world.say(world.nav(94_900));
    let halt = world.last::<RiskHalt>();
    assert_eq!((halt.halts[0].actor.as_str(), halt.halts[0].reason.as_str()), ("breaker", "daily_loss"));
    assert_eq!(world.resume().outcome, Outcome::Done);
    assert_eq!(world.last::<RiskState>().breaker, Breaker::SellsBlocked);
    world.say(world.nav(94_000));
    assert!(!world.last::<RiskHalt>().halted, "looked at once, it does not halt again on the same day");
    let request = world.sell();
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn a_full_stop_for_a_loss_says_when_it_opens_and_other_stops_do_not() {
    let tomorrow: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
    let guard = |world: &World| {
        let guards = world.last::<RiskState>().guards;
        guards.into_iter().find(|one| one.guard == "circuit_breaker").unwrap()
    };
    let mut world = World::ready();
    assert_eq!((guard(&world).free, guard(&world).until), (true, None));
    world.say(world.nav(98_000));
    assert_eq!(
        (guard(&world).free, guard(&world).until),
        (false, None),
        "a better price frees sales, any time"
    );
    world.say(world.nav(94_900));
    assert_eq!((guard(&world).free, guard(&world).until), (false, Some(tomorrow)));
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    assert_eq!(world.last::<OrderRefused>().earliest, Some(tomorrow));
    world.halt("owner");
    assert_eq!(guard(&world).until, None, "a person's halt ends with a person");
    let request = world.buy();
    world.ask(&request);
    assert_eq!(world.last::<OrderRefused>().earliest, None);
}

#[test]
fn the_halt_for_a_loss_ends_with_its_day_and_no_other_halt_does() {
    let mut world = World::ready();
    world.say(world.nav(94_900));
    world.halt("owner");
    world.pass(DAY);
    world.say_all();
    let reasons: Vec<_> = world.last::<RiskHalt>().halts.into_iter().map(|halt| halt.reason).collect();
    assert_eq!(reasons, ["owner"]);
    assert_eq!(world.count("SELECT count(*) FROM api_halt WHERE cleared_by = 'breaker'"), 1);
}

#[test]
fn a_fall_of_fifteen_percent_is_said_and_stops_nothing() {
    let mut world = World::ready();
    let share = |number| contracts::Finite::new(number).unwrap();
    world.say(Nav { since_start: share(0.25), ..world.nav(100_000) });
    world.restart();
    world.say_all();
    world.say(Nav { since_start: share(0.0), ..world.nav(100_000) });
    assert_eq!(world.last::<RiskState>().drawdown, Some(share(0.2)));
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn what_the_owner_sold_himself_rests_like_what_was_sold_here() {
    let bought = |world: &World, days: i64| {
        let last_buy = Some(world.now.saturating_minus_ms(days * DAY));
        let closed = vec![Closed { isin: b(), last_buy, last_sell: Some(world.now) }];
        PortfolioState { closed, ..world.portfolio("s1") }
    };
    for (days, refused) in [(29, Some("buy_cooldown")), (30, None)] {
        let mut world = World::ready();
        world.say(bought(&world, days));
        let mut request = world.buy();
        request.isin = b();
        assert_eq!(world.ask(&request).as_deref(), refused, "{days} days");
        let resting = world.last::<RiskState>().cooldowns;
        let line = resting.iter().find(|one| one.isin == b());
        assert_eq!(line.map(|one| one.why.as_str()), refused, "of what is not held no sale rests");
    }
}

#[test]
fn a_value_on_old_prices_lets_no_automatic_order_pass() {
    let mut world = World::ready();
    world.say(PortfolioState {
        positions: vec![Position {
            value_eur: Some(eur(20_000)),
            ..world.portfolio("s1").positions[0].clone()
        }],
        ..world.portfolio("s1")
    });
    world.pass(31 * MINUTE);
    let (quote, venue, nav) = (world.quote(b()), world.venue(), world.nav(100_000));
    world.say(quote);
    world.say(venue);
    world.say(world.portfolio("s1"));
    world.say(PortfolioState {
        positions: vec![Position {
            value_eur: Some(eur(20_000)),
            ..world.portfolio("s1").positions[0].clone()
        }],
        ..world.portfolio("s1")
    });
    world.say(nav);
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Unknown);
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("circuit_breaker"));
    world.say(world.quote(a()));
    world.say(world.nav(100_000));
    assert_eq!(world.last::<RiskState>().breaker, Breaker::Normal);
}

// ------------------------------------------------- refusals of the broker

fn refused(world: &World, of: &OrderRequested, text: &str) -> OrderState {
    OrderState { reason: Some(text.into()), ..world.order(of, OrderStatus::Rejected) }
}

#[test]
fn the_third_refusal_of_a_day_halts_over_any_restart() {
    let mut world = World::ready();
    for number in 1..=3 {
        assert!(!world.last::<RiskHalt>().halted, "{number}");
        let request = world.buy();
        let order = refused(&world, &request, "broker: instrument is blocked");
        world.say(order.clone());
        world.say(order);
        world.restart();
        world.connect();
        world.say_all();
    }
    let halt = world.last::<RiskHalt>();
    assert_eq!(halt.halts[0].reason, "repeated_refusals");
    assert!(halt.halts[0].text.contains("instrument is blocked"), "{}", halt.halts[0].text);
}

#[test]
fn our_own_refusals_do_not_count() {
    let mut world = World::ready();
    for _ in 0..5 {
        let request = world.buy();
        world.say(refused(&world, &request, "not_sent: trading is halted"));
    }
    assert!(!world.last::<RiskHalt>().halted);
}

// ------------------------------------------------------------- resuming

#[test]
fn resuming_needs_a_name_and_a_reason() {
    let mut world = World::ready();
    world.halt("owner");
    for (actor, text, code) in
        [("", "looked", "no_actor"), ("  ", "looked", "no_actor"), ("me", " ", "no_reason")]
    {
        let reply = world.command(Resume { actor: actor.into(), text: text.into() });
        assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Refused, Some(code)));
        assert!(world.last::<RiskHalt>().halted);
    }
    assert_eq!(world.resume().outcome, Outcome::Done);
    assert_eq!(
        world.count("SELECT count(*) FROM api_halt WHERE cleared_by LIKE '%: %'"),
        1,
        "who and why are kept"
    );
}

// --------------------------------------------------------------- guards

#[test]
fn every_guard_says_what_it_found_and_when_it_opens() {
    let mut world = World::ready();
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
    let order = world.order(&request, OrderStatus::Filled);
    world.say(order);
    let state = world.last::<RiskState>();
    let guard = |name: &str| state.guards.iter().find(|one| one.guard == name).unwrap().clone();
    let gap = guard("min_gap");
    assert!(!gap.free);
    assert_eq!(gap.until, Some(world.now.saturating_plus_ms(HOUR)));
    assert!(guard("halt").free && guard("daily_limit").free && guard("market_closed").free);
    assert_eq!(guard("daily_limit").found, "1 orders today");
    let rest = state.cooldowns.iter().find(|one| one.isin == b()).unwrap();
    assert_eq!(rest.buy_from, Some(world.now.saturating_plus_ms(30 * DAY)));
    world.pass(HOUR);
    assert!(world.last::<RiskState>().guards.iter().find(|one| one.guard == "min_gap").unwrap().free);
}

// ------------------------------------------------------------- settings

#[test]
fn the_owners_settings_tighten_and_never_loosen() {
    let mut world = World::ready();
    let values =
        [("risk.max_per_day".to_string(), 0.into()), ("risk.max_per_week".to_string(), 500.into())].into();
    world.say(SettingsSnapshot { revision: 2, values });
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("daily_limit"));
    let state = world.last::<RiskState>();
    assert_eq!(state.guards.iter().find(|one| one.guard == "weekly_limit").unwrap().limit, "10");
}

#[test]
fn the_owners_steps_of_a_days_loss_stop_sooner() {
    let mut world = World::ready();
    let set = |key: &str, value: f64| (key.to_string(), value.into());
    let values = [set("risk.daily_loss_sells_blocked", 0.005), set("risk.daily_loss_halted", 0.01)].into();
    world.say(SettingsSnapshot { revision: 2, values });
    for (units, expected) in
        [(99_501, Breaker::Normal), (99_500, Breaker::SellsBlocked), (99_000, Breaker::Halted)]
    {
        world.say(world.nav(units));
        assert_eq!(world.last::<RiskState>().breaker, expected, "{units}");
    }
}

#[test]
fn costs_that_the_owner_raises_count_in_the_test_of_cash() {
    for (fixed, passes) in [(2.0, true), (500.0, false)] {
        let mut world = World::ready();
        let values = [("transaction_cost_fixed".to_string(), fixed.into())].into();
        world.say(SettingsSnapshot { revision: 2, values });
        let cash = vec![Cash { amount: eur(600), ..world.portfolio("s1").cash[0].clone() }];
        world.say(PortfolioState { cash, ..world.portfolio("s1") });
        let request = world.buy();
        let expected = if passes { None } else { Some("insufficient_cash") };
        assert_eq!(world.ask(&request).as_deref(), expected, "{fixed}");
    }
}

#[test]
fn looser_settings_are_reported_whenever_the_list_of_them_changes() {
    let mut world = World::ready();
    let mut revision = 1;
    let mut told = |values: &[(&str, serde_json::Value)]| {
        revision += 1;
        let values = values.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect();
        world.say(SettingsSnapshot { revision, values });
        world.engine.health(0, true).last_decision.unwrap_or_default()
    };
    let offhours = ("risk.allow_offhours_buys", true.into());
    let said = told(std::slice::from_ref(&offhours));
    assert!(said.contains("without effect: risk.allow_offhours_buys"), "it changes no limit: {said}");
    let said = told(&[offhours.clone(), ("risk.max_per_week", 500.into())]);
    assert!(said.contains("risk.max_per_week, risk.allow_offhours_buys"), "{said}");
    let said = told(&[("risk.max_per_week", 500.into())]);
    assert!(said.ends_with("without effect: risk.max_per_week."), "{said}");
    assert!(told(&[]).contains("as tight as documented"));
}

#[test]
fn a_clock_that_was_set_back_lets_nothing_pass_for_ten_minutes() {
    let folder = TempDir::new().unwrap();
    let text = "environment = \"live\"\ndir = \"x\"\n[stage.risk-gate]\nmode = \"live\"";
    let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
    let place = Place::File(folder.path().join("risk.db"));
    let engine = Engine::open(&config, "risk-gate", Some(place), start()).unwrap();
    let mut world =
        World { engine, folder, mode: "live", now: start(), said: vec![], versions: 0, requests: 0 };
    let values = [("trading_mode".to_string(), "live".into())].into();
    world.tick();
    world.say(SettingsSnapshot { revision: 2, values });
    world.now = world.now.saturating_plus_ms(HOUR);
    world.say_all();
    world.now = world.now.saturating_minus_ms(30 * MINUTE);
    world.say_all();
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("stale_state"));
    world.now = world.now.saturating_plus_ms(10 * MINUTE - 1);
    world.say_all();
    let request = world.buy();
    assert_eq!(world.ask(&request).as_deref(), Some("stale_state"));
    world.now = world.now.saturating_plus_ms(1);
    world.say_all();
    let request = world.buy();
    assert_eq!(world.ask(&request), None);
}

#[test]
fn in_the_real_world_live_also_needs_the_owners_setting() {
    let folder = TempDir::new().unwrap();
    let text = "environment = \"live\"\ndir = \"x\"\n[stage.risk-gate]\nmode = \"live\"";
    let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
    let place = Place::File(folder.path().join("risk.db"));
    let mut world = World::silent("live");
    world.engine = Engine::open(&config, "risk-gate", Some(place), start()).unwrap();
    world.tick();
    assert_eq!(world.last::<RiskState>().mode, Mode::Research);
    for (revision, mode, expected) in [(2, "live", Mode::Live), (3, "research", Mode::Research)] {
        let values = [("trading_mode".to_string(), mode.into())].into();
        world.say(SettingsSnapshot { revision, values });
        assert_eq!(world.last::<RiskState>().mode, expected);
    }
}

// ------------------------------------------------------------- exchanges

/// 100 EUR are given for dollars; everything there.
fn exchange(world: &mut World) -> OrderRequested {
    let usd: Currency = "USD".parse().unwrap();
    let isin = contracts::pair_isin(Currency::EUR, usd).unwrap();
    let mic = contracts::pair_venue();
    world.say(Venue { mic, ..world.venue() });
    let one = Some(price("1"));
    world.say(Quote { isin, price_e6: price("1"), bid_e6: one, ask_e6: one, ccy: usd, ..world.quote(isin) });
    let limit_price_e6 = price("0.9995");
    OrderRequested {
        isin,
        mic,
        ccy: usd,
        side: Side::Sell,
        qty_e6: pieces(100),
        limit_price_e6,
        ..world.buy()
    }
}

#[test]
fn an_exchange_is_judged_by_its_own_list_and_is_no_trade() {
    let mut world = World::ready();
    let request = exchange(&mut world);
    assert_eq!(world.ask(&request), None);
    let approval = world.last::<OrderApproved>();
    assert_eq!(approval.ticker, "EUR/USD");
    assert_eq!(approval.checks.len(), 10, "{:#?}", approval.checks);
    let order = world.order(&request, OrderStatus::Filled);
    world.say(order);
    assert_eq!(world.last::<RiskState>().trades_today, 0);
    world.pass(5 * MINUTE);
    world.say_all();
    let next = world.buy();
    assert_eq!(world.ask(&next), None, "no gap after an exchange");
}

#[test]
fn an_exchange_is_refused_for_its_own_reasons() {
    type Change = fn(&mut World, &mut OrderRequested);
    let cases: [(&str, Change); 6] = [
        ("invalid_order", |_, r| r.qty_e6 = "1.5".parse().unwrap()),
        ("stale_price", |_, r| r.limit_price_e6 = price("0.99")),
        ("market_closed", |w, _| {
            let venue = Venue { mic: contracts::pair_venue(), open: false, ..w.venue() };
            w.say(venue);
        }),
        ("circuit_breaker", |w, _| drop(w.halt("owner"))),
        ("insufficient_source", |_, r| r.qty_e6 = pieces(20_000)),
        ("stale_state", |_, r| r.state_id = "s0".into()),
    ];
    for (code, change) in cases {
        let mut world = World::ready();
        let mut request = exchange(&mut world);
        change(&mut world, &mut request);
        assert_eq!(world.ask(&request).as_deref(), Some(code));
    }
}

// --------------------------------------------------------------- buckets

#[test]
fn a_satellite_trades_by_its_status_and_its_own_hold() {
    let cases = [
        ("active", Side::Buy, None),
        ("accumulating", Side::Buy, None),
        ("hibernating", Side::Buy, Some("side_not_allowed")),
        ("paused", Side::Buy, Some("side_not_allowed")),
        ("retired", Side::Sell, Some("side_not_allowed")),
    ];
    for (status, side, expected) in cases {
        let mut world = World::ready();
        let satellite = contracts::Bucket {
            bucket_id: "moon".into(),
            status: status.into(),
            min_hold_days: 1,
            ..contracts::Bucket::sample()
        };
        world.say(satellite);
        let cash = |bucket: &str| Cash {
            bucket_id: bucket.into(),
            amount: eur(20_000),
            reserved: eur(0),
            pending_in: None,
            pending_out: None,
            spendable: None,
        };
        world.say(PortfolioState { cash: vec![cash("core"), cash("moon")], ..world.portfolio("s1") });
        let plain = if side == Side::Buy { world.buy() } else { world.sell() };
        let request = OrderRequested { bucket_id: "moon".into(), ..plain };
        assert_eq!(world.ask(&request).as_deref(), expected, "{status}");
    }
    let mut world = World::ready();
    let request = OrderRequested { bucket_id: "unheard".into(), ..world.buy() };
    assert_eq!(world.ask(&request).as_deref(), Some("side_not_allowed"));
}

#[test]
fn a_stop_loss_is_exempt_from_the_hold_and_says_so() {
    let mut world = World::ready();
    let recent = Some(world.now.saturating_minus_ms(5 * DAY));
    let portfolio = |world: &World| PortfolioState {
        positions: vec![Position { last_buy: recent, ..world.portfolio("s1").positions[0].clone() }],
        ..world.portfolio("s1")
    };
    world.say(portfolio(&world));
    let request = world.sell();
    assert_eq!(world.ask(&request).as_deref(), Some("min_hold"));
    let request = OrderRequested { stop_loss: true, ..world.sell() };
    assert_eq!(world.ask(&request), None);
    let approval = world.last::<OrderApproved>();
    let hold = approval.checks.iter().find(|check| check.check == "min_hold").unwrap();
    assert!(hold.limit.contains("stop-loss"), "{}", hold.limit);
}

#[test]
fn a_looser_limit_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    let text = "environment = \"live\"\ndir = \"x\"\n[stage.risk-gate]\nmax_per_day = 5";
    let config = Config::parse(text, &folder.path().join("steward.toml")).unwrap();
    let place = Place::File(folder.path().join("risk.db"));
    let opened = Engine::<RiskGate>::open(&config, "risk-gate", Some(place), start());
    let sentence = opened.map(|_| ()).unwrap_err().to_string();
    assert!(sentence.contains("max_per_day"), "{sentence}");
}
