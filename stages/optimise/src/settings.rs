//! `[stage.optimise]`, and what of it the owner changes at run time by `system/settings`.
//!
//! Who wins: of the limits `risk.max_position_pct` and `min_cash_reserve` the stricter of both counts, whoever says it.
//! Everything else that `system/settings` names counts as it says there, its default included: the statement always
//! names all of them. What it does not know, as groups and their caps, is as the configuration says.

use contracts::SettingsSnapshot;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    groups::{GroupSetting, Table},
    question::{Linkage, Parameters},
    tables::NAME_MAX,
};

/// What the owner can choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds after a change until weights are computed.
    pub settle_ms: i64,
    /// Return a year to aim at, fraction.
    pub target_return: f64,
    /// Volatility a year that is acceptable when the return is out of reach, fraction.
    pub target_volatility: f64,
    /// Risk-free rate a year, fraction.
    pub risk_free_rate: f64,
    /// Share of risk parity in the blend; the rest is mean-variance.
    pub blend: f64,
    /// Lets the share of risk parity follow the market regime, at most 0.05 a week.
    pub adaptive_blend: bool,
    /// Cash that is never invested, whole EUR.
    pub min_cash_reserve_eur: i64,
    /// Lets the reserve, the expected returns and the blend follow the market; without, nothing does, and the fixed sum
    /// alone is kept.
    pub market_regime_detection_enabled: bool,
    /// Share of the core kept as cash in a bull market, fraction.
    pub bull_cash_reserve: f64,
    /// The same in a market without direction.
    pub sideways_cash_reserve: f64,
    /// The same in a bear market, and while the market is not known.
    pub bear_cash_reserve: f64,
    /// Largest share of one security, fraction.
    pub max_position: f64,
    /// Fixed costs of a trade, EUR.
    pub transaction_cost_fixed_eur: f64,
    /// Costs of a trade in proportion to its value, fraction.
    pub transaction_cost_percent: f64,
    /// Largest share of a group of countries, fraction.
    pub country_cap: f64,
    /// Distance a group of countries may have from its target, fraction.
    pub country_tolerance: f64,
    /// Largest share of a group of industries, fraction.
    pub industry_cap: f64,
    /// Distance a group of industries may have from its target, fraction.
    pub industry_tolerance: f64,
    /// How the tree of risk parity is built: `single` or `ward`.
    pub linkage: String,
    /// Takes correlations from five-day returns when the venues close hours apart.
    pub overlapping_correlation: bool,
    /// Bounds new positions by a quarter of their Kelly size.
    pub kelly_cap: bool,
    /// Takes scores as opinions about the market's own expectation instead of mixing them with history.
    pub black_litterman: bool,
    /// Largest mean loss on the worst stretches of twenty days, fraction above zero.
    pub max_cvar_95: Option<f64>,
    /// Groups of countries.
    pub country_groups: Vec<GroupSetting>,
    /// Groups of industries.
    pub industry_groups: Vec<GroupSetting>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            settle_ms: 300,
            target_return: 0.11,
            target_volatility: 0.15,
            risk_free_rate: 0.02,
            blend: 0.5,
            adaptive_blend: false,
            min_cash_reserve_eur: 500,
            market_regime_detection_enabled: true,
            bull_cash_reserve: 0.02,
            sideways_cash_reserve: 0.03,
            bear_cash_reserve: 0.05,
            max_position: 0.15,
            transaction_cost_fixed_eur: 2.0,
            transaction_cost_percent: 0.002,
            country_cap: 0.35,
            country_tolerance: 0.10,
            industry_cap: 0.30,
            industry_tolerance: 0.15,
            linkage: "single".into(),
            overlapping_correlation: true,
            kelly_cap: false,
            black_litterman: false,
            max_cvar_95: None,
            country_groups: regions(),
            industry_groups: Vec::new(),
        }
    }
}

/// Costs of a trade in proportion to its value from which it is not worth making.
const COSTS_MAX: f64 = 0.01;
/// The smallest trade where the proportional costs alone are that high.
const SMALLEST_TRADE_EUR: f64 = 1_000.0;

