//! When a security goes on under another ISIN: several readings of the price and then the broker's list must name the
//! same one, in the same currency at the same venue. Ingest renames its own rows, and the universe shows what the security
//! was called before. Whoever keeps rows of his own renames by what he knows: the books follow the broker's account.

use bus_client::Out;
use contracts::Quote;
use market::{Isin, Timestamp};
use tradernet::{Ticker, commands::securities::Security as Master, pacer::PaceClass};

use crate::limits::{RENAMED_AGAIN_MS, RENAMED_READINGS};
use crate::owner;
use crate::{Call, Failure, Ingest, Save, admission};

/// What the broker names instead, how often in a row, and when its list may be asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renaming {
    to: Isin,
    readings: u32,
    asked: bool,
    not_before: Timestamp,
}

impl Ingest {
    /// A reading of the price names another ISIN; its price is not used.
    pub(crate) fn says_another_isin(
        &mut self,
        isin: Isin,
        found: Isin,
        ticker: &Ticker,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let fresh = Renaming { to: found, readings: 0, asked: false, not_before: Timestamp::ZERO };
        let renaming = self.renaming.entry(isin).or_insert(fresh);
        if renaming.to != found {
            *renaming = Renaming { not_before: renaming.not_before, ..fresh };
        }
        renaming.readings += 1;
        let due = renaming.readings >= RENAMED_READINGS && !renaming.asked && renaming.not_before <= now;
        if !due || self.universe.contains_key(&found) || self.must_wait(PaceClass::Directory, now).is_some() {
            return; // The next reading asks.
        }
        if let Some(renaming) = self.renaming.get_mut(&isin) {
            renaming.asked = true;
            renaming.not_before = now.saturating_plus_ms(RENAMED_AGAIN_MS);
        }
        out.call(Call::Master { isin: found, ticker: ticker.clone() });
    }

    /// A reading names the ISIN that is known: whatever was said of another one is over.
    pub(crate) fn named_as_ever(&mut self, isin: &Isin) {
        if let Some(renaming) = self.renaming.get_mut(isin) {
            renaming.readings = 0;
        }
        self.troubles.remove(&trouble(isin));
    }

    /// Whether the broker's list was asked about this ISIN as a new name.
    pub(crate) fn is_renamed_to(&self, isin: &Isin) -> bool {
        self.renaming.values().any(|renaming| renaming.asked && renaming.to == *isin)
    }

    /// The broker's list answered about the new name.
    pub(crate) fn renamed(
        &mut self,
        to: Isin,
        ticker: &Ticker,
        result: Result<Option<Master>, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let from = self.renaming.iter_mut().find(|(_, renaming)| renaming.asked && renaming.to == to);
        let Some((from, renaming)) = from else { return };
        let from = *from;
        let taken_back = renaming.readings < RENAMED_READINGS;
        // Whatever comes of it, the next readings count anew.
        (renaming.readings, renaming.asked) = (0, false);
        if taken_back {
            return;
        }
        let key = trouble(&from);
        if let Err(failure) = &result {
            self.failed(&key, failure, now);
        }
        if let Err(why) = self.confirmed(from, to, ticker, result) {
            return self
                .troubled(&key, &format!("the broker now names {ticker} {to} instead of {from}, but {why}"));
        }
        self.renaming.remove(&from);
        self.troubles.retain(|key, _| !key.contains(from.as_str()));
        self.rename(from, to, now, out);
    }

    /// The list says the same, and nothing else changed.
    fn confirmed(
        &self,
        from: Isin,
        to: Isin,
        ticker: &Ticker,
        result: Result<Option<Master>, Failure>,
    ) -> Result<(), String> {
        let master = result.map_err(|failure| failure.text)?;
        let master = master.ok_or("its list does not know the ticker")?;
        if master.isin != Some(to) {
            return Err("its list does not say so".into());
        }
        let new = owner::security_of(to, ticker, &master, &self.calendars).map_err(|(_, why)| why)?;
        let old = &self.universe.get(&from).ok_or("it is not watched")?.security;
        if (new.mic, new.ccy) != (old.mic, old.ccy) {
            return Err(format!("it would be traded in {} at {}", new.ccy, new.mic));
        }
        admission::objection(&[new], self.live).map_or(Ok(()), Err)
    }

    fn rename(&mut self, from: Isin, to: Isin, now: Timestamp, out: &mut Out<Self>) {
        let Some(mut listed) = self.universe.remove(&from) else { return };
        for security in [&mut listed.security, &mut listed.told] {
            (security.isin, security.previous_isin) = (to, Some(from));
        }
        for quote in listed.known.accepted.iter_mut().chain(&mut listed.known.unconfirmed) {
            quote.isin = to;
        }
        let text = format!("{} goes on as {to}; it was {from}.", listed.security.ticker);
        self.universe.insert(to, listed);
        if let Some(bars) = self.bars.remove(&from) {
            self.bars.insert(to, bars);
        }
        if let Some(symbol) = self.symbols.remove(&from) {
            self.symbols.insert(to, symbol);
        }
        if let Some(splits) = self.splits.remove(&from) {
            self.splits.insert(to, splits);
        }
        self.outside.forget(&from);
        self.watch(to, now);
        out.save(Save::Renamed { from, to, at: now });
        out.clear::<Quote>(from.to_string());
        self.say_universe(out);
        self.say_history(out);
        out.decided(text);
    }
}

/// Under which what is wrong with its name is told.
fn trouble(isin: &Isin) -> String {
    format!("isin of {isin}")
}
