//! Orders and fills of the simulated broker, and the states an order passes through.

use super::calendar::{Sessions, Venue};
use super::universe::{PAIRS, Pair};

/// First order id of a world.
pub(crate) const FIRST_ORDER_ID: i64 = 5_510_020_001;
/// First trade id of a world.
pub(crate) const FIRST_TRADE_ID: i64 = 73_100_001;

/// The broker's status codes that the simulator uses.
pub(crate) mod status {
    /// Received.
    pub(crate) const RECEIVED: u8 = 1;
    /// Cancellation asked for.
    pub(crate) const CANCELLING: u8 = 2;
    /// Working at the venue.
    pub(crate) const ACTIVE: u8 = 10;
    /// On its way to the venue.
    pub(crate) const SENT: u8 = 11;
    /// Partly filled, working.
    pub(crate) const PARTIAL: u8 = 12;
    /// Filled.
    pub(crate) const FILLED: u8 = 21;
    /// Cancelled after part fills.
    pub(crate) const CANCELLED_PARTIAL: u8 = 30;
    /// Cancelled.
    pub(crate) const CANCELLED: u8 = 31;
    /// Rejected.
    pub(crate) const REJECTED: u8 = 70;
    /// Expired.
    pub(crate) const EXPIRED: u8 = 71;
    /// Expired after part fills.
    pub(crate) const EXPIRED_PARTIAL: u8 = 72;
    /// Sending to the venue failed.
    pub(crate) const SENDING_FAILED: u8 = 74;

    /// Tells whether a status is the last one.
    pub(crate) fn is_final(status: u8) -> bool {
        matches!(
            status,
            FILLED | CANCELLED_PARTIAL | CANCELLED | REJECTED | EXPIRED | EXPIRED_PARTIAL | SENDING_FAILED
        )
    }
}

/// What an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instrument {
    /// A security, by its place in the market.
    Security(usize),
    /// A currency pair, by its place in the list of pairs.
    Pair(usize),
}

impl Instrument {
    /// Returns the pair of a currency instrument.
    pub(crate) fn pair(self) -> Option<&'static Pair> {
        match self {
            Self::Security(_) => None,
            Self::Pair(index) => PAIRS.get(index),
        }
    }
}

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

impl Side {
    /// Returns the side of an action code (1, 2 buy; 3, 4 sell).
    pub(crate) fn of_action(action: i64) -> Option<Self> {
        match action {
            1 | 2 => Some(Self::Buy),
            3 | 4 => Some(Self::Sell),
            _ => None,
        }
    }

    /// Returns +1 for a buy, -1 for a sale.
    pub(crate) fn sign(self) -> i64 {
        if self == Self::Buy { 1 } else { -1 }
    }

    /// Names the side.
    pub(crate) fn name(self) -> &'static str {
        if self == Self::Buy { "buy" } else { "sell" }
    }
}

/// What a fault rule has in store for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing unusual.
    Ordinary,
    /// The venue fills part of it and then gives up the rest.
    DiesAfterPart,
    /// The broker charges far more than usual.
    FeeSurprise,
    /// The rest fills while a cancellation is under way.
    FillsWhileCancelling,
}

/// An order as a client asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) ticker: String,
    pub(crate) action: i64,
    pub(crate) kind: i64,
    pub(crate) qty: i64,
    pub(crate) limit_e6: Option<i64>,
    pub(crate) stop_e6: Option<i64>,
    pub(crate) expiration: i64,
    pub(crate) user_order_id: Option<i64>,
}

/// An order the broker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) ask: Ask,
    pub(crate) ticker: &'static str,
    pub(crate) instrument: Instrument,
    pub(crate) side: Side,
    pub(crate) created_ms: i64,
    pub(crate) status: u8,
    pub(crate) previous: u8,
    pub(crate) status_ms: i64,
    pub(crate) filled: i64,
    pub(crate) text: String,
    /// Whether a stop order has been triggered; true for all others.
    pub(crate) triggered: bool,
    pub(crate) fate: Fate,
    /// Status changes still to come, in order of time.
    pub(crate) ahead: Vec<(i64, u8)>,
    /// Next instant at which the order is compared with the market.
    pub(crate) look_ms: Option<i64>,
    pub(crate) cancel_ms: Option<i64>,
    pub(crate) expires_ms: i64,
    /// Booked as history before the world began; no client sent it.
    pub(crate) historic: bool,
}

impl Order {
    /// Returns the units not filled yet.
    pub(crate) fn leaves(&self) -> i64 {
        self.ask.qty - self.filled
    }

    /// Tells whether the order can no longer change.
    pub(crate) fn is_final(&self) -> bool {
        status::is_final(self.status)
    }

    /// Enters a status.
    pub(crate) fn enter(&mut self, status: u8, at_ms: i64) {
        self.previous = self.status;
        self.status = status;
        self.status_ms = at_ms;
    }

    /// Returns when something happens to this order next, absent once it is final.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        if self.is_final() {
            return None;
        }
        let ahead = self.ahead.first().map(|a| a.0);
        [ahead, self.look_ms, self.cancel_ms, Some(self.expires_ms)].into_iter().flatten().min()
    }

    /// Returns the status in which the order ends when it stops for `empty` or, with fills, for `partial`.
    pub(crate) fn ending(&self, empty: u8, partial: u8) -> u8 {
        if self.filled > 0 { partial } else { empty }
    }
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) id: i64,
    pub(crate) order_id: i64,
    pub(crate) ticker: &'static str,
    pub(crate) instrument: Instrument,
    pub(crate) side: Side,
    pub(crate) qty: i64,
    pub(crate) price_e6: i64,
    pub(crate) value_e4: i64,
    pub(crate) fee_e4: i64,
    pub(crate) currency: &'static str,
    pub(crate) profit_e4: i64,
    pub(crate) at_ms: i64,
    pub(crate) historic: bool,
}

/// A line of the account statement that is no trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CashFlow {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) type_code: String,
    pub(crate) sum_e4: i64,
    pub(crate) currency: &'static str,
    pub(crate) comment: String,
}

/// Returns the trading hours that bound an order's day, and whether the venue takes orders before opening.
pub(crate) fn takes_early_orders(venue: Option<Venue>) -> bool {
    !matches!(venue, Some(Venue::HongKong | Venue::Tokyo))
}

/// Tells whether a venue with these sessions takes an order now.
pub(crate) fn accepts_orders(venue: Option<Venue>, sessions: &Sessions, now: i64) -> bool {
    let before_close = sessions.close().is_some_and(|close| now < close);
    sessions.contains(now) || (before_close && takes_early_orders(venue))
}
