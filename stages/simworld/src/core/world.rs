//! The world: market, books and orders, moved forward through virtual time by its owner.

use std::collections::BTreeMap;

use ::market::Timestamp;

use super::account;
use super::dates::{civil, day_at, start_of};
use super::events::{Action, Event, Reversal};
use super::faults::Faults;
use super::invariants::Attempt;
use super::ledger::Ledger;
use super::market::{Market, Quote};
use super::orders::{CashFlow, FIRST_ORDER_ID, FIRST_TRADE_ID, Fill, Instrument, Order};
use super::random::{Stream, draws};
use super::scenarios::{self, scenario};
use super::universe::PAIRS;
use crate::feeds::knobs::Knobs;
use crate::wire::log::RequestLog;
use crate::wire::profile::Profile;
use crate::wire::throttle::Throttle;

/// First and last year in which a world may start.
const START_YEARS: std::ops::RangeInclusive<i32> = 2016..=2027;
/// Days the market is built ahead of the present, so that a day's bar exists when the day begins.
const AHEAD_DAYS: i32 = 3;

/// How the broker of a world behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Largest difference between a request's stamp and the wall clock, seconds.
    pub auth_window_s: i64,
    /// Share of refused orders that are accepted first and rejected a moment later.
    pub late_reject_share: f64,
    /// Share of orders that are forced to fill in 2 to 4 parts.
    pub partial_fill_share: f64,
    /// Whether a sale beyond the holding goes short instead of being refused.
    pub allow_short: bool,
    /// Whether request limits are enforced.
    pub throttle: bool,
    /// Whether listings repeat the caller's order id; the nasty profile never does.
    pub echo_user_order_id: bool,
    /// Whether trade rows carry the fee; it is booked as a line of the statement in any case.
    pub fee_in_trade_row: bool,
    /// Whether a dividend is one line after tax instead of a gross line and a tax line.
    pub net_dividends: bool,
    /// Whether candles are re-based to today's units after a split.
    pub hloc_split_adjusted: bool,
    /// Whether money moves when a trade settles and not when it happens.
    pub cash_on_settlement: bool,
    /// Whether buyers pay the transaction taxes of the United Kingdom, France, Italy and Hong Kong.
    pub buy_taxes: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            auth_window_s: 300,
            late_reject_share: 0.5,
            partial_fill_share: 0.0,
            allow_short: false,
            throttle: true,
            echo_user_order_id: true,
            fee_in_trade_row: true,
            net_dividends: false,
            hloc_split_adjusted: true,
            cash_on_settlement: false,
            buy_taxes: false,
        }
    }
}

/// What a world is made from.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// Virtual instant at which the world begins.
    pub start: Timestamp,
    /// Tickers a client may see; all when absent. Their paths do not depend on this list.
    pub tickers: Option<Vec<String>>,
    /// How answers are written.
    pub profile: Profile,
    /// Name of the preset: account and market mood.
    pub scenario: String,
    /// Behaviour of the broker.
    pub rules: Rules,
}

impl WorldConfig {
    /// Describes the default world of a seed.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp) -> Self {
        Self {
            seed,
            start,
            tickers: None,
            profile: Profile::LiveLike,
            scenario: "default".to_owned(),
            rules: Rules::default(),
        }
    }
}

/// Why a world cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// The start lies outside the supported years.
    #[error("start {0} lies outside 2016 to 2027; choose a start in these years")]
    Start(Timestamp),
    /// The preset is unknown.
    #[error("scenario {0:?} is unknown; choose one of {1}")]
    Scenario(String, String),
    /// A ticker is not part of the universe.
    #[error("ticker {0:?} is not part of the simulated universe; leave it out")]
    Ticker(String),
    /// A dated event lies behind the present.
    #[error("{0} has begun already; choose a later day")]
    Past(String),
    /// A factor on a price leaves no price.
    #[error("a factor on a price lies above 0 and at most at 1000")]
    Factor,
}

