//! What a trade costs at the broker: a fixed part in EUR and a share of the value.

use money::{Currency, Money, MoneyError, Rate, Rounding, Weight};

use crate::fine::Fine;

/// The broker's fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Fixed part per trade, in EUR.
    pub fixed_eur: Money,
    /// Part in proportion to the value.
    pub percent: Weight,
}

/// Computes fixed_eur / eur_per_unit + percent · value in the currency of the trade, rounded up.
///
/// Worked example: 1 000 USD at 0.92 EUR, 2 EUR and 0.2 %: 2 / 0.92 + 2 = 4.1740 USD.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] if the fixed part is not in EUR, [`MoneyError::Overflow`].
pub fn commission(value: Money, costs: &Costs, eur_per_unit: Rate) -> money::Result<Money> {
    let fine = commission_fine(value.into(), costs, eur_per_unit, Rounding::Up)?;
    fine.to_money(value.currency(), Rounding::Up)
}

/// Computes the commission before it is rounded to money.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] if the fixed part is not in EUR, [`MoneyError::Overflow`].
pub fn commission_fine(
    value: Fine,
    costs: &Costs,
    eur_per_unit: Rate,
    rounding: Rounding,
) -> money::Result<Fine> {
    let fixed = eur_in_native(costs.fixed_eur, eur_per_unit, rounding)?;
    value.times(costs.percent.into(), rounding)?.checked_add(fixed)
}

/// Expresses an EUR amount in a currency.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] if the amount is not in EUR, [`MoneyError::Overflow`].
pub fn eur_in_native(amount: Money, eur_per_unit: Rate, rounding: Rounding) -> money::Result<Fine> {
    if amount.currency() != Currency::EUR {
        return Err(MoneyError::CurrencyMismatch { left: amount.currency(), right: Currency::EUR });
    }
    Fine::from(amount).over(eur_per_unit.into(), rounding)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_rounds_up() {
        let costs = Costs { fixed_eur: Money::parse("2 EUR").unwrap(), percent: "0.002".parse().unwrap() };
        let value = Money::parse("1000 USD").unwrap();
        let fee = commission(value, &costs, "0.92".parse().unwrap()).unwrap();
        assert_eq!(fee.to_string(), "4.174 USD");
    }

    #[test]
    fn a_fixed_part_in_another_currency_is_refused() {
        let costs = Costs { fixed_eur: Money::parse("2 USD").unwrap(), percent: Weight::ZERO };
        assert!(commission(Money::zero(Currency::EUR), &costs, Rate::ONE).is_err());
    }
}
