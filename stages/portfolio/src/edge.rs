//! The socket: reads the account in one consistent pass and says what went wrong by name.

use bus_client::{Edge, Place, Start};
use market::Day;
use tradernet::{
    Below, BrokerError, Exchange, Fault, HttpExchange, Keys, Place as Address, ReadOnly, Retry, WallClock,
    commands::{
        cash_flows::{CashFlow, CashFlowPage, GetCashFlows, PAGES_MAX, UnreadableFlow},
        open_orders::GetOrders,
        order_rows::Orders,
        positions::{Account, GetPositions},
        trades::{GetTrades, TradeRow},
    },
};

use crate::day_rates::{self, DayRates};
use crate::limits::PASSES_MAX;
use crate::{Portfolio, Settings};

/// Pause after a failure that only a person can end.
const PERSON_MS: i64 = 900_000;

/// Seconds that our clock and the broker's may be apart; the broker writes whole seconds, and an answer takes its time.
const CLOCK_APART_MAX_S: u64 = 5;
/// Pause after a reading by a clock that was further away.
const CLOCK_MS: i64 = 60_000;

/// One reading of the whole account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// First day of trades.
    pub trades_from: Day,
    /// Last day of trades.
    pub trades_till: Day,
    /// First day of flows; all when absent.
    pub flows_since: Option<Day>,
}

/// The account as it was during one pass, without a trade in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Positions and cash.
    pub account: Account,
    /// Trades of the days asked for.
    pub trades: Vec<TradeRow>,
    /// Orders that still work.
    pub orders: Orders,
    /// Cash flows.
    pub flows: Vec<CashFlow>,
    /// Cash flows that could not be read.
    pub unreadable: Vec<UnreadableFlow>,
    /// Rates of the days of trades and flows, where they are known.
    pub rates: DayRates,
}

/// What came of a reading.
pub type Reply = Result<Snapshot, Failure>;

/// Why a reading brought nothing. Nothing is known then: it never looks like an empty account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub text: String,
    /// Not again before so many milliseconds.
    pub pause_ms: i64,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let pause_ms = match fault.retry() {
            Retry::Now => 0,
            Retry::Later(pause) => i64::try_from(pause.as_millis()).unwrap_or(PERSON_MS),
            Retry::Never | Retry::UnknownOutcome => PERSON_MS,
        };
        Failure { text: fault.to_string(), pause_ms }
    }
}

/// Reads the account through a transport.
pub struct PortfolioEdge<E> {
    broker: ReadOnly<E>,
    /// The store with the rates of days gone by.
    market: Option<Place>,
}

impl<E: Exchange> PortfolioEdge<E> {
    /// Binds a transport to a key pair and a wall clock.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        PortfolioEdge { broker: ReadOnly::new(exchange, keys, clock), market: None }
    }

    /// Takes the rates of days gone by from this store of `ingest`.
    #[must_use]
    pub fn with_market(self, market: Place) -> Self {
        PortfolioEdge { market: Some(market), ..self }
    }

    /// Positions and cash between two equal readings of the trades: then nothing happened meanwhile.
    async fn snapshot(&self, call: Call) -> Reply {
        let ask = GetTrades { from: call.trades_from, till: call.trades_till };
        let CashFlowPage { rows: flows, unreadable, .. } = self.flows(call.flows_since).await?;
        let mut trades = self.broker.ask(&ask).await?;
        for _ in 0..PASSES_MAX {
            let account = self.broker.ask(&GetPositions).await?;
            let orders = self.broker.ask(&GetOrders { active_only: true }).await?;
            let after = self.broker.ask(&ask).await?;
            if let Some(failure) = self.clock_apart() {
                return Err(failure);
            }
            if ids(&trades) == ids(&after) {
                // What is there at the first reading of all is history: of it only flows have a worth here.
                let valued = if call.flows_since.is_some() { after.as_slice() } else { &[] };
                let read = |market: &Place| day_rates::read(market, day_rates::wanted(&flows, valued));
                // A store that cannot be read now is asked again: what is booked without its rate stays so.
                let rates = self.market.as_ref().map(read).transpose().map_err(|why| Failure {
                    text: format!("the rates of days gone by cannot be read: {why}"),
                    pause_ms: 0,
                })?;
                let rates = rates.unwrap_or_default();
                return Ok(Snapshot { account, trades: after, orders, flows, unreadable, rates });
            }
            trades = after;
        }
        let text =
            format!("trades kept coming in during {PASSES_MAX} readings of the account; it is read again");
        Err(Failure { text, pause_ms: 0 })
    }

    /// A reading by a clock that is not the broker's is none: nobody knows how old it is.
    fn clock_apart(&self) -> Option<Failure> {
        let ahead = self.broker.clock_ahead_s().filter(|ahead| ahead.unsigned_abs() > CLOCK_APART_MAX_S)?;
        let text = format!(
            "our clock is {ahead} s ahead of the broker's, so the account counts as not read; set the clock, and switch on time synchronisation"
        );
        Some(Failure { text, pause_ms: CLOCK_MS })
    }

    /// All pages as one.
    async fn flows(&self, since: Option<Day>) -> Result<CashFlowPage, Failure> {
        let mut all = self.broker.ask(&GetCashFlows { since, page: 0 }).await?;
        let mut is_last = all.is_last();
        for page in 1..PAGES_MAX {
            if is_last {
                break;
            }
            let found = self.broker.ask(&GetCashFlows { since, page }).await?;
            is_last = found.is_last();
            all.rows.extend(found.rows);
            all.unreadable.extend(found.unreadable);
        }
        if is_last {
            return Ok(all);
        }
        let text = format!("the statement of the account has more than {PAGES_MAX} pages");
        Err(Failure { text, pause_ms: PERSON_MS })
    }
}

fn ids(trades: &[TradeRow]) -> Vec<&str> {
    let mut ids: Vec<&str> = trades.iter().map(|trade| trade.trade_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl PortfolioEdge<Below<HttpExchange>> {
    /// Builds the edge of the process from its settings.
    ///
    /// # Errors
    /// One sentence for an address, key or transport that cannot be used.
    pub fn http(start: &Start<Settings>) -> Result<Self, String> {
        let Start { settings, environment, config, .. } = start;
        let build = || {
            let exchange = Address::parse(&settings.broker_url, environment.is_simulated())?.exchange()?;
            let keys = tradernet::keys(&settings.public_key, &config.dir.join(&settings.private_key_file))?;
            let market = Place::File(config.store_file("market"));
            Ok(PortfolioEdge::new(exchange, keys, wall_clock()).with_market(market))
        };
        build().map_err(|error: BrokerError| format!("[stage.portfolio] {}", error.sentence()))
    }
}

impl<E: Exchange> Edge<Portfolio> for PortfolioEdge<E> {
    async fn perform(&self, call: Call) -> Reply {
        self.snapshot(call).await
    }
}

/// The clock that the broker compares with its own: never a virtual one.
fn wall_clock() -> WallClock {
    Box::new(|| u64::try_from(bus_client::wall().ms() / 1_000).unwrap_or(0))
}
