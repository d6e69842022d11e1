//! The stage in a world of its own: configuration, scripted answers, and the simulated broker in process.

#![allow(clippy::unwrap_used, dead_code)]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::Path,
    rc::Rc,
    sync::atomic::{AtomicI64, Ordering},
};

use bus_client::{Config, Engine, Place, Publication};
use contracts::{Body, Envelope, Id};
use ingest::{Call, Ingest, IngestEdge, Reply};
use market::Timestamp;
use money::{Currency, Price, Quantity, Rate};
use providers::{Client, Fetch, FetchFault, Request, Response, Service};
use simworld::{Delivery, World};
use tradernet::{
    Exchange, Keys, RawReply, RawRequest, Ticker, TransportError,
    commands::{
        candles,
        cross_rates::CrossRates,
        market_status::{MarketRow, MarketState, MarketStatus},
        quotes,
    },
};

/// A wall clock that stands still, as the simulated broker's does here.
pub const WALL_S: u64 = 1_767_225_600;

/// Two securities at two venues, in two currencies.
pub const UNIVERSE: &str = r#"
[[stage.ingest.universe]]
ticker = "RHNA.EU"
isin = "DE000SMX0015"
name = "Rheinau Automation SE"
mic = "XETR"
ccy = "EUR"
country = "DE"
product_type = "stock"
lot = 1
tick = 0.05
[[stage.ingest.universe]]
ticker = "NRDW.US"
isin = "US99S0011099"
name = "Nordwell Instruments"
mic = "XNAS"
ccy = "USD"
product_type = "stock"
lot = "1"
"#;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn config(environment: &str, more: &str) -> Config {
    let text = format!("environment = \"{environment}\"\n{more}");
    Config::parse(&text, Path::new("steward.toml")).unwrap()
}

/// Everything published, decoded by type.
#[derive(Default)]
pub struct Heard {
    pub all: Vec<Publication>,
}

impl Heard {
    pub fn about<B: Body>(&self) -> Vec<B> {
        let is = |publication: &&Publication| {
            contracts::Address::parse("steward", &publication.topic).unwrap().topic == B::TOPIC
        };
        self.all
            .iter()
            .filter(is)
            .filter(|said| !said.payload.is_empty())
            .map(|publication| decode(&publication.payload))
            .collect()
    }
}

fn decode<B: Body>(payload: &[u8]) -> B {
    rmp_serde::from_slice::<Envelope<B>>(payload).unwrap().body
}

/// Answers in place of a broker.
#[derive(Default, Clone)]
pub struct Script {
    pub prices: BTreeMap<&'static str, i64>,
    pub dollar_e9: Option<i64>,
    pub bars: BTreeMap<&'static str, Vec<(&'static str, i64)>>,
    /// Units traded on every day; unknown when absent.
    pub volume: Option<i64>,
    pub silent: bool,
    /// Quotes are repeated to the letter, as if nobody traded any more.
    pub frozen: bool,
    /// Markets of which the broker says that they are closed.
    pub shut: Vec<&'static str>,
}

/// The broker's markets; open are all but these.
fn markets(shut: &[&str]) -> MarketStatus {
    let market = |code: &str| MarketRow {
        code: code.into(),
        name: None,
        market_id: None,
        state: if shut.contains(&code) { MarketState::Close } else { MarketState::Open },
        open_s: None,
        close_s: None,
        pre_open_s: None,
        post_close_s: None,
        moscow_ahead_min: None,
        zone: None,
        special_days: vec![],
    };
    MarketStatus { at: None, markets: ["FIX", "EU", "HKEX"].map(market).into() }
}

pub fn ticker(text: &str) -> Ticker {
    Ticker::parse(text).unwrap()
}

pub fn price(e6: i64) -> Price {
    Price::from_e6(e6).unwrap()
}