/// Least cap of a group.
const CAP_LEAST: f64 = 0.05;
const MAX_POSITION_LEAST: f64 = 0.01;
const RESERVE_MOST_EUR: i64 = 1_000_000;

/// A setting's name and the field it changes.
type Followed = (&'static str, fn(&mut Settings) -> &mut f64);

/// Numbers of `system/settings` that are followed as they are; those of one part make sense together or not at all.
const FOLLOWED: &[&[Followed]] = &[
    &[("optimizer_blend", |settings| &mut settings.blend)],
    &[("optimizer_target_return", |settings| &mut settings.target_return)],
    &[("risk_free_rate", |settings| &mut settings.risk_free_rate)],
    &[("transaction_cost_fixed", |settings| &mut settings.transaction_cost_fixed_eur)],
    &[("transaction_cost_percent", |settings| &mut settings.transaction_cost_percent)],
    &[
        ("market_regime_bull_cash_reserve", |settings| &mut settings.bull_cash_reserve),
        ("market_regime_sideways_cash_reserve", |settings| &mut settings.sideways_cash_reserve),
        ("market_regime_bear_cash_reserve", |settings| &mut settings.bear_cash_reserve),
    ],
];

/// The regions of the world as a fund at a European broker meets them; no targets.
fn regions() -> Vec<GroupSetting> {
    let group = |name: &str, members: &[&str]| GroupSetting {
        name: name.into(),
        members: members.iter().map(|member| (*member).into()).collect(),
        target: None,
    };
    vec![
        group(
            "EU",
            &[
                "AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IE", "IT", "LU", "NL",
                "NO", "PL", "PT", "SE",
            ],
        ),
        group("US", &["US", "CA"]),
        group("ASIA", &["AU", "CN", "HK", "IN", "JP", "KR", "NZ", "SG", "TW"]),
    ]
}

impl Settings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// One sentence naming field and rule.
    pub fn check(&self) -> Result<(), String> {
        let whole = |name: &str, value: i64, most: i64| {
            if (0..=most).contains(&value) {
                return Ok(());
            }
            Err(format!("`{name}` is {value}, it must be 0 to {most}"))
        };
        let share = |name: &str, value: f64, least: f64, most: f64| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(format!("`{name}` is {value}, it must be {least} to {most}"))
        };
        whole("settle_ms", self.settle_ms, 60_000)?;
        whole("min_cash_reserve_eur", self.min_cash_reserve_eur, RESERVE_MOST_EUR)?;
        share("target_return", self.target_return, 0.01, 0.40)?;
        share("target_volatility", self.target_volatility, 0.01, 1.0)?;
        share("risk_free_rate", self.risk_free_rate, 0.0, 0.15)?;
        share("blend", self.blend, 0.0, 1.0)?;
        share("max_position", self.max_position, MAX_POSITION_LEAST, 0.30)?;
        share("transaction_cost_fixed_eur", self.transaction_cost_fixed_eur, 0.0, 100.0)?;
        share("transaction_cost_percent", self.transaction_cost_percent, 0.0, 0.05)?;
        share("bull_cash_reserve", self.bull_cash_reserve, 0.0, 0.40)?;
        share("sideways_cash_reserve", self.sideways_cash_reserve, self.bull_cash_reserve, 0.40)?;
        share("bear_cash_reserve", self.bear_cash_reserve, self.sideways_cash_reserve, 0.40)?;
        share("country_cap", self.country_cap, CAP_LEAST, 1.0)?;
        share("industry_cap", self.industry_cap, CAP_LEAST, 1.0)?;
        share("country_tolerance", self.country_tolerance, 0.0, 1.0)?;
        share("industry_tolerance", self.industry_tolerance, 0.0, 1.0)?;
        if let Some(most) = self.max_cvar_95 {
            share("max_cvar_95", most, 0.01, 1.0)?;
        }
        self.tree()?;
        for line in self.country_groups.iter().chain(&self.industry_groups) {
            if line.name.is_empty() || line.name.len() > NAME_MAX {
                return Err(format!("a group has no name, or one of more than {NAME_MAX} bytes"));
            }
            share(&format!("target of {}", line.name), line.target.unwrap_or(0.0), 0.0, 1.0)?;
        }
        unique("country_groups", &self.country_groups)?;
        unique("industry_groups", &self.industry_groups)
    }

    /// The same settings with what the owner changed at run time, and what of it makes no sense: that part stays as it
    /// was `before`, everything else is followed.
    #[must_use]
    pub fn with(&self, snapshot: &SettingsSnapshot, before: &Settings) -> (Settings, Option<String>) {
        let mut changed = self.clone();
        let value = |name: &str| snapshot.values.get(name);
        if let Some(limit) = value("risk.max_position_pct").and_then(Value::as_f64) {
            // As at the gate, a limit of risk is only ever made tighter; below its range it is as tight as it gets.
            changed.max_position = limit.clamp(MAX_POSITION_LEAST, self.max_position);
        }
        let tighter = |name: &str, own: f64| {
            value(name).and_then(Value::as_f64).map_or(own, |limit| limit.clamp(CAP_LEAST, own))
        };
        changed.country_cap = tighter("risk.max_country_pct", self.country_cap);
        changed.industry_cap = tighter("risk.max_industry_pct", self.industry_cap);
        if let Some(sum) = value("min_cash_reserve").and_then(Value::as_i64) {
            changed.min_cash_reserve_eur = sum.clamp(self.min_cash_reserve_eur, RESERVE_MOST_EUR);
        }
        if let Some(is_on) = value("market_regime_detection_enabled").and_then(Value::as_bool) {
            changed.market_regime_detection_enabled = is_on;
        }
        let mut wrong = Vec::new();
        for part in FOLLOWED {
            let mut next = changed.clone();
            for (name, field) in *part {
                if let Some(number) = value(name).and_then(Value::as_f64) {
                    *field(&mut next) = number;
                }
            }
            if let Err(why) = next.check() {
                wrong.push(why);
                next.clone_from(&changed);
                let mut before = before.clone();
                part.iter().for_each(|(_, field)| *field(&mut next) = *field(&mut before));
            }
            changed = next;
        }
        (changed, (!wrong.is_empty()).then(|| wrong.join("; ")))
    }

    /// All of it as JSON, for the record of a run.
    pub(crate) fn params(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether the share of risk parity follows the market: without detection nothing does.
    pub(crate) fn follows_the_market(&self) -> bool {
        self.adaptive_blend && self.market_regime_detection_enabled
    }

    fn tree(&self) -> Result<Linkage, String> {
        match self.linkage.as_str() {
            "single" => Ok(Linkage::Single),
            "ward" => Ok(Linkage::Ward),
            other => Err(format!("`linkage` is {other:?}, it must be \"single\" or \"ward\"")),
        }
    }

    /// The figures of a run on a core worth this many EUR.
    #[must_use]
    pub fn parameters(&self, core_eur: f64) -> Parameters {
        // A trade whose costs are a hundredth of it is the smallest worth making.
        let room = COSTS_MAX - self.transaction_cost_percent;
        let smallest = if room > 0.0 { self.transaction_cost_fixed_eur / room } else { SMALLEST_TRADE_EUR };
        Parameters {
            target_return: self.target_return,
            target_volatility: self.target_volatility,
            risk_free: self.risk_free_rate,
            blend: self.blend,
            max_position: self.max_position,
            min_trade: if core_eur > 0.0 { (smallest / core_eur).min(1.0) } else { 1.0 },
            linkage: self.tree().unwrap_or_default(),
            kelly_cap: self.kelly_cap,
            max_tail_loss: self.max_cvar_95,
        }
    }

    /// Share of the core that stays cash: a fixed sum or a share that follows the market, whichever is larger. An
    /// unknown market counts as a bad one; a market that is not to be looked at asks for no share.
    #[must_use]
    pub fn reserve(&self, core_eur: f64, regime: Option<f64>) -> f64 {
        let calm = self.sideways_cash_reserve;
        let share = regime.map_or(self.bear_cash_reserve, |score| {
            let score = score.clamp(-1.0, 1.0);
            calm + (self.bear_cash_reserve - calm) * (-score).max(0.0)
                + (self.bull_cash_reserve - calm) * score.max(0.0)
        });
        let share = if self.market_regime_detection_enabled { share } else { 0.0 };
        #[allow(clippy::cast_precision_loss)]
        let fixed = self.min_cash_reserve_eur as f64;
        if core_eur > 0.0 { share.max(fixed / core_eur) } else { 1.0 }
    }

    /// The tables of groups, countries first.
    #[must_use]
    pub fn tables(&self) -> [Table; 2] {
        [
            Table {
                kind: "country",
                groups: self.country_groups.clone(),
                cap: self.country_cap,
                tolerance: self.country_tolerance,
            },
            Table {
                kind: "industry",
                groups: self.industry_groups.clone(),
                cap: self.industry_cap,
                tolerance: self.industry_tolerance,
            },
        ]
    }
}

