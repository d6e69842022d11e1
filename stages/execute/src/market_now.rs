//! What is known of the market: for orders on paper, and for whether a price has moved away.

use std::collections::BTreeMap;

use contracts::{FxRates, OrderState, Quote, Side, Venue};
use limits::Costs;
use market::{Isin, Mic, Timestamp};

use crate::{
    limits::{MOVED_AWAY_E6, QUOTE_AGE_MS},
    paper,
};

/// What is known of the market: for orders on paper, and for whether a price has moved away.
pub(crate) struct Market {
    pub(crate) quotes: BTreeMap<Isin, Quote>,
    pub(crate) venues: BTreeMap<Mic, Venue>,
    pub(crate) rates: Option<FxRates>,
    /// Costs of a trade on paper.
    pub(crate) costs: Costs,
}

impl Default for Market {
    fn default() -> Self {
        Market { quotes: BTreeMap::new(), venues: BTreeMap::new(), rates: None, costs: paper::costs(None) }
    }
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

    /// Open as far as is known: a venue that was never heard of is not, nor one whose statement outlived its close, nor one
    /// that does not say when it closes. Only currencies trade on without a close.
    pub(crate) fn is_open(&self, mic: &Mic, now: Timestamp) -> bool {
        let has_no_close = *mic == contracts::pair_venue();
        let before_close = |venue: &Venue| venue.next_change.map_or(has_no_close, |close| now < close);
        self.venues.get(mic).is_some_and(|venue| venue.open && before_close(venue))
    }

    pub(crate) fn is_closed(&self, mic: &Mic) -> bool {
        self.venues.get(mic).is_some_and(|venue| !venue.open)
    }
}
