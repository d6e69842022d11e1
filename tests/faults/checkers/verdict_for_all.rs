//! Every trace reaches an end: what was asked for and heard was judged, and what was refused says why. What was approved ends
//! by its own terms, and `settled` looks at the orders that came of it.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let judged = witness.words("risk", "SELECT order_id FROM api_verdict");
    let silent = witness.words(
        "risk",
        "SELECT order_id FROM api_verdict WHERE decision IN ('defer', 'block') AND (code IS NULL OR checks = '[]')",
    );
    if let Some(id) = silent.first() {
        return Some(format!("order {id} was refused without a reason"));
    }
    let asked = witness.rig.asked.keys();
    let retained: std::collections::BTreeSet<String> = witness
        .rig
        .statements::<contracts::OrderRequested>()
        .into_iter()
        .map(|request| request.order_id.to_string())
        .collect();
    let unheard = asked.filter(|id| retained.contains(*id) && !judged.contains(*id)).count();
    (unheard > 0).then(|| format!("{unheard} requests were never judged"))
}
