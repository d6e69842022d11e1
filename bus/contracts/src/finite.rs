//! A number that is never NaN and never infinite, so that neither can enter a stage.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A finite double.
///
/// ```
/// use contracts::Finite;
/// assert_eq!(Finite::new(0.5).map(Finite::get), Some(0.5));
/// assert_eq!(Finite::new(f64::NAN), None);
/// ```
#[derive(Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    /// Zero.
    pub const ZERO: Finite = Finite(0.0);

    /// Accepts finite numbers only.
    #[must_use]
    pub fn new(number: f64) -> Option<Finite> {
        number.is_finite().then_some(Finite(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Finite, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Finite::new(number)
            .ok_or_else(|| D::Error::custom(format!("{number} where a finite number must stand")))
    }
}

impl fmt::Debug for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
