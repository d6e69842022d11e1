//! Which prices are asked for now, and what of an answer is said.

use std::collections::BTreeSet;

use bus_client::Out;
use contracts::Quote;
use market::{Isin, Timestamp};
use money::Price;
use tradernet::{Ticker, commands::quotes::Quotes, pacer::PaceClass};

use crate::limits::TICKERS_PER_CALL;
use crate::outside::{Task, Verdict, Witness};
use crate::pairs;
use crate::quotes::{far_from, quote_of};
use crate::schedule::{grid_after, grid_from, pause_ms};
use crate::stage::Listed;
use crate::venues::last_close;
use crate::{Call, Failure, Ingest, Save};

/// Why a price is suspect that did not jump, or whose jump was read twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Another provider's closes are so far from the broker's that nothing may be bought or sold.
    Stopped,
    /// Nothing was traded in so many sessions.
    Halted { sessions: usize },
    /// Another provider says another price.
    Contradicted,
}

impl Ingest {
    /// Asks for the open venues' securities; at the start also for those whose last price is older than the
    /// last session.
    pub(crate) fn ask_quotes(&mut self, first: bool, now: Timestamp, out: &mut Out<Self>) {
        let mut wanted: Vec<Ticker> = self
            .universe
            .values()
            .filter(|listed| listed.security.active)
            .filter(|listed| first || self.calendars.is_open(listed.security.mic, now))
            .filter(|listed| self.time_of_price(listed, now).is_some())
            .filter(|listed| !self.was_told(&listed.security.isin, now))
            .map(|listed| listed.ticker.clone())
            .collect();
        // Pairs trade nearly always; they are read along while anything else can be bought for the money, and are no
        // reason to ask when all the rest was told.
        let open = self.is_any_open(now);
        if open && !wanted.is_empty() {
            wanted.extend(pairs::wanted(&self.currencies()).into_keys());
        } else if !open && let Some(venue) = self.pairs.trade(false) {
            out.say(venue); // Nothing is read any more, so nobody knows whether they trade.
        }
        if wanted.is_empty() {
            self.quotes_at = self.next_quotes(now);
            return;
        }
        if let Some(until) = self.must_wait(PaceClass::Live, now) {
            self.quotes_at = until;
            return;
        }
        for tickers in wanted.chunks(TICKERS_PER_CALL) {
            self.quotes.awaited += 1;
            out.call(Call::Quotes { tickers: tickers.to_vec() });
        }
    }

    /// The time that a price read now has if it moved, and whether it can say anything new.
    fn time_of_price(&self, listed: &Listed, now: Timestamp) -> Option<Timestamp> {
        let mic = listed.security.mic;
        if self.calendars.is_open(mic, now) {
            return Some(now);
        }
        let closed = last_close(&self.calendars, mic, now)?;
        listed.known.newest().is_none_or(|newest| newest < closed).then_some(closed)
    }

    fn is_any_open(&self, at: Timestamp) -> bool {
        self.venues.keys().any(|mic| self.calendars.is_open(*mic, at))
    }

    /// The next point of the grid at which some venue is open.
    fn next_quotes(&self, now: Timestamp) -> Timestamp {
        let interval = i64::from(self.settings.quote_interval_s) * 1_000;
        let next = grid_after(now, interval);
        if self.is_any_open(next) {
            return next;
        }
        let openings = self.venues.keys().filter_map(|mic| self.calendars.state(*mic, now).next_change);
        let earliest = openings.filter(|then| *then > now).min();
        let day = now.saturating_plus_ms(86_400_000);
        grid_from(earliest.unwrap_or(day), interval).max(next)
    }

    pub(crate) fn quotes_came(
        &mut self,
        asked: &[Ticker],
        result: Result<Quotes, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.quotes.awaited = self.quotes.awaited.saturating_sub(1);
        let found = match result {
            Ok(found) => found,
            Err(failure) => {
                let pause = self.failed("quotes", &failure, now);
                self.quotes.failures += 1;
                self.quotes_at = now.saturating_plus_ms(pause_ms(self.quotes.failures, pause));
                return;
            }
        };
        self.succeeded("quotes");
        self.quotes.failures = 0;
        self.quotes_at = self.next_quotes(now);
        let mut doubts = Vec::new();
        let pairs = pairs::wanted(&self.currencies());
        let mut trading = BTreeSet::new();
        for ticker in asked {
            if let Some(isin) = pairs.get(ticker) {
                match self.take_pair((ticker, *isin), &found, now) {
                    Ok(Some((quote, trades))) => {
                        trading.insert(trades);
                        out.say(quote);
                    }
                    // What the broker does not list cannot be exchanged; who needs it says so.
                    Ok(None) => {}
                    Err(doubt) => doubts.push(doubt),
                }
                continue;
            }
            match self.take_quote(ticker, &found, now, out) {
                Ok(Some(quote)) => {
                    if quote.suspect {
                        doubts.push(self.why_suspect(ticker, &quote, now));
                    }
                    out.save(Save::Quote(Box::new(quote.clone())));
                    out.say(quote);
                }
                Ok(None) => {}
                Err(doubt) => doubts.push(doubt),
            }
        }
        self.doubt("prices", &doubts);
        // A call without a pair says nothing of them; an answer after the last close is the last for the night.
        let open = (!trading.is_empty()).then(|| self.is_any_open(now) && !trading.contains(&false));
        if let Some(venue) = open.and_then(|open| self.pairs.trade(open)) {
            out.say(venue);
        }
    }

