//! Check 4: the owner allows this side for this security.

use crate::finding::Finding;
use crate::side::Side;

/// Passes when the allow flag of the side is on.
pub fn check(side: Side, allow_buy: bool, allow_sell: bool) -> Finding {
    let allowed = match side {
        Side::Buy => allow_buy,
        Side::Sell => allow_sell,
    };
    Finding::new(allowed, format!("allow_{side} {allowed}"), format!("allow_{side} true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_flag_of_the_side_counts() {
        for (side, buy, sell, passed) in [
            (Side::Buy, true, false, true),
            (Side::Buy, false, true, false),
            (Side::Sell, false, true, true),
            (Side::Sell, true, false, false),
        ] {
            assert_eq!(check(side, buy, sell).passed, passed, "{side} {buy} {sell}");
        }
        assert_eq!(check(Side::Sell, true, false).found, "allow_sell false");
    }
}
