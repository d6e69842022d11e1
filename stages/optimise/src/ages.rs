//! Whether a price or a currency rate is recent enough to decide by.
//!
//! A price may be two trading days of its venue old: at the third opening since it was made it is too old. A rate may be
//! 24 hours old, days left out on which no rates are made. Of what the core holds everything must be recent, or the targets
//! said before stay in force: weights computed from old values would ask for trades that nobody needs. What is not held and
//! has an old price has no say. A venue without a calendar is taken to open on every weekday, so doubt is never on the side of
//! an old price.

use std::collections::BTreeMap;

use contracts::{FxRates, PortfolioState, Universe};
use market::{Calendars, Isin, Mic, Timestamp};
use money::Currency;

use crate::held::Account;

/// Openings of the venue since a price was made that it may have missed.
const OPENINGS_MAX: usize = 2;
const DAY_MS: i64 = 86_400_000;
/// Age of a rate, without the days that do not count.
const RATE_AGE_MAX_MS: i64 = 24 * 3_600_000;

/// When and where a price was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub mic: Mic,
}

/// What is known of the age of prices and rates.
#[derive(Debug, Clone, Copy)]
pub struct Ages<'a> {
    /// The last price of each security that is believed.
    pub prices: &'a BTreeMap<Isin, Made>,
    /// Currency rates.
    pub rates: Option<&'a FxRates>,
    /// When venues open.
    pub calendars: &'a Calendars,
    /// Now.
    pub now: Timestamp,
}

