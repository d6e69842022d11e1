//! Cash never falls below its floor: no currency becomes negative, and one that was negative from the start does not
//! become more so.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let cash = witness.rig.world.borrow().cash();
    let floor = |currency: &str| witness.rig.cash_at_start.get(currency).copied().unwrap_or(0).min(0);
    let below = cash.iter().find(|(currency, amount)| **amount < floor(currency));
    below.map(|(currency, amount)| format!("{amount} {currency} (1/10 000) at the broker"))
}
