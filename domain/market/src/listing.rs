//! A security as it trades at one venue in one currency.

use std::fmt;
use std::str::FromStr;

use money::Currency;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::isin::{Isin, IsinError};
use crate::mic::{Mic, MicError};

/// One place where a security trades; as text `DE000SMX0015/XETR/EUR`.
///
/// One ISIN trades in several places; exactly one listing of a security is the one that is traded.
///
/// # Examples
///
/// ```
/// use market::Listing;
///
/// let listing: Listing = "DE000SMX0015/XETR/EUR".parse()?;
/// assert_eq!(listing.mic.as_str(), "XETR");
/// # Ok::<(), market::ListingError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(description = "A security as it trades at one venue in one currency")
)]
pub struct Listing {
    /// The security.
    pub isin: Isin,
    /// The venue.
    pub mic: Mic,
    /// The currency of its prices.
    pub ccy: Currency,
}

/// Why a text is not a listing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListingError {
    /// Not three parts with `/` between them.
    #[error("listing {0:?} is not ISIN/MIC/currency: write it like DE000SMX0015/XETR/EUR")]
    Form(String),
    /// The first part is no ISIN.
    #[error(transparent)]
    Isin(IsinError),
    /// The second part is no MIC.
    #[error(transparent)]
    Mic(MicError),
    /// The third part is no currency; the reason is given.
    #[error("listing {0:?} does not end in a currency ({1}): use its ISO 4217 code, such as EUR")]
    Currency(String, String),
}

impl FromStr for Listing {
    type Err = ListingError;

    fn from_str(text: &str) -> Result<Self, ListingError> {
        let mut parts = text.split('/');
        let (Some(isin), Some(mic), Some(ccy), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ListingError::Form(text.to_owned()));
        };
        Ok(Self {
            isin: isin.parse().map_err(ListingError::Isin)?,
            mic: mic.parse().map_err(ListingError::Mic)?,
            ccy: ccy
                .parse::<Currency>()
                .map_err(|error| ListingError::Currency(text.to_owned(), error.to_string()))?,
        })
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.isin, self.mic, self.ccy)
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn text_round_trips() {
        let listing: Listing = "DE000SMX0015/XETR/EUR".parse().unwrap();
        assert_eq!(listing.to_string(), "DE000SMX0015/XETR/EUR");
    }

    #[test]
    fn names_the_part_that_is_wrong() {
        assert!(matches!("DE000SMX0015/XETR".parse::<Listing>(), Err(ListingError::Form(_))));
        assert!(matches!("DE000SMX0015/XETR/EUR/".parse::<Listing>(), Err(ListingError::Form(_))));
        assert!(matches!("DE000SMX0016/XETR/EUR".parse::<Listing>(), Err(ListingError::Isin(_))));
        assert!(matches!("DE000SMX0015/xetr/EUR".parse::<Listing>(), Err(ListingError::Mic(_))));
        assert!(matches!("DE000SMX0015/XETR/euro".parse::<Listing>(), Err(ListingError::Currency(_, _))));
    }

    #[test]
    fn travels_as_three_fields() {
        let listing: Listing = "DE000SMX0015/XETR/EUR".parse().unwrap();
        let json = serde_json::to_string(&listing).unwrap();
        assert_eq!(json, r#"{"isin":"DE000SMX0015","mic":"XETR","ccy":"EUR"}"#);
        assert_eq!(serde_json::from_str::<Listing>(&json).unwrap(), listing);
        let packed = rmp_serde::to_vec_named(&listing).unwrap();
        assert_eq!(rmp_serde::from_slice::<Listing>(&packed).unwrap(), listing);
    }
}
