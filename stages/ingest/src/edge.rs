//! The sockets: performs the stage's reads at the broker and at other providers, says what went wrong by name, and
//! gathers what the broker tells by itself.

use std::{collections::BTreeMap, time::Duration};

use bus_client::{Edge, Start};
use market::{Day, Isin, Mic, Timestamp};
use money::Currency;
use providers::{
    Client, Closes, DataFault, EcbFile, EcbRates, Fetch, FigiJob, FigiMapping, FrankfurterLatest, HttpFetch,
    StooqDaily, Unit, VenueRow, yahoo,
    yahoo::{ChartOf, PegOf, QuotesOf, Search, SummaryOf},
};
use tradernet::{
    Below, BrokerError, Exchange, Fault, HttpExchange, Keys, Line, Place, ReadOnly, Retry, SocketAddress,
    Subscriptions, Ticker, WallClock,
    commands::{
        candles::{GetDailyCandles, History},
        cross_rates::{CrossRates, GetCrossRates},
        find_ticker::{FindText, Listing},
        market_status::{GetMarketStatus, MarketStatus},
        quotes::{self, GetQuotes, Quotes},
        securities::{GetSecurities, Security as Master},
        tickers::Tickers,
    },
};

use crate::{
    Ingest, Settings,
    outside::{Task, chosen},
};

/// Pause after a failure that only a person can end.
const PERSON_MS: i64 = 900_000;
/// What the broker tells by itself is gathered for so long: each handing over is a write to the disk.
const GATHERED_FOR: Duration = Duration::from_secs(2);

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
    /// Which markets are open.
    Markets,
    /// Instruments that a text may mean.
    Find {
        /// Ticker, name or ISIN.
        text: String,
    },
    /// Master data of an instrument.
    Master {
        /// Which.
        isin: Isin,
        /// Its ticker.
        ticker: Ticker,
    },
    /// A question to another provider.
    Outside(Box<Question>),
    /// Prices that the broker shall tell by itself from now on, in place of what it told before.
    Follow {
        /// Which; none ends it.
        tickers: Vec<Ticker>,
    },
}

/// A question to another provider than the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What about.
    pub task: Task,
    /// Symbol at Yahoo, or the text of a search.
    pub symbol: String,
    /// Ticker, venue and currency, for other providers of the same thing.
    pub listing: Option<(String, Mic, Currency)>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// Nothing is known of it so far.
    pub first: bool,
    /// Now.
    pub at: Timestamp,
}

/// What another provider said.
#[derive(Debug, Clone)]
pub enum Learnt {
    /// Closes, dividends and splits.
    Chart(yahoo::Chart),
    /// Closes alone, from a provider that says no more, and why the first one brought nothing.
    Closes(Closes, DataFault),
    /// Fundamentals, analysts, profile.
    Facts(yahoo::Summary),
    /// Candidates for a symbol.
    Hits(Vec<yahoo::Candidate>),
    /// A symbol made of the exchange's own code, as OpenFIGI knows it.
    Mapped(String),
    /// Price to earnings to growth, if it is known.
    Peg(Option<f64>),
    /// A last price.
    Price(yahoo::YahooQuote),
    /// Reference rates by day.
    Rates(EcbRates),
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
    /// Markets.
    Markets(Result<MarketStatus, Failure>),
    /// Instruments.
    Found(Result<Vec<(Isin, Listing)>, Failure>),
    /// Master data; nothing when the broker does not know the ticker.
    Master {
        /// Which.
        isin: Isin,
        /// Its ticker.
        ticker: Ticker,
        /// What came.
        result: Box<Result<Option<Master>, Failure>>,
    },
    /// Another provider's answer.
    Outside {
        /// What about.
        task: Task,
        /// What came.
        result: Box<Result<Learnt, DataFault>>,
    },
    /// The broker was told what to follow; whether it does shows by what it tells.
    Following,
    /// Prices that the broker told by itself, the newest of each ticker.
    Told(BTreeMap<Ticker, quotes::Quote>),
}

/// Why a read brought nothing. Nothing is known then: it never looks like an empty answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub text: String,
    /// Not again before so many milliseconds; zero where the usual pauses are meant.
    pub pause_ms: i64,
    /// The broker asked for fewer requests.
    pub throttled: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let pause_ms = match fault.retry() {
            // A pause that the broker did not name is the pacer's: it doubles.
            _ if matches!(fault, Fault::RateLimited { retry_after: None, .. }) => 0,
            Retry::Now => 0,
            Retry::Later(pause) => i64::try_from(pause.as_millis()).unwrap_or(PERSON_MS),
            Retry::Never | Retry::UnknownOutcome => PERSON_MS,
        };
        let throttled = matches!(fault, Fault::RateLimited { .. });
        Failure { text: fault.to_string(), pause_ms, throttled }
    }
}

