//! Check 17: what was paid for a holding is known before it is sold automatically.

use money::Price;

use crate::finding::Finding;

/// Passes when the average price paid is known and above zero.
pub fn check(avg_price: Option<Price>) -> Finding {
    let found = avg_price.map_or_else(|| "unknown".to_owned(), |price| price.to_string());
    Finding::new(avg_price.is_some_and(|price| !price.is_zero()), found, "more than 0")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_zero_are_both_unknown() {
        assert!(!check(None).passed);
        assert!(!check(Some(Price::ZERO)).passed);
        assert!(check(Some(Price::from_e6(1).unwrap())).passed);
        assert_eq!(check(None).found, "unknown");
    }
}
