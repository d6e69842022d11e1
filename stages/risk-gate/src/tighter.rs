//! The owner's settings as limits of the gate: they may tighten what is documented, never loosen it.
//!
//! A looser value has no effect and is named, so that nobody believes in a limit that is not there. Costs of a trade are
//! judged the same way: the gate counts at least the documented ones.

use std::collections::BTreeMap;

use money::{Money, Weight};
use serde_json::Value;

use crate::{breaker::LossSteps, checks::GateSettings};

/// What the owner's settings leave of the limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tightened {
    pub(crate) limits: GateSettings,
    pub(crate) loss: LossSteps,
    /// Names of settings that would loosen, and have no effect.
    pub(crate) loose: Vec<&'static str>,
}

/// Takes every setting that is tighter.
pub(crate) fn tightened(base: &GateSettings, values: &BTreeMap<String, Value>) -> Tightened {
    let (mut limits, steps) = (base.clone(), LossSteps::default());
    let mut loss = steps;
    let mut loose = Vec::new();
    let mut take = |key: &'static str, tighter: Option<bool>, set: &mut dyn FnMut()| match tighter {
        Some(true) => set(),
        Some(false) => loose.push(key),
        None => {}
    };
    let whole = |key: &str| values.get(key).and_then(Value::as_u64);
    let small = |key: &str| whole(key).and_then(|number| u32::try_from(number).ok());
    let share = |key: &str| {
        values.get(key).and_then(Value::as_f64).and_then(|number| Weight::from_f64(number.abs()).ok())
    };
    macro_rules! at_most {
        ($key:literal, $read:ident, $field:ident) => {
            if let Some(value) = $read($key) {
                take($key, Some(value <= base.$field), &mut || limits.$field = value);
            }
        };
    }
    macro_rules! at_least {
        ($key:literal, $read:ident, $field:ident) => {
            if let Some(value) = $read($key) {
                take($key, Some(value >= base.$field), &mut || limits.$field = value);
            }
        };
    }
    at_most!("risk.max_snapshot_age_s", whole, max_snapshot_age_s);
    at_most!("risk.max_price_age_s", whole, max_price_age_s);
    at_most!("risk.max_per_day", small, max_per_day);
    at_most!("risk.max_per_week", small, max_per_week);
    at_least!("risk.min_gap_min", small, min_gap_min);
    at_least!("risk.buy_cooldown_days", small, buy_cooldown_days);
    at_least!("risk.min_hold_days", small, min_hold_days);
    at_least!("risk.sell_cooldown_days", small, sell_cooldown_days);
    at_least!("risk.duplicate_window_min", small, duplicate_window_min);
    at_least!("risk.sell_window_min", small, sell_window_min);
    at_most!("risk.max_loss", share, max_loss);
    at_most!("risk.max_sell_pct", share, max_sell);
    at_most!("risk.max_position_pct", share, max_position);
    at_least!("risk.cost_margin", share, cost_margin);
    at_least!("risk.fx_buffer", share, fx_buffer);
    at_least!("transaction_cost_percent", share, percent);
    macro_rules! loss_at_most {
        ($key:literal, $field:ident) => {
            if let Some(value) = share($key) {
                take($key, Some(value <= steps.$field), &mut || loss.$field = value);
            }
        };
    }
    loss_at_most!("risk.daily_loss_halted", halted);
    loss_at_most!("risk.daily_loss_release", release);
    loss_at_most!("risk.daily_loss_sells_blocked", sells_blocked);
    if let Some(fixed) = values.get("transaction_cost_fixed").and_then(Value::as_f64).and_then(eur) {
        let dearer = fixed.covers(base.fixed_eur).ok();
        take("transaction_cost_fixed", dearer, &mut || limits.fixed_eur = fixed);
    }
    if let Some(reserve) = values.get("risk.reserve_eur").and_then(Value::as_f64).and_then(eur) {
        let tighter = reserve.covers(base.reserve_eur).ok();
        take("risk.reserve_eur", tighter, &mut || limits.reserve_eur = reserve);
    }
    if values.get("risk.allow_offhours_buys").and_then(Value::as_bool) == Some(true)
        && !base.allow_offhours_buys
    {
        take("risk.allow_offhours_buys", Some(false), &mut || {});
    }
    Tightened { limits, loss, loose }
}

fn eur(number: f64) -> Option<Money> {
    Money::parse(&format!("{number:.4} EUR")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all_of(values: Value) -> Tightened {
        tightened(&GateSettings::default(), &serde_json::from_value(values).unwrap())
    }

    #[test]
    fn the_steps_of_a_days_loss_may_only_come_sooner() {
        let found = all_of(json!({
            "risk.daily_loss_sells_blocked": 0.01, "risk.daily_loss_release": 0.005, "risk.daily_loss_halted": 0.03,
        }));
        let e6 = [found.loss.sells_blocked, found.loss.release, found.loss.halted].map(Weight::e6);
        assert_eq!((e6, found.loose.len()), ([10_000, 5_000, 30_000], 0));
        let found = all_of(json!({
            "risk.daily_loss_sells_blocked": 0.021, "risk.daily_loss_release": 0.016, "risk.daily_loss_halted": 0.051,
        }));
        assert_eq!((found.loss, found.loose.len()), (LossSteps::default(), 3));
    }

    #[test]
    fn costs_may_only_rise() {
        let (limits, loose) = of(json!({ "transaction_cost_fixed": 5.5, "transaction_cost_percent": 0.004 }));
        assert_eq!((limits.fixed_eur.to_string(), limits.percent.e6()), ("5.50 EUR".into(), 4_000));
        assert!(loose.is_empty());
        let (limits, loose) =
            of(json!({ "transaction_cost_fixed": 1.99, "transaction_cost_percent": 0.0019 }));
        assert_eq!((limits, loose.len()), (GateSettings::default(), 2));
    }

    fn of(values: Value) -> (GateSettings, Vec<&'static str>) {
        let Tightened { limits, loose, .. } = all_of(values);
        (limits, loose)
    }

    #[test]
    fn tighter_values_hold() {
        let (limits, loose) = of(json!({
            "risk.max_per_day": 2, "risk.min_gap_min": 120, "risk.max_loss": -0.1, "risk.max_position_pct": 0.1,
            "risk.reserve_eur": 50.5, "risk.max_price_age_s": 600,
        }));
        assert!(loose.is_empty(), "{loose:?}");
        assert_eq!((limits.max_per_day, limits.min_gap_min, limits.max_price_age_s), (2, 120, 600));
        assert_eq!((limits.max_loss.e6(), limits.max_position.e6()), (100_000, 100_000));
        assert_eq!(limits.reserve_eur.to_string(), "50.50 EUR");
    }

    #[test]
    fn the_documented_value_itself_is_no_loosening() {
        assert_eq!(
            of(json!({ "risk.max_per_day": 4, "risk.reserve_eur": 5.0 })),
            (GateSettings::default(), vec![])
        );
    }

    #[test]
    fn looser_values_have_no_effect_and_are_named() {
        let (limits, loose) = of(json!({
            "risk.max_per_day": 5, "risk.min_hold_days": 89, "risk.max_sell_pct": 1.0, "risk.reserve_eur": 4.99,
            "risk.allow_offhours_buys": true,
        }));
        assert_eq!(limits, GateSettings::default());
        assert_eq!(loose.len(), 5, "{loose:?}");
    }

    #[test]
    fn nonsense_is_left_alone() {
        assert_eq!(
            of(json!({ "risk.max_per_day": "two", "risk.reserve_eur": null })).0,
            GateSettings::default()
        );
    }
}