/// Performs reads through a transport.
pub struct IngestEdge<E, F = HttpFetch> {
    broker: ReadOnly<E>,
    outside: Option<Client<F>>,
    stooq_key: Option<String>,
    line: Option<Line>,
}

impl<E: Exchange> IngestEdge<E> {
    /// Binds a transport to a key pair and a wall clock; nobody but the broker is asked.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        IngestEdge {
            broker: ReadOnly::new(exchange, keys, clock),
            outside: None,
            stooq_key: None,
            line: None,
        }
    }
}

impl<E: Exchange, F: Fetch> IngestEdge<E, F> {
    /// The same, with other providers.
    pub fn with_outside<G: Fetch>(self, client: Client<G>) -> IngestEdge<E, G> {
        IngestEdge { broker: self.broker, outside: Some(client), stooq_key: self.stooq_key, line: self.line }
    }

    async fn find(&self, text: String) -> Result<Vec<(Isin, Listing)>, Failure> {
        Ok(self.broker.ask(&FindText { text }).await?)
    }

    async fn master(&self, ticker: Ticker) -> Result<Option<Master>, Failure> {
        let tickers = Tickers::new(vec![ticker.clone()]).map_err(|fault| impossible(&fault))?;
        let mut found = self.broker.ask(&GetSecurities { tickers }).await?;
        Ok(found.by_ticker.remove(&ticker))
    }

    /// Asks the first provider; the next one when it has nothing, and only where both mean the very same thing.
    async fn outside(&self, question: &Question) -> Result<Learnt, DataFault> {
        let Some(client) = &self.outside else {
            return Err(DataFault::Outage("no provider besides the broker is set up".into()));
        };
        let Question { symbol, from, until, at, .. } = question;
        match &question.task {
            Task::Rates => {
                let file = if question.first { EcbFile::Whole } else { EcbFile::NinetyDays };
                match client.ask(&file, *at).await {
                    Ok(known) => Ok(Learnt::Rates(known.value)),
                    Err(fault) => self.mirrored(client, *at).await.map_err(|_| fault),
                }
            }
            Task::Chart(_) | Task::Index(_) => {
                let ask = ChartOf { symbol: symbol.clone(), from: *from, until: *until };
                match client.ask(&ask, *at).await {
                    Ok(known) => Ok(Learnt::Chart(known.value)),
                    Err(fault) => match self.second_closes(client, question).await {
                        Some(closes) => Ok(Learnt::Closes(closes, fault)),
                        None => Err(fault),
                    },
                }
            }
            Task::Symbol(isin) => self.symbol(client, *isin, question).await,
            Task::Peg(_) => {
                Ok(Learnt::Peg(client.ask(&PegOf { symbol: symbol.clone(), now: *at }, *at).await?.value))
            }
            Task::Price(_) => {
                let ask = QuotesOf { symbols: vec![symbol.clone()] };
                let mut found = client.ask(&ask, *at).await?.value;
                found.remove(symbol).map(Learnt::Price).ok_or(DataFault::Unknown)
            }
            Task::Facts(_) => {
                Ok(Learnt::Facts(client.ask(&SummaryOf { symbol: symbol.clone() }, *at).await?.value))
            }
        }
    }

    /// Yahoo's own search first; where it names no listing at the venue, the exchange's code as OpenFIGI has it.
    async fn symbol(&self, client: &Client<F>, isin: Isin, question: &Question) -> Result<Learnt, DataFault> {
        let Question { symbol, listing, at, .. } = question;
        let searched = client.ask(&Search { text: symbol.clone() }, *at).await.map(|known| known.value);
        let venue = listing.as_ref().and_then(|(_, mic, _)| providers::venue_of_mic(*mic));
        let named =
            |hits: &Vec<yahoo::Candidate>| venue.is_some_and(|venue| chosen(hits, venue.exchanges).is_some());
        match (searched, venue) {
            (Ok(hits), Some(venue)) if !named(&hits) && !venue.figi.is_empty() => {
                let mapped = self.mapped(client, isin, venue, *at).await;
                Ok(mapped.map_or(Learnt::Hits(hits), Learnt::Mapped))
            }
            (Err(fault), Some(venue)) if fault.moves_on() && !venue.figi.is_empty() => {
                self.mapped(client, isin, venue, *at).await.map(Learnt::Mapped).ok_or(fault)
            }
            (searched, _) => searched.map(Learnt::Hits),
        }
    }

