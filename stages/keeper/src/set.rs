//! May this value be set, and what is it then?

use serde_json::Value;
use thiserror::Error;

use crate::registry::{self, Kind, Known};

/// Longest name or value that an answer repeats.
const SHOWN_MAX: usize = 60;

/// Why a setting stays as it is, in the order in which it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such setting.
    #[error("`{key}` is no setting; those in force are in the statement system/settings")]
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// Another type.
    #[error("`{key}` is {found}, it must be {wanted}; nothing was changed")]
    WrongType {
        /// Which setting.
        key: &'static str,
        /// What was given.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// It costs money when it is wrong, and nobody has said that it is meant.
    #[error("`{key}` is set to {found} only with the confirmation `{wanted}`; nothing was changed")]
    Unconfirmed {
        /// Which setting.
        key: &'static str,
        /// What was asked for.
        found: String,
        /// What has to be said.
        wanted: &'static str,
    },
    /// Outside its bounds.
    #[error("`{key}` is {found}, it must be {wanted}; nothing was changed")]
    OutOfRange {
        /// Which setting.
        key: &'static str,
        /// What was given.
        found: String,
        /// The bounds.
        wanted: String,
    },
}

impl Refusal {
    /// As a code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownKey { .. } => "unknown_key",
            Refusal::WrongType { .. } => "wrong_type",
            Refusal::Unconfirmed { .. } => "unconfirmed",
            Refusal::OutOfRange { .. } => "out_of_range",
        }
    }
}

/// The setting and its new value; `None` takes the default back.
///
/// # Errors
/// [`Refusal`], in the order of its variants.
pub fn decide(
    key: &str,
    value: &Value,
    confirm: Option<&str>,
) -> Result<(&'static Known, Option<Value>), Refusal> {
    let known = registry::find(key).ok_or_else(|| Refusal::UnknownKey { key: shown(key) })?;
    let asked = if value.is_null() { None } else { Some(checked(known, value)?) };
    if let Some(wanted) =
        registry::confirmation(known, asked.as_ref()).filter(|wanted| confirm != Some(wanted))
    {
        let found = asked.as_ref().map_or_else(|| "its default".into(), |value| shown(&value.to_string()));
        return Err(Refusal::Unconfirmed { key: known.key, found, wanted });
    }
    let Some(value) = asked else { return Ok((known, None)) };
    // What equals the default is not kept, so that a better default of a later program takes effect.
    Ok((known, (value != known.default.value()).then_some(value)))
}

/// The value in its one canonical form.
pub(crate) fn checked(known: &Known, value: &Value) -> Result<Value, Refusal> {
    let wanted = wanted(known);
    let wrong =
        || Refusal::WrongType { key: known.key, found: shown(&value.to_string()), wanted: wanted.clone() };
    let inside = |fits: bool, canonical: Value| {
        let out =
            Refusal::OutOfRange { key: known.key, found: shown(&value.to_string()), wanted: wanted.clone() };
        if fits { Ok(canonical) } else { Err(out) }
    };
    match known.kind {
        Kind::Bool => value.as_bool().map(Value::from).ok_or_else(wrong),
        Kind::Whole(min, max) => {
            let number = value.as_i64().ok_or_else(wrong)?;
            inside((min..=max).contains(&number), number.into())
        }
        Kind::Number(min, max) => {
            let number = value.as_f64().filter(|number| number.is_finite()).ok_or_else(wrong)?;
            inside((min..=max).contains(&number), number.into())
        }
        Kind::Choice(words) => {
            let word = value.as_str().ok_or_else(wrong)?;
            inside(words.contains(&word), word.into())
        }
    }
}

