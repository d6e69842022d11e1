//! Fit of a security and health of a portfolio against `diversification.json`.
//!
//! The reference handed targets in where the gap belongs, and forgot the map from country to group after a
//! hypothetical buy, so that everything held fell into one group without a target. Both are reproduced here, in the
//! test, from the same formulas.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::portfolio_health::{Health, health};
use formulas::rounding::round_to;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use vectors_json::{assert_close, cases_of, reference_fit};

const FILE: &str = "scoring/diversification.json";
const TOLERANCE: f64 = 1e-9;
const OTHER: &str = "OTHER";

#[test]
fn fits_equal_their_vectors() {
    for case in cases_of(FILE, "security") {
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let found = reference_fit::fit(&case.input, number("quality_score"), number("opportunity_score"));
        let parts = &case.expect["sub_scores"];
        assert_close(&case.name, Some(found[0]), &case.expect["score"], TOLERANCE);
        for (key, value) in ["country", "industry", "averaging"].iter().zip(&found[1..]) {
            assert_close(&format!("{} {key}", case.name), Some(*value), &parts[key], TOLERANCE);
        }
    }
}

#[test]
fn health_equals_its_vectors() {
    for case in cases_of(FILE, "portfolio") {
        check_health(&case.name, &reference_health(&Context::new(&case.input), true), &case.expect);
    }
}

#[test]
fn health_after_a_buy_equals_its_vectors() {
    for case in cases_of(FILE, "after_buy") {
        let before = Context::new(&case.input);
        let after = before.after(&case.input["buy"]);
        let (old, new) = (reference_health(&before, true), reference_health(&after, false));
        check_health(&case.name, &new, &case.expect["new"]);
        let change = round_to(new.total, 1) - round_to(old.total, 1);
        assert_close(&case.name, Some(change), &case.expect["change"], 0.1001);
        // With the map kept, a small buy moves the whole a little and not by tens of points.
        let kept = reference_health(&after, true);
        let is_small = after.total - before.total <= 0.1 * before.total;
        let moved = (kept.total - old.total).abs();
        assert!(!is_small || moved < 10.0, "{}: {moved}", case.name);
    }
}

fn check_health(name: &str, found: &Health, expected: &Value) {
    for (key, value) in [
        ("diversification", found.diversification),
        ("dividend", found.dividend),
        ("quality", found.quality),
        ("total", found.total),
    ] {
        assert_close(&format!("{name} {key}"), Some(round_to(value, 1)), &expected[key], 0.1001 / 100.0);
    }
}

struct Context {
    total: f64,
    positions: BTreeMap<String, f64>,
    targets: BTreeMap<String, f64>,
    groups: Map<String, Value>,
    countries: Option<BTreeMap<String, String>>,
    scores: Option<BTreeMap<String, f64>>,
    yields: Option<BTreeMap<String, f64>>,
}

impl Context {
    fn new(input: &Value) -> Context {
        let context = &input["portfolio_context"];
        let figures = |key: &str| -> Option<BTreeMap<String, f64>> {
            let map = context[key].as_object()?;
            Some(map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect())
        };
        let countries = context["security_countries"].as_object().map(|map| {
            map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        });
        Context {
            total: context["total_value"].as_f64().unwrap(),
            positions: figures("positions").unwrap_or_default(),
            targets: figures("country_weights").unwrap_or_default(),
            groups: context["country_to_group"].as_object().cloned().unwrap_or_default(),
            countries,
            scores: figures("security_scores"),
            yields: figures("security_dividends"),
        }
    }

    fn after(&self, buy: &Value) -> Context {
        let symbol = buy["symbol"].as_str().unwrap().to_owned();
        let number = |key: &str| buy[key].as_f64().unwrap();
        let mut positions = self.positions.clone();
        *positions.entry(symbol.clone()).or_insert(0.0) += number("value");
        let with = |map: &Option<BTreeMap<String, f64>>, key: &str| {
            let mut map = map.clone().unwrap_or_default();
            map.insert(symbol.clone(), number(key));
            Some(map)
        };
        let mut countries = self.countries.clone().unwrap_or_default();
        countries.insert(symbol.clone(), buy["country"].as_str().unwrap().to_owned());
        Context {
            total: self.total + number("value"),
            positions,
            targets: self.targets.clone(),
            groups: self.groups.clone(),
            countries: Some(countries),
            scores: with(&self.scores, "quality"),
            yields: with(&self.yields, "dividend_yield"),
        }
    }
}

fn reference_health(context: &Context, keeps_map: bool) -> Health {
    if context.total <= 0.0 {
        return Health::NEUTRAL;
    }
    let groups: Vec<(f64, f64)> =
        context.countries.as_ref().filter(|map| !map.is_empty()).map_or(Vec::new(), |countries| {
            let mut held: BTreeMap<&str, f64> = BTreeMap::new();
            for (symbol, value) in &context.positions {
                let Some(country) = countries.get(symbol) else { continue };
                let group = context.groups.get(country).and_then(Value::as_str).filter(|_| keeps_map);
                *held.entry(group.unwrap_or(OTHER)).or_insert(0.0) += value;
            }
            let share = |group: &String| held.get(group.as_str()).copied().unwrap_or(0.0) / context.total;
            context.targets.iter().map(|(group, target)| (*target, share(group))).collect()
        });
    let mean = |figure: &dyn Fn(&String) -> f64| {
        context.positions.iter().map(|(symbol, value)| value / context.total * figure(symbol)).sum::<f64>()
    };
    let filled = |map: &Option<BTreeMap<String, f64>>| map.clone().filter(|map| !map.is_empty());
    let paid = filled(&context.yields).map(|map| mean(&|symbol| map.get(symbol).copied().unwrap_or(0.0)));
    let quality = filled(&context.scores)
        .map(|map| mean(&|symbol| map.get(symbol).copied().filter(|score| *score != 0.0).unwrap_or(0.5)));
    health(&groups, paid, quality)
}

#[test]
fn no_kind_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["security", "portfolio", "after_buy"]);
}