/// A simulated market with one account at a simulated broker.
#[derive(Clone)]
pub struct World {
    pub(crate) config: WorldConfig,
    pub(crate) now: i64,
    pub(crate) next_day: i32,
    pub(crate) market: Market,
    pub(crate) ledger: Ledger,
    pub(crate) orders: Vec<Order>,
    /// Places of the orders that can still change.
    pub(crate) open: Vec<usize>,
    pub(crate) fills: Vec<Fill>,
    pub(crate) flows: Vec<CashFlow>,
    /// Average acquisition price per ticker, e6.
    pub(crate) average_e6: BTreeMap<&'static str, i64>,
    /// Units added by corporate actions, e6.
    pub(crate) adjustments: Vec<(&'static str, i64)>,
    /// Units that get a dividend, noted on its ex-date: (dividend, units e6).
    pub(crate) entitled: Vec<(usize, i64)>,
    /// Interest owed and not booked yet, e8.
    pub(crate) accrued_e8: BTreeMap<&'static str, i64>,
    /// Halts set by the control interface: (place in the market, from, to).
    pub(crate) halts: Vec<(usize, i64, i64)>,
    pub(crate) faults: Faults,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) log: RequestLog,
    pub(crate) throttle: Throttle,
    pub(crate) unknown_status_shown: bool,
    pub(crate) knobs: Knobs,
    /// Dated changes of securities.
    pub(crate) events: Vec<Event>,
    /// Dividends that will be taken back.
    pub(crate) reversals: Vec<Reversal>,
    /// Corporate actions that touched the account.
    pub(crate) actions: Vec<Action>,
    /// Watch lists: (id, name, tickers).
    pub(crate) lists: Vec<(i64, String, Vec<String>)>,
    /// Price alerts: (id, ticker, trigger price as given).
    pub(crate) alerts: Vec<(i64, String, String)>,
    /// Worlds kept by the control interface.
    pub(crate) snapshots: Vec<World>,
    /// Requests to Yahoo in an hour: (hour, count).
    pub(crate) yahoo_requests: (i64, u64),
    /// Requests to OpenFIGI in a minute: (minute, count).
    pub(crate) figi_requests: (i64, u64),
}

impl World {
    /// Makes a world: builds the paths up to the start and books the account's history.
    ///
    /// # Errors
    ///
    /// Refuses unsupported starts, unknown presets and unknown tickers.
    pub fn new(config: WorldConfig) -> Result<Self, WorldError> {
        let start = config.start.ms();
        let day = day_at(start);
        if !START_YEARS.contains(&civil(day).0) {
            return Err(WorldError::Start(config.start));
        }
        let preset = scenario(&config.scenario)
            .ok_or_else(|| WorldError::Scenario(config.scenario.clone(), scenarios::names().join(", ")))?;
        let mut config = config;
        if config.tickers.is_none() && !preset.tickers.is_empty() {
            config.tickers = Some(preset.tickers.iter().map(|t| (*t).to_owned()).collect());
        }
        let market = Market::new(config.seed, config.tickers.as_deref(), preset.moods(day));
        if let Some(ticker) = config.tickers.iter().flatten().find(|t| market.find(t).is_none()) {
            return Err(WorldError::Ticker(ticker.clone()));
        }
        let mut world = Self {
            faults: Faults::new(config.seed),
            config,
            now: 0,
            next_day: 0,
            market,
            ledger: Ledger::default(),
            orders: Vec::new(),
            open: Vec::new(),
            fills: Vec::new(),
            flows: Vec::new(),
            average_e6: BTreeMap::new(),
            adjustments: Vec::new(),
            entitled: Vec::new(),
            accrued_e8: BTreeMap::new(),
            halts: Vec::new(),
            attempts: Vec::new(),
            log: RequestLog::default(),
            throttle: Throttle::default(),
            unknown_status_shown: false,
            knobs: Knobs::default(),
            events: Vec::new(),
            reversals: Vec::new(),
            actions: Vec::new(),
            lists: vec![(7, "default".to_owned(), Vec::new())],
            alerts: Vec::new(),
            snapshots: Vec::new(),
            yahoo_requests: (0, 0),
            figi_requests: (0, 0),
        };
        world.market.ensure(day + AHEAD_DAYS);
        account::open(&mut world, preset.opening, start);
        world.now = start;
        world.next_day = day + 1;
        preset.set_up(&mut world);
        Ok(world)
    }

