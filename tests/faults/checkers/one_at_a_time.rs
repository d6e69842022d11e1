//! At most one order is on its way at any time, and none while the fate of another is unknown.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let on_the_way = witness.rows(
        "orders",
        "SELECT order_id FROM api_order WHERE state IN ('armed', 'sending', 'unknown')",
        |row| row.get::<_, String>(0),
    );
    (on_the_way.len() > 1).then(|| format!("{} orders are on their way: {on_the_way:?}", on_the_way.len()))
}
