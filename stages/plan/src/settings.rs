//! What the owner can set, with ranges, and the typed rules that follow from it.
//!
//! Limits that the gate also has may only be stricter here; the gate judges by its own. Of the cash kept back and the
//! costs of a trade, `system/settings` and this file both speak: the larger one counts.

use contracts::SettingsSnapshot;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use limits::{Costs, SellTerms};
use money::{Currency, Money, Weight};

use crate::{
    limits::{COUNTRY_MAX_E6, DEPTH_MAX, HOUR_MS, INDUSTRY_MAX_E6, MINUTE_MS, RATE_AGE_MAX_MS},
    parameters::Parameters,
    trigger::Wakes,
};

/// `[stage.plan]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Pause after another `state_id`, in ms (0–60 000).
    pub settle_state_ms: i64,
    /// Pause after any other change, in ms (0–60 000).
    pub settle_ms: i64,
    /// Shortest time between two runs for other changes, in ms (0–3 600 000).
    pub every_ms: i64,
    /// Fixed cost of a trade, in cents of EUR (0–10 000).
    pub transaction_cost_fixed_cents: i64,
    /// Cost in proportion to the value, in 1/10 000 (0–90: at 1 % no trade would be worth it).
    pub transaction_cost_bps: i64,
    /// Cash that is never planned with, in EUR (0–1 000 000).
    pub min_cash_reserve_eur: i64,
    /// The same as a part of the fund, in 1/10 000 (0–10 000). Of these two and what the market asks for the largest counts.
    pub cash_reserve_bps: i64,
    /// Largest base size of a purchase, in EUR (250–1 000 000).
    pub base_trade_amount_eur: i64,
    /// Distance from the target from which on it is closed, in 1/10 000 (1–5 000).
    pub min_gap_bps: i64,
    /// Quality from which on a security is an opportunity (0.5–1).
    pub opportunity_quality: f64,
    /// Score from which on a security may be bought (0.5–1).
    pub min_score: f64,
    /// Largest price of a share against its high of 52 weeks (0.5–0.95).
    pub max_price_vs_high: f64,
    /// Score by which a plan must beat doing nothing (0.0001–1).
    pub min_improvement: f64,
    /// Oldest usable quote, in seconds (1–1 800).
    pub price_age_max_s: i64,
    /// Oldest usable currency rate, in hours on days on which rates are made (1–96, of which 48 count at most).
    pub rate_age_max_h: i64,
    /// Days between two purchases of a security (30–365).
    pub buy_cooldown_days: u32,
    /// Days between a sale and a purchase (30–365).
    pub rebuy_pause_days: u32,
    /// Days to hold after any transaction (90–3 650).
    pub min_hold_days: u32,
    /// Days between two sales (180–3 650).
    pub sell_cooldown_days: u32,
    /// Largest loss that a sale may realise, in 1/10 000 (0–2 000).
    pub max_loss_bps: i64,
    /// Largest part of a holding sold at once, in 1/10 000 (1–5 000).
    pub max_sell_bps: i64,
    /// Largest part of the fund in one security, in 1/10 000 (1–1 500).
    pub max_position_bps: i64,
    /// Candidates of which every combination is tried (1–24).
    pub max_pool: usize,
    /// Actions of one sequence (1–10).
    pub max_depth: usize,
    /// Pause after a venue opens, in minutes (0–120).
    pub opening_pause_min: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            settle_state_ms: 300,
            settle_ms: 2_000,
            every_ms: 30_000,
            transaction_cost_fixed_cents: 200,
            transaction_cost_bps: 20,
            min_cash_reserve_eur: 500,
            cash_reserve_bps: 0,
            base_trade_amount_eur: 1_000,
            min_gap_bps: 100,
            opportunity_quality: 0.7,
            min_score: 0.5,
            max_price_vs_high: 0.95,
            min_improvement: 0.002,
            price_age_max_s: 1_800,
            rate_age_max_h: 48,
            buy_cooldown_days: 30,
            rebuy_pause_days: 30,
            min_hold_days: 90,
            sell_cooldown_days: 180,
            max_loss_bps: 2_000,
            max_sell_bps: 5_000,
            max_position_bps: 1_500,
            max_pool: 20,
            max_depth: 5,
            opening_pause_min: 10,
        }
    }
}

