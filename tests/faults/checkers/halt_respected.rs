//! While a halt is open nothing new reaches the broker. What was approved a moment before may still be on its way when
//! the message of the halt is lost; two minutes later no approval is worth anything.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    if witness.orders.is_empty() {
        return None;
    }
    let slack = contracts::APPROVAL_LIFE_MS + witness.rig.skew_max_ms;
    for halt in witness.halts() {
        let from = halt.since.ms() + slack;
        let till = halt.cleared.map_or(i64::MAX, |cleared| cleared.ms() - witness.rig.skew_max_ms);
        if let Some(order) = witness.orders.iter().find(|order| (from..till).contains(&order.created_ms)) {
            return Some(format!("order {} was sent during the halt `{}`", order.id, halt.reason));
        }
    }
    None
}
