//! The cash that an order must find at the broker right before it is sent: what it takes itself with its fee, and what our
//! other orders that still work may yet take of the same currency. Whether the broker has set that aside already is not known,
//! so it is counted here.

use contracts::{OrderState, Side};
use money::{Money, Rounding, value};

use crate::{
    Execute, Order,
    paper::{self, Ask},
};

impl Execute {
    /// `None` when a fee cannot be known. Selling a security takes no cash.
    pub(crate) fn cash_needed(&self, order: &Order) -> Option<Money> {
        let Some(own) = self.taken(&order.state)? else { return Some(Money::zero(order.state.ccy)) };
        let works = |other: &&OrderState| {
            other.order_id != order.state.order_id
                && other.mode == order.state.mode
                && other.sent.is_some()
                && !other.status.is_final()
        };
        self.orders.values().map(|other| &other.state).filter(works).try_fold(own, |sum, other| {
            match self.taken(other)? {
                Some(taken) if taken.currency() == sum.currency() => sum.checked_add(taken).ok(),
                _ => Some(sum),
            }
        })
    }

    /// What the unfilled part of an order takes from the account: a purchase its worth at the limit and its fee, the sale of
    /// a pair of currencies its base, the sale of a security nothing. The outer `None` is a fee that nobody knows.
    fn taken(&self, order: &OrderState) -> Option<Option<Money>> {
        let open = order.qty_e6.checked_sub(order.filled_e6).ok()?;
        let pair = contracts::pair_of(&order.isin);
        match (order.side, pair) {
            (Side::Sell, None) => Some(None),
            (Side::Sell, Some((base, _))) => Some(Some(Money::from_units(open.e6() / 1_000_000, base).ok()?)),
            (Side::Buy, _) => {
                let ask = Ask {
                    side: order.side,
                    quantity: open,
                    limit: order.limit_price_e6,
                    ccy: order.ccy,
                    exchange: pair.is_some(),
                };
                let (rates, costs) = (self.market.rates.as_ref(), &self.market.costs);
                let fee = paper::fee(ask, order.limit_price_e6, rates, costs)?;
                let worth = value(order.limit_price_e6, open, order.ccy, Rounding::Up).ok()?;
                Some(Some(worth.checked_add(fee).ok()?))
            }
        }
    }
}