impl Ages<'_> {
    /// Whether the price of a security is recent.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn price(&self, isin: &Isin) -> Result<(), String> {
        let made = self.prices.get(isin).ok_or("its price is not known")?;
        if self.openings(made) <= OPENINGS_MAX {
            return Ok(());
        }
        Err(format!("its price is of {}, more than {OPENINGS_MAX} trading days ago", made.at.day_utc()))
    }

    /// Whether the rate of a currency is recent; EUR needs none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn rate(&self, ccy: Currency) -> Result<(), String> {
        if ccy == Currency::EUR {
            return Ok(());
        }
        let rate = self.rates.and_then(|rates| rates.rates.get(&ccy));
        let rate = rate.ok_or_else(|| format!("the rate of {ccy} is not known"))?;
        if market::rate_age_ms(rate.as_of, self.now).is_some_and(|age| age <= RATE_AGE_MAX_MS) {
            return Ok(());
        }
        Err(format!("the rate of {ccy} is of {}, not of the last 24 hours", rate.as_of))
    }

    /// Whether everything is recent that the core's value rests on.
    ///
    /// # Errors
    /// The first that is not, and how many more there are.
    pub fn of_core(
        &self,
        universe: &Universe,
        account: &Account,
        state: Option<&PortfolioState>,
    ) -> Result<(), String> {
        // What is not watched any more, or frozen, has no price to wait for; its share stays what it is.
        let followed = |isin: &&Isin| {
            universe.find(isin).is_some_and(|one| one.active) && !account.frozen.contains(isin)
        };
        let named = |isin: &Isin| self.price(isin).map_err(|why| format!("{isin} is held and {why}"));
        let prices = account.currencies.keys().filter(followed).filter_map(|isin| named(isin).err());
        let cash = state.into_iter().flat_map(|state| &state.cash).filter(|cash| !cash.amount.is_zero());
        let mut currencies: Vec<Currency> = account.currencies.values().copied().collect();
        currencies.extend(cash.map(|cash| cash.amount.currency()));
        currencies.sort_unstable();
        currencies.dedup();
        let rates = currencies.into_iter().filter_map(|ccy| self.rate(ccy).err());
        let mut all = prices.chain(rates);
        match (all.next(), all.count()) {
            (None, _) => Ok(()),
            (Some(only), 0) => Err(only),
            (Some(first), more) => Err(format!("{first}, and {more} more like this")),
        }
    }

    /// How often the venue opened after a price was made, up to now; counted no further than it matters.
    fn openings(&self, made: &Made) -> usize {
        // Venues in the east are in their next day already.
        let mut day = self.now.day_utc().next();
        let mut found = 0;
        while found <= OPENINGS_MAX && day.next() >= made.at.day_utc() {
            let opened = match self.calendars.sessions(made.mic, day) {
                Some(sessions) => sessions.first().map(|session| session.open),
                None => (!day.weekday().is_weekend())
                    .then(|| Timestamp::from_ms(i64::from(day.epoch_days()) * DAY_MS)),
            };
            found += usize::from(opened.is_some_and(|at| made.at < at && at <= self.now));
            if day == day.prev() {
                break;
            }
            day = day.prev();
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{FxRate, Sample};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn isin() -> Isin {
        PortfolioState::sample().positions[0].isin
    }

    fn price(venue: &str, made: &str, now: &str) -> Result<(), String> {
        let made = Made { at: at(made), mic: venue.parse().unwrap() };
        let calendars = Calendars::embedded().with_rules();
        let prices = BTreeMap::from([(isin(), made)]);
        Ages { prices: &prices, rates: None, calendars: &calendars, now: at(now) }.price(&isin())
    }

    #[test]
    fn a_price_is_too_old_at_the_third_opening_since() {
        // Thursday 5 March 2026 in Frankfurt, which opens at 8:00 UTC; Friday and Monday pass.
        for (now, recent) in [
            ("2026-03-05T15:00:00Z", true),
            ("2026-03-07T12:00:00Z", true),
            ("2026-03-09T23:59:00Z", true),
            ("2026-03-10T07:59:59Z", true),
            ("2026-03-10T08:00:00Z", false),
            ("2026-06-10T08:00:00Z", false),
        ] {
            assert_eq!(price("XETR", "2026-03-05T14:00:00Z", now).is_ok(), recent, "{now}");
        }
        let why = price("XETR", "2026-03-05T14:00:00Z", "2026-03-10T08:00:00Z").unwrap_err();
        assert!(why.contains("2026-03-05") && why.contains("2 trading days"), "{why}");
    }

    #[test]
    fn days_on_which_the_venue_stays_shut_do_not_count() {
        // Easter 2026: shut from Friday 3 April to Monday 6 April.
        assert!(price("XETR", "2026-04-02T14:00:00Z", "2026-04-08T23:00:00Z").is_ok());
        assert!(price("XETR", "2026-04-02T14:00:00Z", "2026-04-09T08:00:00Z").is_err());
        // Hong Kong opens at 1:30 UTC and counts once a day in spite of its lunch break.
        assert!(price("XHKG", "2026-03-05T02:00:00Z", "2026-03-10T01:29:00Z").is_ok());
        assert!(price("XHKG", "2026-03-05T02:00:00Z", "2026-03-10T01:30:00Z").is_err());
    }

    #[test]
    fn a_venue_that_nobody_knows_opens_on_every_weekday() {
        assert!(price("XXXX", "2026-04-02T14:00:00Z", "2026-04-06T23:00:00Z").is_ok());
        assert!(price("XXXX", "2026-04-02T14:00:00Z", "2026-04-07T00:00:00Z").is_err());
    }

    #[test]
    fn a_price_that_was_never_heard_is_not_recent() {
        let calendars = Calendars::embedded().with_rules();
        let ages = Ages {
            prices: &BTreeMap::new(),
            rates: None,
            calendars: &calendars,
            now: at("2026-03-05T14:00:00Z"),
        };
        assert!(ages.price(&isin()).unwrap_err().contains("not known"));
    }

    #[test]
    fn a_rate_is_too_old_after_a_day_that_counts() {
        let calendars = Calendars::embedded().with_rules();
        let usd: Currency = "USD".parse().unwrap();
        let rate = |made: &str, now: &str| {
            let made = FxRate { as_of: at(made), ..FxRates::sample().rates[&usd].clone() };
            let rates = FxRates { rates: BTreeMap::from([(usd, made)]), ..FxRates::sample() };
            Ages { prices: &BTreeMap::new(), rates: Some(&rates), calendars: &calendars, now: at(now) }
                .rate(usd)
        };
        for (made, now, recent) in [
            ("2026-03-04T16:00:00Z", "2026-03-05T16:00:00Z", true),
            ("2026-03-04T16:00:00Z", "2026-03-05T16:00:00.001Z", false),
            ("2026-03-06T16:00:00Z", "2026-03-09T16:00:00Z", true),
            ("2026-03-06T16:00:00Z", "2026-03-09T16:00:01Z", false),
        ] {
            assert_eq!(rate(made, now).is_ok(), recent, "{made} {now}");
        }
        let none = Ages {
            prices: &BTreeMap::new(),
            rates: None,
            calendars: &calendars,
            now: at("2026-03-05T16:00:00Z"),
        };
        assert!(none.rate(usd).unwrap_err().contains("USD is not known"));
        assert_eq!(none.rate(Currency::EUR), Ok(()));
    }
}