/// What a value must be, in words.
pub(crate) fn wanted(known: &Known) -> String {
    let range = match known.kind {
        Kind::Bool => return "true or false".into(),
        Kind::Whole(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Number(min, max) => format!("a number from {min} to {max}"),
        Kind::Choice(words) => return words.join(" or "),
    };
    if known.unit.is_empty() { range } else { format!("{range} ({})", known.unit) }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    /// With whatever confirmation the setting asks for, except that for real money.
    fn decide(key: &str, value: &Value) -> Result<(&'static Known, Option<Value>), Refusal> {
        super::decide(key, value, Some(key))
    }

    #[test]
    fn values_inside_their_bounds_are_taken() {
        for (key, value) in [
            ("risk.max_per_day", json!(0)),
            ("risk.max_per_day", json!(100)),
            ("risk.max_position_pct", json!(0.30)),
            ("risk.max_position_pct", json!(0.01)),
            ("plan.require_approval", json!(true)),
        ] {
            assert_eq!(decide(key, &value).unwrap().1, Some(value), "{key}");
        }
    }

    #[test]
    fn whole_numbers_stand_for_numbers_in_one_form() {
        assert_eq!(decide("risk.reserve_eur", &json!(7)).unwrap().1, Some(json!(7.0)));
    }

    #[test]
    fn null_and_the_default_itself_take_the_default_back() {
        assert_eq!(decide("risk.max_per_day", &json!(null)).unwrap().1, None);
        assert_eq!(decide("risk.max_per_day", &json!(4)).unwrap().1, None);
        assert_eq!(decide("risk.reserve_eur", &json!(5)).unwrap().1, None);
    }

    #[test]
    fn everything_else_is_refused_with_setting_and_rule() {
        let cases = [
            ("risk.max_per_dya", json!(4), "unknown_key", "risk.max_per_dya"),
            ("", json!(4), "unknown_key", "no setting"),
            ("risk.max_per_day", json!("4"), "wrong_type", "whole number from 0 to 100"),
            ("risk.max_per_day", json!(4.5), "wrong_type", "whole number"),
            ("risk.max_per_day", json!(u64::MAX), "wrong_type", "whole number"),
            ("risk.max_per_day", json!(-1), "out_of_range", "from 0 to 100"),
            ("risk.max_per_day", json!(101), "out_of_range", "`risk.max_per_day` is 101"),
            ("risk.max_position_pct", json!(0.300_001), "out_of_range", "0.3"),
            ("risk.max_position_pct", json!(0.0), "out_of_range", "0.01"),
            ("risk.max_position_pct", json!([0.1]), "wrong_type", "a number"),
            ("plan.require_approval", json!(1), "wrong_type", "true or false"),
        ];
        for (key, value, code, words) in cases {
            let refusal = decide(key, &value).unwrap_err();
            assert_eq!(refusal.code(), code, "{key} {value}");
            assert!(refusal.to_string().contains(words), "{refusal}");
        }
    }

    #[test]
    fn real_money_needs_its_words_and_research_never_does() {
        let live = json!("live");
        for said in [None, Some(""), Some("yes"), Some("Live")] {
            assert_eq!(
                super::decide("trading_mode", &live, said).unwrap_err().code(),
                "unconfirmed",
                "{said:?}"
            );
        }
        let said = Some(registry::LIVE_CONFIRMATION);
        assert_eq!(super::decide("trading_mode", &live, said).unwrap().1, Some(live));
        assert_eq!(super::decide("trading_mode", &json!("research"), None).unwrap().1, None);
        assert_eq!(super::decide("trading_mode", &Value::Null, None).unwrap().1, None);
        assert_eq!(super::decide("trading_mode", &json!("paper"), said).unwrap_err().code(), "out_of_range");
        assert_eq!(super::decide("trading_mode", &json!(1), said).unwrap_err().code(), "wrong_type");
    }

    #[test]
    fn what_protects_the_fund_is_confirmed_by_name_and_nothing_else_is() {
        for value in [json!(2), Value::Null] {
            for said in [None, Some(""), Some("yes"), Some("risk.max_per_week")] {
                let refusal = super::decide("risk.max_per_day", &value, said).unwrap_err();
                assert_eq!(refusal.code(), "unconfirmed", "{value} {said:?}");
                assert!(refusal.to_string().contains("`risk.max_per_day`"), "{refusal}");
            }
            assert!(super::decide("risk.max_per_day", &value, Some("risk.max_per_day")).is_ok());
        }
        for value in [json!(0.6), Value::Null] {
            assert!(super::decide("optimizer_blend", &value, None).is_ok(), "{value}");
        }
        assert_eq!(super::decide("risk.max_per_day", &json!(-1), None).unwrap_err().code(), "out_of_range");
    }

    #[test]
    fn a_long_value_is_not_repeated_in_full() {
        let refusal = decide("risk.max_per_day", &json!("x".repeat(5_000))).unwrap_err();
        assert!(refusal.to_string().len() < 200);
    }
}
