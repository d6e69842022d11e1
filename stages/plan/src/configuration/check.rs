//! The rules of a planner configuration beyond the type of each key, in a fixed order: errors, then warnings.
//!
//! A rule that the old system had keeps its code. `SPECIAL` are the ranges that had codes of their own.

use super::{
    keys::{KEYS, Value},
    read::{Read, Severity},
};

/// Patterns and combinations together are many from this depth and this number of patterns on.
const LOAD: (usize, usize) = (7, 10);
/// More random combinations than this are many.
const COMBINATIONS: usize = 100;

/// Ranges with codes of their own, in the order in which they are told: key, code, and whether a value keeps it.
type Rule = (&'static str, &'static str, fn(f64) -> bool);
const SPECIAL: &[Rule] = &[
    ("planner.max_depth", "max_depth_min", |found| found >= 1.0),
    ("planner.max_depth", "max_depth_max", |found| found <= 10.0),
    ("planner.priority_threshold", "priority_threshold", |found| (0.0..=1.0).contains(&found)),
    ("planner.max_opportunities_per_category", "max_opportunities_per_category", |found| {
        (1.0..=20.0).contains(&found)
    }),
    ("planner.transaction_cost_fixed", "transaction_cost_fixed", |found| (0.0..=100.0).contains(&found)),
    ("planner.transaction_cost_percent", "transaction_cost_percent_range", |found| {
        (0.0..=1.0).contains(&found)
    }),
    // From 1 % on no trade would be worth its costs.
    ("planner.transaction_cost_percent", "transaction_cost_percent_high", |found| found <= 0.009),
];

const SELLERS: [&str; 3] = ["profit_taking", "rebalance_sells", "weight_based"];
const BUYERS: [&str; 3] = ["averaging_down", "opportunity_buys", "rebalance_buys"];

/// Tells everything that is wrong.
pub(super) fn check(read: &mut Read) {
    ranges(read);
    between(read);
    warnings(read);
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Whole(whole) => i32::try_from(*whole).ok().map(f64::from),
        _ => None,
    }
}

fn ranges(read: &mut Read) {
    for (path, code, keeps) in SPECIAL {
        // A whole number beyond 32 bits is out of every range.
        let Some(value) = read.configuration.given(path) else { continue };
        if !number(value).is_some_and(keeps) {
            out_of_range(read, path, code);
        }
    }
    for key in KEYS {
        let special =
            SPECIAL.iter().any(|(path, ..)| *path == key.path) || key.path == "planner.diversity_weight";
        let wrong = read.configuration.given(key.path).is_some_and(|value| !key.may_be(value));
        if wrong && !special {
            out_of_range(read, key.path, "out_of_range");
        }
    }
}

fn out_of_range(read: &mut Read, path: &'static str, code: &'static str) {
    let Some(key) = super::keys::key(path) else { return };
    let found = read.configuration.given(path).map_or_else(String::new, Value::to_string);
    let text = format!("{path} = {found} is not {}", key.rule());
    let line = read.lines.get(path).copied();
    read.tell(Severity::Error, code, path, line, text);
}

fn between(read: &mut Read) {
    let configuration = &read.configuration;
    let is_on = |path: &str| configuration.flag(path);
    if !is_on("planner.allow_sell") && !is_on("planner.allow_buy") {
        let text = "allow_sell and allow_buy are both false, so nothing could ever be planned";
        error(read, "no_side_allowed", "planner.allow_buy", text);
    }
    let configuration = &read.configuration;
    let weight = configuration.number("planner.diversity_weight");
    let selects = configuration.flag("planner.enable_diverse_selection");
    if !weight.is_finite() || selects && !(0.0..=1.0).contains(&weight) {
        out_of_range(read, "planner.diversity_weight", "diversity_weight");
    }
    let configuration = &read.configuration;
    let dip = |name: &str| configuration.number(&format!("opportunity_calculators.averaging_down.{name}"));
    if dip("max_dip") > dip("min_dip") {
        let text = "averaging_down.max_dip is above min_dip, so no fall would ever lie between them";
        error(read, "dips_crossed", "opportunity_calculators.averaging_down.max_dip", text);
    }
    let configuration = &read.configuration;
    let makes = |name: &str| configuration.flag(&format!("sequence_generators.{name}.enabled"));
    if !makes("subsets") && !makes("enhanced_combinatorial") && enabled(read, "pattern_generators").is_empty()
    {
        let text = "no generator and no pattern is enabled, so no sequence would ever be tried";
        error(read, "no_sequences", "sequence_generators.subsets.enabled", text);
    }
}