impl Script {
    pub fn answer(&self, call: Call) -> Reply {
        let failure =
            || ingest::Failure { text: "the broker is silent".into(), pause_ms: 0, throttled: false };
        match call {
            Call::Quotes { tickers } => {
                let found = tickers.iter().filter_map(|ticker| {
                    let e6 = *self.prices.get(ticker.as_str())?;
                    let currency =
                        if ticker.as_str().ends_with(".US") { Currency::USD } else { Currency::EUR };
                    let traded = if self.frozen { None } else { Some(next_volume()) };
                    Some((ticker.clone(), quotes::Quote { volume: traded, ..reading(e6, currency) }))
                });
                let found = quotes::Quotes { by_ticker: found.collect(), missing: vec![] };
                Reply::Quotes { result: if self.silent { Err(failure()) } else { Ok(found) }, tickers }
            }
            Call::Rates { .. } => {
                let dollar = self.dollar_e9.map(|e9| (Currency::USD, Rate::from_e9(e9).unwrap()));
                let found = CrossRates { eur_per_unit: dollar.into_iter().collect(), missing: vec![] };
                Reply::Rates(if self.silent { Err(failure()) } else { Ok(found) })
            }
            Call::Follow { .. } => Reply::Following,
            Call::Markets if self.silent => Reply::Markets(Err(failure())),
            Call::Markets => Reply::Markets(Ok(markets(&self.shut))),
            Call::Find { .. } => Reply::Found(Ok(Vec::new())),
            Call::Master { isin, ticker } => Reply::Master { isin, ticker, result: Box::new(Ok(None)) },
            Call::Outside(question) => {
                let result = Box::new(Err(providers::DataFault::Outage("not set up".into())));
                Reply::Outside { task: question.task, result }
            }
            Call::Bars { isin, ticker, from, until } => {
                let bars = self.bars.get(ticker.as_str()).cloned().unwrap_or_default();
                let candles = bars.iter().map(|(day, close)| candle(day, *close, self.volume));
                let candles = candles.filter(|bar| (from..=until).contains(&bar.day)).collect();
                let found = candles::History { candles, dropped: 0 };
                Reply::Bars {
                    isin,
                    from,
                    until,
                    result: if self.silent { Err(failure()) } else { Ok(found) },
                }
            }
        }
    }
}

fn candle(day: &str, close: i64, volume: Option<i64>) -> candles::Candle {
    let price = price(close);
    candles::Candle {
        day: day.parse().unwrap(),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: volume.map(|units| Quantity::from_units(units).unwrap()),
    }
}

/// Another volume at every reading: something was traded.
fn next_volume() -> Quantity {
    static TRADED: AtomicI64 = AtomicI64::new(1);
    Quantity::from_units(TRADED.fetch_add(1, Ordering::Relaxed)).unwrap()
}

pub fn reading(e6: i64, currency: Currency) -> quotes::Quote {
    quotes::Quote {
        last: Some(price(e6)),
        last_size: None,
        last_at: None,
        bid: None,
        bid_size: None,
        ask: None,
        ask_size: None,
        previous_close: None,
        open: None,
        low: None,
        high: None,
        volume: None,
        currency: Some(currency),
        lot: None,
        tick: None,
        isin: None,
        market_status: None,
        venue: None,
    }
}

/// A stage with its store, and what it said.
pub struct Rig {
    pub engine: Engine<Ingest>,
    pub place: Place,
    pub config: Config,
    pub heard: Heard,
    pub calls: Vec<Call>,
    pub now: Timestamp,
    versions: u64,
    _folder: Rc<tempfile::TempDir>,
}

impl Rig {
    pub fn new(now: &str, more: &str) -> Rig {
        let folder = Rc::new(tempfile::tempdir().unwrap());
        let place = Place::File(folder.path().join("market.db"));
        let config = config("sim:1", more);
        let now = at(now);
        let engine = Engine::open(&config, "ingest", Some(place.clone()), now).unwrap();
        Rig {
            engine,
            place,
            config,
            heard: Heard::default(),
            calls: vec![],
            now,
            versions: 0,
            _folder: folder,
        }
    }

    /// The process dies and starts again.
    pub fn restart(&mut self) {
        self.engine = Engine::open(&self.config, "ingest", Some(self.place.clone()), self.now).unwrap();
        self.heard = Heard::default();
        self.calls.clear();
    }

    /// Runs until an instant, answering every call from the script.
    pub fn run(&mut self, until: &str, script: &Script) {
        self.run_with(at(until), |call, _| script.answer(call));
    }

