//! `[stage.score]`, and the same keys from `system/settings`.

use std::collections::BTreeMap;

use contracts::SettingsSnapshot;
use serde::Deserialize;

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
            ("min_hold_days", self.min_hold_days, 0, 3_650),
            ("sell_cooldown_days", self.sell_cooldown_days, 0, 3_650),
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

    /// The same settings with what the owner changed at run time; what is out of range changes nothing.
    #[must_use]
    pub fn with(&self, snapshot: &SettingsSnapshot) -> Settings {
        let mut changed = self.clone();
        let fields: [(&str, &mut f64); 7] = [
            ("target_annual_return", &mut changed.target_annual_return),
            ("market_avg_pe", &mut changed.market_avg_pe),
            ("risk_free_rate", &mut changed.risk_free_rate),
            ("min_security_score", &mut changed.min_security_score),
            ("market_regime_bull_threshold", &mut changed.market_regime_bull_threshold),
            ("market_regime_bear_threshold", &mut changed.market_regime_bear_threshold),
            ("max_loss_threshold", &mut changed.max_loss_threshold),
        ];
        for (name, field) in fields {
            if let Some(value) = snapshot.values.get(name).and_then(serde_json::Value::as_f64) {
                *field = value;
            }
        }
        if changed.check().is_ok() { changed } else { self.clone() }
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

    #[test]
    fn only_a_sound_change_at_run_time_counts_and_has_a_name_of_its_own() {
        let say = |value: f64| SettingsSnapshot {
            revision: 1,
            values: BTreeMap::from([("target_annual_return".to_string(), serde_json::json!(value))]),
        };
        let settings = Settings::default();
        let changed = settings.with(&say(0.09));
        assert!((changed.target_annual_return - 0.09).abs() < 1e-12);
        assert_ne!(changed.hash(), settings.hash());
        assert_eq!(settings.with(&say(9.0)), settings);
    }
}
