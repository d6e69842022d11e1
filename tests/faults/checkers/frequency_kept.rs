//! At most four orders for securities reach the broker in a day, and three more of the rescue of a negative balance.
//! Exchanges of currency have limits of their own and do not count.

use std::collections::BTreeMap;

use crate::witness::Witness;

const DAY_MS: i64 = 86_400_000;
const NORMAL: u32 = 4;
const EMERGENCY: u32 = 3;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    if witness.orders.len() < 4 {
        return None;
    }
    let approvals = witness.approvals();
    let emergencies: std::collections::BTreeSet<u64> = approvals
        .values()
        .filter(|one| one.kind == contracts::OrderKind::Emergency)
        .map(|one| tradernet::user_order_id(&one.order_id.to_string()))
        .collect();
    let mut days: BTreeMap<(i64, bool), u32> = BTreeMap::new();
    for order in witness.orders.iter().filter(|order| !order.ticker.contains('/')) {
        let emergency = crate::witness::number(order).is_some_and(|number| emergencies.contains(&number));
        *days.entry((order.created_ms / DAY_MS, emergency)).or_default() += 1;
    }
    let over =
        days.iter().find(|((_, emergency), count)| **count > if *emergency { EMERGENCY } else { NORMAL })?;
    Some(format!("{} orders in one day (emergency: {})", over.1, over.0.1))
}
