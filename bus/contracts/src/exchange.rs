//! Exchanges of currencies as orders of their own: they take the same path as orders for securities, under a number that
//! no security can have.
//!
//! A pair is written as an ISIN of the private range: `XF`, base, quote, `000` and the check digit; `EUR/USD` is
//! `XFEURUSD000` and its digit. Its quotes, requests, approvals and states are those of any other order; quantity is in
//! units of the base, the price in the quote currency.

use market::{Isin, Mic};
use money::Currency;

/// Where currencies are exchanged; no real venue has this code.
const VENUE: &str = "XFXM";

/// The number of a pair.
#[must_use]
pub fn pair_isin(base: Currency, quote: Currency) -> Option<Isin> {
    Isin::with_check_digit(&format!("XF{base}{quote}000")).ok()
}

/// The pair behind a number, base first; nothing for a security.
#[must_use]
pub fn pair_of(isin: &Isin) -> Option<(Currency, Currency)> {
    let text = isin.as_str();
    let inner = text.strip_prefix("XF")?;
    let (pair, tail) = inner.split_at_checked(6)?;
    let (base, quote) = pair.split_at_checked(3)?;
    let pair = (base.parse().ok()?, quote.parse().ok()?);
    tail.starts_with("000").then_some(pair)
}

/// The broker's ticker of a pair.
#[must_use]
pub fn pair_ticker(base: Currency, quote: Currency) -> String {
    format!("{base}/{quote}")
}

/// Where currencies are exchanged.
#[must_use]
pub fn pair_venue() -> Mic {
    VENUE.parse().expect("four capital letters are a venue's code")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_a_number_and_comes_back_from_it() {
        let usd = "USD".parse().unwrap();
        let isin = pair_isin(Currency::EUR, usd).unwrap();
        assert!(isin.as_str().starts_with("XFEURUSD000"), "{isin}");
        assert_eq!(pair_of(&isin), Some((Currency::EUR, usd)));
        assert_eq!(pair_ticker(Currency::EUR, usd), "EUR/USD");
        assert_eq!(pair_venue().as_str(), VENUE);
    }

    #[test]
    fn no_security_is_a_pair() {
        for text in ["DE000SMX0015", "US0378331005"] {
            assert_eq!(pair_of(&text.parse().unwrap()), None, "{text}");
        }
    }
}
