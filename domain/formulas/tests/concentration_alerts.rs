//! Concentration alerts against `concentration_alerts.json`.
//!
//! The old system knew two severities: what is above its limit was critical, as in the file; here it has a name of its
//! own, which is asserted beside it.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::concentration_alert::{Severity, severity};
use serde_json::Value;
use vectors_json::{Case, assert_close, cases};

const COUNTRY_LIMIT: f64 = 0.35;
const INDUSTRY_LIMIT: f64 = 0.30;
const POSITION_LIMIT: f64 = 0.15;

/// Name, share and limit of everything that may alert, in the order of the answer.
fn shares(case: &Case) -> Vec<(&'static str, String, f64, f64)> {
    let total = case.input["total_value"].as_f64().unwrap();
    let list = |key: &str, kind: &'static str, limit: f64, divisor: f64| {
        let entries = case.input[key].as_object().unwrap().iter();
        let known = entries.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        known.map(|(name, value)| (kind, name, value / divisor, limit)).collect::<Vec<_>>()
    };
    if total <= 0.0 {
        return Vec::new();
    }
    let mut all = list("country_pct", "country", COUNTRY_LIMIT, 1.0);
    all.extend(list("industry_pct", "sector", INDUSTRY_LIMIT, 1.0));
    all.extend(list("position_values", "position", POSITION_LIMIT, total));
    all
}

#[test]
fn alerts_equal_their_vectors_with_breaches_named() {
    for case in cases("scoring/concentration_alerts.json") {
        let mut expected: Vec<Value> = case.expect["alerts"].as_array().unwrap().clone();
        for (kind, name, share, limit) in shares(&case) {
            let Some(severity) = severity(share, limit) else { continue };
            let of_this = |alert: &Value| alert["type"] == kind && alert["name"] == name.as_str();
            let at = expected.iter().position(of_this);
            let alert = expected.remove(at.unwrap_or_else(|| panic!("{} {name}", case.name)));
            let place = format!("{} {kind} {name}", case.name);
            assert_close(&place, Some(share), &alert["current_pct"], 1e-9);
            assert_close(&place, Some(limit), &alert["limit_pct"], 1e-9);
            let label = if severity == Severity::Warning { "warning" } else { "critical" };
            assert_eq!(alert["severity"], label, "{place}");
            assert_eq!(severity == Severity::Breach, share > limit, "{place}");
        }
        assert!(expected.is_empty(), "{}: not alerted {expected:?}", case.name);
    }
}
