//! Cash never falls below its floor: no currency becomes negative, and one that was negative from the start does not
//! become more so. One thing only may lower a floor: a sale whose fee is more than its first pieces brought. The broker
//! takes the fixed part of the fee with the first piece, so a sale cut short can cost more than it earned, and no check
//! before it could know. The floor falls by exactly that difference, not by fees of purchases or exchanges.

use std::collections::BTreeMap;

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let cash = witness.rig.world.borrow().cash();
    let lost = lost_by_sales(witness);
    let floor = |currency: &str| {
        let start = witness.rig.cash_at_start.get(currency).copied().unwrap_or(0);
        start.min(0) - lost.get(currency).copied().unwrap_or(0)
    };
    let below = cash.iter().find(|(currency, amount)| **amount < floor(currency));
    below.map(|(currency, amount)| format!("{amount} {currency} (1/10 000) at the broker"))
}

/// By currency, what sales cost beyond what they brought, 1/10 000.
fn lost_by_sales(witness: &Witness<'_>) -> BTreeMap<&'static str, i64> {
    let mut by_order: BTreeMap<(i64, &'static str), i64> = BTreeMap::new();
    for fill in witness.fills.iter().filter(|fill| fill.side == "sell") {
        *by_order.entry((fill.order_id, fill.currency)).or_default() +=
            e4(&fill.value, fill.currency) - e4(&fill.fee, fill.currency);
    }
    let mut lost = BTreeMap::new();
    for ((_, currency), net) in by_order {
        *lost.entry(currency).or_default() += (-net).max(0);
    }
    lost
}

fn e4(amount: &str, currency: &str) -> i64 {
    let amount: money::Money =
        format!("{amount} {currency}").parse().expect("the broker's books hold amounts");
    amount.e4()
}
