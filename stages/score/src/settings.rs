//! `[stage.score]`, and what of it the owner changes at run time by `system/settings`.
//!
//! Of the limits on selling, which the gate also judges by, the stricter counts, whoever says it. Everything else that
//! `system/settings` names counts as it says there; one that is out of range stays as it was, the others are followed.

use std::collections::BTreeMap;

use contracts::SettingsSnapshot;
use serde::Deserialize;
use serde_json::Value;

use crate::limits::REGIONS_MAX;

/// What the owner can choose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds after a change until scores are computed, so that changes that belong together count once.
    pub settle_ms: i64,
    /// Seconds between two scores of one security.
    pub interval_s: i64,
    /// Growth a year that is as much as anyone needs, as a fraction.
    pub target_annual_return: f64,
    /// Price to earnings of the market.
    pub market_avg_pe: f64,
    /// Return a year without risk, as a fraction.
    pub risk_free_rate: f64,
    /// Total below which nothing is bought.
    pub min_security_score: f64,
    /// Smoothed distance of the indices from which the market is a bull.
    pub market_regime_bull_threshold: f64,
    /// The same for a bear, below zero.
    pub market_regime_bear_threshold: f64,
    /// Loss from which a rule does not sell, below zero.
    pub max_loss_threshold: f64,
    /// Days after the last transaction before anything is sold.
    pub min_hold_days: i64,
    /// Days between two sales.
    pub sell_cooldown_days: i64,
    /// For each region an index, or the ISIN of a broad fund of the universe.
    pub indices: BTreeMap<String, String>,
}

/// Longest hold or pause, in days.
const DAYS_MAX: i64 = 3_650;