/// A setting outside its range.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("[stage.plan] {field} = {found} is not {rule}; correct steward.toml")]
pub struct BadSetting {
    field: &'static str,
    found: String,
    rule: String,
}

/// The settings as the functions of this crate take them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// See [`Settings::settle_state_ms`].
    pub settle_state_ms: i64,
    /// See [`Settings::settle_ms`].
    pub settle_ms: i64,
    /// See [`Settings::every_ms`].
    pub every_ms: i64,
    /// Costs of a trade.
    pub costs: Costs,
    /// Smallest trade whose costs stay within 1 %.
    pub min_trade: Money,
    /// See [`Settings::min_cash_reserve_eur`].
    pub reserve: Money,
    /// See [`Settings::cash_reserve_bps`].
    pub reserve_share: Weight,
    /// The part of the fund that is kept back as the market goes.
    pub regime: RegimeReserve,
    /// See [`Settings::base_trade_amount_eur`].
    pub base_trade: Money,
    /// See [`Settings::min_score`].
    pub min_score: f64,
    /// See [`Settings::max_price_vs_high`].
    pub max_price_vs_high: f64,
    /// See [`Settings::min_improvement`].
    pub min_improvement: f64,
    /// See [`Settings::price_age_max_s`].
    pub price_age_max_ms: i64,
    /// See [`Settings::rate_age_max_h`].
    pub rate_age_max_ms: i64,
    /// See [`Settings::buy_cooldown_days`].
    pub buy_cooldown_days: u32,
    /// See [`Settings::rebuy_pause_days`].
    pub rebuy_pause_days: u32,
    /// Limits of a sale from the core.
    pub sell: SellTerms,
    /// See [`Settings::max_sell_bps`].
    pub max_sell: Weight,
    /// See [`Settings::max_position_bps`].
    pub max_position: Weight,
    /// The most of the fund in one country.
    pub max_country: Weight,
    /// The most of the fund in one industry.
    pub max_industry: Weight,
    /// When drift or cash make the fund be looked at again; the owner sets it at run time.
    pub wakes: Wakes,
    /// Finders, patterns, generators.
    pub parameters: Parameters,
    /// See [`Settings::opening_pause_min`].
    pub opening_pause_min: i64,
    /// Whether every order waits for a person; the owner sets it at run time.
    pub approval: bool,
}

/// How much of the fund is kept back in each kind of market; the owner sets it at run time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegimeReserve {
    /// While the market rises.
    pub bull: f64,
    /// While it goes nowhere.
    pub sideways: f64,
    /// While it falls, and while it is not known.
    pub bear: f64,
    /// Whether the market is looked at; otherwise it asks for nothing.
    pub detection: bool,
}

impl Default for RegimeReserve {
    fn default() -> Self {
        RegimeReserve { bull: 0.02, sideways: 0.03, bear: 0.05, detection: true }
    }
}

/// Largest part of the fund that a market may ask to be kept back.
const REGIME_RESERVE_MAX: f64 = 0.40;

