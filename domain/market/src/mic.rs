//! The Market Identifier Code (ISO 10383) of a trading venue.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::text_form::text_form;

/// A market identifier code, for example `XETR`.
///
/// Having a code says nothing about whether the calendar knows the venue.
///
/// # Examples
///
/// ```
/// use market::Mic;
///
/// let xetra: Mic = "XETR".parse()?;
/// assert_eq!(xetra.as_str(), "XETR");
/// assert!("xetr".parse::<Mic>().is_err());
/// # Ok::<(), market::MicError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mic([u8; 4]);

text_form!(Mic, "Mic", "Market identifier code of a trading venue", r"^[A-Z0-9]{4}$", "XETR");

/// Why a text is not a market identifier code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MicError {
    /// Not four capital letters or digits.
    #[error("MIC {0:?} is not four capital letters or digits: use the ISO 10383 code, such as XETR")]
    Form(String),
}

impl Mic {
    /// The four characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a MIC is ASCII")
    }
}

impl FromStr for Mic {
    type Err = MicError;

    fn from_str(text: &str) -> Result<Self, MicError> {
        let bytes: [u8; 4] = text.as_bytes().try_into().map_err(|_| MicError::Form(text.to_owned()))?;
        if bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            Ok(Self(bytes))
        } else {
            Err(MicError::Form(text.to_owned()))
        }
    }
}

impl fmt::Display for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mic({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn accepts_four_capitals_or_digits_only() {
        for text in ["XETR", "ASEX", "360T"] {
            assert_eq!(text.parse::<Mic>().unwrap().to_string(), text);
        }
        for text in ["", "XET", "XETRA", "xetr", "XE R", "XE-R", "XÉT"] {
            assert_eq!(text.parse::<Mic>(), Err(MicError::Form(text.to_owned())));
        }
    }

    #[test]
    fn travels_as_text() {
        let mic: Mic = "XETR".parse().unwrap();
        assert_eq!(serde_json::to_string(&mic).unwrap(), "\"XETR\"");
        assert!(serde_json::from_str::<Mic>("\"xetr\"").is_err());
        let packed = rmp_serde::to_vec(&mic).unwrap();
        assert_eq!(rmp_serde::from_slice::<Mic>(&packed).unwrap(), mic);
    }
}