    pub fn run_with(&mut self, until: Timestamp, mut answer: impl FnMut(Call, Timestamp) -> Reply) {
        for _ in 0..1_000_000 {
            while let Some((call, cause)) = self.engine.next_call() {
                self.calls.push(call.clone());
                let said = self.engine.reply(answer(call, self.now), cause, self.now).unwrap();
                self.heard.all.extend(said);
            }
            let Some(then) = self.engine.wake_at().filter(|then| *then <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(then);
            let said = self.engine.tick(self.now).unwrap();
            self.heard.all.extend(said);
        }
        panic!("time stands still");
    }

    /// Hands a message to the stage, as its owner sent it.
    pub fn tell<B: Body>(&mut self, body: B) {
        self.versions += 1;
        let stage = B::TOPIC.spec().owners[0].to_string();
        let id = Id::derive(self.now, &["test", &self.versions.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let envelope =
            Envelope { id, key_version: self.versions, at: self.now, stage, trace: id, cause: None, body };
        let said = self.engine.deliver(&topic, &envelope.encode().unwrap(), self.now).unwrap();
        self.heard.all.extend(said);
    }

    pub fn count(&self, sql: &str) -> i64 {
        let rows = bus_client::open_for_reading(&self.place).unwrap();
        rows.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub fn health(&self) -> contracts::Health {
        self.engine.health(0, true)
    }
}

/// The production client talks to a simulated broker in this process.
#[derive(Clone)]
pub struct InProcess(pub Rc<RefCell<World>>);

impl Exchange for InProcess {
    async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
        let raw = simworld::RawRequest {
            method: "POST".into(),
            path: request.path.clone(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .chain([("User-Agent".to_owned(), "test".to_owned())])
                .collect(),
            body: request.body,
        };
        match self.0.borrow_mut().exchange(&raw, i64::try_from(WALL_S).unwrap()) {
            Delivery::Reply { reply, .. } => Ok(RawReply::new(reply.status, reply.body)),
            Delivery::TimedOut { .. } => Err(TransportError::Unknown { reason: "time-out".into() }),
            Delivery::Reset { .. } => Err(TransportError::Unknown { reason: "reset".into() }),
        }
    }
}

impl Fetch for InProcess {
    async fn fetch(&self, request: Request) -> Result<Response, FetchFault> {
        let prefix = match request.service {
            Service::Yahoo => "/yh",
            Service::Ecb => "/ecb",
            Service::Frankfurter => "/ff",
            Service::Stooq => "/stooq",
            Service::OpenFigi => "/figi",
        };
        let mut headers = vec![("User-Agent".to_owned(), "Mozilla/5.0 (X11)".to_owned())];
        headers.extend(request.cookie.map(|cookie| ("Cookie".to_owned(), cookie)));
        let raw = simworld::RawRequest {
            method: if request.body.is_some() { "POST" } else { "GET" }.into(),
            path: format!("{prefix}{}", request.path),
            headers,
            body: request.body.unwrap_or_default().into_bytes(),
        };
        match self.0.borrow_mut().exchange(&raw, i64::try_from(WALL_S).unwrap()) {
            Delivery::Reply { reply, .. } => {
                let cookies = reply.headers.iter().filter(|(name, _)| name == "Set-Cookie");
                let cookies = cookies.map(|(_, value)| value.clone()).collect();
                Ok(Response { cookies, ..Response::new(reply.status, reply.body) })
            }
            Delivery::TimedOut { .. } | Delivery::Reset { .. } => Err(FetchFault("time-out".into())),
        }
    }
}

/// The broker and every other provider of one world.
pub fn whole_edge(world: &Rc<RefCell<World>>) -> IngestEdge<InProcess, InProcess> {
    edge(world).with_outside(Client::new(InProcess(Rc::clone(world))))
}

/// All securities of the simulated world as the owner lists them.
pub fn everything() -> String {
    simworld::listings()
        .iter()
        .map(|listing| {
            let tick = listing.tick_e6 as f64 / 1e6;
            format!(
                "[[stage.ingest.universe]]\nticker = \"{}\"\nisin = \"{}\"\nname = \"{}\"\nmic = \"{}\"\nccy = \"{}\"\nproduct_type = \"{}\"\nlot = {}\ntick = \"{tick}\"\n",
                listing.ticker, listing.isin, listing.name, listing.mic, listing.ccy, listing.product_type, listing.lot
            )
        })
        .collect()
}

pub fn edge(world: &Rc<RefCell<World>>) -> IngestEdge<InProcess> {
    let keys = Keys::new(simworld::PUBLIC_KEY, simworld::PRIVATE_KEY.to_owned().into()).unwrap();
    IngestEdge::new(InProcess(Rc::clone(world)), keys, Box::new(|| WALL_S))
}

/// Completes a future that waits for nothing.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a broker in this process answers at once"),
    }
}