impl RegimeReserve {
    /// The same as the owner sets it; parts that are out of order or out of range are moved
    /// so that more is kept back, and what is no number changes nothing.
    fn with(self, snapshot: &SettingsSnapshot) -> RegimeReserve {
        let value = |name: &str| snapshot.values.get(name);
        let number = |name: &str, own: f64| {
            value(name).and_then(Value::as_f64).filter(|part| part.is_finite()).unwrap_or(own)
        };
        let set = RegimeReserve {
            bull: number("market_regime_bull_cash_reserve", self.bull),
            sideways: number("market_regime_sideways_cash_reserve", self.sideways),
            bear: number("market_regime_bear_cash_reserve", self.bear),
            detection: value("market_regime_detection_enabled")
                .and_then(Value::as_bool)
                .unwrap_or(self.detection),
        };
        // A worse market never asks for less, in whatever order the parts are set.
        let bull = set.bull.clamp(0.0, REGIME_RESERVE_MAX);
        let sideways = set.sideways.clamp(bull, REGIME_RESERVE_MAX);
        RegimeReserve { bull, sideways, bear: set.bear.clamp(sideways, REGIME_RESERVE_MAX), ..set }
    }

    /// The part for a score of the market from −1 to 1.
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // At most 400 000.
    #[must_use]
    pub fn part(&self, regime: Option<f64>) -> Weight {
        if !self.detection {
            return Weight::ZERO;
        }
        let regime = regime.filter(|regime| regime.is_finite()).unwrap_or(-1.0).clamp(-1.0, 1.0);
        let calm = self.sideways;
        let part = calm + (self.bear - calm) * (-regime).max(0.0) + (self.bull - calm) * regime.max(0.0);
        // A thousandth of a millionth against the dust of the product.
        Weight::from_e6((part * 1e6 - 1e-3).ceil() as i64).unwrap_or(Weight::ONE)
    }
}

/// Tolerated costs of a trade as a part of its value.
const COST_RATIO_E6: i64 = 10_000;
/// Costs in proportion that the file may name at most, in 1/10 000: at 1 % no trade would be worth it.
const COST_BPS_MAX: i64 = 90;
/// A file may still say the longer time that was allowed once; [`RATE_AGE_MAX_MS`] counts.
const RATE_AGE_READ_H: i64 = 96;
/// Longest hold or pause, in days.
const DAYS_MAX: u32 = 3_650;
/// Most cash that is kept back, in EUR.
const RESERVE_MAX_EUR: i64 = 1_000_000;

impl Rules {
    /// The same with what the owner changed at run time. What the gate also judges is only ever made stricter here, as are
    /// costs and the cash kept back; what the market asks to be kept back is the owner's own.
    #[must_use]
    pub fn with(&self, snapshot: &SettingsSnapshot) -> Rules {
        let value = |name: &str| snapshot.values.get(name);
        let larger = |own: Money, other: Option<Money>| {
            other.filter(|other| other.covers(own).unwrap_or(false)).unwrap_or(own)
        };
        let reserve = value("min_cash_reserve").and_then(Value::as_i64);
        let reserve = reserve.map(|units| units.clamp(0, RESERVE_MAX_EUR));
        let fixed = value("transaction_cost_fixed").and_then(Value::as_f64).and_then(euro);
        let percent = value("transaction_cost_percent").and_then(Value::as_f64);
        let percent = percent.and_then(share);
        let costs = Costs {
            fixed_eur: larger(self.costs.fixed_eur, fixed),
            percent: self.costs.percent.max(percent.unwrap_or(self.costs.percent)),
        };
        let days = |name: &str, own: u32| {
            let set = value(name).and_then(Value::as_u64).and_then(|days| u32::try_from(days).ok());
            set.map_or(own, |days| days.clamp(own, DAYS_MAX.max(own)))
        };
        // Of a loss only the size is read, as by the gate.
        let part = |name: &str, own: Weight| {
            let set = value(name).and_then(Value::as_f64).and_then(|part| share(part.abs()));
            set.map_or(own, |set| set.min(own))
        };
        let age = value("risk.max_price_age_s").and_then(Value::as_i64).map(|age| age.saturating_mul(1_000));
        let number = |name: &str| value(name).and_then(Value::as_f64).filter(|number| number.is_finite());
        let score = number("min_security_score").unwrap_or(self.min_score);
        let high = number("risk.max_price_vs_52w_high").unwrap_or(self.max_price_vs_high);
        let least_yield =
            number("dividends.same_security_min_yield").unwrap_or(self.parameters.dividend_yield);
        Rules {
            buy_cooldown_days: days("risk.buy_cooldown_days", self.buy_cooldown_days),
            sell: SellTerms {
                loss_max: part("risk.max_loss", self.sell.loss_max),
                min_hold_days: days("risk.min_hold_days", self.sell.min_hold_days),
                sell_cooldown_days: days("risk.sell_cooldown_days", self.sell.sell_cooldown_days),
            },
            max_sell: part("risk.max_sell_pct", self.max_sell),
            max_position: part("risk.max_position_pct", self.max_position),
            max_country: part("risk.max_country_pct", self.max_country),
            max_industry: part("risk.max_industry_pct", self.max_industry),
            max_price_vs_high: high.min(self.max_price_vs_high),
            wakes: self.wakes.with(snapshot),
            parameters: Parameters { dividend_yield: least_yield.clamp(0.0, 1.0), ..self.parameters.clone() },
            price_age_max_ms: age.map_or(self.price_age_max_ms, |age| age.clamp(0, self.price_age_max_ms)),
            min_score: if score > self.min_score { score } else { self.min_score },
            regime: self.regime.with(snapshot),
            reserve: larger(
                self.reserve,
                reserve.and_then(|units| Money::from_units(units, Currency::EUR).ok()),
            ),
            min_trade: min_trade(&costs),
            costs,
            approval: value("plan.require_approval").is_some_and(is_wanted),
            ..self.clone()
        }
    }
}

