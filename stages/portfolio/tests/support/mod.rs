//! The stage in a world of its own: configuration, scripted answers, statements of others, and the simulated
//! broker in process.

#![allow(clippy::unwrap_used, dead_code)]

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use bus_client::{Config, Engine, Place, Publication};
use contracts::{Address, Body, Envelope, FxRate, FxRates, Id, OrderFill, OrderState, OrderStatus};
use contracts::{Quote, Sample, Security, Side, Source, Universe};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate};
use portfolio::{Call, DayRates, Failure, Portfolio, PortfolioEdge, Reply, Snapshot};
use simworld::{Delivery, World};
use tradernet::{
    BrokerOrderId, Exchange, Keys, RawReply, RawRequest, Ticker, TradeId, TransportError,
    commands::{
        cash_flows::{CashFlow, UnreadableFlow},
        flow_class::FlowKind,
        order_rows::Orders,
        positions::{Account, CashRow, PositionRow},
        trades::TradeRow,
    },
};

/// A wall clock that stands still, as the simulated broker's does here.
pub const WALL_S: u64 = 1_767_225_600;
pub const RHNA: &str = "DE000SMX0015";
pub const NRDW: &str = "US99S0011099";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn isin(text: &str) -> Isin {
    text.parse().unwrap()
}

pub fn units(n: i64) -> Quantity {
    Quantity::from_units(n).unwrap()
}

pub fn price(units: i64) -> Price {
    Price::from_e6(units * 1_000_000).unwrap()
}

fn ticker_of(key: &str) -> (&'static str, Currency) {
    if key == RHNA { ("RHNA.EU", Currency::EUR) } else { ("NRDW.US", Currency::USD) }
}

