//! Trades of the broker that cannot be booked yet: kept, told, and read again until they can.

use market::{Day, Timestamp};
use tradernet::commands::trades::TradeRow;

/// A trade that is not in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbooked {
    /// The broker's id.
    pub trade_id: String,
    /// Its day, from which on the broker is asked for it.
    pub day: Day,
    /// What was traded.
    pub what: String,
    /// Why it cannot be booked.
    pub why: String,
    /// When it was first seen.
    pub seen: Timestamp,
}

impl Unbooked {
    /// Keeps a trade of a reading.
    pub(crate) fn new(trade: &TradeRow, why: String, now: Timestamp) -> Self {
        let TradeRow { ticker, side, quantity, price, currency, .. } = trade;
        let side = match side {
            tradernet::Side::Buy => "bought",
            tradernet::Side::Sell => "sold",
        };
        let ccy = currency.map(|ccy| format!(" {ccy}")).unwrap_or_default();
        let day = trade.exchange_at.or(trade.at).map_or(now.day_utc(), tradernet::WallTime::day);
        Unbooked {
            trade_id: trade.trade_id.as_str().to_owned(),
            day,
            what: format!("{quantity} {} {side} at {price}{ccy} on {day}", ticker.as_str()),
            why,
            seen: now,
        }
    }

    /// As a person reads it.
    pub(crate) fn told(&self) -> String {
        let Unbooked { trade_id, what, why, .. } = self;
        format!("trade {trade_id} ({what}) cannot be booked: {why}")
    }
}
