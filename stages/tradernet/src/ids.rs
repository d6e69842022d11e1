//! The broker's own names of things: tickers, order ids, fill ids.

use std::fmt;

/// Longest ticker accepted; real ones stay below 30 characters.
const TICKER_CHARS_MAX: usize = 64;
/// Longest id accepted.
const ID_CHARS_MAX: usize = 40;

/// Names an instrument in the broker's spelling, such as `NRDW.US` or `EUR/USD`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticker(String);

/// Says why a text is no ticker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ticker is 1 to 64 characters without blanks, commas, quotes or control characters")]
pub struct TickerFault;

impl Ticker {
    /// Takes a ticker in the broker's spelling.
    ///
    /// # Errors
    /// Refuses what could not stand in a comma-separated list.
    pub fn parse(text: &str) -> Result<Self, TickerFault> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '"' | '\\');
        let fits = (1..=TICKER_CHARS_MAX).contains(&text.len());
        if fits && !text.chars().any(bad) { Ok(Self(text.to_owned())) } else { Err(TickerFault) }
    }

    /// Returns the ticker as the broker writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether an order may name it at all: options and indices may not.
    pub fn is_orderable(&self) -> bool {
        !self.0.starts_with('+') && !self.0.ends_with(".IDX")
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! broker_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as the broker writes it; empty, `0` and overlong texts are no ids.
            pub fn parse(text: &str) -> Option<Self> {
                let text = text.trim();
                let usable = !text.is_empty() && text != "0" && text.len() <= ID_CHARS_MAX;
                (usable && text.chars().all(|c| c.is_ascii_graphic())).then(|| Self(text.to_owned()))
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the id as a number when it is one.
            pub fn number(&self) -> Option<i64> {
                self.0.parse().ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

broker_id! {
    /// Names an order at the broker.
    BrokerOrderId
}
broker_id! {
    /// Names one fill at the broker; an order may have many.
    TradeId
}

/// Says which way an order or a fill goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Units come in.
    Buy,
    /// Units go out.
    Sell,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tickers_fit_into_a_comma_list() {
        for good in ["NRDW.US", "KOWTC.9934.AS", "EUR/USD", "+ABC.18SEP2026.C55", "SP500.IDX"] {
            assert_eq!(Ticker::parse(good).map(|t| t.to_string()), Ok(good.to_owned()));
        }
        let long = "A".repeat(65);
        for bad in ["", "A,B", "A B", "A\n", "\"A\"", long.as_str()] {
            assert_eq!(Ticker::parse(bad), Err(TickerFault), "{bad}");
        }
    }

    #[test]
    fn options_and_indices_cannot_be_ordered() {
        let orderable = |text| Ticker::parse(text).unwrap().is_orderable();
        assert!(orderable("NRDW.US") && orderable("EUR/USD"));
        assert!(!orderable("+ABC.18SEP2026.C55") && !orderable("SP500.IDX"));
    }

    #[test]
    fn zero_and_empty_are_no_order_ids() {
        for text in ["", "0", "  ", "a b", &"1".repeat(41)] {
            assert_eq!(BrokerOrderId::parse(text), None, "{text}");
        }
        let id = BrokerOrderId::parse("5510020011").unwrap();
        assert_eq!((id.as_str(), id.number()), ("5510020011", Some(5_510_020_011)));
        assert_eq!(BrokerOrderId::parse("A17").unwrap().number(), None);
    }
}