/// The account of a scripted broker.
#[derive(Clone, Default)]
pub struct Broker {
    pub held: Vec<(&'static str, i64)>,
    pub cash: Vec<(Currency, i64)>,
    pub trades: Vec<TradeRow>,
    pub flows: Vec<CashFlow>,
    /// Average prices other than 40; nobody knows those of what the trades here bought.
    pub averages: BTreeMap<&'static str, Price>,
    /// Euros that sales bring in later, in 1/10 000; the cash is without them.
    pub receivable_e4: i64,
    pub silent: bool,
    /// Lines of the statement that cannot be read.
    pub unreadable: Vec<UnreadableFlow>,
    /// Rates of days gone by.
    pub rates: DayRates,
}

/// Ten and five securities, 1000 euro, minus one dollar.
pub fn broker() -> Broker {
    Broker {
        held: vec![(RHNA, 10), (NRDW, 5)],
        cash: vec![(Currency::EUR, 10_000_000), (Currency::USD, -10_000)],
        ..Broker::default()
    }
}

impl Broker {
    pub fn answer(&self, _call: Call) -> Reply {
        if self.silent {
            return Err(Failure { text: "the broker is silent".into(), pause_ms: 0 });
        }
        let bought = |ticker: &str| {
            let buys = |one: &TradeRow| one.side == tradernet::Side::Buy && one.ticker.as_str() == ticker;
            self.trades.iter().any(buys)
        };
        let positions = self.held.iter().map(|(key, n)| {
            let (ticker, currency) = ticker_of(key);
            PositionRow {
                ticker: Ticker::parse(ticker).unwrap(),
                isin: Some(isin(key)),
                name: None,
                quantity: units(*n),
                currency,
                average_price: self.averages.get(key).copied().or((!bought(ticker)).then(|| price(40))),
                market_price: None,
                close_price: None,
                accrued: None,
                settlement: None,
                instrument_id: None,
                market_id: None,
            }
        });
        let cash = self.cash.iter().map(|(currency, e4)| CashRow {
            currency: *currency,
            available: Money::from_e4(*e4, *currency),
            receivable: (*currency == Currency::EUR && self.receivable_e4 != 0)
                .then(|| Money::from_e4(self.receivable_e4, *currency)),
            payable: None,
            forecast_in: None,
            forecast_out: None,
        });
        Ok(Snapshot {
            account: Account { cash: cash.collect(), positions: positions.collect() },
            trades: self.trades.clone(),
            orders: Orders::default(),
            flows: self.flows.clone(),
            unreadable: self.unreadable.clone(),
            rates: self.rates.clone(),
        })
    }
}

pub fn trade(id: &str, key: &str, side: tradernet::Side, n: i64, local: &str) -> TradeRow {
    let (ticker, currency) = ticker_of(key);
    TradeRow {
        trade_id: TradeId::parse(id).unwrap(),
        order_id: BrokerOrderId::parse("551"),
        ticker: Ticker::parse(ticker).unwrap(),
        side,
        quantity: units(n),
        price: price(50),
        currency: Some(currency),
        amount: None,
        commission: Some(Money::from_e4(20_000, currency)),
        at: None,
        exchange_at: tradernet::WallTime::parse(local),
        settles_on: None,
    }
}

pub fn flow(id: &str, code: &str, e4: i64, day: &str) -> CashFlow {
    CashFlow {
        id: Some(id.into()),
        type_code: code.into(),
        kind: FlowKind::of(code),
        day: day.parse::<Day>().unwrap(),
        at: None,
        amount: Money::from_e4(e4, Currency::EUR),
        comment: "SEPA".into(),
        account: None,
    }
}

pub fn universe() -> Universe {
    let security = |key: &str, mic: &str| {
        let (ticker, ccy) = ticker_of(key);
        Security {
            isin: isin(key),
            ticker: ticker.into(),
            mic: mic.parse().unwrap(),
            ccy,
            ..Security::sample()
        }
    };
    Universe { securities: vec![security(RHNA, "XETR"), security(NRDW, "XNAS")] }
}

pub fn quote(key: &str, units: i64, now: Timestamp) -> Quote {
    let (_, ccy) = ticker_of(key);
    Quote { isin: isin(key), price_e6: price(units), ccy, at: now, ..Quote::sample() }
}

pub fn dollar(e9: i64, now: Timestamp) -> FxRates {
    let rate = FxRate { eur_per_unit_e9: Rate::from_e9(e9).unwrap(), as_of: now, source: Source::Broker };
    FxRates { rates: [(Currency::USD, rate)].into(), at: now }
}

pub fn order(status: OrderStatus, side: Side, n: i64, fills: &[(&str, i64, i64)]) -> OrderState {
    let fills: Vec<OrderFill> = fills
        .iter()
        .map(|(id, n, at_price)| OrderFill {
            trade_id: (*id).into(),
            qty_e6: units(*n),
            price_e6: price(*at_price),
            fee: None,
            at: Timestamp::ZERO,
        })
        .collect();
    let filled = fills.iter().fold(Quantity::ZERO, |sum, fill| sum.checked_add(fill.qty_e6).unwrap());
    OrderState {
        isin: isin(RHNA),
        status,
        side,
        qty_e6: units(n),
        filled_e6: filled,
        fills,
        limit_price_e6: price(50),
        broker_order_id: Some("552".into()),
        ..OrderState::sample()
    }
}

/// A stage with its store, and what it said.
pub struct Rig {
    pub engine: Engine<Portfolio>,
    pub place: Place,
    pub config: Config,
    pub heard: Vec<Publication>,
    pub calls: Vec<(Timestamp, Call)>,
    pub now: Timestamp,
    version: u64,
    _folder: Rc<tempfile::TempDir>,
}

impl Rig {
    pub fn new(now: &str) -> Rig {
        Rig::with(now, "")
    }

    /// With more settings.
    pub fn with(now: &str, more: &str) -> Rig {
        Rig::in_world("sim:1", now, more)
    }

    /// In another environment.
    pub fn in_world(environment: &str, now: &str, more: &str) -> Rig {
        let folder = Rc::new(tempfile::tempdir().unwrap());
        let place = Place::File(folder.path().join("ledger.db"));
        let text = format!("environment = \"{environment}\"\n[stage.portfolio]\nmode = \"live\"\n{more}\n");
        let config = Config::parse(&text, Path::new("steward.toml")).unwrap();
        let now = at(now);
        let engine = Engine::open(&config, "portfolio", Some(place.clone()), now).unwrap();
        Rig { engine, place, config, heard: vec![], calls: vec![], now, version: 0, _folder: folder }
    }

    /// With both securities priced at 50 and the dollar at half a euro.
    pub fn priced(now: &str) -> Rig {
        let mut rig = Rig::new(now);
        rig.hear_market();
        rig
    }

    pub fn hear_market(&mut self) {
        let now = self.now;
        self.hear(universe());
        self.hear(quote(RHNA, 50, now));
        self.hear(quote(NRDW, 50, now));
        self.hear(dollar(500_000_000, now));
    }

