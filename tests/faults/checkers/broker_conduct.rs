//! The simulated broker's own rules: its books balance, nothing is sold that is not held, nothing is sent to a closed
//! venue, at a price from nowhere, in broken lots, on margin, or with a wrong signature.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let broken = witness.rig.world.borrow().invariants().into_iter().find(|one| !one.ok)?;
    Some(format!("{}: {}", broken.id, broken.violations.join("; ")))
}
