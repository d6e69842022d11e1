//! The currency rates: what is kept, what is believed.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{FxRate, FxRates, Source};
use market::Timestamp;
use money::{Currency, Rate};
use tradernet::commands::cross_rates::CrossRates;

use crate::belief::{Belief, judge};

/// All rates known, and jumps that wait for a second reading.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) known: BTreeMap<Currency, FxRate>,
    unconfirmed: BTreeMap<Currency, Rate>,
}

/// What a reading brought.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct News {
    /// Rates taken, to be stored.
    pub(crate) taken: Vec<(Currency, Rate)>,
    /// What was wanted and is not known or not believed, for people.
    pub(crate) doubts: Vec<String>,
}

impl Rates {
    /// Takes a reading. What is missing keeps its last rate with its old time, or stays unknown.
    pub(crate) fn take(&mut self, wanted: &BTreeSet<Currency>, found: &CrossRates, now: Timestamp) -> News {
        let mut news = News::default();
        for ccy in wanted {
            let Some(rate) = found.eur_per_unit.get(ccy) else {
                news.doubts.push(format!("no rate of {ccy}"));
                continue;
            };
            let accepted = self.known.get(ccy).map(|known| known.eur_per_unit_e9.e9());
            let unconfirmed = self.unconfirmed.get(ccy).map(|rate| rate.e9());
            match judge(rate.e9(), accepted, unconfirmed) {
                Belief::Accepted => {
                    self.unconfirmed.remove(ccy);
                    self.know(*ccy, *rate, now);
                    news.taken.push((*ccy, *rate));
                }
                Belief::Suspect => {
                    self.unconfirmed.insert(*ccy, *rate);
                    news.doubts.push(format!("the rate of {ccy} jumped to {rate} and is not believed yet"));
                }
            }
        }
        news
    }

    pub(crate) fn know(&mut self, ccy: Currency, eur_per_unit_e9: Rate, as_of: Timestamp) {
        self.known.insert(ccy, FxRate { eur_per_unit_e9, as_of, source: Source::Broker });
    }

    /// The statement; EUR itself is one, as of the newest reading. Nothing before the first reading.
    pub(crate) fn statement(&self) -> Option<FxRates> {
        let at = self.known.values().map(|rate| rate.as_of).max()?;
        let one = FxRate { eur_per_unit_e9: Rate::ONE, as_of: at, source: Source::Derived };
        let mut rates = self.known.clone();
        rates.insert(Currency::EUR, one);
        Some(FxRates { rates, at })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn reading(e9: i64) -> CrossRates {
        let rate = Rate::from_e9(e9).unwrap();
        CrossRates { eur_per_unit: BTreeMap::from([(Currency::USD, rate)]), missing: vec![] }
    }

    fn wanted() -> BTreeSet<Currency> {
        BTreeSet::from([Currency::USD])
    }

    #[test]
    fn a_missing_rate_stays_missing() {
        let mut rates = Rates::default();
        let news = rates.take(&wanted(), &CrossRates::default(), Timestamp::from_ms(1));
        assert_eq!((news.taken.len(), news.doubts.len()), (0, 1));
        assert_eq!(rates.statement(), None, "nothing is known, not even that a dollar is a euro");
    }

    #[test]
    fn a_rate_that_vanishes_keeps_its_value_and_its_old_time() {
        let mut rates = Rates::default();
        rates.take(&wanted(), &reading(920_000_000), Timestamp::from_ms(1));
        rates.take(&wanted(), &CrossRates::default(), Timestamp::from_ms(2));
        let known = rates.statement().unwrap();
        assert_eq!(known.rates[&Currency::USD].as_of, Timestamp::from_ms(1));
        assert_eq!(known.rates[&Currency::EUR].eur_per_unit_e9, Rate::ONE);
    }

    #[test]
    fn a_jump_is_taken_at_its_second_reading() {
        let mut rates = Rates::default();
        rates.take(&wanted(), &reading(1_000_000_000), Timestamp::from_ms(1));
        let first = rates.take(&wanted(), &reading(1_200_000_001), Timestamp::from_ms(2));
        assert!(first.taken.is_empty() && first.doubts[0].contains("jumped"));
        assert_eq!(rates.known[&Currency::USD].eur_per_unit_e9, Rate::ONE);
        let second = rates.take(&wanted(), &reading(1_200_000_001), Timestamp::from_ms(3));
        assert_eq!(second.taken.len(), 1);
    }
}