    /// The process dies and starts again; what others retain comes again.
    pub fn restart(&mut self) {
        self.engine = Engine::open(&self.config, "portfolio", Some(self.place.clone()), self.now).unwrap();
        self.heard.clear();
        self.calls.clear();
        self.hear_market();
    }

    pub fn hear<B: Body>(&mut self, body: B) {
        self.version += 1;
        let spec = B::TOPIC.spec();
        let topic = spec.address("steward", &body.key());
        let id = Id::derive(self.now, &[&self.version.to_string()]);
        let stage = match spec.name.split('-').next() {
            Some("market") => "ingest",
            Some("command") => "steward",
            Some("system") => "keeper",
            Some("plan") => "plan",
            _ => "execute",
        }
        .to_string();
        let envelope =
            Envelope { id, key_version: self.version, at: self.now, stage, trace: id, cause: None, body };
        let payload = rmp_serde::to_vec_named(&envelope).unwrap();
        let said = self.engine.deliver(&topic, &payload, self.now).unwrap();
        self.heard.extend(said);
    }

    /// A statement is taken back.
    pub fn clear<B: Body>(&mut self, key: &str) {
        let topic = B::TOPIC.spec().address("steward", key);
        let said = self.engine.deliver(&topic, &[], self.now).unwrap();
        self.heard.extend(said);
    }

    pub fn run(&mut self, until: &str, broker: &Broker) {
        self.run_with(at(until), |call, _| broker.answer(call));
    }

    pub fn run_with(&mut self, until: Timestamp, mut answer: impl FnMut(Call, Timestamp) -> Reply) {
        for _ in 0..1_000_000 {
            while let Some((call, cause)) = self.engine.next_call() {
                self.calls.push((self.now, call));
                let said = self.engine.reply(answer(call, self.now), cause, self.now).unwrap();
                self.heard.extend(said);
            }
            let Some(then) = self.engine.wake_at().filter(|then| *then <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(then);
            let said = self.engine.tick(self.now).unwrap();
            self.heard.extend(said);
        }
        panic!("time stands still");
    }

    /// Everything said about a topic since the start.
    pub fn about<B: Body>(&self) -> Vec<B> {
        let is = |said: &&Publication| Address::parse("steward", &said.topic).unwrap().topic == B::TOPIC;
        let decode = |said: &Publication| rmp_serde::from_slice::<Envelope<B>>(&said.payload).unwrap().body;
        self.heard.iter().filter(is).filter(|said| !said.payload.is_empty()).map(decode).collect()
    }

    /// Forgets all but the last word on each topic.
    pub fn keep_last(&mut self) {
        let last: BTreeMap<String, Publication> =
            std::mem::take(&mut self.heard).into_iter().map(|said| (said.topic.clone(), said)).collect();
        self.heard = last.into_values().collect();
    }

    pub fn last<B: Body>(&self) -> B {
        self.about::<B>().pop().unwrap()
    }

    pub fn count(&self, sql: &str) -> i64 {
        let rows = bus_client::open_for_reading(&self.place).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub fn trouble(&self) -> Option<String> {
        let health = self.engine.health(0, true);
        (health.state == contracts::HealthState::Degraded).then(|| health.last_error.unwrap_or_default())
    }
}

/// The production client talks to a simulated broker in this process.
#[derive(Clone)]
pub struct InProcess(pub Rc<RefCell<World>>);

impl Exchange for InProcess {
    async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
        let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let raw = simworld::RawRequest {
            method: "POST".into(),
            path: request.path.clone(),
            headers: headers.chain([("User-Agent".to_owned(), "test".to_owned())]).collect(),
            body: request.body,
        };
        match self.0.borrow_mut().exchange(&raw, i64::try_from(WALL_S).unwrap()) {
            Delivery::Reply { reply, .. } => Ok(RawReply::new(reply.status, reply.body)),
            Delivery::TimedOut { .. } => Err(TransportError::Unknown { reason: "time-out".into() }),
            Delivery::Reset { .. } => Err(TransportError::Unknown { reason: "reset".into() }),
        }
    }
}

pub fn keys() -> Keys {
    Keys::new(simworld::PUBLIC_KEY, simworld::PRIVATE_KEY.to_owned().into()).unwrap()
}

pub fn edge(world: &Rc<RefCell<World>>) -> PortfolioEdge<InProcess> {
    PortfolioEdge::new(InProcess(Rc::clone(world)), keys(), Box::new(|| WALL_S))
}

/// Completes a future that waits for nothing.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a broker in this process answers at once"),
    }
}
