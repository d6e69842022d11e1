//! Price, quantity, rate and weight: one integer each, with a unit and a range.
//!
//! All four are written by one macro so that text, encoding and range behave alike.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::decimal::{format_scaled, parse_scaled};
use crate::error::MoneyError;
use crate::float::{scaled_from_f64, scaled_to_f64};

macro_rules! scaled_integer {
    (
        $(#[$doc:meta])*
        $name:ident, $field:literal, $digits:literal digits, $scale:literal scale,
        $from:ident, $into:ident, $range:expr, $rule:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Integer units in one.
            pub const SCALE: i64 = $scale;
            /// Decimal digits of the scale.
            pub const DIGITS: u32 = $digits;

            /// Makes the value from its integer.
            ///
            /// # Errors
            /// [`MoneyError::OutOfRange`] outside the range of the type.
            pub fn $from(scaled: i64) -> Result<Self> {
                if $range.contains(&scaled) {
                    return Ok(Self(scaled));
                }
                let value = format_scaled(scaled, $digits, 0);
                Err(MoneyError::OutOfRange { field: $field, value, rule: $rule })
            }

            /// Gives the integer.
            #[must_use]
            pub const fn $into(self) -> i64 {
                self.0
            }

            /// Takes a double from outside, rounding half-even at the unit.
            ///
            /// # Errors
            /// [`MoneyError::NotFinite`] for NaN and infinity; [`MoneyError::Overflow`] and
            /// [`MoneyError::OutOfRange`] outside the range.
            pub fn from_f64(number: f64) -> Result<Self> {
                Self::$from(scaled_from_f64(number, $scale, $field)?)
            }

            /// Gives the nearest double, for statistics only.
            #[must_use]
            pub fn to_f64(self) -> f64 {
                scaled_to_f64(self.0, $scale)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = MoneyError;

            fn try_from(scaled: i64) -> Result<Self> {
                Self::$from(scaled)
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;

            fn from_str(text: &str) -> Result<Self> {
                Self::$from(parse_scaled(text, $digits, $field)?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format_scaled(self.0, $digits, 0))
            }
        }
    };
}

scaled_integer! {
    /// The price of one piece, in 1/1 000 000 of a currency unit, never negative.
    Price, "price", 6 digits, 1_000_000 scale, from_e6, e6, (0..=i64::MAX), "a price is zero or more"
}

scaled_integer! {
    /// A signed number of pieces, in 1/1 000 000.
    Quantity, "quantity", 6 digits, 1_000_000 scale, from_e6, e6, (i64::MIN..=i64::MAX), "any integer"
}

scaled_integer! {
    /// The EUR value of one unit of a currency, in 1/1 000 000 000, always positive.
    Rate, "rate", 9 digits, 1_000_000_000 scale, from_e9, e9, (1..=i64::MAX), "a rate is above zero"
}

scaled_integer! {
    /// A share of a whole, in 1/1 000 000, from 0 to 1.
    Weight, "weight", 6 digits, 1_000_000 scale, from_e6, e6, (0..=1_000_000), "a weight lies from 0 to 1"
}

impl Price {
    /// A price of nothing: known to be worthless, not unknown.
    pub const ZERO: Self = Self(0);

    /// Tells whether the price is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Rate {
    /// The rate of EUR itself.
    pub const ONE: Self = Self(1_000_000_000);
}

impl Weight {
    /// Nothing of the whole.
    pub const ZERO: Self = Self(0);
    /// All of the whole.
    pub const ONE: Self = Self(1_000_000);

    /// Adds two weights.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] if the sum exceeds one.
    pub fn checked_add(self, other: Self) -> Result<Self> {
        let sum = self.0.checked_add(other.0).ok_or(MoneyError::Overflow { operation: "sum of weights" })?;
        Self::from_e6(sum)
    }
}

impl Quantity {
    /// No pieces.
    pub const ZERO: Self = Self(0);

    /// Makes a quantity of whole pieces.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond ±9.2·10¹² pieces.
    pub fn from_units(units: i64) -> Result<Self> {
        let scaled = units.checked_mul(Self::SCALE);
        scaled.map(Self).ok_or(MoneyError::Overflow { operation: "quantity" })
    }

    /// Tells whether there are no pieces.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Tells whether the quantity is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Tells whether the quantity is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Adds two quantities.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the sum leaves 64 bits.
    pub fn checked_add(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::Overflow { operation: "sum of quantities" })
    }

    /// Subtracts a quantity.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the difference leaves 64 bits.
    pub fn checked_sub(self, other: Self) -> Result<Self> {
        let difference = self.0.checked_sub(other.0).map(Self);
        difference.ok_or(MoneyError::Overflow { operation: "difference of quantities" })
    }

    /// Turns the sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the smallest integer, which has no opposite.
    pub fn checked_neg(self) -> Result<Self> {
        self.0.checked_neg().map(Self).ok_or(MoneyError::Overflow { operation: "negated quantity" })
    }

    /// Tells whether the quantity is a whole number of lots.
    ///
    /// # Errors
    /// [`MoneyError::Divisor`] unless the lot is positive.
    pub fn is_multiple_of(self, lot: Self) -> Result<bool> {
        Ok(self.beyond_lots(lot)? == 0)
    }

    /// Drops what exceeds a whole number of lots, towards zero: never more than was asked for.
    ///
    /// # Errors
    /// [`MoneyError::Divisor`] unless the lot is positive.
    pub fn round_down_to(self, lot: Self) -> Result<Self> {
        let beyond = self.beyond_lots(lot)?;
        let whole = self.0.checked_sub(beyond).expect("a remainder is no larger than its number");
        assert!(whole.unsigned_abs() <= self.0.unsigned_abs(), "rounding to lots never adds pieces");
        Ok(Self(whole))
    }

    fn beyond_lots(self, lot: Self) -> Result<i64> {
        if lot.0 <= 0 {
            return Err(MoneyError::Divisor { operation: "counting lots" });
        }
        Ok(self.0.checked_rem(lot.0).expect("a positive lot divides every number"))
    }
}
