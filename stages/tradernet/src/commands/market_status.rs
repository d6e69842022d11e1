//! `getMarketStatus`: which markets are open, with hours in Moscow time and holidays.

use crate::command::decoding::Decode;
use crate::command::{PlainCommand, ReadCommand};
use crate::fault::Flaw;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::{integer_of, rows_of};
use crate::wall_time::{WallTime, parse_seconds_of_day};

/// Asks for all markets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetMarketStatus;

/// Holds the state of all markets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketStatus {
    /// The broker's own time, Moscow.
    pub at: Option<WallTime>,
    /// One row per market.
    pub markets: Vec<MarketRow>,
}

/// Holds one market. Hours are seconds since midnight in Moscow; the close may be the smaller one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketRow {
    /// Code, such as `FIX` or `EU`.
    pub code: String,
    /// Name.
    pub name: Option<String>,
    /// Number.
    pub market_id: Option<i64>,
    /// Open or not.
    pub state: MarketState,
    /// Open.
    pub open_s: Option<u32>,
    /// Close.
    pub close_s: Option<u32>,
    /// Start of the pre-market.
    pub pre_open_s: Option<u32>,
    /// End of the post-market.
    pub post_close_s: Option<u32>,
    /// Moscow time minus market time, minutes.
    pub moscow_ahead_min: Option<i64>,
    /// Time zone name; may be another of the same offset.
    pub zone: Option<String>,
    /// Holidays and special days.
    pub special_days: Vec<SpecialDays>,
}

/// Says whether a market is open. Anything but `Open` is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketState {
    /// Regular trading.
    Open,
    /// No trading.
    Close,
    /// Before the open.
    PreOpen,
    /// After the close.
    PostClose,
    /// Another word, or none.
    Unknown(Option<String>),
}

/// Holds a yearly range of days as the broker writes it, `MMDD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialDays {
    /// First month and day.
    pub from: String,
    /// Last month and day.
    pub to: String,
    /// True: closed; false or unknown: special hours, unverified.
    pub closed: bool,
    /// What it is.
    pub name: Option<String>,
}

impl MarketState {
    /// Tells whether the market is in regular trading.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl Decode for GetMarketStatus {
    type Reply = MarketStatus;

    fn params(&self) -> String {
        Params::new().text("market", "*").finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<MarketStatus, Flaw> {
        read_markets(reply.get("result").get("markets"))
    }
}

/// Reads the object that holds the markets, from an answer or from the socket.
pub(crate) fn read_markets(markets: Node<'_>) -> Result<MarketStatus, Flaw> {
    let list = markets.get("m");
    if !list.is_present() {
        return Err(Flaw::missing("result.markets.m"));
    }
    let rows = rows_of(list, "m")?.into_iter().map(|row| market_row(&row.fields()));
    Ok(MarketStatus { at: markets.fields().wall_time("t"), markets: rows.collect::<Result<_, _>>()? })
}

impl ReadCommand for GetMarketStatus {
    const NAME: &'static str = "getMarketStatus";
    const PACE: PaceClass = PaceClass::Live;
}

impl PlainCommand for GetMarketStatus {}

fn market_row(row: &Fields<'_>) -> Result<MarketRow, Flaw> {
    let time = |field| row.text(field).and_then(|text| parse_seconds_of_day(&text));
    Ok(MarketRow {
        code: row.need_text("n2")?,
        name: row.text("n"),
        market_id: integer_of(row.first(&["mkt_id", "i"]), "mkt_id").ok().flatten(),
        state: state(row.text("s")),
        open_s: time("o"),
        close_s: time("c"),
        pre_open_s: time("p"),
        post_close_s: time("post"),
        moscow_ahead_min: row.integer_or_unknown("dt"),
        zone: row.text("tz"),
        special_days: rows_of(row.get("date"), "date")?.iter().filter_map(special_days).collect(),
    })
}

fn state(word: Option<String>) -> MarketState {
    match word.as_deref() {
        Some("OPEN") => MarketState::Open,
        Some("CLOSE") => MarketState::Close,
        Some("PRE_OPEN") => MarketState::PreOpen,
        Some("POST_CLOSE") => MarketState::PostClose,
        _ => MarketState::Unknown(word),
    }
}

fn special_days(node: &Node<'_>) -> Option<SpecialDays> {
    let row = node.fields();
    let month_day = |field| row.text(field).filter(|t| t.len() == 4 && t.bytes().all(|b| b.is_ascii_digit()));
    Some(SpecialDays {
        from: month_day("from")?,
        to: month_day("to")?,
        closed: row.flag("dayoff").ok().flatten() == Some(true),
        name: row.text("desc"),
    })
}
