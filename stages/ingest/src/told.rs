//! Prices that the broker tells by itself over its socket: newer ones between two questions, never the last word.
//!
//! What is doubtful is not said from here: a price that jumps only brings the next question forward, and its answer is
//! judged as always; what a question calls suspect stays so until a question says otherwise. A security that was told of
//! a moment ago need not be asked about, except now and then, so that a socket that repeats nonsense cannot stand in for
//! the broker's answers for long.

use std::collections::BTreeMap;

use bus_client::Out;
use contracts::Quote;
use market::{Isin, Timestamp};
use tradernet::{PRICE_AGE_MAX_MS, Ticker, commands::quotes::Quote as Reading};

use crate::belief::{Belief, judge};
use crate::limits::{ASKED_ALL_THE_SAME, ASKED_WITHIN_MS, HURRIED_MS, JUMP_PART};
use crate::quotes::{far_from, quote_of};
use crate::schedule::grid_from;
use crate::stage::Listed;
use crate::{Call, Ingest, Save};

/// What is followed, and what was told of it.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    followed: Vec<Ticker>,
    /// When each was last told of, and when that was last written down.
    told: BTreeMap<Isin, (Timestamp, Timestamp)>,
    hurried: Option<Timestamp>,
}

impl Ingest {
    /// Follows the securities whose venue is open; nothing while all are closed.
    pub(crate) fn follow(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if !self.settings.broker_socket || self.settings.broker_url.is_empty() {
            return;
        }
        let open = self
            .universe
            .values()
            .filter(|listed| listed.security.active && self.calendars.is_open(listed.security.mic, now));
        let open: Vec<Ticker> = open.map(|listed| listed.ticker.clone()).collect();
        if open != self.heard.followed {
            self.heard.followed.clone_from(&open);
            out.call(Call::Follow { tickers: open });
        }
    }

    /// Takes what was told.
    pub(crate) fn told(&mut self, told: &BTreeMap<Ticker, Reading>, now: Timestamp, out: &mut Out<Self>) {
        for (ticker, reading) in told {
            let found = self.universe.values().find(|listed| listed.ticker == *ticker);
            let Some(listed) = found.filter(|listed| listed.security.active) else { continue };
            let security = &listed.security;
            // What is wrong with a reading is told by the next question, not twice a minute from here.
            let Ok(quote) = quote_of(security, reading, now) else { continue };
            if !self.calendars.is_open(security.mic, now) {
                continue;
            }
            let doubtful = self.doubt_about(&quote.isin, quote.price_e6, now).is_some();
            if !doubtful && self.is_ordinary(listed, &quote) {
                self.say_told(quote, reading, now, out);
                continue;
            }
            // A jump that waits for a second reading has that at its own time: two of one moment are one.
            let waits = listed.known.unconfirmed.is_some();
            self.heard.told.remove(&quote.isin);
            if !doubtful && !waits {
                self.hurry_question(now);
            }
        }
    }

    /// Near what is known already: such a price needs no second look.
    fn is_ordinary(&self, listed: &Listed, quote: &Quote) -> bool {
        let Some(accepted) = &listed.known.accepted else { return false };
        let close = self.close_believed(&quote.isin);
        let near = close.is_none_or(|close| !far_from(close, quote.price_e6));
        let belief = judge(quote.price_e6.e6(), Some(accepted.price_e6.e6()), None, JUMP_PART);
        near && belief == Belief::Accepted
    }

    fn say_told(&mut self, mut quote: Quote, reading: &Reading, now: Timestamp, out: &mut Out<Self>) {
        let isin = quote.isin;
        if let Some(listed) = self.universe.get_mut(&isin) {
            listed.known.date(&mut quote, reading);
        }
        let interval = i64::from(self.settings.quote_interval_s) * 1_000;
        let written = self.heard.told.get(&isin).map(|(_, written)| *written);
        // The store keeps one price per interval, as if it had been asked for.
        let due = written.is_none_or(|then| grid_from(then, interval) < grid_from(now, interval));
        if due {
            out.save(Save::Quote(Box::new(quote.clone())));
        }
        self.heard.told.insert(isin, (now, if due { now } else { written.unwrap_or(now) }));
        if let Some(listed) = self.universe.get_mut(&isin) {
            listed.known.accepted = Some(quote.clone());
            listed.known.unconfirmed = None;
        }
        out.say(quote);
    }

    /// The next question comes now, unless one was brought forward a moment ago or comes in a moment anyway.
    fn hurry_question(&mut self, now: Timestamp) {
        let lately = self.heard.hurried.is_some_and(|then| now.since(then) < HURRIED_MS);
        if !lately && self.quotes_at.since(now) >= HURRIED_MS {
            self.heard.hurried = Some(now);
            self.quotes_at = now;
        }
    }

    /// Whether the socket told of it so lately that no question is needed.
    pub(crate) fn was_told(&self, isin: &Isin, now: Timestamp) -> bool {
        let interval = i64::from(self.settings.quote_interval_s) * 1_000;
        let questions = (ASKED_WITHIN_MS / interval).clamp(1, ASKED_ALL_THE_SAME);
        let all_the_same = now.ms().div_euclid(interval) % questions == 0;
        let told = self.heard.told.get(isin).map(|(told, _)| now.since(*told));
        !all_the_same && told.is_some_and(|age| (0..=PRICE_AGE_MAX_MS).contains(&age))
    }
}
