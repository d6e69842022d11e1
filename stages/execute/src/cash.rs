//! The cash that a purchase must find at the broker right before it is sent: its worth at the limit, its fee, and what our other
//! purchases in the same currency that still work may yet take. Whether the broker has set that aside already is not known,
//! so it is counted here.

use contracts::Side;
use money::{Money, Rounding, value};

use crate::{
    Execute, Order,
    paper::{self, Ask},
};

impl Execute {
    /// `None` when the fee cannot be known.
    pub(crate) fn cash_needed(&self, order: &Order) -> Option<Money> {
        let own = &order.state;
        if own.side == Side::Sell {
            return Some(Money::zero(own.ccy));
        }
        let exchange = contracts::pair_of(&own.isin).is_some();
        let ask =
            Ask { side: own.side, quantity: own.qty_e6, limit: own.limit_price_e6, ccy: own.ccy, exchange };
        let fee = paper::fee(ask, own.limit_price_e6, self.market.rates.as_ref(), &self.market.costs)?;
        let worth = value(own.limit_price_e6, own.qty_e6, own.ccy, Rounding::Up).ok()?;
        let works = |other: &&Order| {
            let state = &other.state;
            state.order_id != own.order_id && state.sent.is_some() && !state.status.is_final()
        };
        let alike = |other: &&Order| {
            let state = &other.state;
            (state.side, state.ccy, state.mode) == (Side::Buy, own.ccy, own.mode)
        };
        let others = self.orders.values().filter(works).filter(alike);
        others.map(|other| &other.state).try_fold(worth.checked_add(fee).ok()?, |sum, other| {
            let open = other.qty_e6.checked_sub(other.filled_e6).ok()?;
            sum.checked_add(value(other.limit_price_e6, open, other.ccy, Rounding::Up).ok()?).ok()
        })
    }
}
