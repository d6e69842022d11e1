//! Whether the fund has drifted so far from its targets, or holds so much cash, that it should be looked at again.
//!
//! Drift: a security's share of the fund is away from its target by the threshold or more, or, with a band, by
//! max(0.5 %, smallest trade / fund, min(5 %, a quarter of the larger of share and target)). Cash: what may be spent
//! reaches a multiple of the smallest trade. Both thresholds are the owner's, who may also switch it off. After firing, the
//! same code does not fire again for 30 minutes.
//!
//! Worked example: share 12 %, target 6 %, threshold 5 %: 6 points → drift.

use std::collections::BTreeMap;

use serde_json::Value;

use contracts::SettingsSnapshot;
use limits::Fine;
use market::{Isin, Timestamp};

use crate::{
    facts::Facts,
    groups::ratio,
    settings::Rules,
    snapshot::{purses_of, targets_in_force},
};

/// Pause before the same code fires again.
pub const PAUSE_MS: i64 = 30 * 60_000;
/// Dust of shares that are computed from amounts.
const DUST: f64 = 1e-12;

/// What the owner wants to be woken by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wakes {
    /// At all.
    pub enabled: bool,
    /// Distance from a target that counts without a band, as a share of the fund.
    pub drift: f64,
    /// Smallest trades that the cash must reach.
    pub cash_trades: f64,
}

impl Default for Wakes {
    fn default() -> Self {
        Wakes { enabled: true, drift: 0.05, cash_trades: 2.0 }
    }
}

impl Wakes {
    /// The same as the owner sets it; what is no number changes nothing.
    #[must_use]
    pub fn with(self, snapshot: &SettingsSnapshot) -> Wakes {
        let value = |name: &str| snapshot.values.get(name);
        let number = |name: &str, own: f64, most: f64| {
            let set = value(name).and_then(Value::as_f64).filter(|set| set.is_finite());
            set.map_or(own, |set| set.clamp(0.0, most))
        };
        let enabled = value("event_driven_rebalancing_enabled").and_then(Value::as_bool);
        Wakes {
            enabled: enabled.unwrap_or(self.enabled),
            drift: number("rebalance_position_drift_threshold", self.drift, 0.05),
            cash_trades: number("rebalance_cash_threshold_multiplier", self.cash_trades, 20.0),
        }
    }
}

/// Why.
#[derive(Debug, Clone, PartialEq)]
pub enum Fired<K> {
    /// This security is this far away.
    Drift {
        /// Which.
        key: K,
        /// Its share of the fund.
        share: f64,
        /// What it should be.
        target: f64,
    },
    /// So much cash may be spent.
    Cash,
}

impl<K> Fired<K> {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Fired::Drift { .. } => "drift",
            Fired::Cash => "cash",
        }
    }
}

/// When to fire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Distance from a target.
    pub drift: f64,
    /// Smallest trade, in EUR.
    pub min_trade: Fine,
    /// How many of those the cash must reach.
    pub cash_trades: f64,
    /// Whether the narrower band of the targets counts too.
    pub band: bool,
}

/// Looks at shares and cash. `values` holds what is known to be held of each security, `None` where its worth is unknown;
/// `targets` what each should be. Without `only_held`, securities with a target and nothing held are looked at too.
pub fn look<K: Ord + Clone>(
    values: &BTreeMap<K, Option<Fine>>,
    targets: &BTreeMap<K, f64>,
    fund: Fine,
    cash: Fine,
    thresholds: Thresholds,
    only_held: bool,
) -> Option<Fired<K>> {
    if !targets.is_empty() && fund.is_positive() {
        let held = values.iter().filter_map(|(key, value)| Some((key, (*value)?)));
        let held = held.filter(|(_, value)| value.is_positive());
        let missing = targets.keys().filter(|key| !only_held && !values.contains_key(key));
        for (key, value) in held.chain(missing.map(|key| (key, Fine::ZERO))) {
            let share = ratio(value, fund);
            let target = targets.get(key).copied().unwrap_or(0.0);
            if (share - target).abs() + DUST >= limit(share, target, fund, thresholds) {
                return Some(Fired::Drift { key: key.clone(), share, target });
            }
        }
    }
    let enough = ratio(cash, Fine::ONE) >= thresholds.cash_trades * ratio(thresholds.min_trade, Fine::ONE);
    (cash.is_positive() && enough).then_some(Fired::Cash)
}