/// Whether a word of the owner means yes; what is neither yes nor no counts as yes, because it only ever makes us wait.
fn is_wanted(value: &Value) -> bool {
    value.as_bool().or_else(|| value.as_f64().map(|number| number != 0.0)).unwrap_or(true)
}

/// A part of a whole that is one at most.
pub(crate) fn share(part: f64) -> Option<Weight> {
    Weight::from_f64(part).ok()
}

/// An amount of EUR.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // At most a million, checked here.
pub(crate) fn euro(amount: f64) -> Option<Money> {
    let e4 = (amount * 10_000.0).round();
    (0.0..=1e10).contains(&e4).then(|| Money::from_e4(e4 as i64, Currency::EUR))
}

fn part_of(bps: i64) -> Weight {
    Weight::from_e6(bps * 100).expect("at most 10 000 basis points")
}

impl Settings {
    /// Checks every range and converts to the types of money.
    ///
    /// # Errors
    /// The first field outside its range, with the rule.
    pub fn rules(&self) -> Result<Rules, BadSetting> {
        let minute_ms = 0..=MINUTE_MS;
        within("settle_state_ms", self.settle_state_ms, &minute_ms)?;
        within("settle_ms", self.settle_ms, &minute_ms)?;
        within("every_ms", self.every_ms, &(0..=HOUR_MS))?;
        within("transaction_cost_fixed_cents", self.transaction_cost_fixed_cents, &(0..=10_000))?;
        within("transaction_cost_bps", self.transaction_cost_bps, &(0..=COST_BPS_MAX))?;
        within("min_cash_reserve_eur", self.min_cash_reserve_eur, &(0..=RESERVE_MAX_EUR))?;
        within("cash_reserve_bps", self.cash_reserve_bps, &(0..=10_000))?;
        within("base_trade_amount_eur", self.base_trade_amount_eur, &(250..=1_000_000))?;
        within("min_gap_bps", self.min_gap_bps, &(1..=5_000))?;
        within("opportunity_quality", self.opportunity_quality, &(0.5..=1.0))?;
        within("min_score", self.min_score, &(0.5..=1.0))?;
        within("max_price_vs_high", self.max_price_vs_high, &(0.5..=0.95))?;
        within("min_improvement", self.min_improvement, &(0.0001..=1.0))?;
        within("price_age_max_s", self.price_age_max_s, &(1..=1_800))?;
        within("rate_age_max_h", self.rate_age_max_h, &(1..=RATE_AGE_READ_H))?;
        within("buy_cooldown_days", self.buy_cooldown_days, &(30..=365))?;
        within("rebuy_pause_days", self.rebuy_pause_days, &(30..=365))?;
        within("min_hold_days", self.min_hold_days, &(90..=3_650))?;
        within("sell_cooldown_days", self.sell_cooldown_days, &(180..=3_650))?;
        within("max_loss_bps", self.max_loss_bps, &(0..=2_000))?;
        within("max_sell_bps", self.max_sell_bps, &(1..=5_000))?;
        within("max_position_bps", self.max_position_bps, &(1..=1_500))?;
        within("max_pool", self.max_pool, &(1..=24))?;
        within("max_depth", self.max_depth, &(1..=DEPTH_MAX))?;
        within("opening_pause_min", self.opening_pause_min, &(0..=120))?;
        Ok(self.converted())
    }

