//! What is known of the market: for orders on paper, and for whether a price has moved away.

use std::collections::BTreeMap;

use contracts::{FxRates, OrderState, Quote, Side, Venue};
use market::{Isin, Mic, Timestamp};

use crate::limits::{MOVED_AWAY_E6, QUOTE_AGE_MS};

/// What is known of the market: for orders on paper, and for whether a price has moved away.
#[derive(Default)]
pub(crate) struct Market {
    pub(crate) quotes: BTreeMap<Isin, Quote>,
    pub(crate) venues: BTreeMap<Mic, Venue>,
    pub(crate) rates: Option<FxRates>,
}

impl Market {
    /// Whether the price has left the order behind; an unknown price counts as gone. An exchange is there for what
    /// comes after it, which does not wait: whatever its price does, it counts as left behind.
    pub(crate) fn left_behind(&self, order: &OrderState, now: Timestamp) -> bool {
        if contracts::pair_of(&order.isin).is_some() {
            return true;
        }
        let recent = |quote: &&Quote| {
            !quote.suspect && quote.ccy == order.ccy && (0..=QUOTE_AGE_MS).contains(&now.since(quote.at))
        };
        let Some(quote) = self.quotes.get(&order.isin).filter(recent) else { return true };
        let (last, limit) = (i128::from(quote.price_e6.e6()), i128::from(order.limit_price_e6.e6()));
        let away = if order.side == Side::Buy { last - limit } else { limit - last };
        away * 1_000_000 > limit * MOVED_AWAY_E6
    }

    pub(crate) fn is_closed(&self, mic: &Mic) -> bool {
        self.venues.get(mic).is_some_and(|venue| !venue.open)
    }
}
