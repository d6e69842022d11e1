//! The International Securities Identification Number (ISO 6166), the key of every security.
//!
//! The check digit is verified wherever an ISIN comes into being, by parsing or by decoding: a mistyped
//! or misread number names no security instead of another one.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::text_form::text_form;

/// Characters of an ISIN.
const LENGTH: usize = 12;

/// An ISIN: two letters of the country, nine letters or digits, one check digit.
///
/// # Examples
///
/// ```
/// use market::{Isin, IsinError};
///
/// let isin: Isin = "DE000SMX0015".parse()?;
/// assert_eq!(isin.country(), "DE");
/// assert_eq!("DE000SMX0016".parse::<Isin>(), Err(IsinError::CheckDigit("DE000SMX0016".into(), '5')));
/// # Ok::<(), IsinError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isin([u8; LENGTH]);

text_form!(
    Isin,
    "Isin",
    "International Securities Identification Number with a valid check digit",
    r"^[A-Z]{2}[A-Z0-9]{9}[0-9]$",
    "DE000SMX0015"
);

/// Why a text is not an ISIN, in the order in which it is examined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IsinError {
    /// Not 12 characters.
    #[error("ISIN {0:?} does not have 12 characters: copy it again in full")]
    Length(String),
    /// The first two characters are not capital letters.
    #[error("ISIN {0:?} does not start with two capital letters, the country: copy it again")]
    Country(String),
    /// One of the nine characters after the country is neither a capital letter nor a digit.
    #[error("ISIN {0:?} has something else than capital letters and digits in places 3 to 11: copy it again")]
    Body(String),
    /// The last character is not the check digit that the others demand, which is given.
    #[error("ISIN {0:?} is mistyped, its check digit would have to be {1}: compare it with its source")]
    CheckDigit(String, char),
}

impl Isin {
    /// The twelve characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an ISIN is ASCII")
    }

    /// The two letters of the country; it says where the issuer is domiciled, not where it earns.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.as_str()[..2]
    }

    /// Completes the first eleven characters with their check digit.
    ///
    /// # Errors
    ///
    /// An [`IsinError`] when `stem` is not eleven characters of the right kinds.
    pub fn with_check_digit(stem: &str) -> Result<Self, IsinError> {
        let draft = bytes_of(&format!("{stem}0"))?;
        let mut bytes = draft;
        bytes[LENGTH - 1] = b'0' + check_digit(&draft);
        Ok(Self(bytes))
    }
}

/// The twelve bytes, with everything but the check digit examined.
fn bytes_of(text: &str) -> Result<[u8; LENGTH], IsinError> {
    let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| IsinError::Length(text.to_owned()))?;
    if !bytes[..2].iter().all(u8::is_ascii_uppercase) {
        return Err(IsinError::Country(text.to_owned()));
    }
    if !bytes[2..LENGTH - 1].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return Err(IsinError::Body(text.to_owned()));
    }
    Ok(bytes)
}

/// The digit that makes the Luhn sum of the number, its letters written as 10 to 35, a multiple of ten.
fn check_digit(bytes: &[u8; LENGTH]) -> u8 {
    let mut sum = 0_u8; // At most 2 · 11 digits of at most 9: below 200.
    let mut doubles = true; // The digit left of the check digit is the first to be doubled.
    let mut add = |digit: u8| {
        let weighted = if doubles { digit * 2 } else { digit };
        sum += weighted / 10 + weighted % 10;
        doubles = !doubles;
    };
    for &byte in bytes[..LENGTH - 1].iter().rev() {
        if byte.is_ascii_digit() {
            add(byte - b'0');
        } else {
            let number = byte - b'A' + 10;
            add(number % 10);
            add(number / 10);
        }
    }
    (10 - sum % 10) % 10
}

impl FromStr for Isin {
    type Err = IsinError;

    fn from_str(text: &str) -> Result<Self, IsinError> {
        let bytes = bytes_of(text)?;
        let due = b'0' + check_digit(&bytes);
        if bytes[LENGTH - 1] == due {
            Ok(Self(bytes))
        } else {
            Err(IsinError::CheckDigit(text.to_owned(), char::from(due)))
        }
    }
}

impl fmt::Display for Isin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Isin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isin({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_numbers_with_a_right_check_digit() {
        for text in [
            "US99S0011099",
            "DE000SMX0015",
            "FR0099SM0014",
            "JE009SMX0716",
            "HK0000SM0058",
            "JP3998002004",
            "US0378331005",
            "GB0002634946",
        ] {
            assert_eq!(text.parse::<Isin>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_what_is_wrong() {
        type Reason = fn(String) -> IsinError;
        let cases: [(&str, Reason); 8] = [
            ("", IsinError::Length),
            ("DE000SMX001", IsinError::Length),
            ("DE000SMX00155", IsinError::Length),
            (" DE000SMX0015", IsinError::Length),
            ("D1000SMX0015", IsinError::Country),
            ("de000SMX0015", IsinError::Country),
            ("DE000smx0015", IsinError::Body),
            ("DE000SM-0015", IsinError::Body),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Isin>(), Err(error(text.to_owned())));
        }
        assert_eq!(
            "DE000SMX001X".parse::<Isin>(),
            Err(IsinError::CheckDigit("DE000SMX001X".to_owned(), '5'))
        );
        assert_eq!("é00000000000".parse::<Isin>(), Err(IsinError::Length("é00000000000".to_owned())));
    }

    #[test]
    fn travels_as_text_and_is_examined_on_arrival() {
        let isin: Isin = "DE000SMX0015".parse().unwrap();
        assert_eq!(serde_json::to_string(&isin).unwrap(), "\"DE000SMX0015\"");
        assert_eq!(serde_json::from_str::<Isin>("\"DE000SMX0015\"").unwrap(), isin);
        let refusal = serde_json::from_str::<Isin>("\"DE000SMX0016\"").unwrap_err().to_string();
        assert!(refusal.contains("would have to be 5"), "{refusal}");
        let packed = rmp_serde::to_vec(&isin).unwrap();
        assert_eq!(rmp_serde::from_slice::<Isin>(&packed).unwrap(), isin);
    }

    proptest! {
        #[test]
        fn any_stem_completes_and_round_trips(stem in "[A-Z]{2}[A-Z0-9]{9}") {
            let isin = Isin::with_check_digit(&stem).unwrap();
            prop_assert_eq!(isin.to_string().parse::<Isin>().unwrap(), isin);
            prop_assert_eq!(&isin.as_str()[..11], stem);
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(
            stem in "[A-Z]{2}[A-Z0-9]{9}",
            place in 0_usize..12,
            other in 0_u8..10,
        ) {
            let isin = Isin::with_check_digit(&stem).unwrap();
            let mut bytes = isin.as_str().as_bytes().to_vec();
            prop_assume!(bytes[place].is_ascii_digit() && bytes[place] != b'0' + other);
            bytes[place] = b'0' + other;
            let wrong = String::from_utf8(bytes).unwrap();
            prop_assert!(matches!(wrong.parse::<Isin>(), Err(IsinError::CheckDigit(_, _))));
        }
    }
}
