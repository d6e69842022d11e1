//! Where a symbol, a price or a fact comes from.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::text_form::text_form;

/// An origin of data; each has symbols of its own that mean nothing elsewhere.
///
/// # Examples
///
/// ```
/// use market::Source;
///
/// assert_eq!("yahoo".parse::<Source>(), Ok(Source::Yahoo));
/// assert_eq!(Source::Ecb.to_string(), "ecb");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The brokerage account's own data.
    Broker,
    /// Yahoo Finance.
    Yahoo,
    /// OpenFIGI's mapping service.
    OpenFigi,
    /// Alpha Vantage.
    AlphaVantage,
    /// The European Central Bank's reference rates.
    Ecb,
    /// An exchange's own publication.
    Exchange,
    /// Typed in or confirmed by the owner.
    Manual,
    /// Taken over from the system before this one.
    Import,
    /// Computed here from other data.
    Derived,
    /// Made by the simulator; never in a live store.
    Simulated,
}

text_form!(Source, "Source", "Origin of data", r"^[a-z_]+$", "yahoo");

/// Why a text is not a source.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// There is no source of this name.
    #[error(
        "source {0:?} is unknown: use one of broker, yahoo, openfigi, alpha_vantage, ecb, exchange, manual, import, derived, simulated"
    )]
    Unknown(String),
}

impl Source {
    /// All sources, in their order.
    pub const ALL: [Self; 10] = [
        Self::Broker,
        Self::Yahoo,
        Self::OpenFigi,
        Self::AlphaVantage,
        Self::Ecb,
        Self::Exchange,
        Self::Manual,
        Self::Import,
        Self::Derived,
        Self::Simulated,
    ];

    /// The name used in messages and stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Yahoo => "yahoo",
            Self::OpenFigi => "openfigi",
            Self::AlphaVantage => "alpha_vantage",
            Self::Ecb => "ecb",
            Self::Exchange => "exchange",
            Self::Manual => "manual",
            Self::Import => "import",
            Self::Derived => "derived",
            Self::Simulated => "simulated",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let found = Self::ALL.into_iter().find(|source| source.as_str() == text);
        found.ok_or_else(|| SourceError::Unknown(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_source_reads_its_own_name() {
        for source in Source::ALL {
            assert_eq!(source.to_string().parse::<Source>(), Ok(source));
            assert_eq!(serde_json::to_string(&source).unwrap(), format!("\"{source}\""));
        }
    }

    #[test]
    fn refuses_an_unknown_name_and_lists_the_known_ones() {
        let refusal = "bloomberg".parse::<Source>().unwrap_err().to_string();
        for source in Source::ALL {
            assert!(refusal.contains(source.as_str()), "{source} is missing in: {refusal}");
        }
        assert!("Yahoo".parse::<Source>().is_err());
        assert!("".parse::<Source>().is_err());
    }
}
