//! Every approval is for one order, used at most once, and lives two minutes at most; an order id is judged once.

use crate::witness::Witness;

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let lives = witness.rows("risk", "SELECT order_id, expires - issued FROM approval", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    });
    for (id, life) in &lives {
        if !(0..=contracts::APPROVAL_LIFE_MS).contains(life) {
            return Some(format!("the approval of {id} lives {life} ms"));
        }
    }
    let armed = witness.rows(
        "orders",
        "SELECT order_id, count(*) FROM api_order_event WHERE state = 'armed' GROUP BY order_id HAVING count(*) > 1",
        |row| row.get::<_, String>(0),
    );
    armed.first().map(|id| format!("the approval of {id} was used twice"))
}
