//! When the faults stop, everything settles: no order hangs, nothing is halted for longer than a person needs.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let hanging = witness.rows(
        "orders",
        "SELECT order_id, state FROM api_order WHERE state IN ('armed', 'sending', 'unknown', 'accepted', 'partial')",
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    );
    if let Some((id, state)) = hanging.first() {
        return Some(format!("order {id} hangs as {state}"));
    }
    let open = witness.halts().into_iter().find(|halt| halt.cleared.is_none())?;
    Some(format!("trading is halted by `{}` with nothing wrong", open.reason))
}
