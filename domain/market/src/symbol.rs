//! What a data source or the broker calls a security.
//!
//! The same text means different securities at different sources (`X.AS` is Hong Kong at the broker and
//! Amsterdam at Yahoo), so a text never travels without its source.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::source::{Source, SourceError};
use crate::text_form::text_form;

/// The text of a symbol, at most [`Ticker::LENGTH_MAX`] printable ASCII characters, kept exactly as its source writes it.
///
/// # Examples
///
/// ```
/// use market::Ticker;
///
/// let ticker: Ticker = "LNTC.B.US".parse()?;
/// assert_eq!(ticker.as_str(), "LNTC.B.US");
/// assert!(" LNTC".parse::<Ticker>().is_err());
/// # Ok::<(), market::SymbolError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticker {
    /// Filled with zeros, which no ticker contains: comparing the arrays compares the texts.
    bytes: [u8; Ticker::LENGTH_MAX],
}

text_form!(
    Ticker,
    "Ticker",
    "Symbol of a security as its source writes it",
    r"^[!-~]([ -~]{0,30}[!-~])?$",
    "LNTC.B.US"
);

/// A ticker together with the source it belongs to; as text `source:ticker`.
///
/// # Examples
///
/// ```
/// use market::{Source, Symbol};
///
/// let symbol: Symbol = "broker:NRDW.US".parse()?;
/// assert_eq!(symbol.source, Source::Broker);
/// assert_eq!(symbol, Symbol::new(Source::Broker, "NRDW.US")?);
/// # Ok::<(), market::SymbolError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(description = "Symbol of a security together with the source it belongs to")
)]
pub struct Symbol {
    /// Whose symbol it is.
    pub source: Source,
    /// The symbol as that source writes it.
    pub text: Ticker,
}

/// Why a text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SymbolError {
    /// Nothing, or more than [`Ticker::LENGTH_MAX`] characters.
    #[error("symbol {0:?} is empty or longer than 32 characters: copy it again from its source")]
    Length(String),
    /// A character that is not printable ASCII, or a blank at an end.
    #[error("symbol {0:?} has a blank at an end or something else than printable ASCII: copy it again")]
    Character(String),
    /// No `:` between source and ticker.
    #[error("symbol {0:?} does not say its source: write it as source:ticker, such as broker:NRDW.US")]
    NoSource(String),
    /// The part before the `:` is no source.
    #[error(transparent)]
    Source(SourceError),
}

impl Ticker {
    /// The most characters a ticker can have; the longest at the broker, options, have about 25.
    pub const LENGTH_MAX: usize = 32;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|&byte| byte == 0).unwrap_or(Self::LENGTH_MAX);
        std::str::from_utf8(&self.bytes[..end]).expect("a ticker is ASCII")
    }
}

impl FromStr for Ticker {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        if text.is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(SymbolError::Length(text.to_owned()));
        }
        let is_printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_printable || text.starts_with(' ') || text.ends_with(' ') {
            return Err(SymbolError::Character(text.to_owned()));
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes })
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticker({self})")
    }
}

impl Symbol {
    /// Joins a source and a text.
    ///
    /// # Errors
    ///
    /// [`SymbolError::Length`] or [`SymbolError::Character`] when the text is not a ticker.
    pub fn new(source: Source, text: &str) -> Result<Self, SymbolError> {
        Ok(Self { source, text: text.parse()? })
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let (source, ticker) = text.split_once(':').ok_or_else(|| SymbolError::NoSource(text.to_owned()))?;
        Self::new(source.parse().map_err(SymbolError::Source)?, ticker)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.text)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_sources_write() {
        for text in ["A", "NRDW.US", "JADEP.9911.AS", "^VIX", "EURUSD=X", "EUR/USD", "BRK B", &"X".repeat(32)]
        {
            assert_eq!(text.parse::<Ticker>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_empty_long_and_unprintable_texts() {
        for text in ["", &"X".repeat(33)] {
            assert_eq!(text.parse::<Ticker>(), Err(SymbolError::Length(text.to_owned())));
        }
        for text in [" A", "A ", "A\nB", "A\0", "É"] {
            assert_eq!(text.parse::<Ticker>(), Err(SymbolError::Character(text.to_owned())));
        }
    }

    #[test]
    fn a_symbol_names_its_source() {
        assert_eq!("NRDW.US".parse::<Symbol>(), Err(SymbolError::NoSource("NRDW.US".to_owned())));
        assert!(matches!("bank:NRDW.US".parse::<Symbol>(), Err(SymbolError::Source(_))));
        assert!(matches!("broker:".parse::<Symbol>(), Err(SymbolError::Length(_))));
        let with_colon: Symbol = "manual:A:B".parse().unwrap();
        assert_eq!(with_colon.text.as_str(), "A:B");
    }

    #[test]
    fn the_same_text_at_two_sources_is_two_symbols() {
        let broker = Symbol::new(Source::Broker, "9911.AS").unwrap();
        let yahoo = Symbol::new(Source::Yahoo, "9911.AS").unwrap();
        assert_ne!(broker, yahoo);
    }

    #[test]
    fn travels_as_source_and_text() {
        let symbol = Symbol::new(Source::Yahoo, "RHNA.DE").unwrap();
        let json = serde_json::to_string(&symbol).unwrap();
        assert_eq!(json, r#"{"source":"yahoo","text":"RHNA.DE"}"#);
        assert_eq!(serde_json::from_str::<Symbol>(&json).unwrap(), symbol);
        let packed = rmp_serde::to_vec_named(&symbol).unwrap();
        assert_eq!(rmp_serde::from_slice::<Symbol>(&packed).unwrap(), symbol);
    }

    proptest! {
        #[test]
        fn tickers_order_like_their_texts(left in "[!-~]{1,32}", right in "[!-~]{1,32}") {
            let (a, b): (Ticker, Ticker) = (left.parse().unwrap(), right.parse().unwrap());
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        }
    }
}
