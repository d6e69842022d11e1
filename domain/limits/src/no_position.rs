//! Check 15: only what is held can be sold.

use money::Quantity;

use crate::finding::Finding;

/// Passes when the position is above zero.
pub fn check(position: Quantity) -> Finding {
    Finding::new(position.is_positive(), position, "more than 0")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_short_positions_have_nothing_to_sell() {
        for (position, passed) in [("0", false), ("-1", false), ("0.000001", true), ("1", true)] {
            assert_eq!(check(position.parse().unwrap()).passed, passed, "{position}");
        }
    }
}
