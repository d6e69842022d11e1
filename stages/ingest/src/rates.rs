//! The currency rates: what is kept, what is believed.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{FxRate, FxRates, Source};
use market::Timestamp;
use money::{Currency, Rate};
use tradernet::commands::cross_rates::CrossRates;

use crate::belief::{Belief, judge};
use crate::limits::{PEG_JUMP_PART, RATE_JUMP_PART};

/// All rates known, and jumps that wait for a second reading.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) known: BTreeMap<Currency, FxRate>,
    unconfirmed: BTreeMap<Currency, Rate>,
    /// The newest rates of the European Central Bank, and when they were made.
    bank: BTreeMap<Currency, (Rate, Timestamp)>,
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
            let second = self.bank.get(ccy).map(|(rate, _)| rate.e9());
            let belief = match self.left_its_peg(*ccy, *rate, found) {
                // The last rate does not count any more: the bank or a second reading must say the same.
                true => judge(rate.e9(), Some(0), second.or(unconfirmed), PEG_JUMP_PART),
                false => judge(rate.e9(), accepted, second.or(unconfirmed), RATE_JUMP_PART),
            };
            match belief {
                Belief::Accepted => {
                    self.unconfirmed.remove(ccy);
                    self.know(*ccy, *rate, now, Source::Broker);
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

    /// Whether a rate of the Hong Kong dollar moved away from the US dollar, to which it is tied within a narrow band.
    fn left_its_peg(&self, ccy: Currency, rate: Rate, found: &CrossRates) -> bool {
        if ccy.as_str() != "HKD" {
            return false;
        }
        let known = |ccy: Currency| self.known.get(&ccy).map(|known| known.eur_per_unit_e9);
        let dollar = found.eur_per_unit.get(&Currency::USD).copied().or_else(|| known(Currency::USD));
        let (Some(dollar), Some(dollar_before), Some(before)) = (dollar, known(Currency::USD), known(ccy))
        else {
            return false;
        };
        // new/dollar against before/dollar_before, without dividing.
        let now = i128::from(rate.e9()) * i128::from(dollar_before.e9());
        let then = i128::from(before.e9()) * i128::from(dollar.e9());
        (now - then).abs() * i128::from(PEG_JUMP_PART) > then
    }

    fn know(&mut self, ccy: Currency, eur_per_unit_e9: Rate, as_of: Timestamp, source: Source) {
        self.known.insert(ccy, FxRate { eur_per_unit_e9, as_of, source });
    }

    /// Takes the bank's newest rates. They confirm jumps, and stand in where the broker's are missing or older.
    pub(crate) fn take_bank(
        &mut self,
        wanted: &BTreeSet<Currency>,
        rates: &BTreeMap<Currency, Rate>,
        as_of: Timestamp,
    ) -> Vec<(Currency, Rate)> {
        let mut taken = Vec::new();
        for (ccy, rate) in rates.iter().filter(|(ccy, _)| wanted.contains(ccy)) {
            self.bank.insert(*ccy, (*rate, as_of));
            if self.known.get(ccy).is_none_or(|known| known.as_of < as_of) {
                self.know(*ccy, *rate, as_of, Source::Ecb);
                taken.push((*ccy, *rate));
            }
        }
        taken
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

    #[test]
    fn a_jump_beyond_a_twentieth_needs_the_bank_or_a_second_reading() {
        for (e9, taken) in [(1_050_000_000, 1), (1_050_000_001, 0), (950_000_000, 1), (949_999_999, 0)] {
            let mut rates = Rates::default();
            rates.take(&wanted(), &reading(1_000_000_000), Timestamp::from_ms(1));
            assert_eq!(rates.take(&wanted(), &reading(e9), Timestamp::from_ms(2)).taken.len(), taken, "{e9}");
        }
        let mut rates = Rates::default();
        rates.take(&wanted(), &reading(1_000_000_000), Timestamp::from_ms(9));
        let bank = BTreeMap::from([(Currency::USD, Rate::from_e9(1_190_000_000).unwrap())]);
        assert_eq!(rates.take_bank(&wanted(), &bank, Timestamp::from_ms(8)), [], "older than the broker's");
        assert_eq!(rates.take(&wanted(), &reading(1_200_000_000), Timestamp::from_ms(10)).taken.len(), 1);
    }

    #[test]
    fn hong_kongs_dollar_may_leave_the_us_dollar_by_a_fiftieth_only_with_a_second_reading() {
        let hong_kong = Currency::new("HKD").unwrap();
        let both = |dollar: i64, other: i64| {
            let rate = |e9| Rate::from_e9(e9).unwrap();
            let eur_per_unit = BTreeMap::from([(Currency::USD, rate(dollar)), (hong_kong, rate(other))]);
            CrossRates { eur_per_unit, missing: vec![] }
        };
        let wanted = BTreeSet::from([Currency::USD, hong_kong]);
        for (dollar, other, taken) in [
            (1_000_000_000, 127_500_000, 2),
            (1_000_000_000, 127_500_001, 1),
            (1_000_000_000, 122_500_000, 2),
            (1_000_000_000, 122_499_999, 1),
            // Both together against the euro: the peg holds.
            (1_040_000_000, 130_000_000, 2),
            (1_040_000_000, 125_000_000, 1),
        ] {
            let mut rates = Rates::default();
            rates.take(&wanted, &both(1_000_000_000, 125_000_000), Timestamp::from_ms(1));
            let news = rates.take(&wanted, &both(dollar, other), Timestamp::from_ms(2));
            assert_eq!(news.taken.len(), taken, "{dollar} {other}: {:?}", news.doubts);
            let again = rates.take(&wanted, &both(dollar, other), Timestamp::from_ms(3));
            assert_eq!(again.taken.len(), 2, "the second reading says the same");
        }
        let mut rates = Rates::default();
        let alone = BTreeSet::from([hong_kong]);
        let only = CrossRates {
            eur_per_unit: BTreeMap::from([(hong_kong, Rate::from_e9(125_000_000).unwrap())]),
            missing: vec![],
        };
        rates.take(&alone, &only, Timestamp::from_ms(1));
        assert_eq!(
            rates.take(&alone, &only, Timestamp::from_ms(2)).taken.len(),
            1,
            "without the US dollar there is no peg to leave"
        );
    }

    #[test]
    fn the_bank_stands_in_where_the_broker_says_nothing() {
        let mut rates = Rates::default();
        let bank = BTreeMap::from([(Currency::USD, Rate::from_e9(850_000_000).unwrap())]);
        assert_eq!(rates.take_bank(&wanted(), &bank, Timestamp::from_ms(8)).len(), 1);
        let known = rates.statement().unwrap();
        assert_eq!(known.rates[&Currency::USD].source, Source::Ecb);
        assert_eq!(known.rates[&Currency::USD].as_of, Timestamp::from_ms(8), "with its own age");
    }
}
