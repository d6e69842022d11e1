//! What a look at the account says about one order. Pure: the same look always means the same.

use std::collections::BTreeSet;

use contracts::{Side, mutants};
use money::{Currency, Money, Price};
use tradernet::commands::{
    order_rows::{OrderKind, OrderRow},
    positions::Account,
    trades::TradeRow,
};

use crate::{
    Order, Seen,
    limits::{AHEAD_MIN_MAX, CREATED_WITHIN_MS},
};

/// Where an order is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This is its row.
    Row(Box<OrderRow>),
    /// No row, but a new trade that can only be its.
    Trade(String),
    /// Neither row nor trade, but the holding has moved as the order would have moved it.
    Moved,
    /// Not there, and everything could be read.
    Absent,
    /// Nobody can tell.
    Unclear,
}

/// Finds an order by our number, by the broker's id, else by what it is and when it was created; `ahead_min` is how far
/// the broker's clock was ahead of UTC when that was last measured.
#[must_use]
pub fn find(order: &Order, seen: &Seen, ahead_min: Option<i32>) -> Found {
    let by_id = seen.orders.iter().find(|row| {
        let known = order.state.broker_order_id.as_deref().is_some_and(|id| row.order_id.to_string() == id);
        let fits = row.ticker.as_str() == order.inside.ticker && same_side(order.state.side, row.side);
        (known && fits) || row.carries(order.state.user_order_id)
    });
    if let Some(row) = by_id {
        return Found::Row(Box::new(row.clone()));
    }
    if let Some(id) = &order.state.broker_order_id {
        // Its trades speak for it where its row does not.
        let traded = |trade: &TradeRow| is_trade_of(order, trade, id);
        return if seen.trades.iter().any(traded) { Found::Trade(id.clone()) } else { Found::Unclear };
    }
    let alike: Vec<&OrderRow> = seen.orders.iter().filter(|row| is_alike(order, row)).collect();
    match alike.as_slice() {
        // The same at another time may be a stranger's: neither ours for certain nor absent for certain.
        [row] if !is_of_its_time(order, row, ahead_min) => return Found::Unclear,
        [row] => return Found::Row(Box::new((*row).clone())),
        [_, _, ..] => return Found::Unclear,
        [] => {}
    }
    if let Some(trade) = seen.trades.iter().find(|trade| is_new_trade(order, trade)) {
        return match &trade.order_id {
            None => Found::Moved,
            // A row that does not say what we asked for is somebody else's, and no proof that ours is absent.
            Some(id) if seen.orders.iter().any(|row| row.order_id == *id) => Found::Unclear,
            Some(id) => Found::Trade(id.to_string()),
        };
    }
    match () {
        () if seen.unreadable => Found::Unclear,
        () if holding_moved(order, seen) => Found::Moved,
        () => Found::Absent,
    }
}

/// Minutes that the broker's clock is ahead of UTC, from the row of an order that carries our number.
#[must_use]
pub fn measured_ahead(order: &Order, row: &OrderRow) -> Option<i32> {
    let (created, sent) = (row.created_at?, order.state.sent?);
    row.carries(order.state.user_order_id)
        .then(|| tradernet::measured_offset_minutes(created, sent))
        .flatten()
}

/// Created within ten minutes of sending. While nobody has measured how far the broker's clock is ahead, any of the
/// offsets that it may have will do; a row without a time is of any time.
fn is_of_its_time(order: &Order, row: &OrderRow, ahead_min: Option<i32>) -> bool {
    let (Some(created), Some(sent)) = (row.created_at, order.state.sent) else { return true };
    let (least, most) = ahead_min.map_or((0, AHEAD_MIN_MAX), |ahead| (ahead, ahead));
    let from = created.at_offset_minutes(most).saturating_minus_ms(CREATED_WITHIN_MS);
    let till = created.at_offset_minutes(least).saturating_plus_ms(CREATED_WITHIN_MS);
    (from..=till).contains(&sent)
}

/// Cash of a currency; what is still to be paid for earlier purchases is not there for this one.
fn spendable(account: &Account, ccy: Currency) -> Option<Money> {
    let row = account.cash.iter().find(|row| row.currency == ccy)?;
    row.payable.map_or(Some(row.available), |payable| row.available.checked_sub(payable).ok())
}

/// The holding has changed as the order would have changed it, although no row shows it: it may well have arrived.
fn holding_moved(order: &Order, seen: &Seen) -> bool {
    let (Some(before), Some(account)) = (order.inside.held_before_e6, seen.account.as_ref()) else {
        return false;
    };
    let moved = held_e6(account, &order.inside.ticker) - before;
    let expected = if order.state.side == Side::Buy { moved } else { -moved };
    (1..=order.state.qty_e6.e6()).contains(&expected)
}

