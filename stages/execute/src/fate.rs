//! What a look at the account says about one order. Pure: the same look always means the same.

use contracts::Side;
use tradernet::commands::{order_rows::OrderRow, trades::TradeRow};

use crate::{Order, Seen};

/// Where an order is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This is its row.
    Row(Box<OrderRow>),
    /// No row, but a new trade that can only be its.
    Trade(String),
    /// Not there, and everything could be read.
    Absent,
    /// Nobody can tell.
    Unclear,
}

/// Finds an order by our number, by the broker's id, else by what it is.
#[must_use]
pub fn find(order: &Order, seen: &Seen) -> Found {
    let by_id = seen.orders.iter().find(|row| {
        let known = order.state.broker_order_id.as_deref().is_some_and(|id| row.order_id.to_string() == id);
        known || row.carries(order.state.user_order_id)
    });
    if let Some(row) = by_id {
        return Found::Row(Box::new(row.clone()));
    }
    if order.state.broker_order_id.is_some() {
        return Found::Unclear;
    }
    let alike: Vec<&OrderRow> = seen.orders.iter().filter(|row| is_alike(order, row)).collect();
    match alike.as_slice() {
        [row] => return Found::Row(Box::new((*row).clone())),
        [_, _, ..] => return Found::Unclear,
        [] => {}
    }
    if let Some(trade) = seen.trades.iter().find(|trade| is_new_trade(order, trade)) {
        return trade.order_id.as_ref().map_or(Found::Unclear, |id| Found::Trade(id.to_string()));
    }
    if seen.unreadable { Found::Unclear } else { Found::Absent }
}

/// A row that was not there before and says what we asked for. It may carry a number that the broker made up: taking
/// it for a stranger's would declare a working order absent.
fn is_alike(order: &Order, row: &OrderRow) -> bool {
    !order.inside.orders_before.contains(&row.order_id.to_string())
        && row.ticker.as_str() == order.inside.ticker
        && same_side(order.state.side, row.side)
        && row.quantity == order.state.qty_e6
        && row.limit.is_none_or(|limit| limit == order.state.limit_price_e6)
}

fn is_new_trade(order: &Order, trade: &TradeRow) -> bool {
    !order.inside.trades_before.contains(&trade.trade_id.to_string())
        && trade.ticker.as_str() == order.inside.ticker
        && same_side(order.state.side, trade.side)
}

/// Whether two sides are the same one.
#[must_use]
pub fn same_side(ours: Side, theirs: tradernet::Side) -> bool {
    (ours == Side::Buy) == (theirs == tradernet::Side::Buy)
}

/// Why an order must not be sent, seen right before sending; `None` when nothing contradicts its approval.
#[must_use]
pub fn contradiction(order: &Order, seen: &Seen) -> Option<String> {
    if seen.unreadable {
        return Some("an order exists at the broker that cannot be read".into());
    }
    // A store restored from a backup has forgotten what it sent; the broker has not.
    if seen.orders.iter().any(|row| row.carries(order.state.user_order_id)) {
        return Some("the broker has this order already".into());
    }
    if seen.orders.iter().any(|row| row.ticker.as_str() == order.inside.ticker && row.is_active()) {
        return Some("another order for the security is working at the broker".into());
    }
    let Some(account) = seen.account.as_ref() else { return Some("the account was not read".into()) };
    let held = account
        .positions
        .iter()
        .find(|row| row.ticker.as_str() == order.inside.ticker)
        .map(|row| row.quantity);
    if order.state.side == Side::Sell && held.is_none_or(|held| held < order.state.qty_e6) {
        return Some("the broker holds less than is to be sold".into());
    }
    let cash = account.cash.iter().find(|row| row.currency == order.state.ccy).and_then(|row| {
        // What is still to be paid for earlier purchases is not there for this one.
        row.payable.map_or(Some(row.available), |payable| row.available.checked_sub(payable).ok())
    });
    let cost =
        money::value(order.state.limit_price_e6, order.state.qty_e6, order.state.ccy, money::Rounding::Up)
            .ok();
    let covered = cash.zip(cost).is_some_and(|(cash, cost)| cash.covers(cost).unwrap_or(false));
    if order.state.side == Side::Buy && !covered {
        return Some("the broker has less cash than the order may cost".into());
    }
    None
}
