//! Whether the value of the fund can be believed: prices of open venues and rates of held currencies are recent enough.
//!
//! A value that rests on old prices may hide a loss, and the breaker must not say "normal" then.

use contracts::{FxRates, PortfolioState, Quote, Venue};
use market::{Isin, Mic, Timestamp};
use money::Currency;
use std::collections::BTreeMap;

use crate::rate_age;

/// Older prices of an open venue count as unknown.
const PRICE_AGE_MS: i64 = 30 * 60_000;
/// A venue that opened a moment ago has no new prices yet.
const SINCE_OPEN_MIN: i64 = 30;

/// What the value is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grounds<'a> {
    pub(crate) portfolio: Option<&'a PortfolioState>,
    pub(crate) quotes: &'a BTreeMap<Isin, Quote>,
    pub(crate) venues: &'a BTreeMap<Mic, Venue>,
    pub(crate) fx: Option<&'a FxRates>,
}

/// Why the value is doubted, if it is. `mic` tells where a security is traded.
#[must_use]
pub(crate) fn why(
    grounds: Grounds<'_>,
    mic: impl Fn(&Isin) -> Option<Mic>,
    now: Timestamp,
) -> Option<String> {
    let portfolio = grounds.portfolio?;
    let usable = |ccy: Currency| {
        ccy == Currency::EUR
            || grounds
                .fx
                .and_then(|fx| fx.rates.get(&ccy))
                .is_some_and(|rate| rate_age::is_usable(rate.as_of, now))
    };
    let held = portfolio.positions.iter().filter(|one| !one.qty_e6.is_zero()).map(|one| one.ccy);
    let cash = portfolio.cash.iter().filter(|one| !one.amount.is_zero()).map(|one| one.amount.currency());
    if let Some(ccy) = held.chain(cash).find(|ccy| !usable(*ccy)) {
        return Some(format!("the rate of {ccy} is missing or too old"));
    }
    let is_old = |isin: &Isin| {
        let venue = mic(isin).and_then(|mic| grounds.venues.get(&mic));
        let trading = venue
            .is_some_and(|venue| venue.open && venue.since_open_min.is_some_and(|min| min >= SINCE_OPEN_MIN));
        let recent = grounds.quotes.get(isin).is_some_and(|quote| now.since(quote.at) <= PRICE_AGE_MS);
        trading && !recent
    };
    let value = |old_only: bool| {
        portfolio
            .positions
            .iter()
            .filter(|one| !old_only || is_old(&one.isin))
            .filter_map(|one| one.value_eur)
            .map(|value| i128::from(value.e4()))
            .sum::<i128>()
    };
    let (old, all) = (value(true), portfolio.nav.map_or_else(|| value(false), |nav| i128::from(nav.e4())));
    // More than a tenth of the fund.
    (old * 10 > all).then(|| "prices of more than a tenth of the fund are older than 30 minutes".to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Cash, Position, Sample};
    use money::Money;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn found(
        change: impl FnOnce(&mut PortfolioState, &mut BTreeMap<Isin, Quote>, &mut Venue, &mut Option<FxRates>),
    ) -> Option<String> {
        let now = "2026-03-03T15:00:00Z".parse::<Timestamp>().unwrap();
        let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
        let position = PortfolioState::sample().positions[0].clone();
        let mut portfolio = PortfolioState {
            positions: vec![Position { value_eur: Some(eur(1_001)), ..position.clone() }],
            cash: vec![Cash {
                bucket_id: "core".into(),
                amount: eur(8_999),
                reserved: eur(0),
                pending_in: None,
                pending_out: None,
                spendable: None,
            }],
            nav: Some(eur(10_000)),
            ..PortfolioState::sample()
        };
        let quote = Quote { isin: position.isin, at: now, ..Quote::sample() };
        let mut quotes = BTreeMap::from([(position.isin, quote)]);
        let mut venue = Venue { open: true, since_open_min: Some(31), ..Venue::sample() };
        let mut fx = None;
        change(&mut portfolio, &mut quotes, &mut venue, &mut fx);
        let mic = venue.mic;
        let venues = BTreeMap::from([(mic, venue)]);
        why(
            Grounds { portfolio: Some(&portfolio), quotes: &quotes, venues: &venues, fx: fx.as_ref() },
            |_| Some(mic),
            now,
        )
    }

    fn age(quotes: &mut BTreeMap<Isin, Quote>, ms: i64) {
        quotes.values_mut().for_each(|quote| quote.at = quote.at.saturating_minus_ms(ms));
    }

    #[test]
    fn recent_prices_are_believed_up_to_half_an_hour() {
        assert_eq!(found(|_, _, _, _| ()), None);
        assert_eq!(found(|_, quotes, _, _| age(quotes, 30 * MINUTE)), None);
        assert!(found(|_, quotes, _, _| age(quotes, 30 * MINUTE + 1)).is_some());
        assert!(found(|_, quotes, _, _| quotes.clear()).is_some());
    }

    #[test]
    fn a_tenth_of_the_fund_may_be_old() {
        let small = |portfolio: &mut PortfolioState| {
            portfolio.positions[0].value_eur = Some("1000 EUR".parse().unwrap());
        };
        assert_eq!(
            found(|portfolio, quotes, _, _| {
                small(portfolio);
                quotes.clear();
            }),
            None
        );
    }

    #[test]
    fn closed_venues_and_fresh_openings_have_old_prices_by_nature() {
        assert_eq!(
            found(|_, quotes, venue, _| {
                quotes.clear();
                venue.open = false;
            }),
            None
        );
        assert_eq!(
            found(|_, quotes, venue, _| {
                quotes.clear();
                venue.since_open_min = Some(29);
            }),
            None
        );
    }

    #[test]
    fn a_held_currency_needs_a_rate() {
        let usd = |portfolio: &mut PortfolioState, amount: &str| {
            portfolio.cash.push(Cash {
                bucket_id: "core".into(),
                amount: amount.parse().unwrap(),
                reserved: amount.parse().unwrap(),
                pending_in: None,
                pending_out: None,
                spendable: None,
            });
        };
        assert!(found(|portfolio, _, _, _| usd(portfolio, "1 USD")).unwrap().contains("USD"));
        assert_eq!(found(|portfolio, _, _, _| usd(portfolio, "0 USD")), None);
        assert_eq!(
            found(|portfolio, _, _, fx| {
                usd(portfolio, "1 USD");
                let mut rates = FxRates::sample();
                rates.rates.values_mut().for_each(|rate| {
                    rate.as_of = "2026-03-03T14:00:00Z".parse().unwrap();
                });
                *fx = Some(rates);
            }),
            None
        );
    }
}
