//! The broker never has to say no for want of money or pieces: whoever asked must have known.

use crate::witness::Witness;

/// What the simulated broker says of its own accord; fault rules use other words.
const WORDS: [&str; 2] =
    ["Not enough money to execute the order", "Not enough securities to execute the order"];

pub fn check(witness: &Witness<'_>) -> Option<String> {
    if let Some(order) = witness.orders.iter().find(|order| WORDS.contains(&order.text.as_str())) {
        return Some(format!("order {} of {} {}: {}", order.id, order.qty, order.ticker, order.text));
    }
    let own = witness.own();
    let said = |reason: &str| WORDS.iter().any(|words| reason.contains(words));
    let refused = own.values().find(|order| order.reason.as_deref().is_some_and(said))?;
    Some(format!("order {}: {}", refused.order_id, refused.reason.as_deref().unwrap_or_default()))
}
