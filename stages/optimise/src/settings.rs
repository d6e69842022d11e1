//! `[stage.optimise]`.

use serde::Deserialize;

use crate::{
    groups::{GroupSetting, Table},
    question::{Linkage, Parameters},
};

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
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
        whole("min_cash_reserve_eur", self.min_cash_reserve_eur, 1_000_000)?;
        share("target_return", self.target_return, 0.01, 0.40)?;
        share("target_volatility", self.target_volatility, 0.01, 1.0)?;
        share("risk_free_rate", self.risk_free_rate, 0.0, 0.15)?;
        share("blend", self.blend, 0.0, 1.0)?;
        share("max_position", self.max_position, 0.01, 0.30)?;
        share("transaction_cost_fixed_eur", self.transaction_cost_fixed_eur, 0.0, 100.0)?;
        share("transaction_cost_percent", self.transaction_cost_percent, 0.0, 0.009)?;
        share("country_cap", self.country_cap, 0.05, 1.0)?;
        share("industry_cap", self.industry_cap, 0.05, 1.0)?;
        share("country_tolerance", self.country_tolerance, 0.0, 1.0)?;
        share("industry_tolerance", self.industry_tolerance, 0.0, 1.0)?;
        if let Some(most) = self.max_cvar_95 {
            share("max_cvar_95", most, 0.01, 1.0)?;
        }
        self.tree()?;
        for line in self.country_groups.iter().chain(&self.industry_groups) {
            if line.name.is_empty() || line.name.len() > 40 {
                return Err("a group has no name, or one of more than 40 bytes".into());
            }
            share(&format!("target of {}", line.name), line.target.unwrap_or(0.0), 0.0, 1.0)?;
        }
        unique("country_groups", &self.country_groups)?;
        unique("industry_groups", &self.industry_groups)
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
        let smallest = self.transaction_cost_fixed_eur / (0.01 - self.transaction_cost_percent);
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
    /// unknown market counts as a bad one.
    #[must_use]
    pub fn reserve(&self, core_eur: f64, regime: Option<f64>) -> f64 {
        const CALM: f64 = 0.03;
        const BEAR: f64 = 0.05;
        const BULL: f64 = 0.02;
        let share = regime.map_or(BEAR, |score| {
            let score = score.clamp(-1.0, 1.0);
            CALM + (BEAR - CALM) * (-score).max(0.0) + (BULL - CALM) * score.max(0.0)
        });
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
            (Settings { transaction_cost_percent: 0.01, ..ok() }, "transaction_cost_percent"),
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
