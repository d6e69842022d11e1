//! V7: each pattern over one set of candidates.

use std::collections::{BTreeMap, BTreeSet};

use plan::{
    groups::OTHER,
    lists::{Category, Item},
    patterns::{
        Ground, Joined, Pattern,
        adaptive::{Needs, lacking},
        sequences,
    },
};
use serde_json::Value;

use crate::case::{self, Candidates, Case, fine, number, text};

const FILE: &str = "planning/patterns.json";

#[test]
fn every_pattern_gives_the_sequences_of_the_vectors() {
    let (mut failures, mut run) = (Vec::new(), 0);
    for Case { name, input, expect } in case::all(FILE) {
        let candidates = Candidates::read(&input["opportunities"]);
        let needs = needs(&input["portfolio_context"], &candidates);
        let ground = Ground {
            lists: &candidates.lists,
            cash: fine(&input["available_cash_eur"]),
            joined: Joined::ByPriority,
            needs: &needs,
            // The old system's sales may fill every place.
            keeps_place: false,
        };
        for (pattern, expected) in expect.as_object().unwrap() {
            if pattern == "market_regime" {
                case::not_built(FILE, &format!("{name} {pattern}"), "sales forced by a regime sell low");
                continue;
            }
            let known = Pattern::ALL.into_iter().find(|known| known.name() == pattern);
            let known = known.unwrap_or_else(|| panic!("{pattern} is no pattern"));
            // The reference compares countries with groups here, which only means the same where both are equal.
            if known == Pattern::Adaptive && !name.ends_with("-identity-groups") && name != "all-empty" {
                case::not_built(
                    FILE,
                    &format!("{name} {pattern}"),
                    "it compares a country with the name of a group",
                );
                continue;
            }
            let depth = if known == Pattern::SingleBest { 1 } else { case::count(&input["max_depth"]) };
            let got: Vec<_> =
                sequences(known, ground, depth).iter().map(|one| candidates.named(one)).collect();
            run += 1;
            let stops = known == Pattern::Adaptive && stops(&candidates, ground, depth);
            if got != case::sequences(expected) && stops {
                case::not_built(
                    FILE,
                    &format!("{name} {pattern}"),
                    "it stops at the first purchase it cannot pay for",
                );
            } else if got != case::sequences(expected) {
                failures.push(format!("{name} {pattern}: {got:?}, expected {expected}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {run} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(crate::open::elsewhere() || run > 270, "only {run} ran");
}

/// The groups that lack something, as the reference measures them: an industry counts with the full weight.
fn needs(context: &Value, candidates: &Candidates) -> Needs {
    let total = context["total_value"].as_f64().unwrap_or(0.0);
    let map = |name: &str| context[name].as_object().cloned().unwrap_or_default();
    let (countries, industries) = (map("security_countries"), map("security_industries"));
    let (to_country, to_industry) = (map("country_to_group"), map("industry_to_group"));
    let group = |map: &serde_json::Map<String, Value>, raw: &str| {
        map.get(raw).map_or_else(|| OTHER.to_string(), |group| text(group).to_string())
    };
    let listed = |symbol: &str| -> Vec<String> {
        let raw = industries.get(symbol).and_then(Value::as_str).unwrap_or("");
        let names = raw.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| group(&to_industry, name)).collect()
    };
    let country = |symbol: &str| {
        let raw = countries.get(symbol).and_then(Value::as_str).filter(|raw| !raw.is_empty());
        raw.map(|raw| group(&to_country, raw))
    };
    let (mut by_country, mut by_industry) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, f64>::new());
    for (symbol, value) in map("positions") {
        let share = number(&value) / total;
        if share > 0.0 {
            if let Some(country) = country(&symbol) {
                *by_country.entry(country).or_default() += share;
            }
            for industry in listed(&symbol) {
                *by_industry.entry(industry).or_default() += share;
            }
        }
    }
    let gaps = |targets: &str, shares: &BTreeMap<String, f64>| -> Vec<(String, f64)> {
        let gap = |(name, target): (String, Value)| {
            let gap = number(&target) - shares.get(&name).copied().unwrap_or(0.0);
            (name, gap)
        };
        map(targets).into_iter().map(gap).collect()
    };
    if total <= 0.0 {
        return Needs::default();
    }
    let numbered = || (0_u16..).zip(&candidates.symbols);
    Needs {
        countries: lacking(gaps("country_weights", &by_country), 0.02),
        industries: lacking(gaps("industry_weights", &by_industry), 0.01),
        country_of: numbered().filter_map(|(n, symbol)| Some((n, country(symbol)?))).collect(),
        industries_of: numbered()
            .map(|(n, symbol)| (n, listed(symbol).into_iter().collect::<BTreeSet<_>>()))
            .collect(),
    }
}

/// Whether the reference, which stops where Steward passes over, would have met something that it cannot pay for.
fn stops(candidates: &Candidates, ground: Ground<'_>, depth: usize) -> bool {
    let taken = sequences(Pattern::Adaptive, ground, depth);
    let buys = candidates.lists.join(&[Category::RebalanceBuys, Category::OpportunityBuys]);
    let dear = |spent: i128| buys.iter().any(|item| item.value.e12() > ground.cash.e12() - spent);
    let spent = |sequence: &Vec<Item>| sequence.iter().map(|item| item.value.e12()).sum::<i128>();
    dear(0) || taken.iter().any(|sequence| dear(spent(sequence)))
}
