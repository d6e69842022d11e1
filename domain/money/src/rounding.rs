//! Rounded division of integers: the only place where a remainder is dropped.

use std::cmp::Ordering;

use crate::Result;
use crate::error::MoneyError;

/// Tells what happens to the part that does not fit the unit of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest unit, a tie to the even one: everything that is neither of the other two.
    HalfEven,
    /// Towards +∞: what must be paid, reserved or required.
    Up,
    /// Towards −∞: what is available, owed to us or spendable.
    Down,
}

/// Divides two integers and rounds the quotient as told.
///
/// # Errors
/// [`MoneyError::Divisor`] unless the denominator is positive; [`MoneyError::Overflow`] if the
/// rounded quotient leaves `i128`.
pub fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i128> {
    if denominator <= 0 {
        return Err(MoneyError::Divisor { operation: "division" });
    }
    let overflow = MoneyError::Overflow { operation: "division" };
    // With a positive divisor the Euclidean quotient is the floor.
    let floor = numerator.checked_div_euclid(denominator).ok_or(overflow.clone())?;
    let remainder = numerator.checked_rem_euclid(denominator).ok_or(overflow.clone())?;
    assert!((0..denominator).contains(&remainder), "a Euclidean remainder lies below its divisor");
    let to_next = denominator.checked_sub(remainder).ok_or(overflow.clone())?;
    let goes_up = match rounding {
        Rounding::Down => false,
        Rounding::Up => remainder > 0,
        Rounding::HalfEven => match remainder.cmp(&to_next) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => floor.checked_rem_euclid(2) == Some(1),
        },
    };
    if goes_up { floor.checked_add(1).ok_or(overflow) } else { Ok(floor) }
}

/// Multiplies by one integer and divides by another without losing anything in between.
///
/// # Errors
/// [`MoneyError::Divisor`] unless the divisor is positive; [`MoneyError::Overflow`] if the product
/// leaves `i128`.
pub fn multiply_divide(amount: i128, factor: i128, divisor: i128, rounding: Rounding) -> Result<i128> {
    let product = amount.checked_mul(factor).ok_or(MoneyError::Overflow { operation: "multiplication" })?;
    divide(product, divisor, rounding)
}

/// Narrows a result to the 64 bits in which it is stored.
pub(crate) fn narrow(value: i128, operation: &'static str) -> Result<i64> {
    i64::try_from(value).map_err(|_| MoneyError::Overflow { operation })
}
