//! Whether the days that are read again still say what they said.

use std::collections::BTreeMap;

use market::Day;
use money::Price;
use tradernet::commands::candles::Candle;

use crate::limits::{BAR_OVERLAP_DAYS, COMMON_DAYS_MIN};

/// Readings this near are the same.
const SAME: f64 = 0.001;
/// A factor is one factor when it varies less than this.
const CONSTANT: f64 = 0.005;
/// Largest number of shares of a split that nobody announced.
const SPLIT_MAX: u32 = 50;

/// What the common days say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// The same, or too little is known to tell.
    Same,
    /// All divided by one plain ratio, as after a split: `after` new for `before` old.
    Split {
        /// New shares.
        after: u32,
        /// Old shares.
        before: u32,
    },
    /// A hundred times more or less: another unit.
    Unit,
    /// Something else: nobody knows which of the two is right.
    Other,
    /// New days without the known ones beside them: nothing shows that they continue the same series.
    Alone,
}

/// Compares what is known with what is delivered now. Every question also asks for some days that are known.
pub(crate) fn compare(known: &BTreeMap<Day, Price>, delivered: &[Candle]) -> Overlap {
    let ratio = |candle: &Candle| {
        let known = known.get(&candle.day)?;
        Some(candle.close.e6() as f64 / known.e6().max(1) as f64)
    };
    let ratios: Vec<f64> = delivered.iter().filter_map(ratio).collect();
    if ratios.len() < COMMON_DAYS_MIN && lacks_known(known, delivered) {
        return Overlap::Alone;
    }
    if ratios.iter().all(|ratio| (ratio - 1.0).abs() <= SAME) {
        return Overlap::Same;
    }
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    if least <= 0.0 || most / least - 1.0 >= CONSTANT {
        return Overlap::Other;
    }
    let ratio = (least * most).sqrt();
    if (ratio / 100.0 - 1.0).abs() < CONSTANT || (ratio * 100.0 - 1.0).abs() < CONSTANT {
        return Overlap::Unit;
    }
    plain(ratio).map_or(Overlap::Other, |(after, before)| Overlap::Split { after, before })
}

/// How many of the known days were delivered.
pub(crate) fn common(known: &BTreeMap<Day, Price>, delivered: &[Candle]) -> usize {
    delivered.iter().filter(|candle| known.contains_key(&candle.day)).count()
}

/// Whether something new is delivered although enough of what was asked for is known and did not come with it.
fn lacks_known(known: &BTreeMap<Day, Price>, delivered: &[Candle]) -> bool {
    let Some((last, _)) = known.last_key_value() else { return false };
    let asked = known.range(last.plus_days(-BAR_OVERLAP_DAYS)..).count();
    asked >= COMMON_DAYS_MIN && delivered.iter().any(|candle| candle.day > *last)
}

/// The plain ratio behind a factor of the closes, the smallest numbers first.
fn plain(ratio: f64) -> Option<(u32, u32)> {
    let pairs = (1..=SPLIT_MAX).map(|many| (many, 1)).chain((2..=SPLIT_MAX).map(|many| (1, many)));
    let small = [(3, 2), (2, 3), (5, 4), (4, 5), (4, 3), (3, 4), (5, 2), (2, 5), (5, 3), (3, 5)];
    let fits = |after: u32, before: u32| {
        after != before && (ratio * f64::from(after) / f64::from(before) - 1.0).abs() < CONSTANT
    };
    pairs.chain(small).find(|(after, before)| fits(*after, *before))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_epoch_days(20_000 + number).unwrap()
    }

    fn compare(known: &[i64], delivered: &[i64]) -> Overlap {
        compare_from(0, known, delivered)
    }

    /// The first delivered day comes so many days after the first known one.
    fn compare_from(first: i32, known: &[i64], delivered: &[i64]) -> Overlap {
        let price = |e6: i64| Price::from_e6(e6).unwrap();
        let known = (0..).map(day).zip(known.iter().map(|e6| price(*e6))).collect();
        let delivered: Vec<Candle> = (first..)
            .map(day)
            .zip(delivered)
            .map(|(day, e6)| {
                let price = price(*e6);
                Candle { day, open: price, high: price, low: price, close: price, volume: None }
            })
            .collect();
        super::compare(&known, &delivered)
    }

    #[test]
    fn days_that_say_the_same_are_the_same_up_to_a_thousandth() {
        assert_eq!(compare(&[10_000, 20_000], &[10_010, 20_000]), Overlap::Same);
        assert_eq!(compare(&[10_000, 20_000], &[10_011, 20_000]), Overlap::Other);
        assert_eq!(compare(&[], &[1]), Overlap::Same, "no common day contradicts nothing");
        assert_eq!(compare(&[1], &[]), Overlap::Same);
    }

    #[test]
    fn new_days_need_five_known_ones_beside_them_where_so_many_are_known() {
        let six = [10_000; 6];
        assert_eq!(compare_from(1, &six, &six), Overlap::Same, "five known days and a new one");
        assert_eq!(compare_from(2, &six, &six), Overlap::Alone, "four known days and two new ones");
        assert_eq!(compare_from(6, &six, &six), Overlap::Alone);
        assert_eq!(compare_from(2, &six[..4], &six), Overlap::Same, "only four are known");
        assert_eq!(compare_from(2, &six, &six[..4]), Overlap::Same, "nothing new");
        assert_eq!(compare_from(6, &six, &[]), Overlap::Same, "nothing at all");
    }

    #[test]
    fn one_plain_factor_is_a_split() {
        for (factor, after, before) in
            [(0.25, 4, 1), (10.0, 1, 10), (0.5, 2, 1), (2.0 / 3.0, 3, 2), (50.0, 1, 50)]
        {
            let delivered = [(10_000.0 * factor) as i64, (20_400.0 * factor) as i64];
            assert_eq!(compare(&[10_000, 20_400], &delivered), Overlap::Split { after, before }, "{factor}");
        }
    }

    #[test]
    fn a_hundred_is_another_unit_and_anything_else_is_unknown() {
        assert_eq!(compare(&[10_000, 20_000], &[1_000_000, 2_000_000]), Overlap::Unit);
        assert_eq!(compare(&[10_000, 20_000], &[100, 200]), Overlap::Unit);
        assert_eq!(compare(&[10_000, 20_000], &[9_000, 18_000]), Overlap::Other, "nine tenths is no split");
        assert_eq!(compare(&[10_000, 20_000], &[5_000, 20_000]), Overlap::Other, "only one day");
    }
}
