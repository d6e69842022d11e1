//! Check 1: symbol, side, quantity and price make sense at all.

use limits::Finding;
use money::Price;

use super::inputs::GateOrder;

/// Passes when the symbol is not empty, the side is known, and quantity and price are above zero.
pub(super) fn check(order: &GateOrder) -> Finding {
    let limit = "a symbol, buy or sell, quantity and price above 0";
    let fault = if order.symbol.is_empty() {
        "empty symbol".to_owned()
    } else if order.side.is_none() {
        "unknown side".to_owned()
    } else if !order.quantity.is_positive() {
        format!("quantity {}", order.quantity)
    } else if order.price.is_none_or(Price::is_zero) {
        order.price.map_or_else(|| "no price".to_owned(), |price| format!("price {price}"))
    } else {
        return Finding::new(true, "well-formed", limit);
    };
    Finding::new(false, fault, limit)
}
