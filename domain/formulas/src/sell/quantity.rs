//! Quantity: how much of a holding a sell score would sell, in whole lots.
//!
//! Definition: share = min(0.5, max(0.1, 0.1 + 0.4·score)); q = quantity·share in whole lots, at most quantity less
//! one lot, nothing below one lot or below the least value. Units: pieces, money of the price's currency. For
//! information: what is sold is decided by the planner. Not a number: nothing.

use crate::finite::all_finite;

/// Pieces and the share of the holding they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sale {
    /// Pieces.
    pub quantity: f64,
    /// Share of the holding.
    pub share: f64,
}

/// Computes the sale.
///
/// # Examples
/// ```
/// use formulas::sell::quantity::{Sale, sale};
/// assert_eq!(sale(0.5, 100.0, 1.0, 10.0, 100.0), Sale { quantity: 30.0, share: 0.3 });
/// assert_eq!(sale(0.5, 100.0, 50.0, 10.0, 100.0).quantity, 0.0, "30 pieces are no lot of 50");
/// assert_eq!(sale(0.5, 10.0, 1.0, 10.0, 100.0).quantity, 0.0, "30.00 is too little");
/// ```
pub fn sale(score: f64, quantity: f64, min_lot: f64, price: f64, value_min: f64) -> Sale {
    const NOTHING: Sale = Sale { quantity: 0.0, share: 0.0 };
    if !all_finite(&[score, quantity, min_lot, price, value_min]) {
        return NOTHING;
    }
    let share = (0.1 + 0.4 * score).clamp(0.1, 0.5);
    let lot = min_lot.max(1.0);
    let floor_lot = |pieces: f64| (pieces / lot).floor() * lot;
    let most = quantity - min_lot;
    let wanted = floor_lot(quantity * share);
    let pieces = if wanted >= most { floor_lot(most) } else { wanted };
    let enough = pieces >= min_lot && pieces > 0.0 && pieces * price >= value_min;
    if enough { Sale { quantity: pieces, share: pieces / quantity } } else { NOTHING }
}
