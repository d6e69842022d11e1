//! Value of a holding and conversion between currencies, both through 128 bits.

use crate::Result;
use crate::amount::Money;
use crate::currency::Currency;
use crate::error::MoneyError;
use crate::rounding::{Rounding, divide, multiply_divide, narrow};
use crate::scaled::{Price, Quantity, Rate};

/// Units of price × quantity (10¹²) in one unit of money (10⁴).
const VALUE_DIVISOR: i128 = 100_000_000;

/// Computes price × quantity in the currency of the price.
///
/// # Errors
/// [`MoneyError::Overflow`] if the value leaves 64 bits.
///
/// # Examples
/// ```
/// use money::{Currency, Price, Quantity, Rounding, value};
///
/// let price: Price = "84.5".parse().expect("a price");
/// let worth = value(price, Quantity::from_units(3).expect("small"), Currency::EUR, Rounding::HalfEven);
/// assert_eq!(worth.expect("small").to_string(), "253.50 EUR");
/// ```
pub fn value(price: Price, quantity: Quantity, currency: Currency, rounding: Rounding) -> Result<Money> {
    let operation = "value of a quantity";
    let product = i128::from(price.e6())
        .checked_mul(i128::from(quantity.e6()))
        .ok_or(MoneyError::Overflow { operation })?;
    let amount_e4 = narrow(divide(product, VALUE_DIVISOR, rounding)?, operation)?;
    Ok(Money::from_e4(amount_e4, currency))
}

/// Converts an amount to EUR: amount × `eur_per_unit`.
///
/// # Errors
/// [`MoneyError::EurRate`] if EUR comes with another rate than one, [`MoneyError::Overflow`].
pub fn to_eur(money: Money, eur_per_unit: Rate, rounding: Rounding) -> Result<Money> {
    convert(money, eur_per_unit, Rate::ONE, Currency::EUR, rounding)
}

/// Converts an amount to a target currency: amount × `from_rate` / `to_rate`, rounded once.
///
/// Both rates are EUR per unit: `from_rate` of the amount's currency, `to_rate` of the target.
///
/// # Errors
/// [`MoneyError::EurRate`] if EUR comes with another rate than one; [`MoneyError::CurrencyMismatch`]
/// if one currency comes with two rates; [`MoneyError::Overflow`].
pub fn convert(
    money: Money,
    from_rate: Rate,
    to_rate: Rate,
    target: Currency,
    rounding: Rounding,
) -> Result<Money> {
    for (currency, rate) in [(money.currency(), from_rate), (target, to_rate)] {
        if currency == Currency::EUR && rate != Rate::ONE {
            return Err(MoneyError::EurRate { rate_e9: rate.e9() });
        }
    }
    if money.currency() == target && from_rate != to_rate {
        return Err(MoneyError::CurrencyMismatch { left: money.currency(), right: target });
    }
    let converted = multiply_divide(money.e4().into(), from_rate.e9().into(), to_rate.e9().into(), rounding)?;
    let amount_e4 = narrow(converted, "converted amount")?;
    assert!(
        money.is_zero() || amount_e4 == 0 || (amount_e4 < 0) == money.is_negative(),
        "conversion keeps the sign"
    );
    Ok(Money::from_e4(amount_e4, target))
}
