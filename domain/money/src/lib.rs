//! Money, prices, quantities, rates and weights as checked integers.
//!
//! Every figure that decides about money is a scaled integer of this crate. Binary floating point
//! enters and leaves only through functions named `from_f64` and `to_f64`, which refuse NaN,
//! infinity and values outside the range.
//!
//! | Type | Integer | Unit | Range | As text |
//! |---|---|---|---|---|
//! | [`Money`] | `i64` | 1/10 000 of the currency's unit, with its [`Currency`] | all | `12.34 EUR` |
//! | [`Price`] | `i64` | 1/1 000 000 of a currency unit per piece | ≥ 0 | `84.5` |
//! | [`Quantity`] | `i64` | 1/1 000 000 of a piece | all, signed | `-3` |
//! | [`Rate`] | `i64` | 1/1 000 000 000 EUR per unit of a currency | > 0 | `0.8554` |
//! | [`Weight`] | `i64` | 1/1 000 000 of the whole | 0 to 1 | `0.15` |
//! | [`Bps`] | `i32` | 1/10 000 of a value | all, signed | `-25` |
//!
//! What each operation yields:
//!
//! | Operation | Yields | Error |
//! |---|---|---|
//! | `Money ± Money` ([`Money::checked_add`], [`Money::checked_sub`]) | `Money` | currencies differ, overflow |
//! | `-Money` ([`Money::checked_neg`]) | `Money` | overflow |
//! | `Money × integer` ([`Money::checked_mul`]) | `Money` | overflow |
//! | `Money × n/d` ([`Money::scale`]) | `Money`, rounded as told | overflow, divisor not positive |
//! | `Money × Weight`, `Money × Bps` ([`Money::share`], [`Money::part`]) | `Money`, rounded as told | overflow |
//! | sum of `Money` ([`Money::checked_sum`]) | `Money` | currencies differ, overflow |
//! | `Money` compared ([`Money::checked_cmp`]) | `Ordering` | currencies differ |
//! | `Price × Quantity` ([`value`]) | `Money` | overflow |
//! | `Money × Rate` ([`to_eur`]) | `Money` in EUR | overflow, EUR with a rate other than 1 |
//! | `Money × Rate / Rate` ([`convert`]) | `Money` in the target | overflow, EUR with a rate other than 1 |
//! | `Money` to cents ([`Money::to_minor`]) | `Money`, whole minor units | currency without known digits, overflow |
//! | `Quantity ± Quantity` | `Quantity` | overflow |
//! | `Quantity` in lots ([`Quantity::round_down_to`]) | `Quantity` | lot not positive |
//!
//! [`Rounding`]: requirements round [`Rounding::Up`], available amounts round [`Rounding::Down`],
//! everything else rounds [`Rounding::HalfEven`]. All products pass through `i128`; nothing wraps,
//! saturates or is clamped.
//!
//! Deliberately absent: operators (`+` cannot return an error), `PartialOrd` of [`Money`] (amounts
//! of two currencies have no order), default currencies, default rates, and a way to build money
//! from a float.
#![deny(clippy::as_conversions, clippy::float_arithmetic, clippy::arithmetic_side_effects)]

mod amount;
mod bps;
mod convert;
mod currency;
mod decimal;
mod error;
mod float;
mod rounding;
mod scaled;
#[cfg(feature = "schema")]
mod schema;

pub use amount::Money;
pub use bps::Bps;
pub use convert::{convert, to_eur, value};
pub use currency::Currency;
pub use decimal::{format_scaled, parse_scaled};
pub use error::MoneyError;
pub use rounding::{Rounding, divide, multiply_divide};
pub use scaled::{Price, Quantity, Rate, Weight};

/// Names the result of every fallible operation of this crate.
pub type Result<T> = std::result::Result<T, MoneyError>;
