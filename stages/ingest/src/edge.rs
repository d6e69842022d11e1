//! The socket: performs the stage's reads at the broker and says what went wrong by name.

use bus_client::{Edge, Start};
use market::{Day, Isin};
use money::Currency;
use tradernet::{
    Below, BrokerError, Exchange, Fault, HttpExchange, Keys, Place, ReadOnly, Retry, Ticker, WallClock,
    commands::{
        candles::{GetDailyCandles, History},
        cross_rates::{CrossRates, GetCrossRates},
        quotes::{GetQuotes, Quotes},
        tickers::Tickers,
    },
};

use crate::{Ingest, Settings};

/// Pause after a failure that only a person can end.
const PERSON_MS: i64 = 900_000;

/// A read at the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Prices of up to a hundred tickers.
    Quotes {
        /// Which.
        tickers: Vec<Ticker>,
    },
    /// Reference rates against EUR.
    Rates {
        /// Which currencies.
        currencies: Vec<Currency>,
    },
    /// Daily bars of one security.
    Bars {
        /// Which.
        isin: Isin,
        /// Its ticker.
        ticker: Ticker,
        /// First day.
        from: Day,
        /// Last day.
        until: Day,
    },
}

/// What came of a read.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Prices.
    Quotes {
        /// What was asked for.
        tickers: Vec<Ticker>,
        /// What came.
        result: Result<Quotes, Failure>,
    },
    /// Rates.
    Rates(Result<CrossRates, Failure>),
    /// Bars.
    Bars {
        /// Of which security.
        isin: Isin,
        /// First day asked for.
        from: Day,
        /// Last day asked for.
        until: Day,
        /// What came.
        result: Result<History, Failure>,
    },
}

/// Why a read brought nothing. Nothing is known then: it never looks like an empty answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub text: String,
    /// Not again before so many milliseconds.
    pub pause_ms: i64,
    /// The broker asked for fewer requests.
    pub throttled: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let pause_ms = match fault.retry() {
            Retry::Now => 0,
            Retry::Later(pause) => i64::try_from(pause.as_millis()).unwrap_or(PERSON_MS),
            Retry::Never | Retry::UnknownOutcome => PERSON_MS,
        };
        let throttled = matches!(fault, Fault::RateLimited { .. });
        Failure { text: fault.to_string(), pause_ms, throttled }
    }
}

/// Performs reads through a transport.
pub struct IngestEdge<E> {
    broker: ReadOnly<E>,
}

impl<E: Exchange> IngestEdge<E> {
    /// Binds a transport to a key pair and a wall clock.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        IngestEdge { broker: ReadOnly::new(exchange, keys, clock) }
    }

    async fn quotes(&self, tickers: &[Ticker]) -> Result<Quotes, Failure> {
        let tickers = Tickers::new(tickers.to_vec()).map_err(|fault| impossible(&fault))?;
        Ok(self.broker.ask(&GetQuotes { tickers }).await?)
    }

    async fn bars(&self, ticker: Ticker, from: Day, to: Day) -> Result<History, Failure> {
        let tickers = Tickers::new(vec![ticker.clone()]).map_err(|fault| impossible(&fault))?;
        let mut found = self.broker.ask(&GetDailyCandles { tickers, from, to }).await?;
        found.by_ticker.remove(&ticker).ok_or(Failure {
            text: format!("the broker has no bars of {ticker}; compare the ticker with the broker's list"),
            pause_ms: 0,
            throttled: false,
        })
    }
}

fn impossible(fault: &dyn std::fmt::Display) -> Failure {
    Failure { text: fault.to_string(), pause_ms: PERSON_MS, throttled: false }
}

impl IngestEdge<Below<HttpExchange>> {
    /// Builds the edge of the process from its settings.
    ///
    /// # Errors
    /// One sentence for an address, key or transport that cannot be used.
    pub fn http(start: &Start<Settings>) -> Result<Self, String> {
        let Start { settings, environment, config, .. } = start;
        let build = || {
            let exchange = Place::parse(&settings.broker_url, environment.is_simulated())?.exchange()?;
            let keys = tradernet::keys(&settings.public_key, &config.dir.join(&settings.private_key_file))?;
            Ok(IngestEdge::new(exchange, keys, wall_clock()))
        };
        build().map_err(|error: BrokerError| format!("[stage.ingest] {}", error.sentence()))
    }
}

impl<E: Exchange> Edge<Ingest> for IngestEdge<E> {
    async fn perform(&self, call: Call) -> Reply {
        match call {
            Call::Quotes { tickers } => Reply::Quotes { result: self.quotes(&tickers).await, tickers },
            Call::Rates { currencies } => {
                let asked = GetCrossRates { currencies, day: None };
                Reply::Rates(self.broker.ask(&asked).await.map_err(Failure::from))
            }
            Call::Bars { isin, ticker, from, until } => {
                Reply::Bars { isin, from, until, result: self.bars(ticker, from, until).await }
            }
        }
    }
}

/// The clock that the broker compares with its own: never a virtual one.
fn wall_clock() -> WallClock {
    Box::new(|| u64::try_from(bus_client::wall().ms() / 1_000).unwrap_or(0))
}