    fn converted(&self) -> Rules {
        let eur = |units| Money::from_units(units, Currency::EUR).expect("a million fits");
        let costs = Costs {
            fixed_eur: Money::from_e4(self.transaction_cost_fixed_cents * 100, Currency::EUR),
            percent: part_of(self.transaction_cost_bps),
        };
        Rules {
            settle_state_ms: self.settle_state_ms,
            settle_ms: self.settle_ms,
            every_ms: self.every_ms,
            min_trade: min_trade(&costs),
            costs,
            reserve: eur(self.min_cash_reserve_eur),
            reserve_share: part_of(self.cash_reserve_bps),
            regime: RegimeReserve::default(),
            base_trade: eur(self.base_trade_amount_eur),
            min_score: self.min_score,
            max_price_vs_high: self.max_price_vs_high,
            min_improvement: self.min_improvement,
            price_age_max_ms: self.price_age_max_s * 1_000,
            rate_age_max_ms: (self.rate_age_max_h * HOUR_MS).min(RATE_AGE_MAX_MS),
            buy_cooldown_days: self.buy_cooldown_days,
            rebuy_pause_days: self.rebuy_pause_days,
            sell: SellTerms {
                loss_max: part_of(self.max_loss_bps),
                min_hold_days: self.min_hold_days,
                sell_cooldown_days: self.sell_cooldown_days,
            },
            max_sell: part_of(self.max_sell_bps),
            max_position: part_of(self.max_position_bps),
            max_country: Weight::from_e6(COUNTRY_MAX_E6).expect("below one"),
            max_industry: Weight::from_e6(INDUSTRY_MAX_E6).expect("below one"),
            wakes: Wakes::default(),
            parameters: Parameters {
                min_gap: part_of(self.min_gap_bps),
                opportunity_quality: self.opportunity_quality,
                max_pool: self.max_pool,
                max_depth: self.max_depth,
                ..Parameters::default()
            },
            opening_pause_min: self.opening_pause_min,
            approval: false,
        }
    }
}

/// The smallest trade whose costs are within the tolerated part of its value; 1 000 EUR where the costs in proportion alone
/// are not.
///
/// # Panics
/// Never: the costs of a trade are a million EUR at most.
#[must_use]
pub fn min_trade(costs: &Costs) -> Money {
    let ratio = Weight::from_e6(COST_RATIO_E6).expect("one hundredth");
    limits::min_trade_amount(costs, ratio)
        .and_then(|fine| fine.to_money(Currency::EUR, money::Rounding::Up))
        .expect("at most a million over at least a millionth")
}

