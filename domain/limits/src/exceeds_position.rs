//! Check 16: no more is sold than is held.

use money::Quantity;

use crate::finding::Finding;

/// Passes when the quantity is at most the position.
pub fn check(quantity: Quantity, position: Quantity) -> Finding {
    Finding::new(quantity <= position, quantity, position)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_position_may_go_but_not_a_grain_more() {
        for (quantity, position, passed) in
            [("10", "10", true), ("10.000001", "10", false), ("9", "10", true), ("1", "0", false)]
        {
            assert_eq!(check(quantity.parse().unwrap(), position.parse().unwrap()).passed, passed);
        }
    }
}
