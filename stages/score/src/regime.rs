//! The market regime of the last 400 days, computed again from the closes of the regions' indices.
//!
//! Rule: on each day on which any index has a close, every region with 200 closes and a last one of at most 7 calendar
//! days takes part with its distance from the 200-day average; their weighted mean is smoothed, scored and named
//! (`formulas::regime`). Nothing is carried over from earlier runs, so a restart says the same.
//! Which regions: the groups of countries that the owner gave a target, each with that weight; while none has one, every
//! region with an index, alike. A group with a target and no index drops out and is named.
//! Restless markets: volatility of the regions' weighted mean return over 20 days against 252.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{GroupKind, TargetWeights};
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

/// How much each region counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Regions {
    /// By name, each above zero.
    pub weights: BTreeMap<String, f64>,
    /// What dropped out, in words.
    pub left_out: Vec<String>,
}

impl Regions {
    /// The regions of these indices as the owner's groups weigh them.
    #[must_use]
    pub fn of(indices: &BTreeMap<String, String>, targets: Option<&TargetWeights>) -> Regions {
        let wanted: BTreeMap<&str, f64> = targets
            .iter()
            .flat_map(|targets| &targets.groups)
            .filter(|group| group.kind == GroupKind::Country.name())
            .filter_map(|group| Some((group.name.as_str(), group.target_e6?.to_f64())))
            .filter(|(_, target)| *target > 0.0)
            .collect();
        if wanted.is_empty() {
            let alike = indices.keys().map(|region| (region.clone(), 1.0));
            return Regions { weights: alike.collect(), left_out: Vec::new() };
        }
        let (known, unknown): (Vec<_>, Vec<_>) =
            wanted.iter().partition(|(name, _)| indices.contains_key(**name));
        let lost =
            unknown.iter().map(|(name, _)| format!("no index is named for {name}, which has a target"));
        let unasked = indices.keys().filter(|region| !wanted.contains_key(region.as_str()));
        Regions {
            weights: known.into_iter().map(|(name, target)| (name.to_string(), *target)).collect(),
            left_out: lost.chain(unasked.map(|region| format!("{region} has no target"))).collect(),
        }
    }
}

