//! Somebody on the bus who claims to be the gate: approvals forged, altered, replayed, from another key and from another
//! stage. None of them may ever move money, and the gate's halt is the answer.

use contracts::{ApprovalKey, Id, OrderApproved, Sample};
use money::Quantity;

use crate::rig::Rig;

/// Tries one thing.
pub fn attack(rig: &mut Rig) {
    let known: Vec<OrderApproved> = rig.statements();
    let now = rig.stage_now();
    let fresh = OrderApproved {
        order_id: Id::derive(now, &["intruder"]),
        issued: now,
        expires: now.saturating_plus_ms(contracts::APPROVAL_LIFE_MS),
        ..OrderApproved::sample()
    };
    let real = known.first().cloned();
    let (stage, claimed) = match (rig.dice.roll(6), real) {
        // A larger quantity.
        (0, Some(real)) => {
            let more = Quantity::from_units(100).unwrap_or(real.qty_e6);
            let qty_e6 = real.qty_e6.checked_add(more).unwrap_or(real.qty_e6);
            ("risk-gate", OrderApproved { qty_e6, ..real })
        }
        // For another order.
        (1, Some(real)) => ("risk-gate", OrderApproved { order_id: fresh.order_id, ..real }),
        // Word for word, again and again.
        (2, Some(real)) => ("risk-gate", real),
        // Given a longer life.
        (3, Some(real)) => {
            let expires = now.saturating_plus_ms(60_000);
            ("risk-gate", OrderApproved { issued: now, expires, ..real })
        }
        // From another stage.
        (4, _) => ("plan", fresh),
        // From another key.
        _ => ("risk-gate", ApprovalKey::from_bytes([9; 32]).sign(fresh)),
    };
    rig.say_as(stage, claimed);
}
