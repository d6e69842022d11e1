//! `getUserStockLists`, `addStockListTicker`, `deleteStockListTicker`: the account's watch lists, imported or changed
//! only when a person asks for it.

use crate::command::decoding::Decode;
use crate::command::{NoteCommand, ReadCommand};
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;

/// Asks for the watch lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetStockLists;

/// Holds the watch lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLists {
    /// All lists.
    pub lists: Vec<StockList>,
    /// Number of the default one.
    pub default_id: Option<i64>,
}

/// Holds one watch list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockList {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: Option<String>,
    /// Its tickers, unreadable ones left out.
    pub tickers: Vec<Ticker>,
}

impl StockLists {
    /// Returns the default list, if there is one.
    pub fn default_list(&self) -> Option<&StockList> {
        self.lists.iter().find(|list| Some(list.id) == self.default_id)
    }
}

impl Decode for GetStockLists {
    type Reply = StockLists;

    fn params(&self) -> String {
        "{}".to_owned()
    }

    fn decode(&self, reply: Node<'_>) -> Result<StockLists, Flaw> {
        stock_lists(reply)
    }
}

impl ReadCommand for GetStockLists {
    const NAME: &'static str = "getUserStockLists";
    const PACE: PaceClass = PaceClass::Live;
}

/// Puts a ticker at the end of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddToList {
    /// Number of the list.
    pub id: i64,
    /// Which.
    pub ticker: Ticker,
}

/// Takes a ticker off a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveFromList {
    /// Number of the list.
    pub id: i64,
    /// Which.
    pub ticker: Ticker,
}

impl Decode for AddToList {
    type Reply = StockLists;

    fn params(&self) -> String {
        Params::new().integer("id", self.id).text("ticker", self.ticker.as_str()).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<StockLists, Flaw> {
        stock_lists(reply)
    }
}

impl Decode for RemoveFromList {
    type Reply = StockLists;

    fn params(&self) -> String {
        Params::new().integer("id", self.id).text("ticker", self.ticker.as_str()).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<StockLists, Flaw> {
        stock_lists(reply)
    }
}

impl NoteCommand for AddToList {
    const NAME: &'static str = "addStockListTicker";
}

impl NoteCommand for RemoveFromList {
    const NAME: &'static str = "deleteStockListTicker";
}

/// All three answer with the lists as they are now.
fn stock_lists(reply: Node<'_>) -> Result<StockLists, Flaw> {
    let lists = reply.get("userStockLists");
    if !lists.is_present() {
        return Err(Flaw::missing("userStockLists"));
    }
    let rows = rows_of(lists, "userStockLists")?.into_iter().map(|row| stock_list(&row.fields()));
    let lists = rows.collect::<Result<_, _>>()?;
    Ok(StockLists { lists, default_id: reply.fields().integer_or_unknown("defaultId") })
}

fn stock_list(row: &Fields<'_>) -> Result<StockList, Flaw> {
    let tickers = rows_of(row.get("tickers"), "tickers")?;
    Ok(StockList {
        id: row.integer("id")?.ok_or(Flaw::missing("id"))?,
        name: row.text("name"),
        tickers: tickers.into_iter().filter_map(|node| Ticker::parse(&node.text()?).ok()).collect(),
    })
}