    /// The price of a pair, and whether it trades now.
    fn take_pair(
        &mut self,
        (ticker, isin): (&Ticker, Isin),
        found: &Quotes,
        now: Timestamp,
    ) -> Result<Option<(Quote, bool)>, String> {
        let Some(reading) = found.by_ticker.get(ticker) else { return Ok(None) };
        Ok(Some((self.pairs.take(isin, reading, now)?, pairs::trades(reading))))
    }

    fn take_quote(
        &mut self,
        ticker: &Ticker,
        found: &Quotes,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<Option<Quote>, String> {
        let listed = self.universe.values().find(|listed| listed.ticker == *ticker);
        let Some(listed) = listed else { return Ok(None) };
        let isin = listed.security.isin;
        let Some(reading) = found.by_ticker.get(ticker) else {
            return Err(format!("the broker left out {ticker}"));
        };
        // The answer may come after the close: then the price is that of the close.
        let Some(at) = self.time_of_price(listed, now) else { return Ok(None) };
        if let Some(found) = reading.isin.filter(|found| *found != isin) {
            self.says_another_isin(isin, found, ticker, now, out);
        }
        let Some(listed) = self.universe.get(&isin) else { return Ok(None) };
        let mut quote = quote_of(&listed.security, reading, at)?;
        self.named_as_ever(&isin);
        let doubtful = self.doubt_about(&isin, quote.price_e6, now).is_some();
        let close = self.close_believed(&isin);
        if close.is_some_and(|close| far_from(close, quote.price_e6)) {
            // A split or an error: the past and other providers will tell.
            if let Some(bars) = self.bars.get_mut(&isin) {
                bars.look_again(now);
                self.bars_at = self.bars_at.min(now);
            }
            self.outside.hurry(&Task::Chart(isin), now);
        }
        let witness = self.outside.witness(&isin, quote.price_e6, now);
        let listed = self.universe.get_mut(&isin).expect("found above");
        listed.known.date(&mut quote, reading);
        let mut quote = listed.known.take(quote, close, witness == Witness::Confirms);
        let contradicted = witness == Witness::Contradicts;
        self.outside.doubt(isin, quote.suspect || contradicted, now);
        quote.suspect |= doubtful;
        Ok(Some(quote))
    }

    fn why_suspect(&self, ticker: &Ticker, quote: &Quote, now: Timestamp) -> String {
        let price = quote.price_e6;
        match self.doubt_about(&quote.isin, price, now) {
            Some(Doubt::Stopped) => {
                format!("the price of {ticker} is suspect until the closes of two providers agree")
            }
            Some(Doubt::Halted { sessions }) => {
                format!("{ticker} has not been traded for {sessions} sessions; its price is suspect")
            }
            Some(Doubt::Contradicted) => {
                format!("another provider contradicts the price of {ticker}, {price}; it is suspect")
            }
            None => format!("the price of {ticker} jumped to {price} and is suspect"),
        }
    }

    /// What speaks against any price of a security or against this one, however often the broker says it.
    pub(crate) fn doubt_about(&self, isin: &Isin, price: Price, now: Timestamp) -> Option<Doubt> {
        if self.outside.verdicts.get(isin).is_some_and(Verdict::stops) {
            return Some(Doubt::Stopped);
        }
        if let Some(bars) = self.bars.get(isin).filter(|bars| bars.is_halted()) {
            return Some(Doubt::Halted { sessions: bars.still });
        }
        (self.outside.witness(isin, price, now) == Witness::Contradicts).then_some(Doubt::Contradicted)
    }

    /// The last close that is believed.
    pub(crate) fn close_believed(&self, isin: &Isin) -> Option<Price> {
        let closes = &self.bars.get(isin)?.closes;
        closes.last_key_value().map(|(_, close)| *close)
    }
}
