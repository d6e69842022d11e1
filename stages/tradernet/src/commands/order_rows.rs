//! Rows of the two order listings. A row that cannot be read is kept as such and counts as a
//! pending order, because overlooking one would allow a second.

use money::{Currency, Money, Price, Quantity};

use crate::commands::order_status::OrderStatus;
use crate::fault::Flaw;
use crate::ids::{BrokerOrderId, Side, Ticker, TradeId};
use crate::json::{Fields, Node, Shape};
use crate::redact::{TEXT_CHARS_MAX, redacted};
use crate::typed::text_of;
use crate::wall_time::WallTime;

/// Holds a listing of orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders {
    /// Orders that could be read.
    pub rows: Vec<OrderRow>,
    /// Orders that exist but could not be read.
    pub unreadable: Vec<UnreadableOrder>,
}

/// Names an order that exists but could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableOrder {
    /// Its id, if that much was readable.
    pub order_id: Option<BrokerOrderId>,
    /// Its ticker, if that much was readable.
    pub ticker: Option<Ticker>,
    /// What was wrong.
    pub flaw: Flaw,
}

/// Holds one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The broker's id.
    pub order_id: BrokerOrderId,
    /// What is traded.
    pub ticker: Ticker,
    /// Buy or sell.
    pub side: Side,
    /// What kind of order.
    pub kind: OrderKind,
    /// Ordered units.
    pub quantity: Quantity,
    /// Units not yet filled.
    pub remaining: Option<Quantity>,
    /// Limit price; zero of market orders is unknown.
    pub limit: Option<Price>,
    /// Currency of the limit.
    pub currency: Option<Currency>,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it reached that status.
    pub status_at: Option<WallTime>,
    /// When it was created.
    pub created_at: Option<WallTime>,
    /// Its validity: 1 day, 2 day with extended hours, 3 until cancelled.
    pub validity: Option<i64>,
    /// The caller's id as the broker writes it, sometimes with a prefix.
    pub user_order_id: Option<String>,
    /// Fills listed with the order.
    pub fills: Vec<OrderFill>,
    /// Reason of a rejection, redacted.
    pub reason: Option<String>,
}

/// Holds one fill as listed inside an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFill {
    /// The broker's id of the fill.
    pub trade_id: TradeId,
    /// Units.
    pub quantity: Quantity,
    /// Price of a unit.
    pub price: Price,
    /// Amount, when price currency and amount are known.
    pub amount: Option<Money>,
    /// When.
    pub at: Option<WallTime>,
}

/// Names the kinds of order that listings show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// Market order.
    Market,
    /// Limit order.
    Limit,
    /// Stop order.
    Stop,
    /// Stop-limit order.
    StopLimit,
    /// Stop loss placed by the broker.
    StopLoss,
    /// Take profit placed by the broker.
    TakeProfit,
    /// Anything else, with its code if there was one.
    Unknown(Option<i64>),
}

impl Orders {
    /// Tells whether the ticker may have an order that is not final: an active row, or any row that
    /// could not be read and is not surely another ticker's.
    pub fn may_be_pending(&self, ticker: &Ticker) -> bool {
        let active = self.rows.iter().any(|row| row.ticker == *ticker && row.is_active());
        let doubtful = self.unreadable.iter().any(|row| row.ticker.as_ref().is_none_or(|t| t == ticker));
        active || doubtful
    }

    /// Reads `orders`, the object that holds `order`; its shape must be known, or nobody could tell
    /// "no orders" from "no answer".
    pub(crate) fn decode(orders: Node<'_>, field: &'static str) -> Result<Self, Flaw> {
        let rows = match orders.shape() {
            Shape::Object => {
                let fields = orders.open().ok_or(Flaw::new(field, "is damaged"))?;
                let inner = fields.get("order");
                inner.rows().ok_or(Flaw::new("order", "is not a list of rows"))?
            }
            Shape::List => orders.list().ok_or(Flaw::new(field, "is not a list"))?,
            _ => return Err(Flaw::missing(field)),
        };
        let mut listing = Self::default();
        for row in rows {
            let fields = row.fields();
            match order_row(&fields) {
                Ok(row) => listing.rows.push(row),
                Err(flaw) => listing.unreadable.push(unreadable(&fields, flaw)),
            }
        }
        Ok(listing)
    }
}

