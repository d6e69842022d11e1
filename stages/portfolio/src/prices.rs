//! The prices that the account is valued at: a leap of a held security waits until the account has been read
//! again, and prices from before a split are brought into the new units. So a split never looks like a crash.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Quote;
use market::{Day, Isin, Timestamp};
use money::{Currency, Price};

use crate::actions::rebased;

/// A price beyond this many halves of the last one, or below its inverse, is a leap.
const LEAP_HALVES: i128 = 3;

/// One price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Priced {
    pub(crate) price: Price,
    pub(crate) ccy: Currency,
    pub(crate) at: Timestamp,
}

/// A split as far as prices go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rebase {
    pub(crate) day: Day,
    pub(crate) before: i64,
    pub(crate) after: i64,
    /// The last price before, in the new units.
    pub(crate) price: Option<Price>,
}

/// All prices.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    known: BTreeMap<Isin, Priced>,
    leaps: BTreeMap<Isin, Priced>,
    splits: BTreeMap<Isin, Rebase>,
}

impl Prices {
    pub(crate) fn get(&self, isin: &Isin) -> Option<&Priced> {
        self.known.get(isin)
    }

    pub(crate) fn remove(&mut self, isin: &Isin) {
        self.known.remove(isin);
        self.leaps.remove(isin);
    }

    /// Takes a quote; true if it leaps so far that the account is to be read before it counts.
    pub(crate) fn hear(&mut self, quote: &Quote, is_held: bool) -> bool {
        let price = self.in_new_units(quote);
        let new = Priced { price, ccy: quote.ccy, at: quote.at };
        let last = self.known.get(&quote.isin);
        let leaps = is_held && last.is_some_and(|last| last.ccy == new.ccy && is_leap(last.price, price));
        if leaps {
            return self.leaps.insert(quote.isin, new).is_none();
        }
        self.leaps.remove(&quote.isin);
        self.known.insert(quote.isin, new);
        false
    }

    /// The account was read since: what leapt counts now, but for holdings whose number is in doubt.
    pub(crate) fn confirm(&mut self, in_doubt: &BTreeSet<Isin>) {
        let (wait, mut counts) =
            std::mem::take(&mut self.leaps).into_iter().partition(|(isin, _)| in_doubt.contains(isin));
        self.known.append(&mut counts);
        self.leaps = wait;
    }

    /// A split was booked: the last price is brought into the new units. Returns it.
    pub(crate) fn split(&mut self, isin: Isin, mut split: Rebase) -> Option<Price> {
        if let Some(known) = self.known.get_mut(&isin)
            && let Ok(price) = rebased(known.price, split.before, split.after)
        {
            known.price = price;
            split.price = Some(price);
        }
        self.splits.insert(isin, split);
        split.price
    }

    /// Remembers a split of the store.
    pub(crate) fn remember(&mut self, isin: Isin, split: Rebase) {
        self.splits.insert(isin, split);
    }

    /// A security goes on under another ISIN.
    pub(crate) fn rename(&mut self, from: Isin, to: Isin) {
        if let Some(known) = self.known.remove(&from) {
            self.known.entry(to).or_insert(known);
        }
    }

    /// A price made before a split may be told in old units or in new ones: the reading that is nearer to the last
    /// price before the split is meant.
    fn in_new_units(&self, quote: &Quote) -> Price {
        let written = quote.price_e6;
        let split = self.splits.get(&quote.isin).filter(|split| quote.at.day_utc() < split.day);
        let Some(Rebase { before, after, price: Some(reference), .. }) = split else { return written };
        let Ok(converted) = rebased(written, *before, *after) else { return written };
        let off = |price: Price| {
            let (low, high) = (price.e6().min(reference.e6()), price.e6().max(reference.e6()));
            i128::from(high) * 1_000_000 / i128::from(low.max(1))
        };
        if off(converted) < off(written) { converted } else { written }
    }
}

fn is_leap(last: Price, new: Price) -> bool {
    let (last, new) = (i128::from(last.e6()), i128::from(new.e6()));
    new * 2 > last * LEAP_HALVES || last * 2 > new * LEAP_HALVES
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn quote(units: i64, at: &str) -> Quote {
        let price_e6 = Price::from_e6(units * 1_000_000).unwrap();
        Quote { price_e6, at: at.parse().unwrap(), ..Quote::sample() }
    }

    const BEFORE: &str = "2026-06-12T20:00:00Z";
    const AFTER: &str = "2026-06-15T14:00:00Z";

    fn price(prices: &Prices) -> i64 {
        prices.get(&Quote::sample().isin).unwrap().price.e6() / 1_000_000
    }

    fn four_for_one() -> Rebase {
        Rebase { day: "2026-06-15".parse().unwrap(), before: 1, after: 4, price: None }
    }

    #[test]
    fn half_up_and_a_third_down_count_at_once_more_waits_for_the_account() {
        for (new, leaps) in [(150, false), (151, true), (67, false), (66, true), (100, false)] {
            let mut prices = Prices::default();
            prices.hear(&quote(100, BEFORE), true);
            assert_eq!(prices.hear(&quote(new, AFTER), true), leaps, "{new}");
            assert_eq!(price(&prices), if leaps { 100 } else { new });
            prices.confirm(&BTreeSet::new());
            assert_eq!(price(&prices), new);
        }
        let mut prices = Prices::default();
        prices.hear(&quote(100, BEFORE), false);
        assert!(!prices.hear(&quote(10, AFTER), false), "nobody loses by what is not held");
    }

    #[test]
    fn a_leap_that_is_taken_back_leaves_nothing_behind() {
        let mut prices = Prices::default();
        prices.hear(&quote(100, BEFORE), true);
        assert!(prices.hear(&quote(10, AFTER), true));
        assert!(!prices.hear(&quote(10, AFTER), true), "it is asked once");
        prices.hear(&quote(101, AFTER), true);
        prices.confirm(&BTreeSet::new());
        assert_eq!(price(&prices), 101);
    }

    #[test]
    fn prices_from_before_a_split_are_read_in_whichever_units_they_are_in() {
        let mut prices = Prices::default();
        prices.hear(&quote(100, BEFORE), true);
        assert_eq!(prices.split(Quote::sample().isin, four_for_one()).unwrap().e6(), 25_000_000);
        assert_eq!(price(&prices), 25);
        for old in [100, 25] {
            assert!(!prices.hear(&quote(old, BEFORE), true));
            assert_eq!(price(&prices), 25, "told as {old}");
        }
        assert!(!prices.hear(&quote(26, AFTER), true));
        assert_eq!(price(&prices), 26);
    }

    #[test]
    fn a_new_price_that_comes_before_the_account_shows_the_split_waits_for_it() {
        let mut prices = Prices::default();
        prices.hear(&quote(100, BEFORE), true);
        assert!(prices.hear(&quote(26, AFTER), true));
        prices.confirm(&BTreeSet::from([Quote::sample().isin]));
        assert_eq!(price(&prices), 100, "the account shows another number, seen once");
        prices.split(Quote::sample().isin, four_for_one());
        prices.confirm(&BTreeSet::new());
        assert_eq!(price(&prices), 26);
    }
}
