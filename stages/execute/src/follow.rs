//! What the broker's answers mean for an order that was sent. State comes from its lists only; what is not known stays so.

use bus_client::Out;
use contracts::{OrderFill, OrderStatus, mutants};
use market::Timestamp;
use money::Money;
use tradernet::{Placed, commands::order_rows::OrderRow};

use crate::{
    Added, Call, Execute, Order, Seen,
    fate::{Found, find, is_trade_of, measured_ahead},
    limits::{
        ABSENCES_MIN, ABSENT_AFTER_MS, CANCEL_AFTER_MS, CANCEL_AGAIN_MS, LATE_FILL_LOOKS, LATE_FILL_MS,
        UNKNOWN_LOOKS_MS, look_pause_ms,
    },
    market_now::Market,
};

/// What the answer to a placement means.
pub(crate) fn placed_as(order: &mut Order, placed: Placed, now: Timestamp) {
    if order.state.status != OrderStatus::Sending {
        return;
    }
    let soon = Some(now.saturating_plus_ms(look_pause_ms(0)));
    match placed {
        Placed::Accepted { order_id } => {
            order.state.broker_order_id = Some(order_id.to_string());
            order.state.status = OrderStatus::Accepted;
            order.inside.look_at = soon;
        }
        Placed::NotSent { reason } => {
            order.end(OrderStatus::Rejected, Some(format!("not_sent: {reason}")), now)
        }
        // Final only after a look has confirmed that there is no such order.
        Placed::RefusedByBroker { text, .. } => {
            order.state.status = OrderStatus::Unknown;
            order.inside.refusal = Some(text);
            order.inside.look_at = soon;
        }
        Placed::Unknown { .. } => {
            order.state.status = OrderStatus::Unknown;
            order.inside.look_at = soon;
        }
    }
}

/// Whether the broker's trades can belong to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Books {
    Fit,
    Overfilled,
}

/// What a look means for an order that was sent.
pub(crate) fn look(
    order: &mut Order,
    seen: Result<Box<Seen>, String>,
    market: &Market,
    ahead_min: Option<i32>,
    now: Timestamp,
    out: &mut Out<Execute>,
) -> Books {
    if order.state.status.is_final() {
        return Books::Fit;
    }
    order.inside.looks += 1;
    let age = now.since(order.state.sent.unwrap_or(order.state.created));
    let pause =
        if order.state.status == OrderStatus::Unknown { unknown_pause(age) } else { look_pause_ms(age) };
    order.inside.look_at = Some(now.saturating_plus_ms(pause));
    let seen = match seen {
        Ok(seen) => seen,
        Err(_) if mutants::is("failure_is_absence") => Box::default(),
        Err(_) => {
            order.inside.failed_looks += 1;
            return Books::Fit;
        }
    };
    order.inside.failed_looks = 0;
    let found = find(order, &seen, ahead_min);
    order.inside.moved = if found == Found::Moved { order.inside.moved + 1 } else { 0 };
    order.inside.unseen = if matches!(found, Found::Row(_)) { 0 } else { order.inside.unseen + 1 };
    match found {
        Found::Row(row) => {
            order.inside.ahead_min = measured_ahead(order, &row).or(order.inside.ahead_min);
            return follow(order, &row, &seen, market, now, out);
        }
        // It arrived, for the holding has moved; what became of it is open until a list or a person says so. Lists lag
        // behind one another, so this takes as many looks in a row and as long as to find that it never arrived.
        Found::Moved if order.inside.moved >= ABSENCES_MIN && age >= ABSENT_AFTER_MS => {
            order.state.status = OrderStatus::Accepted;
        }
        Found::Moved => {}
        Found::Trade(id) => {
            order.state.broker_order_id = Some(id);
            let books = take_fills(order, &seen, now);
            match order.state.filled_e6 {
                filled if filled == order.state.qty_e6 => order.end(OrderStatus::Filled, None, now),
                filled if filled.is_positive() => order.state.status = OrderStatus::Partial,
                _ => order.state.status = OrderStatus::Accepted,
            }
            return books;
        }
        // What was taken once as arrived is never declared absent.
        Found::Absent if order.state.status != OrderStatus::Unknown => {}
        Found::Absent => {
            order.inside.absences += 1;
            let refused = order.inside.refusal.clone();
            let never_came = order.inside.absences >= ABSENCES_MIN && age >= ABSENT_AFTER_MS;
            match refused {
                Some(text) => order.end(OrderStatus::Rejected, Some(format!("broker: {text}")), now),
                None if never_came => order.end(OrderStatus::Rejected, Some("never_arrived".into()), now),
                None => {}
            }
        }
        Found::Unclear => {}
    }
    Books::Fit
}