impl OrderRow {
    /// Returns the filled units, when the remaining ones are known and make sense.
    pub fn filled(&self) -> Option<Quantity> {
        self.quantity.checked_sub(self.remaining?).ok().filter(|filled| !filled.is_negative())
    }

    /// Tells whether the order may still fill. "Partly executed" is over only when nothing remains.
    pub fn is_active(&self) -> bool {
        let exhausted = self.status == OrderStatus::PartlyExecuted && self.remaining == Some(Quantity::ZERO);
        self.status.is_active() && !exhausted
    }

    /// Tells whether nothing of it can be filled any more.
    pub fn is_over(&self) -> bool {
        self.status.is_final() || (self.status.is_active() && !self.is_active())
    }

    /// Tells whether the row carries our number, whatever the broker put before it.
    pub fn carries(&self, user_order_id: u64) -> bool {
        self.user_order_id.as_ref().is_some_and(|text| text.ends_with(&user_order_id.to_string()))
    }
}

fn unreadable(row: &Fields<'_>, flaw: Flaw) -> UnreadableOrder {
    UnreadableOrder {
        order_id: row.order_id(&["id", "order_id"]),
        ticker: row.need_ticker("instr").ok(),
        flaw,
    }
}

fn order_row(row: &Fields<'_>) -> Result<OrderRow, Flaw> {
    let currency = row.currency("cur").ok().flatten();
    Ok(OrderRow {
        order_id: row.order_id(&["id", "order_id"]).ok_or(Flaw::missing("id"))?,
        ticker: row.need_ticker("instr")?,
        side: order_side(row)?,
        kind: order_kind(row.integer_or_unknown("type")),
        quantity: row.need_quantity("q")?,
        remaining: row.quantity("leaves_qty")?,
        limit: row.price("p")?.filter(|price| !price.is_zero()),
        currency,
        status: OrderStatus::from_code(row.integer_or_unknown("stat")),
        status_at: row.wall_time("stat_d"),
        created_at: row.wall_time("date"),
        validity: row.integer_or_unknown("exp"),
        user_order_id: text_of(row.first(&["user_order_id", "userOrderId"])),
        fills: fills(row, currency)?,
        reason: reason(row),
    })
}

fn order_side(row: &Fields<'_>) -> Result<Side, Flaw> {
    match row.integer("oper")? {
        Some(1 | 2) => Ok(Side::Buy),
        Some(3 | 4) => Ok(Side::Sell),
        Some(_) => Err(Flaw::new("oper", "is none of 1 to 4")),
        None => Err(Flaw::missing("oper")),
    }
}

fn order_kind(code: Option<i64>) -> OrderKind {
    match code {
        Some(1) => OrderKind::Market,
        Some(2) => OrderKind::Limit,
        Some(3) => OrderKind::Stop,
        Some(4) => OrderKind::StopLimit,
        Some(5) => OrderKind::StopLoss,
        Some(6) => OrderKind::TakeProfit,
        other => OrderKind::Unknown(other),
    }
}

fn reason(row: &Fields<'_>) -> Option<String> {
    let text = ["text", "@text", "error"].iter().find_map(|field| row.text(field))?;
    Some(redacted(&text, TEXT_CHARS_MAX))
}

fn fills(row: &Fields<'_>, currency: Option<Currency>) -> Result<Vec<OrderFill>, Flaw> {
    row.first(&["trade", "trades", "trades_json"]).embedded(|trades| {
        if text_of(trades).is_none() && trades.shape() == Shape::Text {
            return Ok(Vec::new());
        }
        let rows = trades.rows().ok_or(Flaw::new("trade", "is not a list of fills"))?;
        rows.into_iter().map(|fill| order_fill(&fill.fields(), currency)).collect()
    })
}

fn order_fill(row: &Fields<'_>, currency: Option<Currency>) -> Result<OrderFill, Flaw> {
    let amount = currency.map(|currency| row.money("v", currency)).transpose()?.flatten();
    Ok(OrderFill {
        trade_id: row.need_trade_id("id")?,
        quantity: row.need_quantity("q")?,
        price: row.need_price("p")?,
        amount,
        at: row.wall_time("date"),
    })
}
