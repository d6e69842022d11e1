//! The one error of money arithmetic: each variant is a rule that was broken.

use thiserror::Error;

use crate::currency::Currency;

/// Says which rule of money arithmetic an operation or an input broke.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Two amounts of different currencies met.
    #[error("amounts in {left} and {right} cannot be combined; convert one of them first")]
    CurrencyMismatch {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// A result does not fit its integer.
    #[error("{operation} exceeds the range of a 64-bit scaled integer; the inputs are implausible")]
    Overflow {
        /// What was being computed.
        operation: &'static str,
    },
    /// A divisor is zero or negative.
    #[error("{operation} needs a positive divisor; check the input before dividing")]
    Divisor {
        /// What was being computed.
        operation: &'static str,
    },
    /// A currency code is not three upper-case letters.
    #[error("currency '{text}' is not three upper-case letters such as EUR; correct the code")]
    InvalidCurrency {
        /// The offending text.
        text: String,
    },
    /// A pence quote reached money arithmetic.
    #[error("currency GBX (pence) is not accepted; divide by 100 and use GBP where the quote enters")]
    PenceQuote,
    /// The table of minor units has no row for a currency.
    #[error("the minor unit of currency {currency} is unknown; add it to the currency table")]
    UnknownMinorUnit {
        /// The currency without a row.
        currency: Currency,
    },
    /// A text is not an exact decimal of the scale.
    #[error("{field} '{text}' {rule}")]
    InvalidDecimal {
        /// What the text should have been.
        field: &'static str,
        /// The offending text.
        text: String,
        /// The rule it broke, in words.
        rule: &'static str,
    },
    /// A number lies outside the range of its type.
    #[error("{field} {value} is out of range: {rule}")]
    OutOfRange {
        /// What the number should have been.
        field: &'static str,
        /// The offending number, in the integer unit or as given.
        value: String,
        /// The allowed range, in words.
        rule: &'static str,
    },
    /// A float is NaN or infinite.
    #[error("{field} is not a finite number; a missing value must stay missing")]
    NotFinite {
        /// What the number should have been.
        field: &'static str,
    },
    /// EUR came with a rate other than one.
    #[error("EUR has rate {rate_e9}e-9 EUR per unit instead of exactly 1; check the rate table")]
    EurRate {
        /// The offending rate in 1/1 000 000 000.
        rate_e9: i64,
    },
}
