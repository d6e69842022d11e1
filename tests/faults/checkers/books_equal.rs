//! Positions and cash are the broker's own: pieces exactly, money to the cent.

use std::collections::BTreeMap;

use contracts::PortfolioState;

use crate::{
    books::{Books, differ},
    witness::Witness,
};

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let Some(state) = witness.rig.statement::<PortfolioState>("") else {
        return Some("nothing is said of the account".into());
    };
    let held = state.positions.iter().filter(|one| !one.qty_e6.is_zero());
    let mut ours = Books {
        held_e6: held.map(|one| (one.isin.to_string(), one.qty_e6.e6())).collect(),
        ..Books::default()
    };
    for line in &state.cash {
        *ours.cash_e4.entry(line.amount.currency().to_string()).or_default() += line.amount.e4();
    }
    let isins: BTreeMap<_, _> = simworld::listings().into_iter().map(|one| (one.ticker, one.isin)).collect();
    let world = witness.rig.world.borrow();
    let held = world.positions().into_iter().filter(|(_, qty)| *qty != 0);
    let theirs = Books {
        held_e6: held.map(|(ticker, qty)| (isins[ticker].to_string(), qty)).collect(),
        cash_e4: world.cash().into_iter().map(|(currency, e4)| (currency.to_string(), e4)).collect(),
    };
    differ(&ours, &theirs)
}
