//! A number in 1/10¹²: what costs, ratios and exchanges pass through before they become money.

use std::fmt;

use money::{Currency, Money, MoneyError, Price, Quantity, Rate, Rounding, Weight, divide, multiply_divide};

/// A signed number in 1/1 000 000 000 000, fine enough that rounding happens once, at the end.
///
/// It has no currency; the function that computes it says which one it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fine(i128);

impl Fine {
    /// Integer units in one.
    pub const SCALE: i128 = 1_000_000_000_000;
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole.
    pub const ONE: Self = Self(Self::SCALE);

    /// Makes a number from its integer in 1/10¹².
    #[must_use]
    pub const fn from_e12(scaled: i128) -> Self {
        Self(scaled)
    }

    /// Gives the integer in 1/10¹².
    #[must_use]
    pub const fn e12(self) -> i128 {
        self.0
    }

    /// Tells whether the number is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Adds a number.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> money::Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::Overflow { operation: "sum" })
    }

    /// Subtracts a number.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> money::Result<Self> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::Overflow { operation: "difference" })
    }

    /// Multiplies by a number.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn times(self, factor: Self, rounding: Rounding) -> money::Result<Self> {
        multiply_divide(self.0, factor.0, Self::SCALE, rounding).map(Self)
    }

    /// Divides by a positive number.
    ///
    /// # Errors
    /// [`MoneyError::Divisor`] unless the divisor is positive, [`MoneyError::Overflow`].
    pub fn over(self, divisor: Self, rounding: Rounding) -> money::Result<Self> {
        multiply_divide(self.0, Self::SCALE, divisor.0, rounding).map(Self)
    }

    /// Computes price × quantity, which is exact in 1/10¹².
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn value(price: Price, quantity: Quantity) -> money::Result<Self> {
        let product = i128::from(price.e6()).checked_mul(quantity.e6().into());
        product.map(Self).ok_or(MoneyError::Overflow { operation: "value of a quantity" })
    }

    /// Makes one plus a share.
    ///
    /// # Errors
    /// Never in practice: both are small.
    pub fn one_plus(share: Weight) -> money::Result<Self> {
        Self::ONE.checked_add(share.into())
    }

    /// Rounds to whole units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn to_units(self, rounding: Rounding) -> money::Result<i64> {
        narrow(divide(self.0, Self::SCALE, rounding)?)
    }

    /// Rounds to 1/10 000 of a currency.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn to_money(self, currency: Currency, rounding: Rounding) -> money::Result<Money> {
        Ok(Money::from_e4(narrow(divide(self.0, E4, rounding)?)?, currency))
    }
}

/// Units of 1/10¹² in 1/10⁴, 1/10⁶ and 1/10⁹. Widening a 64-bit integer by them fits 128 bits.
const E4: i128 = 100_000_000;
const E6: i128 = 1_000_000;
const E9: i128 = 1_000;

fn widen(scaled: i64, unit: i128) -> Fine {
    Fine(i128::from(scaled).checked_mul(unit).expect("64 bits times at most 27 bits fit 128"))
}

fn narrow(value: i128) -> money::Result<i64> {
    i64::try_from(value).map_err(|_| MoneyError::Overflow { operation: "rounding" })
}

impl From<Money> for Fine {
    fn from(money: Money) -> Self {
        widen(money.e4(), E4)
    }
}

impl From<Price> for Fine {
    fn from(price: Price) -> Self {
        widen(price.e6(), E6)
    }
}

impl From<Quantity> for Fine {
    fn from(quantity: Quantity) -> Self {
        widen(quantity.e6(), E6)
    }
}

impl From<Weight> for Fine {
    fn from(weight: Weight) -> Self {
        widen(weight.e6(), E6)
    }
}

impl From<Rate> for Fine {
    fn from(rate: Rate) -> Self {
        widen(rate.e9(), E9)
    }
}

impl fmt::Display for Fine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let scale = Self::SCALE.unsigned_abs();
        let whole = self.0.unsigned_abs().checked_div(scale).expect("the scale is not zero");
        let rest = self.0.unsigned_abs().checked_rem(scale).expect("the scale is not zero");
        let fraction = format!("{rest:012}");
        let shown = fraction.trim_end_matches('0');
        let point = if shown.is_empty() { "" } else { "." };
        f.pad(&format!("{sign}{whole}{point}{shown}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn writes_exact_decimals() {
        for (e12, text) in [(0, "0"), (Fine::SCALE, "1"), (-1, "-0.000000000001"), (1_500_000_000_000, "1.5")]
        {
            assert_eq!(Fine::from_e12(e12).to_string(), text);
        }
    }

    #[test]
    fn overflow_and_division_by_zero_are_errors() {
        let most = Fine::from_e12(i128::MAX);
        assert!(most.checked_add(Fine::ONE).is_err());
        assert!(most.times(most, Rounding::Up).is_err());
        assert!(Fine::ONE.over(Fine::ZERO, Rounding::Up).is_err());
        assert!(most.to_money(Currency::EUR, Rounding::Up).is_err());
        assert!(most.to_units(Rounding::Down).is_err());
    }

    #[test]
    fn the_widest_inputs_become_fine() {
        assert_eq!(Fine::from(Money::from_e4(i64::MIN, Currency::EUR)).e12(), i128::from(i64::MIN) * E4);
        assert_eq!(Fine::from(Rate::ONE), Fine::ONE);
        assert_eq!(Fine::from(Weight::ONE), Fine::ONE);
    }

    #[test]
    fn rounds_to_money_and_units_as_told() {
        let third = Fine::ONE.over(Fine::from_e12(3 * Fine::SCALE), Rounding::HalfEven).unwrap();
        assert_eq!(third.to_money(Currency::EUR, Rounding::Up).unwrap().e4(), 3334);
        assert_eq!(third.to_money(Currency::EUR, Rounding::Down).unwrap().e4(), 3333);
        assert_eq!(third.to_units(Rounding::Up), Ok(1));
        assert_eq!(third.to_units(Rounding::Down), Ok(0));
    }
}