    /// Returns the virtual instant the world has reached.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now)
    }

    /// Moves the world forward; an instant already passed changes nothing.
    ///
    /// Going there in one step or in many gives the same world.
    pub fn advance_to(&mut self, to: Timestamp) {
        let to = to.ms();
        while let Some(event) = self.next_event_ms().filter(|event| *event <= to) {
            self.now = self.now.max(event);
            if event >= start_of(self.next_day) {
                let day = self.next_day;
                self.next_day += 1;
                self.market.ensure(day + AHEAD_DAYS);
                self.begin_day(day);
            } else {
                self.step_orders(event);
            }
        }
        self.now = self.now.max(to);
    }

    /// Returns when something happens next in the books: an order's next step or the next day's bookings.
    #[must_use]
    pub fn next_event(&self) -> Option<Timestamp> {
        self.next_event_ms().map(Timestamp::from_ms)
    }

    fn next_event_ms(&self) -> Option<i64> {
        let orders = self.open.iter().filter_map(|at| self.orders[*at].next_ms()).min();
        let midnight = start_of(self.next_day);
        Some(orders.map_or(midnight, |order| order.min(midnight)))
    }

    /// Returns what can be traded of an instrument at an instant.
    pub(crate) fn quote_of(&self, instrument: Instrument, ms: i64) -> Option<Quote> {
        match instrument {
            Instrument::Security(index) => self.market.quote(index, ms),
            Instrument::Pair(index) => self.market.pair_quote(PAIRS.get(index)?, ms),
        }
    }

    /// Returns the trading hours of an instrument on a day.
    pub(crate) fn sessions_of(&self, instrument: Instrument, day: i32) -> super::calendar::Sessions {
        match instrument {
            Instrument::Security(index) => self.market.sessions(index, day),
            Instrument::Pair(_) => super::calendar::currency_sessions(day),
        }
    }

    /// Returns units per lot and the currency in which an instrument is priced.
    pub(crate) fn lot_and_currency(&self, instrument: Instrument) -> (i64, &'static str) {
        match instrument {
            Instrument::Security(index) => {
                let security = &self.market.listings[index].security;
                (security.lot, security.currency)
            }
            Instrument::Pair(index) => (1, PAIRS[index].quote),
        }
    }

    /// Tells whether an instrument is halted at an instant.
    pub(crate) fn is_halted(&self, instrument: Instrument, ms: i64) -> bool {
        let Instrument::Security(index) = instrument else { return false };
        self.market.is_halted(index, day_at(ms))
            || self.halts.iter().any(|(at, from, to)| *at == index && (*from..*to).contains(&ms))
    }

    /// Finds what a ticker names.
    pub(crate) fn find(&self, ticker: &str) -> Option<Instrument> {
        let pair = PAIRS.iter().position(|p| p.ticker == ticker).map(Instrument::Pair);
        pair.or_else(|| self.market.find(ticker).map(Instrument::Security))
    }

    /// Halts a security between two instants.
    ///
    /// # Errors
    ///
    /// Refuses tickers that are not listed.
    pub fn halt(&mut self, ticker: &str, from: Timestamp, to: Timestamp) -> Result<(), WorldError> {
        let index = self.market.find(ticker).ok_or_else(|| WorldError::Ticker(ticker.to_owned()))?;
        self.halts.push((index, from.ms(), to.ms()));
        Ok(())
    }

    /// Returns the next order id.
    pub(crate) fn next_order_id(&self) -> i64 {
        FIRST_ORDER_ID + i64::try_from(self.orders.len()).unwrap_or(i64::MAX - FIRST_ORDER_ID)
    }

    /// Returns the next trade id.
    pub(crate) fn next_trade_id(&self) -> i64 {
        FIRST_TRADE_ID + i64::try_from(self.fills.len()).unwrap_or(i64::MAX - FIRST_TRADE_ID)
    }

    /// Opens a generator for what happens to one order.
    pub(crate) fn order_draw(&self, order: i64, what: impl std::fmt::Display) -> super::random::Draws {
        draws(self.config.seed, Stream::Fill, &order.to_string(), what)
    }
}
