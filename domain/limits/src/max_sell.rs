//! Check 19: an automatic sale takes at most a part of the holding.

use money::{Quantity, Weight};

use crate::finding::Finding;

/// Passes when the quantity is at most the share `max_sell` of the position.
///
/// The caller passes the whole for a position of little worth or one marked for exit.
pub fn check(quantity: Quantity, position: Quantity, max_sell: Weight) -> Finding {
    let sold = i128::from(quantity.e6()).checked_mul(Weight::SCALE.into());
    let allowed = i128::from(position.e6()).checked_mul(max_sell.e6().into());
    let passed = sold.zip(allowed).is_some_and(|(sold, allowed)| sold <= allowed);
    Finding::new(passed, format!("{quantity} of {position}"), format!("{max_sell} of the position"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn half_may_go_but_not_a_grain_more() {
        for (quantity, position, share, passed) in [
            ("10", "20", "0.5", true),
            ("10", "19", "0.5", false),
            ("10.000001", "20", "0.5", false),
            ("1", "1", "0.5", false),
            ("1", "1", "1", true),
            ("1", "0", "1", false),
            ("9223372036854.775807", "9223372036854.775807", "1", true),
        ] {
            let found = check(quantity.parse().unwrap(), position.parse().unwrap(), share.parse().unwrap());
            assert_eq!(found.passed, passed, "{quantity} of {position}");
        }
    }
}
