//! Check 18: an automatic sale does not realise more than the tolerated loss.
//!
//! price / avg_price − 1 < −loss_max fails; judged as price · 10⁶ < avg_price · (10⁶ − loss_max),
//! which needs no division. Worked example: paid 62.5, sold at 50, tolerated 0.2: exactly −20 %,
//! which passes.

use money::{Price, Rounding, Weight, divide};

use crate::finding::Finding;
use crate::fine::Fine;

/// Passes when a sale at `price` loses at most the share `loss_max` of what was paid.
///
/// An unknown or zero average price cannot be judged and does not pass.
pub fn check(price: Price, avg_price: Option<Price>, loss_max: Weight) -> Finding {
    let limit = format!("-{loss_max}");
    let Some(paid) = avg_price.filter(|paid| !paid.is_zero()) else {
        return Finding::new(false, "unknown", limit);
    };
    let kept = i128::from(Weight::SCALE).checked_sub(loss_max.e6().into());
    let floor = kept.and_then(|kept| i128::from(paid.e6()).checked_mul(kept));
    let proceeds = i128::from(price.e6()).checked_mul(Weight::SCALE.into());
    let passed = proceeds.zip(floor).is_some_and(|(proceeds, floor)| proceeds >= floor);
    Finding::new(passed, profit(price, paid), limit)
}

/// Gives price / paid − 1 for the eye, rounded down so that a loss never looks smaller.
fn profit(price: Price, paid: Price) -> String {
    let ratio = i128::from(price.e6())
        .checked_sub(paid.e6().into())
        .and_then(|gain| gain.checked_mul(Weight::SCALE.into()))
        .and_then(|gain| divide(gain, paid.e6().into(), Rounding::Down).ok())
        .and_then(|e6| e6.checked_mul(1_000_000));
    ratio.map_or_else(|| "too large to compute".to_owned(), |e12| Fine::from_e12(e12).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn passes(price: &str, paid: &str) -> bool {
        check(price.parse().unwrap(), Some(paid.parse().unwrap()), "0.2".parse().unwrap()).passed
    }

    #[test]
    fn a_loss_of_exactly_the_limit_passes_and_a_grain_more_does_not() {
        assert!(passes("50", "62.5"));
        assert!(!passes("49.999999", "62.5"));
        assert!(!passes("50", "62.500001"));
        assert!(passes("70", "62.5"));
        assert!(!passes("0", "0.000001"));
    }

    #[test]
    fn an_unknown_cost_basis_does_not_pass() {
        let price: Price = "50".parse().unwrap();
        assert!(!check(price, None, Weight::ONE).passed);
        assert!(!check(price, Some(Price::ZERO), Weight::ONE).passed);
    }

    #[test]
    fn the_widest_prices_are_judged_without_overflow() {
        let high = Price::from_e6(i64::MAX).unwrap();
        assert!(check(high, Some(high), Weight::ZERO).passed);
        assert!(!check(Price::ZERO, Some(high), Weight::from_e6(999_999).unwrap()).passed);
        assert!(check(high, Some(Price::from_e6(1).unwrap()), Weight::ZERO).passed);
    }

    #[test]
    fn the_evidence_shows_the_loss_and_the_limit() {
        let found = check("50".parse().unwrap(), Some("62.6".parse().unwrap()), "0.2".parse().unwrap());
        assert_eq!(found, Finding::new(false, "-0.201278", "-0.2"));
    }
}