pub(crate) fn unknown_pause(age: i64) -> i64 {
    UNKNOWN_LOOKS_MS.iter().find(|then| **then > age).map_or(60_000, |then| then - age)
}

/// Follows the broker's own row of an order.
pub(crate) fn follow(
    order: &mut Order,
    row: &OrderRow,
    seen: &Seen,
    market: &Market,
    now: Timestamp,
    out: &mut Out<Execute>,
) -> Books {
    use tradernet::commands::order_status::OrderStatus as Theirs;
    order.state.broker_order_id = Some(row.order_id.to_string());
    let books = take_fills(order, seen, now);
    // An executed order without a figure is filled whole: nothing says that a part is missing. One that ended in part
    // without a figure may have trades that no list shows yet.
    let whole = if row.status == Theirs::Executed { order.state.qty_e6 } else { order.state.filled_e6 };
    let filled = row.filled().unwrap_or(whole);
    let no_figure =
        row.filled().is_none() && matches!(row.status, Theirs::PartlyCancelled | Theirs::PartlyExpired);
    if !row.is_over() {
        order.state.status =
            if order.state.filled_e6.is_positive() { OrderStatus::Partial } else { OrderStatus::Accepted };
        let age = now.since(order.state.sent.unwrap_or(now));
        let asked = order.inside.cancel_at.is_some_and(|then| now.since(then) < CANCEL_AGAIN_MS);
        if age >= CANCEL_AFTER_MS && !asked && market.left_behind(&order.state, now) {
            order.inside.cancel_asked = true;
            order.inside.cancel_at = Some(now);
            out.call(Call::Cancel {
                order_id: order.state.order_id.to_string(),
                broker_order_id: row.order_id.to_string(),
            });
        }
        return books;
    }
    let since = order.inside.late_since.unwrap_or(now);
    let waits = order.inside.late_fills < LATE_FILL_LOOKS || now.since(since) < LATE_FILL_MS;
    if (order.state.filled_e6 < filled || no_figure) && waits {
        // The order says it is filled, but not all of its trades are listed yet.
        order.inside.late_fills += 1;
        order.inside.late_since = Some(since);
        order.state.status = OrderStatus::Partial;
        return books;
    }
    if order.state.filled_e6 < filled || no_figure {
        // The row's own fills are evidence as well. What it says was filled and nothing shows stays open until a list or a
        // person shows it: it would count as never bought.
        if take_fills_of_row(order, row, now) == Books::Overfilled {
            return Books::Overfilled;
        }
        // One that ended in part was filled in part, whatever its figures lack.
        let nothing_known = no_figure && order.state.filled_e6.is_zero();
        order.inside.short = order.state.filled_e6 < filled || nothing_known;
        if order.inside.short {
            order.state.status = OrderStatus::Partial;
            return books;
        }
    }
    let status = match row.status {
        _ if order.state.filled_e6 == order.state.qty_e6 => OrderStatus::Filled,
        Theirs::Executed | Theirs::PartlyExecuted | Theirs::PartlyCancelled | Theirs::Cancelled => {
            OrderStatus::Cancelled
        }
        Theirs::Expired | Theirs::PartlyExpired => OrderStatus::Expired,
        _ => OrderStatus::Rejected,
    };
    let reason = (status == OrderStatus::Rejected)
        .then(|| format!("broker: {}", row.reason.as_deref().unwrap_or("no reason given")));
    order.end(status, reason, now);
    books
}

/// Counts what the order's own row lists; fees are not in it.
fn take_fills_of_row(order: &mut Order, row: &OrderRow, now: Timestamp) -> Books {
    let mut books = Books::Fit;
    for fill in &row.fills {
        let added = order.add_fill(OrderFill {
            trade_id: fill.trade_id.to_string(),
            qty_e6: fill.quantity,
            price_e6: fill.price,
            fee: None,
            at: now,
        });
        if added == Added::TooMuch {
            books = Books::Overfilled;
        }
    }
    books
}

/// Counts every trade of the order once.
pub(crate) fn take_fills(order: &mut Order, seen: &Seen, now: Timestamp) -> Books {
    let mut books = Books::Fit;
    let Some(broker_id) = order.state.broker_order_id.clone() else { return books };
    for trade in &seen.trades {
        if is_trade_of(order, trade, &broker_id) {
            let fee: Option<Money> = trade.commission;
            let added = order.add_fill(OrderFill {
                trade_id: trade.trade_id.to_string(),
                qty_e6: trade.quantity,
                price_e6: trade.price,
                fee,
                at: now,
            });
            if added == Added::TooMuch {
                books = Books::Overfilled;
            }
        }
    }
    books
}
