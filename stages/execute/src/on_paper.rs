//! Orders in research: the same states in the same order, with [`paper`] in place of the broker.

use bus_client::Out;
use contracts::{Mode, OrderFill, OrderStatus};
use market::Timestamp;

use crate::{
    Execute, Order,
    limits::{CANCEL_AFTER_MS, look_pause_ms},
    market_now::Market,
    paper::{self, Paper},
};

impl Execute {
    /// In research the broker is [`paper`]: it takes the order in the same instant, through the same states.
    pub(crate) fn send_on_paper(&mut self, mut order: Order, now: Timestamp, out: &mut Out<Self>) {
        assert!(order.state.mode == Mode::Research, "only paper orders are filled here");
        self.keep(order.clone(), now, out);
        order.state.status = OrderStatus::Sending;
        order.state.sent = Some(now);
        self.keep(order.clone(), now, out);
        order.state.broker_order_id = Some(format!("paper-{}", order.state.order_id));
        order.state.status = OrderStatus::Accepted;
        order.inside.look_at = Some(now.saturating_plus_ms(look_pause_ms(0)));
        self.keep(order.clone(), now, out);
        self.follow_on_paper(order, now, out);
    }

    /// Compares an order on paper with the market; it ends by a fill, with its venue's day, or left behind.
    pub(crate) fn follow_on_paper(&mut self, mut order: Order, now: Timestamp, out: &mut Out<Self>) {
        if order.state.status != OrderStatus::Accepted {
            return;
        }
        let state = &order.state;
        let ask = paper::Ask {
            side: state.side,
            quantity: state.qty_e6,
            limit: state.limit_price_e6,
            ccy: state.ccy,
            exchange: contracts::pair_of(&state.isin).is_some(),
        };
        let age = now.since(state.sent.unwrap_or(state.created));
        let Market { quotes, rates, costs, .. } = &self.market;
        let met = paper::meet(ask, quotes.get(&state.isin), rates.as_ref(), costs, now);
        match met {
            _ if self.market.is_closed(&state.mic) => order.end(OrderStatus::Expired, None, now),
            Paper::Filled(price_e6, fee) => {
                let trade_id = format!("paper-{}", state.order_id);
                let fill = OrderFill { trade_id, qty_e6: state.qty_e6, price_e6, fee: Some(fee), at: now };
                order.add_fill(fill);
                order.end(OrderStatus::Filled, None, now);
            }
            Paper::Unknown(why) if age < look_pause_ms(0) => {
                order.end(OrderStatus::Rejected, Some(format!("paper: {why}")), now);
            }
            Paper::Waits | Paper::Unknown(_)
                if age >= CANCEL_AFTER_MS && self.market.left_behind(state, now) =>
            {
                order.end(OrderStatus::Cancelled, Some("paper: the price has moved away".into()), now);
            }
            Paper::Waits | Paper::Unknown(_) => {
                let look_at = Some(now.saturating_plus_ms(look_pause_ms(age)));
                if order.inside.look_at.is_some_and(|then| then > now) {
                    return;
                }
                order.inside.look_at = look_at;
            }
        }
        self.keep(order, now, out);
    }
}
