//! No order is sent twice: neither does the broker have two with one number, nor was a number ever put on the wire twice.

use std::collections::BTreeSet;

use crate::witness::{Witness, number};

pub fn check(witness: &Witness<'_>) -> Option<String> {
    let mut seen = BTreeSet::new();
    for order in &witness.orders {
        if let Some(number) = number(order)
            && !seen.insert(number)
        {
            return Some(format!("number {number} is at the broker twice"));
        }
    }
    let mut sent = BTreeSet::new();
    for request in witness.rig.world.borrow().every_request() {
        if request.command != "putTradeOrder" {
            continue;
        }
        if let Some(number) = request.params.split("user_order_id").nth(1) {
            let digits: String =
                number.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            if !digits.is_empty() && !sent.insert(digits.clone()) {
                return Some(format!("number {digits} was put on the wire twice"));
            }
        }
    }
    None
}