/// Reads the regime from closes by region; a region without a weight does not count.
#[must_use]
pub fn replay(
    closes: &BTreeMap<String, Closes>,
    weights: &BTreeMap<String, f64>,
    bull_from: f64,
    bear_from: f64,
) -> Found {
    let weighed = closes.iter().filter_map(|(region, list)| Some((region, (*weights.get(region)?, list))));
    let closes: BTreeMap<&String, (f64, &Closes)> = weighed.collect();
    let days: BTreeSet<Day> =
        closes.values().flat_map(|(_, list)| list.iter()).map(|(day, _)| *day).collect();
    let mut judged: Vec<Day> = days.iter().rev().take(REGIME_DAYS).copied().collect();
    judged.reverse();
    let values: BTreeMap<&String, Vec<f64>> = closes
        .iter()
        .map(|(region, (_, list))| (*region, list.iter().map(|(_, close)| *close).collect()))
        .collect();
    let mut regime = Regime::new(bull_from, bear_from);
    let mut found = Found::default();
    for day in &judged {
        let mut distances: BTreeMap<String, f64> = BTreeMap::new();
        let mut regions: Vec<(f64, Option<f64>)> = Vec::new();
        for (region, (weight, list)) in &closes {
            let known = list.partition_point(|(at, _)| at <= day);
            let fresh =
                known.checked_sub(1).is_some_and(|last| list[last].0.days_until(*day) <= BARS_AGE_MAX_DAYS);
            if fresh
                && known >= AVERAGE_CLOSES
                && let Some(distance) = region_distance(&values[region][known - AVERAGE_CLOSES..known])
            {
                distances.insert((*region).clone(), distance);
                regions.push((*weight, Some(distance)));
            }
        }
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
    found.high_volatility = restless(&closes, days.len());
    found
}

/// Whether markets are restless after the last day; the switch remembers, so all days are gone through.
fn restless(closes: &BTreeMap<&String, (f64, &Closes)>, days: usize) -> bool {
    let mut returns: BTreeMap<Day, (f64, f64)> = BTreeMap::new();
    for (weight, list) in closes.values() {
        for pair in list.windows(2) {
            if let Some(one) = formulas::returns::simple_return(pair[0].1, pair[1].1) {
                let (sum, all) = returns.entry(pair[1].0).or_insert((0.0, 0.0));
                *sum += weight * one;
                *all += weight;
            }
        }
    }
    let mean: Vec<f64> = returns.values().map(|(sum, all)| sum / all).collect();
    let last =
        |end: usize, count: usize| (end >= count).then(|| volatility(&mean[end - count..end])).flatten();
    let first = mean.len().saturating_sub(REGIME_DAYS.min(days));
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
    use contracts::Sample;

    use super::*;

    fn begin() -> Day {
        "2024-01-01".parse().unwrap()
    }

    fn rising(days: i32, daily: f64) -> Closes {
        (0..days).map(|day| (begin().plus_days(day), 100.0 * daily.powi(day))).collect()
    }

    fn of(regions: &[(&str, Closes)]) -> Found {
        let weighed: Vec<_> = regions.iter().map(|(name, list)| (*name, 1.0, list.clone())).collect();
        weighed_of(&weighed)
    }

    fn weighed_of(regions: &[(&str, f64, Closes)]) -> Found {
        let closes = regions.iter().map(|(name, _, list)| (name.to_string(), list.clone())).collect();
        let weights = regions.iter().map(|(name, weight, _)| (name.to_string(), *weight)).collect();
        replay(&closes, &weights, 0.05, -0.05)
    }

    fn targets(groups: &[(&str, &str, Option<i64>)]) -> TargetWeights {
        let group = |(kind, name, e6): &(&str, &str, Option<i64>)| contracts::TargetGroup {
            kind: (*kind).into(),
            name: (*name).into(),
            target_e6: e6.map(|e6| money::Weight::from_e6(e6).unwrap()),
            ..TargetWeights::sample().groups[0].clone()
        };
        TargetWeights { groups: groups.iter().map(group).collect(), ..TargetWeights::sample() }
    }

    fn indices() -> BTreeMap<String, String> {
        ["EU", "US"].iter().map(|name| (name.to_string(), name.to_string())).collect()
    }

    #[test]
    fn regions_count_as_the_owners_targets_say() {
        let said = targets(&[
            ("country", "EU", Some(300_000)),
            ("country", "ASIA", Some(100_000)),
            ("country", "US", None),
            ("industry", "US", Some(900_000)),
        ]);
        let regions = Regions::of(&indices(), Some(&said));
        assert_eq!(regions.weights, BTreeMap::from([("EU".to_string(), 0.3)]));
        assert_eq!(regions.left_out, ["no index is named for ASIA, which has a target", "US has no target"]);
    }

    #[test]
    fn without_a_target_all_regions_with_an_index_count_alike() {
        let none = targets(&[("country", "EU", None), ("country", "ASIA", Some(0)), ("country", "US", None)]);
        for targets in [None, Some(&none)] {
            let regions = Regions::of(&indices(), targets);
            assert_eq!(regions.weights.values().copied().collect::<Vec<_>>(), [1.0, 1.0]);
            assert!(regions.left_out.is_empty());
        }
        let lost = Regions::of(&indices(), Some(&targets(&[("country", "ASIA", Some(1))])));
        assert!(lost.weights.is_empty(), "no index stands for what is wanted: nothing is known");
    }

    #[test]
    fn the_heavier_region_decides() {
        let of =
            |eu: f64, us: f64| weighed_of(&[("EU", eu, rising(300, 1.001)), ("US", us, rising(300, 0.9985))]);
        let (bull, bear) = (of(0.9, 0.1), of(0.1, 0.9));
        assert_eq!((bull.label, bear.label), (Some(Label::Bull), Some(Label::Bear)));
        let (eu, us) = (bull.regions["EU"], bull.regions["US"]);
        assert!((bull.distance.unwrap() - (0.9 * eu + 0.1 * us)).abs() < 1e-12);
        assert_eq!(weighed_of(&[("EU", 1.0, rising(300, 1.001))]), {
            let mut both = BTreeMap::from([("EU".to_string(), rising(300, 1.001))]);
            both.insert("US".into(), rising(300, 0.9));
            replay(&both, &BTreeMap::from([("EU".to_string(), 1.0)]), 0.05, -0.05)
        });
    }

    #[test]
    fn a_storm_in_a_region_of_little_weight_is_no_storm() {
        let mut calm = rising(300, 1.0);
        (0..300).for_each(|day| calm[day].1 *= 1.0 + 0.002 * (day % 2) as f64);
        let mut storm = calm.clone();
        (280..300).for_each(|day| storm[day].1 *= 1.0 + 0.03 * (day % 2) as f64);
        let of = |weight: f64| {
            weighed_of(&[("EU", 1.0 - weight, calm.clone()), ("US", weight, storm.clone())]).high_volatility
        };
        assert!(of(0.95) && !of(0.05));
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
