//! No order without a live approval: the broker's order has the terms of one, and came while it was valid.

use crate::witness::{Witness, number};

/// Broker and gate may disagree on the time by what the clock jumped, and by the longest answer.
const SLACK_MS: i64 = 2_000;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    if witness.orders.is_empty() {
        return None;
    }
    let approvals = witness.approvals();
    let by_number: std::collections::BTreeMap<u64, _> =
        approvals.values().map(|one| (tradernet::user_order_id(&one.order_id.to_string()), one)).collect();
    let slack = witness.rig.skew_max_ms + SLACK_MS;
    for order in &witness.orders {
        let Some(approval) = number(order).and_then(|number| by_number.get(&number)) else {
            return Some(format!("order {} of {} has no approval", order.id, order.ticker));
        };
        let side = if approval.side == contracts::Side::Buy { "buy" } else { "sell" };
        let limit = order.limit.as_deref().and_then(|limit| limit.parse::<money::Price>().ok());
        let same = approval.ticker == order.ticker
            && side == order.side
            && approval.qty_e6.e6() == order.qty * 1_000_000
            && limit == Some(approval.limit_price_e6);
        if !same {
            return Some(format!("order {} is not what was approved: {order:?} {approval:?}", order.id));
        }
        let (from, till) = (approval.issued.ms() - slack, approval.expires.ms() + slack);
        if !(from..=till).contains(&order.created_ms) {
            return Some(format!("order {} came when its approval was not valid", order.id));
        }
    }
    None
}
