//! V8: generators of sequences; random ones take their draws from the case.

use std::collections::{BTreeMap, BTreeSet};

use plan::{
    generators::{Limits, combinations, combinations::Belongs, prefixes},
    lists::{Item, is_free_of_repeats},
};

use crate::case::{self, Candidates, Case, count, number, text};

const FILE: &str = "planning/generators.json";

#[test]
fn every_generator_gives_the_sequences_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        match text(&input["generator"]) {
            "combinatorial" => combinatorial(&name, &input, &expect),
            "enhanced_combinatorial" => enhanced(&name, &input, &expect),
            "prefixes" => {
                let got = prefixes(&case::sequences(&input["sequences"]), count(&input["max_steps"]));
                assert_eq!(got, case::sequences(&expect["sequences"]), "{name}");
            }
            "partial_execution" => {
                case::not_built(FILE, &name, "trades of no pieces must not feed execution")
            }
            "constraint_relaxation" => {
                case::not_built(FILE, &name, "sales that the owner forbids must not feed execution");
            }
            other => panic!("{name}: {other} is no generator"),
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 18, "{run} ran");
}

fn enhanced(name: &str, input: &serde_json::Value, expect: &serde_json::Value) {
    let candidates = Candidates::read(&input["opportunities"]);
    let params = &input["params"];
    let limits = Limits {
        sells: count(&params["max_sells"]),
        buys: count(&params["max_buys"]),
        steps: count(&params["max_steps"]),
        sequences: count(&params["max_combinations"]),
        candidates: count(&params["max_candidates"]),
        priority: number(&params["priority_threshold"]),
    };
    let securities = input["securities"].as_array();
    let mut known: BTreeMap<&str, Belongs> = BTreeMap::new();
    for security in securities.into_iter().flatten() {
        let listed = security["industry"].as_str().unwrap_or("").split(',').map(str::trim);
        let industries = listed.filter(|name| !name.is_empty()).map(str::to_string).collect::<BTreeSet<_>>();
        let country = security["country"].as_str().filter(|name| !name.is_empty()).map(str::to_string);
        known.insert(text(&security["symbol"]), Belongs { country, industries });
    }
    let belongs = |security: u16| {
        known.get(candidates.symbols[usize::from(security)].as_str()).cloned().unwrap_or_default()
    };
    let draws: Vec<f64> = input["draws"].as_array().unwrap().iter().map(number).collect();
    let mut used = 0;
    let mut row = draws.iter().copied().inspect(|_| used += 1);
    let belongs: Option<&dyn Fn(u16) -> Belongs> = if securities.is_some() { Some(&belongs) } else { None };
    let got = combinations(&candidates.lists.flat(), limits, belongs, &mut row);
    let got: Vec<_> = got.iter().map(|one| candidates.named(one)).collect();
    assert_eq!(got, case::sequences(&expect["sequences"]), "{name}");
    assert_eq!(Some(used), expect["draws_used"].as_u64(), "{name}");
}

/// The mode is no generator of ours: its sequences are some of the subsets that are always tried. The old rule lives here, and
/// what it gives is checked to be such subsets.
fn combinatorial(name: &str, input: &serde_json::Value, expect: &serde_json::Value) {
    let candidates = Candidates::read(&input["opportunities"]);
    let params = &input["params"];
    let threshold = number(&params["priority_threshold"]);
    let flat = candidates.lists.flat();
    let of_side = |side: limits::Side| -> Vec<Item> {
        let of_it = flat.iter().filter(|item| item.priority >= threshold && item.side == side);
        of_it.take(count(&params["max_candidates"])).copied().collect()
    };
    let (sells, buys) = (of_side(limits::Side::Sell), of_side(limits::Side::Buy));
    let steps = count(&params["max_steps"]);
    let mut found: Vec<Vec<Item>> = Vec::new();
    for sold in (1..=count(&params["max_sells"]).min(steps)).flat_map(|size| subsets(&sells, size)) {
        let room = count(&params["max_buys"]).min(steps - sold.len()).min(buys.len());
        for bought in (1..=room).flat_map(|size| subsets(&buys, size)) {
            found.push(sold.iter().chain(&bought).copied().collect());
        }
    }
    found.truncate(count(&params["max_combinations"]));
    let got: Vec<_> = found.iter().map(|one| candidates.named(one)).collect();
    assert_eq!(got, case::sequences(&expect["sequences"]), "{name}");
    for sequence in found.iter().filter(|one| is_free_of_repeats(one)) {
        let different: BTreeSet<u16> = sequence.iter().map(|item| item.id).collect();
        assert!(different.len() == sequence.len() && sequence.len() <= steps, "{name}: it is no subset");
        assert!(
            sequence.windows(2).all(|pair| pair[0].side >= pair[1].side),
            "{name}: sells come before buys"
        );
    }
}

/// Every choice of so many, in the order of their places.
fn subsets(of: &[Item], size: usize) -> Vec<Vec<Item>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in of.iter().enumerate() {
        for rest in subsets(&of[at + 1..], size - 1) {
            all.push(std::iter::once(*first).chain(rest).collect());
        }
    }
    all
}
