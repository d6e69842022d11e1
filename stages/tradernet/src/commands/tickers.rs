//! A bounded list of tickers, as several commands take it.

use crate::ids::Ticker;

/// Holds one to `MAX` tickers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tickers<const MAX: usize>(Vec<Ticker>);

/// Says why a list of tickers cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TickersFault {
    /// Nothing to ask for.
    #[error("the list of tickers is empty; leave the request out")]
    Empty,
    /// More than one request may carry.
    #[error("{given} tickers are more than the {max} one request may carry; split the list")]
    TooMany {
        /// How many were given.
        given: usize,
        /// How many fit.
        max: usize,
    },
}

impl<const MAX: usize> Tickers<MAX> {
    /// Takes a list of tickers.
    ///
    /// # Errors
    /// Refuses an empty list and one with more than `MAX` tickers.
    pub fn new(tickers: Vec<Ticker>) -> Result<Self, TickersFault> {
        match tickers.len() {
            0 => Err(TickersFault::Empty),
            given if given > MAX => Err(TickersFault::TooMany { given, max: MAX }),
            _ => Ok(Self(tickers)),
        }
    }

    /// Returns the tickers.
    pub fn iter(&self) -> impl Iterator<Item = &Ticker> {
        self.0.iter()
    }

    /// Writes the tickers with commas between, as the API takes them.
    pub(crate) fn joined(&self) -> String {
        self.0.iter().map(Ticker::as_str).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_to_the_most_and_nothing_else() {
        let some = |n| vec![Ticker::parse("NRDW.US").unwrap(); n];
        assert_eq!(Tickers::<2>::new(some(0)), Err(TickersFault::Empty));
        assert_eq!(Tickers::<2>::new(some(2)).unwrap().joined(), "NRDW.US,NRDW.US");
        assert_eq!(Tickers::<2>::new(some(3)), Err(TickersFault::TooMany { given: 3, max: 2 }));
    }
}
