//! The market regime of the last 400 days, computed again from the closes of the regions' indices.
//!
//! Rule: on each day on which any index has a close, every region with 200 closes and a last one of at most 7 calendar
//! days takes part with its distance from the 200-day average; their mean is smoothed, scored and named
//! (`formulas::regime`). Nothing is carried over from earlier runs, so a restart says the same. Regions count alike.
//! Restless markets: volatility of the regions' mean return over 20 days against 252.

use std::collections::{BTreeMap, BTreeSet};

use formulas::{
    high_volatility::is_high,
    regime::{Label, Regime, region_distance, weighted_distance},
    volatility::volatility,
};
use market::Day;

use crate::{
    facts::Closes,
    limits::{BARS_AGE_MAX_DAYS, REGIME_DAYS},
};

const AVERAGE_CLOSES: usize = 200;
const SHORT_DAYS: usize = 20;
const LONG_DAYS: usize = 252;

/// What the indices say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Absent without any day to judge.
    pub label: Option<Label>,
    /// −1 to 1.
    pub score: Option<f64>,
    /// Smoothed distance.
    pub smoothed: Option<f64>,
    /// Distance of the last day.
    pub distance: Option<f64>,
    /// Each region's on the last day.
    pub regions: BTreeMap<String, f64>,
    /// First day of the label.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
    /// Markets are restless.
    pub high_volatility: bool,
}

/// Reads the regime from closes by region.
#[must_use]
pub fn replay(closes: &BTreeMap<String, Closes>, bull_from: f64, bear_from: f64) -> Found {
    let days: BTreeSet<Day> = closes.values().flatten().map(|(day, _)| *day).collect();
    let mut judged: Vec<Day> = days.iter().rev().take(REGIME_DAYS).copied().collect();
    judged.reverse();
    let values: BTreeMap<&String, Vec<f64>> = closes
        .iter()
        .map(|(region, list)| (region, list.iter().map(|(_, close)| *close).collect()))
        .collect();
    let mut regime = Regime::new(bull_from, bear_from);
    let mut found = Found::default();
    for day in &judged {
        let mut distances: BTreeMap<String, f64> = BTreeMap::new();
        for (region, list) in closes {
            let known = list.partition_point(|(at, _)| at <= day);
            let fresh = known
                .checked_sub(1)
                .is_some_and(|last| i64::from(list[last].0.days_until(*day)) <= BARS_AGE_MAX_DAYS);
            if fresh
                && known >= AVERAGE_CLOSES
                && let Some(distance) = region_distance(&values[region][known - AVERAGE_CLOSES..known])
            {
                distances.insert(region.clone(), distance);
            }
        }
        let regions: Vec<(f64, Option<f64>)> =
            distances.values().map(|distance| (1.0, Some(*distance))).collect();
        let Some(said) = weighted_distance(&regions).and_then(|distance| regime.push(distance)) else {
            continue;
        };
        if found.label != Some(said.label) {
            found.since = Some(*day);
        }
        found.label = Some(said.label);
        (found.score, found.smoothed, found.distance) =
            (Some(said.score), Some(said.smoothed), Some(said.distance));
        (found.regions, found.until) = (distances, Some(*day));
    }
    found.high_volatility = restless(closes, &days);
    found
}

/// Whether markets are restless after the last day; the switch remembers, so all days are gone through.
fn restless(closes: &BTreeMap<String, Closes>, days: &BTreeSet<Day>) -> bool {
    let mut returns: BTreeMap<Day, (f64, f64)> = BTreeMap::new();
    for list in closes.values() {
        for pair in list.windows(2) {
            if let Some(one) = formulas::returns::simple_return(pair[0].1, pair[1].1) {
                let (sum, count) = returns.entry(pair[1].0).or_insert((0.0, 0.0));
                *sum += one;
                *count += 1.0;
            }
        }
    }
    let mean: Vec<f64> = returns.values().map(|(sum, count)| sum / count).collect();
    let last =
        |end: usize, count: usize| (end >= count).then(|| volatility(&mean[end - count..end])).flatten();
    let first = mean.len().saturating_sub(REGIME_DAYS.min(days.len()));
    (first..=mean.len()).fold(false, |was, end| is_high(was, last(end, SHORT_DAYS), last(end, LONG_DAYS)))
}

/// The word for a label.
#[must_use]
pub fn word(label: Label) -> &'static str {
    match label {
        Label::Bull => "bull",
        Label::Sideways => "sideways",
        Label::Bear => "bear",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn begin() -> Day {
        "2024-01-01".parse().unwrap()
    }

    fn rising(days: i32, daily: f64) -> Closes {
        (0..days).map(|day| (begin().plus_days(day), 100.0 * daily.powi(day))).collect()
    }

    fn of(regions: &[(&str, Closes)]) -> Found {
        let closes = regions.iter().map(|(name, list)| (name.to_string(), list.clone())).collect();
        replay(&closes, 0.05, -0.05)
    }

    #[test]
    fn a_long_rise_is_a_bull_and_a_long_fall_a_bear() {
        let bull = of(&[("EU", rising(300, 1.001))]);
        assert_eq!((bull.label, bull.until), (Some(Label::Bull), Some(begin().plus_days(299))));
        assert!(bull.score.unwrap() > 0.9 && bull.since.is_some());
        assert_eq!(of(&[("EU", rising(300, 0.999))]).label, Some(Label::Bear));
        assert_eq!(of(&[("EU", rising(300, 1.0001))]).label, Some(Label::Sideways));
    }

    #[test]
    fn one_close_too_few_says_nothing() {
        assert_eq!(of(&[("EU", rising(199, 1.001))]), Found::default());
        assert!(of(&[("EU", rising(200, 1.001))]).label.is_some());
        assert_eq!(of(&[]), Found::default());
    }

    #[test]
    fn a_region_that_has_stopped_drops_out_after_a_week() {
        let gone = |days: i32| of(&[("EU", rising(300, 0.999)), ("US", rising(300 - days, 1.003))]);
        assert_eq!(gone(7).regions.len(), 2);
        assert_eq!(gone(8).regions.len(), 1);
    }

    #[test]
    fn broken_closes_say_nothing() {
        let mut closes = rising(300, 1.001);
        closes.iter_mut().for_each(|(_, close)| *close = f64::NAN);
        assert_eq!(of(&[("EU", closes)]).label, None);
    }

    #[test]
    fn a_storm_after_calm_is_restless() {
        let mut calm = rising(300, 1.0);
        (0..300).for_each(|day| calm[day].1 *= 1.0 + 0.002 * (day % 2) as f64);
        assert!(!of(&[("EU", calm.clone())]).high_volatility);
        (280..300).for_each(|day| calm[day].1 *= 1.0 + 0.03 * (day % 2) as f64);
        assert!(of(&[("EU", calm)]).high_volatility);
    }
}
