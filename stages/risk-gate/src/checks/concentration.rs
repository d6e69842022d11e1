//! Check 21: no security becomes too large a part of the fund.
//!
//! (position + quantity · price · rate) / NAV must not exceed the limit. Both sides are compared as
//! integers in 1/10²¹, the product of the units of quantity, price and rate, so nothing is rounded.

use limits::Finding;
use money::{Currency, Money, MoneyError, Rounding, divide};

use super::{Answer, Case};

/// Turns 1/10⁴ into 1/10²¹.
const AMOUNT_UNIT: i128 = 100_000_000_000_000_000;
/// Turns 1/10⁴ · 1/10¹² into 1/10²¹.
const LIMIT_UNIT: i128 = 100_000;
/// Turns a limit in 1/10⁶ into 1/10¹².
const WEIGHT_UNIT: i128 = 1_000_000;
/// What the ratio may exceed the limit by, in 1/10¹²: the tolerance of the rule.
const TOLERANCE_E12: i128 = 1;
/// Turns 1/10²¹ over 1/10⁴ into a ratio in 1/10⁶.
const RATIO_UNIT: i128 = 100_000_000_000;

/// Passes when the holding after the buy is at most its permitted part of the fund.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let limit = format!("{} of the fund", case.settings.max_position);
    let (Some(position), Some(nav)) = (case.state.position_value_eur, case.state.portfolio_value_eur) else {
        return Finding::new(false, "unknown value", limit).into();
    };
    if !nav.is_positive() {
        return Finding::new(false, format!("fund worth {nav}"), limit).into();
    }
    match measure(case, position, nav) {
        Ok((within, ratio)) => Finding::new(within, ratio, limit).into(),
        Err(error) => Finding::new(false, error, limit).into(),
    }
}

/// Compares the holding after the buy with what is permitted; the ratio is rounded up for the eye.
fn measure(case: &Case<'_>, position: Money, nav: Money) -> money::Result<(bool, String)> {
    for amount in [position, nav] {
        amount.checked_cmp(Money::zero(Currency::EUR))?;
    }
    let overflow = MoneyError::Overflow { operation: "concentration" };
    let rate = case.state.eur_per_unit.get(&case.currency).map(|rate| i128::from(rate.e9()));
    let bought = i128::from(case.price.e6())
        .checked_mul(case.quantity.e6().into())
        .zip(rate)
        .and_then(|(value, rate)| value.checked_mul(rate));
    let held = i128::from(position.e4()).checked_mul(AMOUNT_UNIT);
    let after =
        held.zip(bought).and_then(|(held, bought)| held.checked_add(bought)).ok_or(overflow.clone())?;
    let permitted = i128::from(case.settings.max_position.e6())
        .checked_mul(WEIGHT_UNIT)
        .and_then(|limit| limit.checked_add(TOLERANCE_E12))
        .and_then(|limit| limit.checked_mul(nav.e4().into()))
        .and_then(|limit| limit.checked_mul(LIMIT_UNIT))
        .ok_or(overflow.clone())?;
    let nav_unit = i128::from(nav.e4()).checked_mul(RATIO_UNIT).ok_or(overflow.clone())?;
    let ratio_e6 = i64::try_from(divide(after, nav_unit, Rounding::Up)?).map_err(|_| overflow)?;
    Ok((after <= permitted, money::format_scaled(ratio_e6, 6, 0)))
}
