//! Money: an integer amount that never forgets its currency.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::bps::Bps;
use crate::currency::Currency;
use crate::decimal::{format_scaled, parse_scaled};
use crate::error::MoneyError;
use crate::float::scaled_to_f64;
use crate::rounding::{Rounding, divide, multiply_divide, narrow};
use crate::scaled::Weight;

/// An amount in 1/10 000 of a currency's unit, with that currency.
///
/// Encoded as the map `{"amount_e4": 123400, "ccy": "EUR"}`, written as `12.34 EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    amount_e4: i64,
    ccy: Currency,
}

impl Money {
    /// Integer units in one unit of the currency.
    pub const SCALE: i64 = 10_000;
    /// Decimal digits of the scale.
    pub const DIGITS: u32 = 4;

    /// Makes an amount from its integer in 1/10 000.
    #[must_use]
    pub const fn from_e4(amount_e4: i64, currency: Currency) -> Self {
        Self { amount_e4, ccy: currency }
    }

    /// Makes an amount of whole currency units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond ±9.2·10¹⁴ units.
    pub fn from_units(units: i64, currency: Currency) -> Result<Self> {
        let amount_e4 = units.checked_mul(Self::SCALE).ok_or(MoneyError::Overflow { operation: "amount" })?;
        Ok(Self::from_e4(amount_e4, currency))
    }

    /// Makes an amount of nothing.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_e4(0, currency)
    }

    /// Gives the integer in 1/10 000.
    #[must_use]
    pub const fn e4(self) -> i64 {
        self.amount_e4
    }

    /// Gives the currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.ccy
    }

    /// Tells whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount_e4 == 0
    }

    /// Tells whether the amount is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.amount_e4 > 0
    }

    /// Tells whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.amount_e4 < 0
    }

    /// Adds an amount of the same currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self> {
        self.require_same(other)?;
        self.with(self.amount_e4.checked_add(other.amount_e4), "sum of amounts")
    }

    /// Subtracts an amount of the same currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self> {
        self.require_same(other)?;
        self.with(self.amount_e4.checked_sub(other.amount_e4), "difference of amounts")
    }

    /// Turns the sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the smallest integer, which has no opposite.
    pub fn checked_neg(self) -> Result<Self> {
        self.with(self.amount_e4.checked_neg(), "negated amount")
    }

    /// Multiplies by a whole number.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, factor: i64) -> Result<Self> {
        self.with(self.amount_e4.checked_mul(factor), "multiple of an amount")
    }

    /// Multiplies by a fraction, rounding once at the end.
    ///
    /// # Errors
    /// [`MoneyError::Divisor`] unless the denominator is positive, [`MoneyError::Overflow`].
    pub fn scale(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Self> {
        let scaled = multiply_divide(self.amount_e4.into(), numerator.into(), denominator.into(), rounding)?;
        Ok(Self::from_e4(narrow(scaled, "fraction of an amount")?, self.ccy))
    }

    /// Takes the share that a weight names.
    ///
    /// # Errors
    /// Never in practice: a weight is at most one. The signature keeps doubt visible.
    pub fn share(self, weight: Weight, rounding: Rounding) -> Result<Self> {
        self.scale(weight.e6(), Weight::SCALE, rounding)
    }

    /// Takes the part that basis points name.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn part(self, bps: Bps, rounding: Rounding) -> Result<Self> {
        self.scale(bps.get().into(), Bps::WHOLE.into(), rounding)
    }

    /// Adds up amounts of one currency; none at all make zero.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Compares with an amount of the same currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]: amounts of two currencies have no order.
    pub fn checked_cmp(self, other: Self) -> Result<Ordering> {
        self.require_same(other)?;
        Ok(self.amount_e4.cmp(&other.amount_e4))
    }

    /// Tells whether the amount is as large as another of the same currency, or larger.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn covers(self, other: Self) -> Result<bool> {
        Ok(self.checked_cmp(other)? != Ordering::Less)
    }

    /// Rounds to the minor unit of the currency, cents for most.
    ///
    /// # Errors
    /// [`MoneyError::UnknownMinorUnit`] for a currency outside the table, [`MoneyError::Overflow`].
    pub fn to_minor(self, rounding: Rounding) -> Result<Self> {
        let digits = self.ccy.minor_digits()?;
        let dropped = Self::DIGITS.checked_sub(digits).expect("a minor unit has at most four digits");
        let unit = 10_i128.checked_pow(dropped).expect("ten to the fourth fits");
        let units = divide(self.amount_e4.into(), unit, rounding)?;
        let amount = units.checked_mul(unit).ok_or(MoneyError::Overflow { operation: "rounded amount" })?;
        Ok(Self::from_e4(narrow(amount, "rounded amount")?, self.ccy))
    }

    /// Parses an exact amount such as `12.34 EUR`.
    ///
    /// # Errors
    /// [`MoneyError::InvalidDecimal`], [`MoneyError::InvalidCurrency`], [`MoneyError::Overflow`].
    pub fn parse(text: &str) -> Result<Self> {
        let Some((number, currency)) = text.split_once(' ') else {
            let rule = "is not a number, one space and a currency, as in 12.34 EUR";
            return Err(MoneyError::InvalidDecimal { field: "amount", text: text.to_owned(), rule });
        };
        Ok(Self::from_e4(parse_scaled(number, Self::DIGITS, "amount")?, Currency::new(currency)?))
    }

    /// Gives the nearest double in currency units, for statistics only.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        scaled_to_f64(self.amount_e4, Self::SCALE)
    }

    fn require_same(self, other: Self) -> Result<()> {
        if self.ccy == other.ccy {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.ccy, right: other.ccy })
    }

    fn with(self, amount_e4: Option<i64>, operation: &'static str) -> Result<Self> {
        let amount_e4 = amount_e4.ok_or(MoneyError::Overflow { operation })?;
        Ok(Self::from_e4(amount_e4, self.ccy))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the padding depends on the table; the digits shown are always exact.
        let shown = self.ccy.minor_digits().unwrap_or(0);
        f.pad(&format!("{} {}", format_scaled(self.amount_e4, Self::DIGITS, shown), self.ccy))
    }
}
