//! Basis points: signed hundredths of a percent, for drifts, fees and price limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::decimal::parse_scaled;
use crate::error::MoneyError;

/// A signed number of 1/10 000 parts of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bps(i32);

impl Bps {
    /// Basis points in one whole.
    pub const WHOLE: i32 = 10_000;

    /// Makes a number of basis points.
    #[must_use]
    pub const fn new(points: i32) -> Self {
        Self(points)
    }

    /// Gives the number of basis points.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl FromStr for Bps {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self> {
        let points = parse_scaled(text, 0, "basis points")?;
        let narrow = i32::try_from(points).map_err(|_| MoneyError::Overflow { operation: "basis points" })?;
        Ok(Self(narrow))
    }
}

impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
