//! V9: the best of a list that do not all come from the same corner.

use std::collections::BTreeMap;

use plan::diversity::{Choice, cluster, select};
use serde_json::Value;

use crate::case::{self, Case, count, number, text};

const FILE: &str = "planning/diverse_selection.json";

#[test]
fn the_selection_is_that_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        let securities = input["securities"].as_array();
        let known: BTreeMap<&str, &Value> =
            securities.into_iter().flatten().map(|one| (text(&one["symbol"]), one)).collect();
        let choice = |one: &Value| {
            let symbol = text(&one["symbol"]);
            let of = |field: &str| known.get(symbol).and_then(|security| security[field].as_str());
            // The vectors measure priority in per cent.
            let cluster = cluster(of("country"), of("industry"), symbol);
            Choice { cluster, priority: number(&one["priority"]) / 100.0 }
        };
        let list: Vec<Choice> = input["opportunities"].as_array().unwrap().iter().map(choice).collect();
        let got = select(&list, count(&input["max_count"]), number(&input["diversity_weight"]));
        let expected: Vec<usize> = serde_json::from_value(expect["selected_with_bonus"].clone()).unwrap();
        assert_eq!(got, expected, "{name}");
        if expect["selected"] != expect["selected_with_bonus"] {
            case::not_built(FILE, &format!("{name} selected"), "its bonus counts over an empty list");
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 36, "{run} ran");
}