fn unique(field: &str, groups: &[GroupSetting]) -> Result<(), String> {
    for (at, line) in groups.iter().enumerate() {
        let before = &groups[..at];
        if before.iter().any(|other| other.name == line.name) {
            return Err(format!("`{field}` has {:?} twice", line.name));
        }
        let known = |member: &String| before.iter().any(|other| other.members.contains(member));
        if let Some(twice) = line.members.iter().find(|member| known(member)) {
            return Err(format!("`{field}` has {twice:?} in two groups, it can belong to one"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_ranges() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn each_mistake_is_named() {
        let ok = Settings::default;
        let line = |name: &str, member: &str| GroupSetting {
            name: name.into(),
            members: vec![member.into()],
            target: None,
        };
        for (wrong, named) in [
            (Settings { settle_ms: -1, ..ok() }, "settle_ms"),
            (Settings { blend: 1.01, ..ok() }, "blend"),
            (Settings { blend: f64::NAN, ..ok() }, "blend"),
            (Settings { target_return: 0.5, ..ok() }, "target_return"),
            (Settings { max_position: 0.31, ..ok() }, "max_position"),
            (Settings { transaction_cost_percent: 0.06, ..ok() }, "transaction_cost_percent"),
            (Settings { bear_cash_reserve: 0.02, ..ok() }, "bear_cash_reserve"),
            (Settings { bull_cash_reserve: 0.04, ..ok() }, "sideways_cash_reserve"),
            (Settings { max_cvar_95: Some(0.0), ..ok() }, "max_cvar_95"),
            (Settings { linkage: "average".into(), ..ok() }, "linkage"),
            (Settings { industry_groups: vec![line("a", "x"), line("a", "y")], ..ok() }, "twice"),
            (Settings { industry_groups: vec![line("a", "x"), line("b", "x")], ..ok() }, "two groups"),
            (Settings { industry_groups: vec![line("", "x")], ..ok() }, "name"),
        ] {
            let why = wrong.check().unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    fn say(values: &[(&str, Value)]) -> SettingsSnapshot {
        SettingsSnapshot {
            revision: 1,
            values: values.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect(),
        }
    }

    /// What is followed of a sensible snapshot.
    fn followed(own: &Settings, values: &[(&str, Value)]) -> Settings {
        let (changed, wrong) = own.with(&say(values), own);
        assert_eq!(wrong, None);
        changed
    }

    #[test]
    fn what_the_owner_changes_is_followed() {
        let own = Settings::default();
        let changed = followed(
            &own,
            &[
                ("optimizer_blend", 0.3.into()),
                ("risk.max_position_pct", 0.1.into()),
                ("min_cash_reserve", 750.into()),
                ("market_regime_detection_enabled", false.into()),
                ("display.brightness", 3.into()),
            ],
        );
        let expected = Settings {
            blend: 0.3,
            max_position: 0.1,
            min_cash_reserve_eur: 750,
            market_regime_detection_enabled: false,
            ..own.clone()
        };
        assert_eq!(changed, expected);
        assert_eq!(followed(&own, &[]), own, "what is not said stays");
        assert_eq!(followed(&own, &[("optimizer_blend", "much".into())]), own);
    }

    #[test]
    fn limits_of_risk_are_only_made_stricter() {
        let own = Settings { min_cash_reserve_eur: 2_000, ..Settings::default() };
        for (reserve, position, expected) in
            [(500, 0.30, (2_000, 0.15)), (2_000, 0.15, (2_000, 0.15)), (2_001, 0.149, (2_001, 0.149))]
        {
            let both = [("min_cash_reserve", reserve.into()), ("risk.max_position_pct", position.into())];
            let changed = followed(&own, &both);
            assert_eq!(changed.min_cash_reserve_eur, expected.0, "{reserve}");
            assert!((changed.max_position - expected.1).abs() < 1e-12, "{position}");
        }
        for (cap, country, industry) in
            [(0.20, 0.20, 0.20), (0.32, 0.32, 0.30), (0.9, 0.35, 0.30), (0.0, 0.05, 0.05)]
        {
            let set = [("risk.max_country_pct", cap.into()), ("risk.max_industry_pct", cap.into())];
            let changed = followed(&own, &set);
            assert!((changed.country_cap - country).abs() < 1e-12, "{cap}");
            assert!((changed.industry_cap - industry).abs() < 1e-12, "{cap}");
        }
    }

    #[test]
    fn what_makes_no_sense_stays_as_it_was_and_the_rest_is_followed() {
        let own = Settings::default();
        let reserves = |bull: f64, sideways: f64, bear: f64| {
            [
                ("market_regime_bull_cash_reserve", bull.into()),
                ("market_regime_sideways_cash_reserve", sideways.into()),
                ("market_regime_bear_cash_reserve", bear.into()),
            ]
        };
        let before = followed(&own, &reserves(0.10, 0.15, 0.20));
        let mut both = reserves(0.10, 0.15, 0.12).to_vec();
        both.extend([("risk.max_position_pct", 0.08.into()), ("risk_free_rate", 9.0.into())]);
        both.push(("optimizer_blend", 0.3.into()));
        let (changed, wrong) = own.with(&say(&both), &before);
        let wrong = wrong.unwrap();
        assert!(wrong.contains("bear_cash_reserve") && wrong.contains("risk_free_rate"), "{wrong}");
        assert_eq!(changed, Settings { max_position: 0.08, blend: 0.3, ..before });
        assert_eq!(changed.check(), Ok(()));
    }

    #[test]
    fn costs_in_proportion_decide_the_smallest_trade_on_both_sides_of_their_limit() {
        let of = |percent| Settings { transaction_cost_percent: percent, ..Settings::default() };
        for (percent, smallest) in [(0.002, 0.025), (0.0, 0.02), (0.01, 0.1), (0.02, 0.1)] {
            assert!((of(percent).parameters(10_000.0).min_trade - smallest).abs() < 1e-12, "{percent}");
        }
    }

    #[test]
    fn a_market_that_is_not_looked_at_asks_for_the_fixed_sum_only() {
        let blind = Settings { market_regime_detection_enabled: false, ..Settings::default() };
        assert!((blind.reserve(100_000.0, Some(-1.0)) - 0.005).abs() < 1e-12);
    }

    #[test]
    fn the_reserve_is_the_larger_of_sum_and_share() {
        let reserve = |core, regime| Settings::default().reserve(core, regime);
        for (core, regime, expected) in [
            (10_000.0, Some(0.0), 0.05),
            (100_000.0, Some(0.0), 0.03),
            (100_000.0, Some(1.0), 0.02),
            (100_000.0, Some(-1.0), 0.05),
            (100_000.0, None, 0.05),
            (100.0, None, 5.0),
            (0.0, None, 1.0),
        ] {
            let found = reserve(core, regime);
            assert!((found - expected).abs() < 1e-12, "{core} {regime:?} {found}");
        }
    }
}
