//! What we call final is final at the broker: an order that was never sent or never arrived is not there, and none of
//! ours works on after its end.

use contracts::OrderStatus;

use crate::witness::{Witness, number};

pub fn check(witness: &Witness<'_>) -> Option<String> {
    if witness.orders.is_empty() {
        return None;
    }
    let own = witness.own();
    for order in &witness.orders {
        let Some(ours) = number(order).and_then(|number| own.get(&number)) else { continue };
        let reason = ours.reason.as_deref().unwrap_or_default();
        let absent =
            ["not_sent", "state_changed", "never_arrived"].iter().any(|word| reason.starts_with(word));
        if ours.status == OrderStatus::Rejected && absent {
            return Some(format!(
                "order {} was said to be `{reason}`, the broker has it as {}",
                ours.order_id, order.id
            ));
        }
        if ours.status.is_final() && !order.is_final {
            return Some(format!("order {} is said to be over and works on at the broker", ours.order_id));
        }
    }
    None
}
