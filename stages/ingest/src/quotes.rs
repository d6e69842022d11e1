//! The last price of one security: what of a reading is said, and how old it is.

use contracts::{Quote, Security, Source};
use market::Timestamp;
use money::{Price, Quantity};
use tradernet::{WallTime, commands::quotes::Quote as Reading};

use crate::belief::{Belief, judge};
use crate::limits::{CLOSE_FACTOR, JUMP_PART};

/// The last accepted price of a security, and one after it that waits for a second reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) accepted: Option<Quote>,
    pub(crate) unconfirmed: Option<Quote>,
    /// What the last reading said of trading.
    trace: Trace,
}

/// What a reading says of trading beside its prices. A zero says nothing: it is the same for no trade and for no figure.
#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    volume: Option<Quantity>,
    traded: Option<WallTime>,
}

impl Trace {
    /// Whether something was traded since the last reading; then takes this one. The time of the last trade is in a
    /// zone that nobody knows: it only counts as another one, and only where no volume says more.
    fn moves(&mut self, reading: &Reading) -> bool {
        let volume = reading.volume.filter(|volume| volume.is_positive());
        let moves = match (volume, self.volume) {
            (Some(now), Some(before)) => now != before,
            _ => reading.last_at.zip(self.traded).is_some_and(|(now, before)| now != before),
        };
        self.volume = volume.or(self.volume);
        self.traded = reading.last_at.or(self.traded);
        moves
    }
}

impl Known {
    /// When the newest price was made.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.accepted.iter().chain(&self.unconfirmed).map(|quote| quote.at).max()
    }

    /// Dates a quote: one in which nothing moved is as old as the first reading that said the same.
    ///
    /// A feed that stands still repeats its last word for ever; only a change proves that somebody still trades.
    pub(crate) fn date(&mut self, quote: &mut Quote, reading: &Reading) {
        let moves = self.trace.moves(reading);
        let prices = |quote: &Quote| (quote.price_e6, quote.bid_e6, quote.ask_e6);
        let last = self.unconfirmed.as_ref().or(self.accepted.as_ref());
        if let Some(last) = last.filter(|last| !moves && prices(last) == prices(quote)) {
            quote.at = quote.at.min(last.at);
        }
    }

    /// Takes a quote; it comes back marked as it is to be said. Far from the last close it stays suspect however
    /// often it is read: a split or an error is more likely than a bargain. A second source confirms a jump at once.
    pub(crate) fn take(&mut self, mut quote: Quote, close: Option<Price>, confirmed: bool) -> Quote {
        if close.is_some_and(|close| far_from(close, quote.price_e6)) {
            quote.suspect = true;
            self.unconfirmed = Some(quote.clone());
            return quote;
        }
        let e6 = |quote: &Option<Quote>| quote.as_ref().map(|quote| quote.price_e6.e6());
        let price = quote.price_e6.e6();
        let second = if confirmed { Some(price) } else { e6(&self.unconfirmed) };
        match judge(price, e6(&self.accepted), second, JUMP_PART) {
            Belief::Accepted => {
                self.accepted = Some(quote.clone());
                self.unconfirmed = None;
            }
            Belief::Suspect => {
                quote.suspect = true;
                self.unconfirmed = Some(quote.clone());
            }
        }
        quote
    }

    /// Remembers a stored quote.
    pub(crate) fn remember(&mut self, quote: Quote) {
        let slot = if quote.suspect { &mut self.unconfirmed } else { &mut self.accepted };
        *slot = Some(quote);
    }
}

/// Tells whether a price is more than twice the last close, or less than half of it.
pub(crate) fn far_from(close: Price, price: Price) -> bool {
    let (close, price) = (i128::from(close.e6()), i128::from(price.e6()));
    price > close * i128::from(CLOSE_FACTOR) || price * i128::from(CLOSE_FACTOR) < close
}