/// What the broker holds of a ticker; nothing listed is nothing held.
#[must_use]
pub fn held_e6(account: &Account, ticker: &str) -> i64 {
    let rows = account.positions.iter().filter(|row| row.ticker.as_str() == ticker);
    rows.map(|row| row.quantity.e6()).sum()
}

/// The ids of all of the broker's orders that carry our number; more than one is an order too many.
#[must_use]
pub fn carrying(order: &Order, seen: &Seen) -> BTreeSet<String> {
    let ours = seen.orders.iter().filter(|row| row.carries(order.state.user_order_id));
    ours.map(|row| row.order_id.to_string()).collect()
}

/// A row that was not there before and says what we asked for. It may carry a number that the broker made up: taking
/// it for a stranger's would declare a working order absent.
fn is_alike(order: &Order, row: &OrderRow) -> bool {
    !order.inside.orders_before.contains(&row.order_id.to_string())
        && row.ticker.as_str() == order.inside.ticker
        && same_side(order.state.side, row.side)
        && row.kind == OrderKind::Limit
        && row.quantity == order.state.qty_e6
        && row.limit.is_none_or(|limit| is_near(order, limit))
}

/// Within half a tick: a broker may round what it writes.
fn is_near(order: &Order, limit: Price) -> bool {
    let apart = limit.e6().abs_diff(order.state.limit_price_e6.e6());
    apart.saturating_mul(2) <= order.inside.tick_e6.map_or(0, i64::unsigned_abs)
}

/// A trade of the broker's order with this id that can be one of ours: of the same security and side.
pub(crate) fn is_trade_of(order: &Order, trade: &TradeRow, broker_id: &str) -> bool {
    trade.order_id.as_ref().is_some_and(|id| id.to_string() == broker_id)
        && trade.ticker.as_str() == order.inside.ticker
        && same_side(order.state.side, trade.side)
}

/// A trade that was not there before sending, and of no order that was.
fn is_new_trade(order: &Order, trade: &TradeRow) -> bool {
    let of_before = |id: &tradernet::BrokerOrderId| order.inside.orders_before.contains(&id.to_string());
    !trade.order_id.as_ref().is_some_and(of_before)
        && !order.inside.trades_before.contains(&trade.trade_id.to_string())
        && trade.ticker.as_str() == order.inside.ticker
        && same_side(order.state.side, trade.side)
}

/// Whether two sides are the same one.
#[must_use]
pub fn same_side(ours: Side, theirs: tradernet::Side) -> bool {
    (ours == Side::Buy) == (theirs == tradernet::Side::Buy)
}

/// Why an order must not be sent, seen right before sending; `None` when nothing contradicts its approval. `need` is the
/// cash that it must find there.
#[must_use]
pub fn contradiction(order: &Order, need: Money, seen: &Seen) -> Option<String> {
    if seen.unreadable {
        return Some("an order exists at the broker that cannot be read".into());
    }
    // A store restored from a backup has forgotten what it sent; the broker has not.
    if seen.orders.iter().any(|row| row.carries(order.state.user_order_id)) {
        return Some("the broker has this order already".into());
    }
    let working = |row: &OrderRow| row.ticker.as_str() == order.inside.ticker && row.is_active();
    if seen.orders.iter().any(working) && !mutants::is("two_at_once") {
        return Some("another order for the security is working at the broker".into());
    }
    let Some(account) = seen.account.as_ref() else { return Some("the account was not read".into()) };
    if let Some((base, _)) = contracts::pair_of(&order.state.isin)
        && order.state.side == Side::Sell
    {
        // Selling a pair gives its base: money, not a holding.
        let covered = spendable(account, base).is_some_and(|cash| cash.covers(need) == Ok(true));
        return (!covered).then(|| "the broker has less cash than is to be exchanged".into());
    }
    let held = account
        .positions
        .iter()
        .find(|row| row.ticker.as_str() == order.inside.ticker)
        .map(|row| row.quantity);
    let short = held.is_none_or(|held| held < order.state.qty_e6);
    if order.state.side == Side::Sell && short && !mutants::is("sell_unheld") {
        return Some("the broker holds less than is to be sold".into());
    }
    let cash = spendable(account, order.state.ccy);
    let covered = cash.is_some_and(|cash| cash.covers(need).unwrap_or(false));
    if order.state.side == Side::Buy && !covered && !mutants::is("spend_unowned") {
        return Some("the broker has less cash than the order may cost".into());
    }
    None
}
