//! Every fill of the broker is in the life of its order once and in the ledger once, and there are no others.

use std::collections::{BTreeMap, BTreeSet};

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let theirs: BTreeSet<String> = witness.fills.iter().map(|fill| fill.id.to_string()).collect();
    let followed =
        witness.rows("orders", "SELECT broker_trade_id FROM api_order_fill WHERE mode = 'live'", |row| {
            row.get::<_, String>(0)
        });
    let unique: BTreeSet<String> = followed.iter().cloned().collect();
    if unique.len() != followed.len() || unique != theirs {
        return Some(format!("the orders know the fills {followed:?}, the broker made {theirs:?}"));
    }
    let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
    for order in &witness.orders {
        let filled =
            witness.fills.iter().filter(|fill| fill.order_id == order.id).map(|fill| fill.qty).sum::<i64>();
        *sums
            .entry(order.user_order_id.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
            .or_default() += filled;
    }
    for (number, own) in witness.own() {
        let filled = sums.get(&number).copied().unwrap_or(0) * 1_000_000;
        if own.filled_e6.e6() != filled {
            return Some(format!(
                "order {} says {} filled, the broker {filled}",
                own.order_id,
                own.filled_e6.e6()
            ));
        }
    }
    let booked =
        witness.words("ledger", "SELECT broker_trade_id FROM fill WHERE broker_trade_id IS NOT NULL");
    theirs.iter().find(|id| !booked.contains(*id)).map(|id| format!("fill {id} is not in the ledger"))
}