/// Looks at what is known of the fund; nothing fires while it has no value.
#[must_use]
pub fn of(facts: &Facts, rules: &Rules, now: Timestamp) -> Option<Fired<Isin>> {
    let wakes = rules.wakes;
    let state = facts.state.as_ref().filter(|state| wakes.enabled && !state.stale)?;
    let mut values: BTreeMap<Isin, Option<Fine>> = BTreeMap::new();
    for position in &state.positions {
        let value = position.value_eur.map(Fine::from);
        let sum = values.entry(position.isin).or_insert(Some(Fine::ZERO));
        *sum = sum.zip(value).and_then(|(sum, value)| sum.checked_add(value).ok());
    }
    let targets = targets_in_force(facts, now).into_iter().flat_map(|targets| &targets.weights);
    let targets = targets.map(|one| (one.isin, one.weight_e6.to_f64())).collect();
    let cash = purses_of(facts, rules, state, now).ok()?.sum();
    let thresholds = Thresholds {
        drift: wakes.drift,
        min_trade: rules.min_trade.into(),
        cash_trades: wakes.cash_trades,
        band: true,
    };
    look(&values, &targets, state.nav?.into(), cash.into(), thresholds, false)
}

/// The distance that counts as drift.
fn limit(share: f64, target: f64, fund: Fine, thresholds: Thresholds) -> f64 {
    if !thresholds.band {
        return thresholds.drift;
    }
    let smallest = ratio(thresholds.min_trade, fund);
    let quarter = (0.25 * share.max(target)).min(0.05);
    thresholds.drift.min(quarter.max(smallest).max(0.005))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(units: i128) -> Fine {
        Fine::from_e12(units * Fine::SCALE)
    }

    fn run(value: Option<i128>, target: f64, cash: i128, band: bool) -> Option<&'static str> {
        let thresholds = Thresholds { drift: 0.05, min_trade: eur(250), cash_trades: 2.0, band };
        let values = value.map(|value| ("a", Some(eur(value)))).into_iter().collect();
        let targets = BTreeMap::from([("a", target)]);
        look(&values, &targets, eur(10_000), eur(cash), thresholds, false).map(|fired| fired.code())
    }

    #[test]
    fn drift_fires_from_the_threshold_on() {
        assert_eq!(run(Some(1_500), 0.10, 0, false), Some("drift"));
        assert_eq!(run(Some(1_499), 0.10, 0, false), None);
        assert_eq!(run(Some(500), 0.10, 0, false), Some("drift"));
    }

    #[test]
    fn a_target_with_nothing_held_counts() {
        assert_eq!(run(None, 0.05, 0, false), Some("drift"));
        assert_eq!(run(None, 0.049, 0, false), None);
    }

    #[test]
    fn the_band_is_narrower_for_small_holdings() {
        // A quarter of 13.4 % is 3.35 %, a quarter of 13.3 % is 3.325 %.
        assert_eq!(run(Some(1_340), 0.10, 0, true), Some("drift"));
        assert_eq!(run(Some(1_330), 0.10, 0, true), None);
    }

    #[test]
    fn the_owner_sets_what_wakes_and_nonsense_changes_nothing() {
        let with = |values: &[(&str, Value)]| {
            let values = values.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
            Wakes::default().with(&SettingsSnapshot { revision: 1, values })
        };
        let [drift, cash] = ["rebalance_position_drift_threshold", "rebalance_cash_threshold_multiplier"];
        let set = with(&[
            (drift, 0.02.into()),
            (cash, 4.into()),
            ("event_driven_rebalancing_enabled", false.into()),
        ]);
        assert_eq!(set, Wakes { enabled: false, drift: 0.02, cash_trades: 4.0 });
        assert_eq!(
            with(&[(drift, 9.into()), (cash, (-1).into())]),
            Wakes { drift: 0.05, cash_trades: 0.0, ..Wakes::default() }
        );
        let nonsense =
            [(drift, "much".into()), (cash, f64::NAN.into()), ("event_driven_rebalancing_enabled", 7.into())];
        assert_eq!(with(&nonsense), Wakes::default());
    }

    #[test]
    fn cash_fires_from_two_smallest_trades_on() {
        assert_eq!(run(Some(1_000), 0.10, 500, false), Some("cash"));
        assert_eq!(run(Some(1_000), 0.10, 499, false), None);
        assert_eq!(run(Some(1_000), 0.10, -5, false), None);
    }
}