fn within<T: PartialOrd + std::fmt::Display>(
    field: &'static str,
    found: T,
    range: &std::ops::RangeInclusive<T>,
) -> Result<(), BadSetting> {
    if range.contains(&found) {
        return Ok(());
    }
    let rule = format!("within {} to {}", range.start(), range.end());
    Err(BadSetting { field, found: found.to_string(), rule })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_trade_of_the_defaults_is_250_eur() {
        let rules = Settings::default().rules().unwrap();
        assert_eq!(rules.min_trade, Money::from_units(250, Currency::EUR).unwrap());
    }

    #[test]
    fn a_value_outside_its_range_is_named_with_the_rule() {
        let cases: &[(Settings, &str)] = &[
            (Settings { settle_ms: -1, ..Settings::default() }, "settle_ms = -1"),
            (Settings { max_depth: 11, ..Settings::default() }, "max_depth = 11"),
            (Settings { min_hold_days: 89, ..Settings::default() }, "min_hold_days = 89"),
            (Settings { max_position_bps: 1_501, ..Settings::default() }, "max_position_bps"),
            (Settings { min_improvement: f64::NAN, ..Settings::default() }, "min_improvement = NaN"),
        ];
        for (settings, expected) in cases {
            let sentence = settings.rules().unwrap_err().to_string();
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    #[test]
    fn of_what_the_owner_sets_and_this_file_the_larger_counts() {
        let file = Settings { min_cash_reserve_eur: 600, ..Settings::default() }.rules().unwrap();
        let said = |name: &str, value: Value| {
            file.with(&SettingsSnapshot { revision: 1, values: [(name.to_string(), value)].into() })
        };
        for (value, expected) in [(500, 600), (600, 600), (601, 601), (2_000_000, 1_000_000)] {
            let reserve = said("min_cash_reserve", value.into()).reserve;
            assert_eq!(reserve, Money::from_units(expected, Currency::EUR).unwrap(), "{value}");
        }
        for (value, e4, trade) in [(1.99, 20_000, 250), (2.0, 20_000, 250), (4.0, 40_000, 500)] {
            let rules = said("transaction_cost_fixed", value.into());
            assert_eq!(rules.costs.fixed_eur.e4(), e4, "{value}");
            assert_eq!(rules.min_trade, Money::from_units(trade, Currency::EUR).unwrap(), "{value}");
        }
        for (value, e6, trade) in
            [(0.001, 2_000, 250), (0.006, 6_000, 500), (0.009, 9_000, 2_000), (0.009_999, 9_999, 2_000_000)]
        {
            let rules = said("transaction_cost_percent", value.into());
            assert_eq!(rules.costs.percent.e6(), e6, "{value}");
            assert_eq!(rules.min_trade, Money::from_units(trade, Currency::EUR).unwrap(), "{value}");
        }
        // From 1 % on no trade is within the tolerated part; all of it is counted, as by the gate.
        for (value, e6) in [(0.01, 10_000), (0.05, 50_000)] {
            let rules = said("transaction_cost_percent", value.into());
            assert_eq!(rules.costs.percent.e6(), e6, "{value}");
            assert_eq!(rules.min_trade, Money::from_units(1_000, Currency::EUR).unwrap(), "{value}");
        }
        assert_eq!(said("min_cash_reserve", "much".into()), file, "no number, no change");
        assert_eq!(said("transaction_cost_fixed", Value::from(-1)), file);
        for (value, days) in [(29, 30), (31, 31), (9_999, 3_650)] {
            assert_eq!(said("risk.buy_cooldown_days", value.into()).buy_cooldown_days, days);
        }
        for (value, days) in [(89, 90), (120, 120)] {
            assert_eq!(said("risk.min_hold_days", value.into()).sell.min_hold_days, days);
        }
        for (value, days) in [(179, 180), (200, 200)] {
            assert_eq!(said("risk.sell_cooldown_days", value.into()).sell.sell_cooldown_days, days);
        }
        for (value, e6) in [(-0.25, 200_000), (-0.1, 100_000)] {
            assert_eq!(said("risk.max_loss", value.into()).sell.loss_max.e6(), e6);
        }
        for (value, e6) in [(0.6, 500_000), (0.4, 400_000)] {
            assert_eq!(said("risk.max_sell_pct", value.into()).max_sell.e6(), e6);
        }
        for (value, e6) in [(0.2, 150_000), (0.1, 100_000)] {
            assert_eq!(said("risk.max_position_pct", value.into()).max_position.e6(), e6);
        }
        for (value, e6) in [(0.4, 350_000), (0.2, 200_000)] {
            assert_eq!(said("risk.max_country_pct", value.into()).max_country.e6(), e6);
        }
        for (value, e6) in [(0.4, 300_000), (0.2, 200_000)] {
            assert_eq!(said("risk.max_industry_pct", value.into()).max_industry.e6(), e6);
        }
        for (value, expected) in [(1.0, 0.95), (0.8, 0.8)] {
            let found = said("risk.max_price_vs_52w_high", value.into()).max_price_vs_high;
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        for (value, expected) in [(0.01, 0.01), (0.05, 0.05)] {
            let found = said("dividends.same_security_min_yield", value.into()).parameters.dividend_yield;
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        let name = "rebalance_position_drift_threshold";
        assert_ne!(said(name, 0.02.into()), file, "what wakes the planner is news");
        for (value, ms) in [(3_600, 1_800_000), (600, 600_000)] {
            assert_eq!(said("risk.max_price_age_s", value.into()).price_age_max_ms, ms);
        }
        for (value, score) in [(0.4, 0.5), (0.6, 0.6)] {
            let found = said("min_security_score", value.into()).min_score;
            assert!((found - score).abs() < 1e-12, "{found}");
        }
        for (value, waits) in [
            (true.into(), true),
            (false.into(), false),
            (1.into(), true),
            (0.into(), false),
            ("no".into(), true),
        ] {
            assert_eq!(said("plan.require_approval", value).approval, waits);
        }
    }

    #[test]
    fn the_market_asks_for_what_the_owner_wants_it_to() {
        let with = |values: &[(&str, Value)]| {
            let values = values.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
            RegimeReserve::default().with(&SettingsSnapshot { revision: 1, values })
        };
        for (regime, e6) in [
            (Some(1.0), 20_000),
            (Some(0.0), 30_000),
            (Some(-1.0), 50_000),
            (Some(-0.5), 40_000),
            (None, 50_000),
        ] {
            assert_eq!(with(&[]).part(regime).e6(), e6, "{regime:?}");
        }
        assert_eq!(with(&[("market_regime_bear_cash_reserve", 0.1.into())]).part(None).e6(), 100_000);
        assert_eq!(with(&[("market_regime_detection_enabled", false.into())]).part(None), Weight::ZERO);
        let kept = with(&[("market_regime_bull_cash_reserve", f64::NAN.into())]);
        assert_eq!(kept, RegimeReserve::default(), "no number");
        // Out of order or out of range: never less than any part that was set.
        let parts = |bull: f64, sideways: f64, bear: f64| {
            let set = with(&[
                ("market_regime_bull_cash_reserve", bull.into()),
                ("market_regime_sideways_cash_reserve", sideways.into()),
                ("market_regime_bear_cash_reserve", bear.into()),
            ]);
            (set.bull, set.sideways, set.bear)
        };
        assert_eq!(parts(0.10, 0.15, 0.12), (0.10, 0.15, 0.15));
        assert_eq!(parts(0.06, 0.03, 0.05), (0.06, 0.06, 0.06));
        assert_eq!(parts(0.5, 0.03, 0.05), (0.40, 0.40, 0.40));
        assert_eq!(parts(-1.0, 0.03, 0.05), (0.0, 0.03, 0.05));
    }

    #[test]
    fn settling_may_take_no_time() {
        let settings = Settings { settle_ms: 0, settle_state_ms: 0, every_ms: 0, ..Settings::default() };
        assert!(settings.rules().is_ok());
    }
}
