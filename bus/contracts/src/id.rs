//! Ids that are derived, never random: the same decision on the same input has the same id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};
use ulid::Ulid;

use ::market::Timestamp;

/// 26 characters: 48 bits of time and 80 bits of a hash.
///
/// ```
/// use contracts::Id;
/// use market::Timestamp;
/// let at = Timestamp::from_ms(1_772_461_867_250);
/// assert_eq!(Id::derive(at, &["plan", "1"]), Id::derive(at, &["plan", "1"]));
/// assert_ne!(Id::derive(at, &["plan", "1"]), Id::derive(at, &["plan1", ""]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Ulid);

impl Id {
    /// Hashes the parts (each with its length, so that no two lists of parts look alike) below the time.
    #[must_use]
    pub fn derive(at: Timestamp, parts: &[&str]) -> Id {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut low = [0_u8; 16];
        hasher.finalize_xof().fill(&mut low[6..]);
        let time = u64::try_from(at.ms()).unwrap_or(0) & ((1 << 48) - 1);
        Id(Ulid((u128::from(time) << 80) | u128::from_be_bytes(low)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: it must have 26 characters of 0-9 and A-Z without I, L, O and U")]
pub struct NotAnId(String);

impl FromStr for Id {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Id, NotAnId> {
        let shown = || NotAnId(text.chars().take(40).collect());
        let id = Ulid::from_string(text).map_err(|_| shown())?;
        // The text must be the one canonical form, or one id would have several topic paths.
        if id.to_string() == text { Ok(Id(id)) } else { Err(shown()) }
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id of 26 characters")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$", "description": "48 bits of time and 80 bits of a hash." })
    }
}
