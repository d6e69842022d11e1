//! Currency codes and the number of digits of their minor units.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::error::MoneyError;

/// Names a currency by its three upper-case letters.
///
/// Any well-formed code can be named, because a broker may report one we do not trade. Rounding to
/// the minor unit works only for the currencies of the table; there is no default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Euro, the currency of every valuation.
    pub const EUR: Self = Self(*b"EUR");
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Hong Kong dollar.
    pub const HKD: Self = Self(*b"HKD");
    /// Danish krone.
    pub const DKK: Self = Self(*b"DKK");
    /// Japanese yen.
    pub const JPY: Self = Self(*b"JPY");
    /// Swiss franc.
    pub const CHF: Self = Self(*b"CHF");
    /// Swedish krona.
    pub const SEK: Self = Self(*b"SEK");
    /// Norwegian krone.
    pub const NOK: Self = Self(*b"NOK");
    /// Canadian dollar.
    pub const CAD: Self = Self(*b"CAD");
    /// Australian dollar.
    pub const AUD: Self = Self(*b"AUD");
    /// Chinese yuan.
    pub const CNY: Self = Self(*b"CNY");

    /// Makes a currency from exactly three upper-case ASCII letters.
    ///
    /// # Errors
    /// [`MoneyError::InvalidCurrency`] for any other text; [`MoneyError::PenceQuote`] for GBX, which
    /// is a unit of quotation and must be turned into GBP where it enters.
    pub fn new(text: &str) -> Result<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| invalid(text))?;
        if !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(invalid(text));
        }
        if bytes == *b"GBX" {
            return Err(MoneyError::PenceQuote);
        }
        Ok(Self(bytes))
    }

    /// Gives the three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency holds ASCII letters only")
    }

    /// Gives the number of decimal digits of the minor unit, 2 for cents.
    ///
    /// # Errors
    /// [`MoneyError::UnknownMinorUnit`] for a currency that the table does not list.
    pub fn minor_digits(self) -> Result<u32> {
        match self {
            Self::EUR | Self::USD | Self::GBP | Self::HKD | Self::DKK | Self::CHF => Ok(2),
            Self::SEK | Self::NOK | Self::CAD | Self::AUD | Self::CNY => Ok(2),
            Self::JPY => Ok(0),
            currency => Err(MoneyError::UnknownMinorUnit { currency }),
        }
    }
}

fn invalid(text: &str) -> MoneyError {
    MoneyError::InvalidCurrency { text: text.to_owned() }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
