//! Positions and cash are the broker's own: pieces exactly, money to the cent.

use std::collections::BTreeMap;

use contracts::PortfolioState;

use crate::witness::Witness;

/// Half a cent, in 1/10 000: the broker's lists round to the cent.
const HALF_A_CENT_E4: i64 = 50;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let Some(state) = witness.rig.statement::<PortfolioState>("") else {
        return Some("nothing is said of the account".into());
    };
    let held = state.positions.iter().filter(|one| !one.qty_e6.is_zero());
    let ours: BTreeMap<String, i64> = held.map(|one| (one.isin.to_string(), one.qty_e6.e6())).collect();
    let isins: BTreeMap<_, _> = simworld::listings().into_iter().map(|one| (one.ticker, one.isin)).collect();
    let world = witness.rig.world.borrow();
    let theirs: BTreeMap<String, i64> = world
        .positions()
        .into_iter()
        .filter(|(_, qty)| *qty != 0)
        .map(|(ticker, qty)| (isins[ticker].to_string(), qty))
        .collect();
    if ours != theirs {
        return Some(format!("we hold {ours:?}, the broker says {theirs:?}"));
    }
    for (currency, theirs) in world.cash() {
        let line = state.cash.iter().find(|cash| cash.amount.currency().as_str() == currency);
        let ours = line.map_or(0, |cash| cash.amount.e4());
        if (ours - theirs).abs() > HALF_A_CENT_E4 {
            return Some(format!("we have {ours} {currency}, the broker says {theirs} (1/10 000)"));
        }
    }
    None
}
