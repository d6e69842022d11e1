//! `[stage.risk-gate]`: the mode and the limits of the gate. The documented limits are the loosest that are accepted.

use contracts::Mode;
use serde::Deserialize;

use crate::checks::GateSettings;

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `research` (nothing reaches the broker) or `live`.
    pub mode: Mode,
    /// Orders sent per day, 0 to 4.
    pub max_per_day: u32,
    /// Orders sent in seven days, 0 to 10.
    pub max_per_week: u32,
    /// Minutes between two orders, 60 or more; a simulated environment may have less.
    pub min_gap_min: u32,
    /// Oldest price in seconds, at most 1 800.
    pub max_price_age_s: u64,
    /// Oldest snapshot of the account in seconds, at most 300.
    pub max_snapshot_age_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let limits = GateSettings::default();
        Settings {
            mode: Mode::Research,
            max_per_day: limits.max_per_day,
            max_per_week: limits.max_per_week,
            min_gap_min: limits.min_gap_min,
            max_price_age_s: limits.max_price_age_s,
            max_snapshot_age_s: limits.max_snapshot_age_s,
        }
    }
}

impl Settings {
    /// The gate's limits; looser ones than documented are refused.
    ///
    /// # Errors
    /// One sentence naming field and rule.
    pub fn limits(&self, simulated: bool) -> Result<GateSettings, String> {
        let most = GateSettings::default();
        let at_most = |name: &str, found: u64, limit: u64| {
            if found <= limit {
                return Ok(());
            }
            Err(format!("`{name}` is {found}, it must be at most {limit}: limits may only be tightened"))
        };
        at_most("max_per_day", self.max_per_day.into(), most.max_per_day.into())?;
        at_most("max_per_week", self.max_per_week.into(), most.max_per_week.into())?;
        at_most("max_price_age_s", self.max_price_age_s, most.max_price_age_s)?;
        at_most("max_snapshot_age_s", self.max_snapshot_age_s, most.max_snapshot_age_s)?;
        if self.min_gap_min < most.min_gap_min && !simulated {
            let (found, limit) = (self.min_gap_min, most.min_gap_min);
            return Err(format!(
                "`min_gap_min` is {found}, it must be at least {limit}: limits may only be tightened"
            ));
        }
        Ok(GateSettings {
            max_per_day: self.max_per_day,
            max_per_week: self.max_per_week,
            min_gap_min: self.min_gap_min,
            max_price_age_s: self.max_price_age_s,
            max_snapshot_age_s: self.max_snapshot_age_s,
            ..most
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looser_limits_are_refused_by_name() {
        let cases = [
            (Settings { max_per_day: 5, ..Settings::default() }, "max_per_day"),
            (Settings { max_per_week: 11, ..Settings::default() }, "max_per_week"),
            (Settings { max_price_age_s: 1_801, ..Settings::default() }, "max_price_age_s"),
            (Settings { max_snapshot_age_s: 301, ..Settings::default() }, "max_snapshot_age_s"),
            (Settings { min_gap_min: 59, ..Settings::default() }, "min_gap_min"),
        ];
        for (settings, field) in cases {
            assert!(settings.limits(false).is_err_and(|sentence| sentence.contains(field)), "{field}");
        }
        assert!(Settings::default().limits(false).is_ok());
    }

    #[test]
    fn research_is_the_beginning() {
        assert_eq!(Settings::default().mode, Mode::Research);
    }
}
