//! The owner's settings as limits of the gate: they may tighten what is documented, never loosen it.
//!
//! A looser value has no effect and is named, so that nobody believes in a limit that is not there.

use std::collections::BTreeMap;

use money::{Money, Weight};
use serde_json::Value;

use crate::checks::GateSettings;

/// Takes every `risk.*` setting that is tighter; returns the names of those that would loosen.
pub(crate) fn tightened(
    base: &GateSettings,
    values: &BTreeMap<String, Value>,
) -> (GateSettings, Vec<&'static str>) {
    let mut limits = base.clone();
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
    if let Some(reserve) = values.get("risk.reserve_eur").and_then(Value::as_f64).and_then(eur) {
        let tighter = reserve.covers(base.reserve_eur).ok();
        take("risk.reserve_eur", tighter, &mut || limits.reserve_eur = reserve);
    }
    if values.get("risk.allow_offhours_buys").and_then(Value::as_bool) == Some(true)
        && !base.allow_offhours_buys
    {
        take("risk.allow_offhours_buys", Some(false), &mut || {});
    }
    (limits, loose)
}

fn eur(number: f64) -> Option<Money> {
    Money::parse(&format!("{number:.4} EUR")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(values: Value) -> (GateSettings, Vec<&'static str>) {
        tightened(&GateSettings::default(), &serde_json::from_value(values).unwrap())
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
