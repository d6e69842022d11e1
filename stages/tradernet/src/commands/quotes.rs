//! `getStockQuotesJson`: last, bid and ask. Zero means "no value" there and is `None` here.

use std::collections::BTreeMap;

use market::Isin;
use money::{Currency, Price, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::commands::tickers::Tickers;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;
use crate::wall_time::WallTime;

/// Asks for quotes of up to 100 tickers; the broker's own limit is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetQuotes {
    /// What to quote.
    pub tickers: Tickers<100>,
}

/// Holds the quotes that came, and what did not come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotes {
    /// Quotes by ticker.
    pub by_ticker: BTreeMap<Ticker, Quote>,
    /// Requested tickers that the broker left out or sent unreadable.
    pub missing: Vec<Ticker>,
}

/// Holds one quote. Its times have no dependable zone: never judge staleness by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Last price.
    pub last: Option<Price>,
    /// Units of the last trade.
    pub last_size: Option<Quantity>,
    /// Time of the last trade as written.
    pub last_at: Option<WallTime>,
    /// Best bid.
    pub bid: Option<Price>,
    /// Units at the best bid.
    pub bid_size: Option<Quantity>,
    /// Best ask.
    pub ask: Option<Price>,
    /// Units at the best ask.
    pub ask_size: Option<Quantity>,
    /// Previous close.
    pub previous_close: Option<Price>,
    /// Open of the day.
    pub open: Option<Price>,
    /// Low of the day.
    pub low: Option<Price>,
    /// High of the day.
    pub high: Option<Price>,
    /// Units traded today.
    pub volume: Option<Quantity>,
    /// Currency of all prices.
    pub currency: Option<Currency>,
    /// Units in one lot.
    pub lot: Option<Quantity>,
    /// Tick.
    pub tick: Option<Price>,
    /// ISIN, when well formed.
    pub isin: Option<Isin>,
    /// State of the market as written, such as `OPEN`.
    pub market_status: Option<String>,
    /// Listing venue as written, such as `XETRA`.
    pub venue: Option<String>,
}

impl Decode for GetQuotes {
    type Reply = Quotes;

    fn params(&self) -> String {
        Params::new().text("tickers", &self.tickers.joined()).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Quotes, Flaw> {
        let list = reply.get("result").get("q");
        if !list.is_present() {
            return Err(Flaw::missing("result.q"));
        }
        let mut by_ticker = BTreeMap::new();
        for row in rows_of(list, "result.q")? {
            let fields = row.fields();
            let Ok(ticker) = fields.need_ticker("c") else { continue };
            by_ticker.insert(ticker, read_quote(&fields));
        }
        let missing = self.tickers.iter().filter(|ticker| !by_ticker.contains_key(ticker));
        Ok(Quotes { missing: missing.cloned().collect(), by_ticker })
    }
}

impl ReadCommand for GetQuotes {
    const NAME: &'static str = "getStockQuotesJson";
    const PACE: PaceClass = PaceClass::Live;
}

/// Reads the fields of one quote, from an answer or merged from the socket.
pub(crate) fn read_quote(row: &Fields<'_>) -> Quote {
    let price = |field| row.live_price_or_unknown(field);
    let quantity = |field| row.quantity_or_unknown(field);
    Quote {
        last: price("ltp"),
        last_size: quantity("lts"),
        last_at: row.wall_time("ltt"),
        bid: price("bbp"),
        bid_size: quantity("bbs"),
        ask: price("bap"),
        ask_size: quantity("bas"),
        previous_close: price("pp").or_else(|| price("ClosePrice")),
        open: price("op"),
        low: price("mintp"),
        high: price("maxtp"),
        volume: quantity("vol"),
        currency: row.currency("x_curr").ok().flatten(),
        lot: quantity("x_lot").filter(|lot| lot.is_positive()),
        tick: price("min_step"),
        isin: row.isin("issue_nb"),
        market_status: row.text("marketStatus"),
        venue: row.text("codesub_nm"),
    }
}
