//! The pairs of currencies that the broker exchanges: their quotes, and whether they trade now.
//!
//! A pair is read together with the securities, in the same call, if the fund can have both of its currencies. Nobody
//! publishes a calendar of them: they trade while the broker says so next to every one of their prices, and count as
//! closed while no prices are read. A price is believed as a security's is; the gate compares it with the reference rate.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Quote, Source, Venue, pair_isin, pair_of, pair_ticker, pair_venue};
use limits::FxPair;
use market::{Isin, Timestamp};
use money::Currency;
use tradernet::{Ticker, commands::quotes::Quote as Reading};

use crate::quotes::Known;

/// What the broker says of a market that trades.
const OPEN: &str = "OPEN";

/// What is known of the pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    known: BTreeMap<Isin, Known>,
    /// What was said of their venue last.
    open: Option<bool>,
}

/// The pairs worth reading, by ticker.
pub(crate) fn wanted(currencies: &BTreeSet<Currency>) -> BTreeMap<Ticker, Isin> {
    let has = |ccy: Currency| ccy == Currency::EUR || currencies.contains(&ccy);
    let both = FxPair::ALL.into_iter().filter(|pair| has(pair.base) && has(pair.quote));
    both.filter_map(|FxPair { base, quote }| {
        Some((Ticker::parse(&pair_ticker(base, quote)).ok()?, pair_isin(base, quote)?))
    })
    .collect()
}

impl Pairs {
    /// Takes the price of a pair; it comes back marked as it is to be said.
    ///
    /// # Errors
    /// One sentence, when there is no price above zero or it is in another currency.
    pub(crate) fn take(&mut self, isin: Isin, reading: &Reading, now: Timestamp) -> Result<Quote, String> {
        let mut quote = quote_of(isin, reading, now)?;
        let known = self.known.entry(isin).or_default();
        known.date(&mut quote, reading);
        Ok(known.take(quote, None, false))
    }

    /// Takes whether all that were read trade; gives what is to be said of their venue, if that is another thing.
    pub(crate) fn trade(&mut self, open: bool) -> Option<Venue> {
        if self.open.replace(open) == Some(open) {
            return None;
        }
        Some(Venue {
            mic: pair_venue(),
            open,
            reason: if open { "regular" } else { "not_trading" }.to_owned(),
            since_open_min: None,
            until_close_min: None,
            next_change: None,
            strict: true,
            calendar_days_left: 0,
        })
    }
}

/// Whether the broker says that a pair trades now.
pub(crate) fn trades(reading: &Reading) -> bool {
    reading.market_status.as_deref() == Some(OPEN)
}

fn quote_of(isin: Isin, reading: &Reading, at: Timestamp) -> Result<Quote, String> {
    let (base, ccy) = pair_of(&isin).ok_or_else(|| format!("{isin} is no pair"))?;
    let ticker = pair_ticker(base, ccy);
    let price_e6 = reading.last.filter(|price| !price.is_zero());
    let price_e6 = price_e6.ok_or_else(|| format!("{ticker} has no price above zero"))?;
    if reading.currency != Some(ccy) {
        return Err(format!("{ticker} is not quoted in {ccy}"));
    }
    Ok(Quote {
        isin,
        mic: pair_venue(),
        price_e6,
        bid_e6: reading.bid,
        ask_e6: reading.ask,
        ccy,
        at,
        source: Source::Broker,
        suspect: false,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use money::Price;

    use super::*;

    fn ccy(text: &str) -> Currency {
        text.parse().unwrap()
    }

    fn reading(last: &str, currency: Option<&str>, status: Option<&str>) -> Reading {
        Reading {
            last: last.parse::<Price>().ok(),
            currency: currency.map(ccy),
            market_status: status.map(Into::into),
            ..crate::quotes::tests::reading(None)
        }
    }

    #[test]
    fn a_pair_is_read_when_the_fund_can_have_both_currencies() {
        let tickers = |all: &[&str]| -> Vec<String> {
            wanted(&all.iter().map(|one| ccy(one)).collect()).into_keys().map(|one| one.to_string()).collect()
        };
        assert_eq!(tickers(&[]), Vec::<String>::new());
        assert_eq!(tickers(&["DKK"]), Vec::<String>::new());
        assert_eq!(tickers(&["USD"]), ["EUR/USD"]);
        assert_eq!(tickers(&["USD", "GBP"]), ["EUR/GBP", "EUR/USD", "GBP/USD"]);
        assert_eq!(tickers(&["HKD"]), ["HKD/EUR"]);
    }

    #[test]
    fn a_price_of_zero_or_in_another_currency_says_nothing() {
        let isin = pair_isin(Currency::EUR, ccy("USD")).unwrap();
        let mut pairs = Pairs::default();
        for (last, currency) in [("0", Some("USD")), ("", Some("USD")), ("1.1", Some("EUR")), ("1.1", None)] {
            let found = pairs.take(isin, &reading(last, currency, Some(OPEN)), Timestamp::ZERO);
            assert!(found.is_err(), "{last} {currency:?}");
        }
        let quote = pairs.take(isin, &reading("1.1", Some("USD"), None), Timestamp::ZERO).unwrap();
        assert_eq!((quote.isin, quote.mic, quote.suspect), (isin, pair_venue(), false));
        let jumped = pairs.take(isin, &reading("1.9", Some("USD"), None), Timestamp::ZERO).unwrap();
        assert!(jumped.suspect, "a jump waits for a second reading");
    }

    #[test]
    fn pairs_trade_only_while_the_broker_says_so_and_that_is_said_once() {
        assert!(trades(&reading("1", None, Some("OPEN"))));
        for status in [None, Some("CLOSE"), Some("PRE_OPEN"), Some("open?")] {
            assert!(!trades(&reading("1", None, status)), "{status:?}");
        }
        let mut pairs = Pairs::default();
        assert_eq!(pairs.trade(false).map(|venue| venue.open), Some(false));
        assert_eq!(pairs.trade(false), None);
        assert_eq!(pairs.trade(true).map(|venue| venue.open), Some(true));
    }
}