/// Turns a reading into a quote of the security.
///
/// # Errors
/// One sentence, when there is no price above zero or it is in another currency (pence have none).
pub(crate) fn quote_of(security: &Security, reading: &Reading, at: Timestamp) -> Result<Quote, String> {
    let Security { isin, ticker, ccy, .. } = security;
    let price_e6 = reading.last.filter(|price| !price.is_zero());
    let price_e6 = price_e6.ok_or_else(|| format!("{ticker} has no price above zero"))?;
    match reading.currency {
        Some(found) if found == *ccy => {}
        Some(found) => return Err(format!("{ticker} is quoted in {found}, not in {ccy}")),
        None => return Err(format!("{ticker} is quoted in no known currency")),
    }
    if let Some(found) = reading.isin.filter(|found| found != isin) {
        return Err(format!("{ticker} is {found} at the broker, not {isin}"));
    }
    let source = Source::Broker;
    let (bid_e6, ask_e6) = (reading.bid, reading.ask);
    Ok(Quote {
        isin: *isin,
        mic: security.mic,
        price_e6,
        bid_e6,
        ask_e6,
        ccy: *ccy,
        at,
        source,
        suspect: false,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use contracts::Sample;
    use money::{Currency, Price};

    use super::*;

    pub(crate) fn reading(last: Option<i64>) -> Reading {
        Reading {
            last: last.map(|e6| Price::from_e6(e6).unwrap()),
            last_size: None,
            last_at: None,
            bid: None,
            bid_size: None,
            ask: None,
            ask_size: None,
            previous_close: None,
            open: None,
            low: None,
            high: None,
            volume: None,
            currency: Some(Currency::EUR),
            lot: None,
            tick: None,
            isin: None,
            market_status: None,
            venue: None,
        }
    }

    #[test]
    fn a_missing_or_zero_price_says_nothing() {
        let security = Security::sample();
        for last in [None, Some(0)] {
            assert!(quote_of(&security, &reading(last), Timestamp::ZERO).unwrap_err().contains("above zero"));
        }
        assert!(quote_of(&security, &reading(Some(1)), Timestamp::ZERO).is_ok());
    }

    #[test]
    fn another_currency_pence_or_another_security_says_nothing() {
        let security = Security::sample();
        let other = "US0378331005".parse().unwrap();
        for wrong in [
            Reading { currency: Some(Currency::USD), ..reading(Some(1)) },
            Reading { currency: None, ..reading(Some(1)) },
            Reading { isin: Some(other), ..reading(Some(1)) },
        ] {
            assert!(quote_of(&security, &wrong, Timestamp::ZERO).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_quote_in_which_nothing_moved_is_as_old_as_its_first_reading() {
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        let units = |units: i64| Quantity::from_units(units).ok();
        let clock = |text: &str| Some(WallTime::parse(text).unwrap());
        let price = |e6: i64| Price::from_e6(e6).ok();
        let first = Reading { bid: price(99), ask: price(101), volume: units(7), ..reading(Some(100)) };
        let timed = Reading { volume: units(0), last_at: clock("2026-03-02T09:41:02"), ..first.clone() };
        let later = Reading { last_at: clock("2026-03-02T09:41:03"), ..timed.clone() };
        let cases = [
            ("the same", first.clone(), first.clone(), 0),
            ("another price", first.clone(), Reading { last: price(102), ..first.clone() }, 40),
            ("another bid", first.clone(), Reading { bid: price(98), ..first.clone() }, 40),
            ("no ask", first.clone(), Reading { ask: None, ..first.clone() }, 40),
            ("more volume", first.clone(), Reading { volume: units(8), ..first.clone() }, 40),
            ("the volume of a new day", first.clone(), Reading { volume: units(3), ..first.clone() }, 40),
            ("no volume yet on a new day", first.clone(), Reading { volume: units(0), ..first.clone() }, 0),
            ("no volume at all", first.clone(), Reading { volume: None, ..first.clone() }, 0),
            ("a later trade without a volume", timed.clone(), later.clone(), 40),
            ("the same trade without a volume", timed.clone(), timed, 0),
            (
                "a clock that goes on beside a volume that does not",
                first.clone(),
                Reading { volume: units(7), ..later },
                0,
            ),
        ];
        for (what, before, after, minute) in cases {
            let mut known = Known::default();
            for (reading, now) in [(&before, at(0)), (&after, at(40))] {
                let mut quote = quote_of(&Security::sample(), reading, now).unwrap();
                known.date(&mut quote, reading);
                let said = known.take(quote, None, false);
                assert!(now == at(0) || said.at == at(minute), "{what}: {}", said.at);
            }
        }
    }

    #[test]
    fn a_stored_quote_keeps_its_age_and_a_suspect_one_is_compared_with_itself() {
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        let mut known = Known::default();
        let security = Security::sample();
        known.remember(quote_of(&security, &reading(Some(100)), at(0)).unwrap());
        for (e6, now, expected) in [(100, 10, 0), (130, 20, 20), (130, 30, 20), (100, 40, 40), (100, 50, 40)]
        {
            let reading = reading(Some(e6));
            let mut quote = quote_of(&security, &reading, at(now)).unwrap();
            known.date(&mut quote, &reading);
            assert_eq!(known.take(quote, None, false).at, at(expected), "{now}");
        }
    }

    #[test]
    fn a_suspect_price_does_not_become_the_measure() {
        let quote = |e6: i64| quote_of(&Security::sample(), &reading(Some(e6)), Timestamp::ZERO).unwrap();
        let mut known = Known::default();
        assert!(!known.take(quote(100), None, false).suspect);
        assert!(known.take(quote(130), None, false).suspect);
        assert!(
            known.take(quote(200), None, false).suspect,
            "neither near the accepted nor near the unconfirmed one"
        );
        assert!(!known.take(quote(101), None, false).suspect, "the jump was an error");
        assert!(known.take(quote(130), None, false).suspect);
        assert!(!known.take(quote(131), None, false).suspect, "the jump was real");
    }

    #[test]
    fn a_second_source_confirms_a_jump_but_never_half_or_twice_the_close() {
        let quote = |e6: i64| quote_of(&Security::sample(), &reading(Some(e6)), Timestamp::ZERO).unwrap();
        let mut known = Known::default();
        known.take(quote(100), None, false);
        assert!(!known.take(quote(130), Price::from_e6(100).ok(), true).suspect);
        assert!(known.take(quote(201), Price::from_e6(100).ok(), true).suspect);
    }

    #[test]
    fn a_price_beyond_half_or_twice_the_close_stays_suspect() {
        let quote = |e6: i64| quote_of(&Security::sample(), &reading(Some(e6)), Timestamp::ZERO).unwrap();
        let close = Some(Price::from_e6(100).unwrap());
        for (e6, suspect) in [(50, false), (49, true), (200, false), (201, true), (1_000, true), (1, true)] {
            let mut known = Known::default();
            assert_eq!(known.take(quote(e6), close, false).suspect, suspect, "{e6}");
            assert_eq!(known.take(quote(e6), close, false).suspect, suspect, "{e6} at the second reading");
        }
    }
}