    /// The symbol of the only listing at the exchange; of two, nobody says which is meant.
    async fn mapped(
        &self,
        client: &Client<F>,
        isin: Isin,
        venue: &VenueRow,
        at: Timestamp,
    ) -> Option<String> {
        let jobs = vec![FigiJob { isin, exchange: Some(venue.figi) }];
        let answers = client.ask(&FigiMapping { jobs }, at).await.ok()?.value;
        let [row] = answers.first()?.as_slice() else { return None };
        providers::symbol_by_code(&row.ticker, venue)
    }

    async fn mirrored(&self, client: &Client<F>, at: Timestamp) -> Result<Learnt, DataFault> {
        let ask = FrankfurterLatest { currencies: Vec::new(), day: None };
        let (day, rates) = client.ask(&ask, at).await?.value;
        Ok(Learnt::Rates(EcbRates { days: [(day, rates)].into() }))
    }

    async fn second_closes(&self, client: &Client<F>, question: &Question) -> Option<Closes> {
        let (ticker, mic, ccy) = question.listing.as_ref()?;
        // London is quoted in pence there.
        let unit = Unit::of(if mic.as_str() == "XLON" { "GBp" } else { ccy.as_str() }).ok()?;
        let ask = StooqDaily {
            symbol: providers::stooq_symbol(ticker, *mic)?,
            from: question.from,
            until: question.until,
            unit,
            key: self.stooq_key.clone(),
        };
        let bars = client.ask(&ask, question.at).await.ok()?.value;
        Some(bars.iter().map(|bar| (bar.day, bar.close)).collect())
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
        let edge: Self =
            build().map_err(|error: BrokerError| format!("[stage.ingest] {}", error.sentence()))?;
        let mut edge = edge;
        if settings.broker_socket {
            let address = SocketAddress::beside(&settings.broker_url)
                .map_err(|fault| format!("[stage.ingest] `broker_url` has no socket beside it: {fault}"))?;
            let keys = tradernet::keys(&settings.public_key, &config.dir.join(&settings.private_key_file))
                .map_err(|error| format!("[stage.ingest] {}", error.sentence()))?;
            edge.line = Some(Line::new(address, keys, bus_client::wall));
        }
        let bases = settings.bases(environment.is_simulated())?;
        if bases.is_empty() {
            return Ok(edge);
        }
        let mut edge = edge.with_outside(Client::new(HttpFetch::new(bases, None)?));
        edge.stooq_key = settings.stooq_key.clone();
        Ok(edge)
    }
}

impl<E: Exchange, F: Fetch> Edge<Ingest> for IngestEdge<E, F> {
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
            Call::Markets => Reply::Markets(self.broker.ask(&GetMarketStatus).await.map_err(Failure::from)),
            Call::Find { text } => Reply::Found(self.find(text).await),
            Call::Master { isin, ticker } => {
                let result = Box::new(self.master(ticker.clone()).await);
                Reply::Master { isin, ticker, result }
            }
            Call::Outside(question) => {
                let result = Box::new(self.outside(&question).await);
                Reply::Outside { task: question.task, result }
            }
            Call::Follow { tickers } => {
                if let Some(line) = &self.line {
                    line.follow(Subscriptions { quotes: tickers, ..Subscriptions::default() });
                }
                Reply::Following
            }
        }
    }

    async fn news(&self) -> Reply {
        match &self.line {
            Some(line) => Reply::Told(line.quotes(GATHERED_FOR).await),
            None => std::future::pending().await,
        }
    }
}

/// The clock that the broker compares with its own: never a virtual one.
fn wall_clock() -> WallClock {
    Box::new(|| u64::try_from(bus_client::wall().ms() / 1_000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_that_the_broker_does_not_name_is_left_to_the_pacer() {
        let limited = |retry_after| Failure::from(Fault::RateLimited { command: "getHloc", retry_after });
        assert_eq!((limited(None).pause_ms, limited(None).throttled), (0, true));
        assert_eq!(limited(Some(Duration::from_secs(30))).pause_ms, 30_000);
    }
}
