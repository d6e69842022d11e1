//! How far the fund has fallen from its highest value of ninety days. It raises an alarm and stops nothing: a fund that
//! thinks in decades should be able to buy falls.
//!
//! Compared is the value per unit (gain since the first valuation, flows taken out), so that neither a deposit hides a
//! fall nor a withdrawal looks like one. Worked example: peak +25 % (1.25), now +0 % (1.00): fallen by 0.20.

use std::collections::BTreeMap;

use contracts::Nav;
use market::Day;

/// Days that a peak counts.
const DAYS: i32 = 90;
const ONE_E9: f64 = 1e9;

/// The highest value per unit of each of the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Peaks(BTreeMap<Day, i64>);

impl Peaks {
    pub(crate) fn new(rows: impl IntoIterator<Item = (Day, i64)>) -> Peaks {
        Peaks(rows.into_iter().collect())
    }

    /// Takes a valuation; gives the day's new peak when it has one.
    pub(crate) fn note(&mut self, nav: &Nav) -> Option<(Day, i64)> {
        let index = index_e9(nav)?;
        self.0.retain(|day, _| day.days_until(nav.day) < DAYS);
        let peak = self.0.entry(nav.day).or_insert(0);
        if index <= *peak {
            return None;
        }
        *peak = index;
        Some((nav.day, index))
    }

    /// The fall as a fraction; unknown before the first valuation.
    pub(crate) fn fall(&self, nav: &Nav) -> Option<f64> {
        let now = index_e9(nav)?;
        let peak = self.0.values().copied().max()?.max(now);
        #[allow(clippy::cast_precision_loss)]
        let ratio = now as f64 / peak as f64;
        Some(1.0 - ratio)
    }
}

/// Value per unit; unknown unless it is above zero.
#[allow(clippy::cast_possible_truncation)]
fn index_e9(nav: &Nav) -> Option<i64> {
    let index = (1.0 + nav.since_start.get()) * ONE_E9;
    (1.0..1e18).contains(&index).then_some(index as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Finite, Sample};

    use super::*;

    fn nav(day: i32, since_start: f64) -> Nav {
        let base = Nav::sample();
        Nav { day: base.day.plus_days(day), since_start: Finite::new(since_start).unwrap(), ..base }
    }

    fn rounded(fall: Option<f64>) -> Option<i64> {
        #[allow(clippy::cast_possible_truncation)]
        fall.map(|fall| (fall * 1e6).round() as i64)
    }

    #[test]
    fn the_fall_is_measured_from_the_highest_value() {
        let mut peaks = Peaks::default();
        assert_eq!(peaks.note(&nav(0, 0.25)).map(|(_, index)| index), Some(1_250_000_000));
        assert_eq!(peaks.note(&nav(0, 0.25)), None);
        assert_eq!(peaks.note(&nav(0, 0.10)), None);
        peaks.note(&nav(1, 0.0));
        assert_eq!(rounded(peaks.fall(&nav(1, 0.0))), Some(200_000));
        assert_eq!(rounded(peaks.fall(&nav(1, 0.5))), Some(0));
    }

    #[test]
    fn a_peak_counts_for_ninety_days() {
        let mut peaks = Peaks::default();
        peaks.note(&nav(0, 1.0));
        peaks.note(&nav(89, 0.0));
        assert_eq!(rounded(peaks.fall(&nav(89, 0.0))), Some(500_000));
        peaks.note(&nav(90, 0.0));
        assert_eq!(rounded(peaks.fall(&nav(90, 0.0))), Some(0));
    }

    #[test]
    fn nothing_is_known_before_a_valuation_or_of_a_lost_fund() {
        let mut peaks = Peaks::default();
        assert_eq!(peaks.fall(&nav(0, 0.1)), None);
        assert_eq!(peaks.note(&nav(0, -1.0)), None);
        assert_eq!(peaks.fall(&nav(0, -1.5)), None);
    }
}
