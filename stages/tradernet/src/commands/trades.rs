//! `getTradesHistory`: fills, one row each. The key of a fill is its own id; one order may have many.

use market::Day;
use money::{Currency, Money, Price, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::ids::{BrokerOrderId, Side, Ticker, TradeId};
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;
use crate::wall_time::WallTime;

/// Asks for the fills of some days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetTrades {
    /// First day.
    pub from: Day,
    /// Last day.
    pub till: Day,
}

/// Holds one fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRow {
    /// Key of the fill.
    pub trade_id: TradeId,
    /// Its order.
    pub order_id: Option<BrokerOrderId>,
    /// What was traded.
    pub ticker: Ticker,
    /// Bought or sold.
    pub side: Side,
    /// Units.
    pub quantity: Quantity,
    /// Price of a unit.
    pub price: Price,
    /// Trading currency.
    pub currency: Option<Currency>,
    /// Amount in that currency.
    pub amount: Option<Money>,
    /// Fee, when the row carries one with its currency.
    pub commission: Option<Money>,
    /// Server time, zone unknown.
    pub at: Option<WallTime>,
    /// Exchange's local time; its date is the one for the books.
    pub exchange_at: Option<WallTime>,
    /// Settlement day.
    pub settles_on: Option<Day>,
}

impl Decode for GetTrades {
    type Reply = Vec<TradeRow>;

    fn params(&self) -> String {
        Params::new()
            .text("beginDate", &self.from.to_string())
            .text("endDate", &self.till.to_string())
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Vec<TradeRow>, Flaw> {
        let trades = reply.get("trades");
        let rows = match trades.shape() {
            Shape::Object => {
                let fields = trades.open().ok_or(Flaw::new("trades", "is damaged"))?;
                rows_of(fields.get("trade"), "trade")?
            }
            Shape::List => rows_of(trades, "trades")?,
            _ => return Err(Flaw::missing("trades")),
        };
        // A fill that cannot be read must not vanish: the whole reply is refused.
        rows.into_iter().map(|row| trade_row(&row.fields())).collect()
    }
}

impl ReadCommand for GetTrades {
    const NAME: &'static str = "getTradesHistory";
    const PACE: PaceClass = PaceClass::History;
    const KIND: RequestKind = RequestKind::BulkRead;
}

fn trade_row(row: &Fields<'_>) -> Result<TradeRow, Flaw> {
    let currency = row.currency("curr_c")?;
    let amount = |field| currency.map_or(Ok(None), |currency| row.money(field, currency));
    let fee_currency = row.currency("commission_currency")?;
    Ok(TradeRow {
        trade_id: row.need_trade_id("id")?,
        order_id: row.order_id(&["order_id"]),
        ticker: row.need_ticker("instr_nm")?,
        side: side(row)?,
        quantity: row.need_quantity("q")?,
        price: row.need_price("p")?,
        currency,
        amount: amount("v")?.or(amount("summ")?),
        commission: fee_currency.map_or(Ok(None), |currency| row.money("commission", currency))?,
        at: row.wall_time("date"),
        exchange_at: row.wall_time("trade_d_exch"),
        settles_on: row.day("pay_d"),
    })
}

/// Reads the side of a fill; its codes are not those of orders.
fn side(row: &Fields<'_>) -> Result<Side, Flaw> {
    match row.integer("type")? {
        Some(1) => Ok(Side::Buy),
        Some(2) => Ok(Side::Sell),
        Some(_) => Err(Flaw::new("type", "is neither 1 nor 2")),
        None => Err(Flaw::missing("type")),
    }
}
