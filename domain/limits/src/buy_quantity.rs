//! How many pieces a wished value buys, in whole lots.

use money::{Money, MoneyError, Price, Quantity, Rounding};
use thiserror::Error;

use crate::fine::Fine;
use crate::sell_quantity::effective_lot;

/// Says why no size can be given.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SizeError {
    /// The price is zero.
    #[error("price 0 buys nothing that can be counted; wait for a quote")]
    InvalidPrice,
    /// The rate is zero or negative.
    #[error("native_per_eur {rate} is not above zero; a missing rate stops the step")]
    InvalidRate {
        /// The offending rate.
        rate: Fine,
    },
    /// A figure does not fit.
    #[error("the size cannot be computed")]
    Arithmetic(#[source] MoneyError),
}

/// A size in whole lots with its worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuySize {
    /// Pieces.
    pub quantity: Quantity,
    /// Lots.
    pub lots: i64,
    /// Worth in the currency of the price.
    pub value_native: Fine,
    /// Worth in EUR.
    pub value_eur: Fine,
}

impl BuySize {
    const NOTHING: Self =
        Self { quantity: Quantity::ZERO, lots: 0, value_native: Fine::ZERO, value_eur: Fine::ZERO };
}

/// Sizes a purchase of about `target_eur` at a native price.
///
/// ⌊target · x / (lot · price)⌋ lots, x = `native_per_eur`; one lot when a lot is dearer than the
/// target, which overshoots on purpose and is limited by the caller. No target buys nothing. A lot
/// below one counts as one.
///
/// Worked example: 150 EUR at 90 DKK, lots of 5, 7.46 DKK per EUR: 2 lots, 10 pieces, 900 DKK.
///
/// # Errors
/// [`SizeError`] for a price of zero, a rate not above zero, or a size outside 64 bits.
pub fn buy_quantity(
    target_eur: Money,
    price: Price,
    min_lot: Quantity,
    native_per_eur: Fine,
) -> Result<BuySize, SizeError> {
    if price.is_zero() {
        return Err(SizeError::InvalidPrice);
    }
    if !native_per_eur.is_positive() {
        return Err(SizeError::InvalidRate { rate: native_per_eur });
    }
    if !target_eur.is_positive() {
        return Ok(BuySize::NOTHING);
    }
    size(target_eur, price, effective_lot(min_lot), native_per_eur).map_err(SizeError::Arithmetic)
}

fn size(target: Money, price: Price, lot: Quantity, native_per_eur: Fine) -> money::Result<BuySize> {
    let lot_native = Fine::value(price, lot)?;
    let target_native = Fine::from(target).times(native_per_eur, Rounding::Down)?;
    let fitting = money::divide(target_native.e12(), lot_native.e12(), Rounding::Down)?;
    let overflow = MoneyError::Overflow { operation: "size of a purchase" };
    let lots = i64::try_from(fitting).map_err(|_| overflow.clone())?.max(1);
    let quantity = Quantity::from_e6(lot.e6().checked_mul(lots).ok_or(overflow)?)?;
    let value_native = Fine::value(price, quantity)?;
    let value_eur = value_native.over(native_per_eur, Rounding::HalfEven)?;
    assert!(lots == 1 || value_native <= target_native, "more than one lot never costs more than the target");
    Ok(BuySize { quantity, lots, value_native, value_eur })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn buy(target: &str, price: &str, lot: &str, rate: Fine) -> Result<BuySize, SizeError> {
        buy_quantity(Money::parse(target).unwrap(), price.parse().unwrap(), lot.parse().unwrap(), rate)
    }

    #[test]
    fn a_missing_rate_is_an_error_and_never_one() {
        let zero = buy("100 EUR", "7", "1", Fine::ZERO);
        assert_eq!(zero, Err(SizeError::InvalidRate { rate: Fine::ZERO }));
    }

    #[test]
    fn a_price_of_zero_is_an_error() {
        assert_eq!(buy("100 EUR", "0", "1", Fine::ONE), Err(SizeError::InvalidPrice));
    }

    #[test]
    fn the_target_itself_is_reached_but_not_passed() {
        assert_eq!(buy("100 EUR", "10", "1", Fine::ONE).unwrap().lots, 10);
        assert_eq!(buy("99.9999 EUR", "10", "1", Fine::ONE).unwrap().lots, 9);
    }

    #[test]
    fn a_size_that_does_not_fit_is_an_error() {
        let most = Money::from_e4(i64::MAX, money::Currency::EUR);
        let grain = Price::from_e6(1).unwrap();
        let lot = Quantity::from_units(1).unwrap();
        assert!(matches!(buy_quantity(most, grain, lot, Fine::ONE), Err(SizeError::Arithmetic(_))));
    }
}