fn warnings(read: &mut Read) {
    let finders = enabled(read, "opportunity_calculators");
    let patterns = enabled(read, "pattern_generators");
    let finds = |name: &str| finders.contains(&name);
    let configuration = read.configuration.clone();
    let is_on = |path: &str| configuration.flag(path);
    let enhanced = is_on("sequence_generators.enhanced_combinatorial.enabled");
    let rebalances = finds("rebalance_sells") || finds("rebalance_buys") || finds("weight_based");
    let depth = configuration.whole("planner.max_depth");
    let combinations = configuration.whole("sequence_generators.enhanced_combinatorial.max_combinations");
    let unpaired = |pattern: &str| patterns.contains(&pattern) && !finds(pattern);
    let found: [(bool, &'static str, &str, &str); 12] = [
        (
            finders.is_empty(),
            "no_calculators",
            "opportunity_calculators",
            "no calculator is enabled, so nothing is ever proposed",
        ),
        (
            patterns.is_empty(),
            "no_patterns",
            "pattern_generators",
            "no pattern is enabled; only subsets are tried",
        ),
        (
            enhanced && patterns.len() < 2,
            "combinatorial_few_patterns",
            "sequence_generators.enhanced_combinatorial.enabled",
            "random combinations work best beside at least two patterns",
        ),
        (
            is_on("filters.correlation_aware.enabled"),
            "needs_correlation_data",
            "filters.correlation_aware.enabled",
            "the correlation filter knows only the pairs that the targets name as most alike; all others pass",
        ),
        (
            !is_on("planner.enable_diverse_selection")
                && configuration.given("planner.diversity_weight").is_some(),
            "diversity_without_selection",
            "planner.diversity_weight",
            "diversity_weight has no effect while enable_diverse_selection is false",
        ),
        (
            patterns.iter().any(|pattern| pattern.contains("rebalance")) && !rebalances,
            "rebalance_pattern_without_calculator",
            "pattern_generators.rebalance.enabled",
            "a pattern rebalances, but no calculator for it is enabled",
        ),
        (
            unpaired("profit_taking"),
            "profit_taking_pattern_without_calculator",
            "pattern_generators.profit_taking.enabled",
            "the pattern profit_taking has no effect without its calculator",
        ),
        (
            unpaired("averaging_down"),
            "averaging_down_pattern_without_calculator",
            "pattern_generators.averaging_down.enabled",
            "the pattern averaging_down has no effect without its calculator",
        ),
        (
            depth >= LOAD.0 && patterns.len() >= LOAD.1,
            "high_load",
            "planner.max_depth",
            "this depth with so many patterns makes the pool smaller, because at most 65 536 sequences are tried",
        ),
        (
            enhanced && combinations > COMBINATIONS,
            "many_combinations",
            "sequence_generators.enhanced_combinatorial.max_combinations",
            "so many random combinations at each depth take time from the subsets",
        ),
        (
            !is_on("planner.allow_sell") && SELLERS.iter().any(|name| finds(name)),
            "sell_calculators_disabled",
            "planner.allow_sell",
            "calculators of sales are enabled, but allow_sell is false",
        ),
        (
            !is_on("planner.allow_buy") && BUYERS.iter().any(|name| finds(name)),
            "buy_calculators_disabled",
            "planner.allow_buy",
            "calculators of purchases are enabled, but allow_buy is false",
        ),
    ];
    for (applies, code, path, text) in found {
        if applies {
            let line = read.lines.get(path).copied();
            read.tell(Severity::Warning, code, path, line, text.to_string());
        }
    }
}

fn error(read: &mut Read, code: &'static str, path: &'static str, text: &str) {
    let line = read.lines.get(path).copied();
    read.tell(Severity::Error, code, path, line, text.to_string());
}

/// The modules of a group that are on.
fn enabled(read: &Read, group: &str) -> Vec<&'static str> {
    let module = |path: &'static str| path.strip_prefix(group)?.strip_prefix('.')?.strip_suffix(".enabled");
    KEYS.iter().filter(|key| read.configuration.flag(key.path)).filter_map(|key| module(key.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::read::{Severity, read};

    fn codes(text: &str, severity: Severity) -> Vec<&'static str> {
        let read = read(text);
        read.problems.iter().filter(|one| one.severity == severity).map(|one| one.code).collect()
    }

    #[test]
    fn each_error_has_its_code() {
        let cases: &[(&str, &[&str])] = &[
            ("[planner]\nmax_depth = 0", &["max_depth_min"]),
            ("[planner]\nmax_depth = 11", &["max_depth_max"]),
            ("[planner]\nmax_depth = 10", &[]),
            ("[planner]\npriority_threshold = 1.01", &["priority_threshold"]),
            ("[planner]\nmax_opportunities_per_category = -1", &["max_opportunities_per_category"]),
            ("[planner]\ntransaction_cost_fixed = -1", &["transaction_cost_fixed"]),
            ("[planner]\ntransaction_cost_percent = 0.02", &["transaction_cost_percent_high"]),
            (
                "[planner]\ntransaction_cost_percent = 2.0",
                &["transaction_cost_percent_range", "transaction_cost_percent_high"],
            ),
            ("[planner]\ntransaction_cost_percent = 0.009", &[]),
            ("[planner]\nallow_buy = false\nallow_sell = false", &["no_side_allowed"]),
            ("[planner]\ndiversity_weight = -0.1", &["diversity_weight"]),
            ("[planner]\ndiversity_weight = -0.1\nenable_diverse_selection = false", &[]),
            ("[planner]\ndiversity_weight = nan\nenable_diverse_selection = false", &["diversity_weight"]),
            ("[planner]\ndiversity_weight = inf\nenable_diverse_selection = false", &["diversity_weight"]),
            ("[opportunity_calculators.averaging_down]\nmax_dip = -0.01", &["dips_crossed"]),
            ("[planner]\nmax_loss_threshold = 0.1", &["out_of_range"]),
        ];
        for (text, expected) in cases {
            assert_eq!(codes(text, Severity::Error), *expected, "{text}");
        }
    }

    #[test]
    fn a_configuration_without_sequences_is_an_error() {
        let mut text = "[sequence_generators.subsets]\nenabled = false\n".to_string();
        assert!(codes(&text, Severity::Error).is_empty(), "patterns still make some");
        for pattern in crate::patterns::Pattern::ALL {
            text.push_str(&format!("[pattern_generators.{}]\nenabled = false\n", pattern.name()));
        }
        assert_eq!(codes(&text, Severity::Error), ["no_sequences"]);
    }

    #[test]
    fn each_warning_has_its_code_and_none_comes_by_itself() {
        assert!(codes("", Severity::Warning).is_empty());
        let cases: &[(&str, &str)] = &[
            ("[filters.correlation_aware]\nenabled = true", "needs_correlation_data"),
            (
                "[planner]\nenable_diverse_selection = false\ndiversity_weight = 0.2",
                "diversity_without_selection",
            ),
            (
                "[opportunity_calculators.profit_taking]\nenabled = false",
                "profit_taking_pattern_without_calculator",
            ),
            (
                "[opportunity_calculators.averaging_down]\nenabled = false",
                "averaging_down_pattern_without_calculator",
            ),
            ("[planner]\nmax_depth = 7", "high_load"),
            (
                "[sequence_generators.enhanced_combinatorial]\nenabled = true\nmax_combinations = 101",
                "many_combinations",
            ),
            ("[planner]\nallow_sell = false", "sell_calculators_disabled"),
            ("[planner]\nallow_buy = false", "buy_calculators_disabled"),
        ];
        for (text, expected) in cases {
            assert_eq!(codes(text, Severity::Warning), [*expected], "{text}");
        }
    }
}