/// A setting's name and the field it changes.
type Followed = (&'static str, fn(&mut Settings) -> &mut f64);

/// Numbers of `system/settings` that are followed as they are.
const FOLLOWED: &[Followed] = &[
    ("target_annual_return", |settings| &mut settings.target_annual_return),
    ("market_avg_pe", |settings| &mut settings.market_avg_pe),
    ("risk_free_rate", |settings| &mut settings.risk_free_rate),
    ("min_security_score", |settings| &mut settings.min_security_score),
    ("market_regime_bull_threshold", |settings| &mut settings.market_regime_bull_threshold),
    ("market_regime_bear_threshold", |settings| &mut settings.market_regime_bear_threshold),
];

impl Default for Settings {
    fn default() -> Self {
        Settings {
            settle_ms: 100,
            interval_s: 900,
            target_annual_return: 0.11,
            market_avg_pe: 22.0,
            risk_free_rate: 0.02,
            min_security_score: 0.5,
            market_regime_bull_threshold: 0.05,
            market_regime_bear_threshold: -0.05,
            max_loss_threshold: -0.20,
            min_hold_days: 90,
            sell_cooldown_days: 180,
            indices: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// One sentence naming field and rule.
    pub fn check(&self) -> Result<(), String> {
        let whole = [
            ("settle_ms", self.settle_ms, 0, 60_000),
            ("interval_s", self.interval_s, 0, 86_400),
            ("min_hold_days", self.min_hold_days, 0, DAYS_MAX),
            ("sell_cooldown_days", self.sell_cooldown_days, 0, DAYS_MAX),
        ];
        for (name, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                return Err(format!("`{name}` is {value}, it must be {least} to {most}"));
            }
        }
        let fractions = [
            ("target_annual_return", self.target_annual_return, 0.01, 0.40),
            ("market_avg_pe", self.market_avg_pe, 5.0, 60.0),
            ("risk_free_rate", self.risk_free_rate, 0.0, 0.15),
            ("min_security_score", self.min_security_score, 0.0, 1.0),
            ("market_regime_bull_threshold", self.market_regime_bull_threshold, 0.001, 0.5),
            ("market_regime_bear_threshold", self.market_regime_bear_threshold, -0.5, -0.001),
            ("max_loss_threshold", self.max_loss_threshold, -1.0, 0.0),
        ];
        for (name, value, least, most) in fractions {
            if !(least..=most).contains(&value) {
                return Err(format!("`{name}` is {value}, it must be {least} to {most}"));
            }
        }
        if self.indices.len() > REGIONS_MAX {
            return Err(format!(
                "`indices` names {} regions, at most {REGIONS_MAX} are followed",
                self.indices.len()
            ));
        }
        Ok(())
    }

    /// The same settings with what the owner changed at run time, and what of it makes no sense: that stays as it was
    /// `before`, everything else is followed.
    #[must_use]
    pub fn with(&self, snapshot: &SettingsSnapshot, before: &Settings) -> (Settings, Option<String>) {
        let mut changed = self.clone();
        let value = |name: &str| snapshot.values.get(name);
        let days = |name: &str, own: i64| {
            let set = value(name).and_then(Value::as_i64);
            set.map_or(own, |days| days.clamp(own, DAYS_MAX.max(own)))
        };
        changed.min_hold_days = days("risk.min_hold_days", self.min_hold_days);
        changed.sell_cooldown_days = days("risk.sell_cooldown_days", self.sell_cooldown_days);
        if let Some(loss) = value("risk.max_loss").and_then(Value::as_f64).filter(|loss| loss.is_finite()) {
            // Of a loss only the size is read, as by the gate.
            changed.max_loss_threshold = self.max_loss_threshold.max(-loss.abs());
        }
        let mut wrong = Vec::new();
        for (name, field) in FOLLOWED {
            let Some(number) = value(name).and_then(Value::as_f64) else { continue };
            let mut next = changed.clone();
            *field(&mut next) = number;
            if let Err(why) = next.check() {
                wrong.push(why);
                *field(&mut next) = *field(&mut before.clone());
            }
            changed = next;
        }
        (changed, (!wrong.is_empty()).then(|| wrong.join("; ")))
    }

    /// Names the settings a score depends on: the same settings, the same 16 digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = format!("{self:?}");
        // FNV-1a: a name, not a proof.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_names_its_field() {
        let broken = [
            Settings { settle_ms: -1, ..Settings::default() },
            Settings { interval_s: 86_401, ..Settings::default() },
            Settings { risk_free_rate: f64::NAN, ..Settings::default() },
            Settings { market_regime_bear_threshold: 0.0, ..Settings::default() },
        ];
        let names = ["settle_ms", "interval_s", "risk_free_rate", "market_regime_bear_threshold"];
        for (settings, name) in broken.iter().zip(names) {
            assert!(settings.check().is_err_and(|sentence| sentence.contains(name)), "{name}");
        }
        assert_eq!(Settings::default().check(), Ok(()));
    }

    fn say(values: &[(&str, Value)]) -> SettingsSnapshot {
        let values = values.iter().map(|(name, value)| ((*name).to_string(), value.clone()));
        SettingsSnapshot { revision: 1, values: values.collect() }
    }

    #[test]
    fn a_change_at_run_time_is_followed_and_has_a_name_of_its_own() {
        let own = Settings::default();
        let (changed, wrong) = own.with(&say(&[("target_annual_return", 0.09.into())]), &own);
        assert_eq!((changed.target_annual_return.to_bits(), wrong), (0.09_f64.to_bits(), None));
        assert_ne!(changed.hash(), own.hash());
        assert_eq!(own.with(&say(&[]), &changed), (own.clone(), None), "what is not said any more is over");
    }

    #[test]
    fn what_is_out_of_range_stays_as_it_was_and_the_rest_is_followed() {
        let own = Settings::default();
        let before = Settings { risk_free_rate: 0.03, ..own.clone() };
        let both = say(&[
            ("risk_free_rate", 9.0.into()),
            ("market_avg_pe", 30.0.into()),
            ("min_security_score", "much".into()),
        ]);
        let (changed, wrong) = own.with(&both, &before);
        assert!(wrong.is_some_and(|why| why.contains("`risk_free_rate` is 9")));
        assert_eq!(changed, Settings { risk_free_rate: 0.03, market_avg_pe: 30.0, ..own });
    }

    #[test]
    fn limits_on_selling_are_only_made_stricter() {
        let own = Settings::default();
        for (hold, pause, loss, expected) in [
            (89, 179, -0.25, (90, 180, -0.20)),
            (90, 180, -0.20, (90, 180, -0.20)),
            (91, 181, -0.15, (91, 181, -0.15)),
            (9_999, 9_999, 0.15, (3_650, 3_650, -0.15)),
        ] {
            let (changed, wrong) = own.with(
                &say(&[
                    ("risk.min_hold_days", hold.into()),
                    ("risk.sell_cooldown_days", pause.into()),
                    ("risk.max_loss", loss.into()),
                ]),
                &own,
            );
            let found = (changed.min_hold_days, changed.sell_cooldown_days, changed.max_loss_threshold);
            assert_eq!((found, wrong, changed.check()), (expected, None, Ok(())));
        }
        let (same, _) = own.with(&say(&[("risk.max_loss", "much".into())]), &own);
        assert_eq!(same, own);
    }
}
