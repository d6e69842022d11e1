//! How small a trade may be, and how many fit into the cash at hand.

use money::{Currency, Money, MoneyError, Rounding, Weight};

use crate::commission::Costs;
use crate::fine::Fine;

/// The smallest economic trade when the costs alone exceed the tolerated ratio, in EUR.
const AMOUNT_WITHOUT_ROOM_EUR: i64 = 1000;

/// Computes fixed / (max_cost_ratio − percent): below it, costs exceed the tolerated ratio.
///
/// Without room between the two the answer is 1 000 EUR. Worked example: 2 / (0.01 − 0.002) = 250.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`] if the fixed part is not in EUR, [`MoneyError::Overflow`].
pub fn min_trade_amount(costs: &Costs, max_cost_ratio: Weight) -> money::Result<Fine> {
    require_eur(costs.fixed_eur)?;
    let room = Fine::from(max_cost_ratio).checked_sub(costs.percent.into())?;
    if !room.is_positive() {
        return Ok(Money::from_units(AMOUNT_WITHOUT_ROOM_EUR, Currency::EUR)?.into());
    }
    Fine::from(costs.fixed_eur).over(room, Rounding::Up)
}

/// Counts the trades that the cash allows, at most `limit`.
///
/// Less cash than one trade needs makes none. Worked example: 749 EUR at 250 EUR each: 2.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`]; [`MoneyError::Divisor`] unless the minimum is positive.
pub fn max_trades(cash: Money, min_trade: Money, limit: u32) -> money::Result<u32> {
    if !min_trade.is_positive() {
        return Err(MoneyError::Divisor { operation: "counting trades" });
    }
    if !cash.covers(min_trade)? {
        return Ok(0);
    }
    let count = money::divide(cash.e4().into(), min_trade.e4().into(), Rounding::Down)?;
    Ok(u32::try_from(count).unwrap_or(limit).min(limit))
}

/// Computes 2 · (fixed + percent · value) / value: what buying and selling again costs.
///
/// # Errors
/// [`MoneyError::Divisor`] unless the value is positive; [`MoneyError::CurrencyMismatch`] unless all
/// is in EUR.
pub fn round_trip_cost_ratio(value: Money, costs: &Costs) -> money::Result<Fine> {
    require_eur(costs.fixed_eur)?;
    require_eur(value)?;
    let variable = Fine::from(value).times(costs.percent.into(), Rounding::Up)?;
    let one_way = variable.checked_add(costs.fixed_eur.into())?;
    one_way.checked_add(one_way)?.over(value.into(), Rounding::Up)
}

fn require_eur(amount: Money) -> money::Result<()> {
    amount.checked_cmp(Money::zero(Currency::EUR)).map(|_| ())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_of_zero_is_refused() {
        let zero = Money::zero(Currency::EUR);
        assert!(max_trades(Money::parse("100 EUR").unwrap(), zero, 5).is_err());
        let costs = Costs { fixed_eur: zero, percent: Weight::ZERO };
        assert!(round_trip_cost_ratio(zero, &costs).is_err());
    }

    #[test]
    fn amounts_in_other_currencies_are_refused() {
        let dollars = Money::parse("250 USD").unwrap();
        assert!(max_trades(Money::parse("1000 EUR").unwrap(), dollars, 5).is_err());
        let costs = Costs { fixed_eur: dollars, percent: Weight::ZERO };
        assert!(min_trade_amount(&costs, Weight::ONE).is_err());
    }

    #[test]
    fn the_limit_holds_for_any_amount_of_cash() {
        let grain = Money::from_e4(1, Currency::EUR);
        assert_eq!(max_trades(Money::from_e4(i64::MAX, Currency::EUR), grain, 5), Ok(5));
    }
}
