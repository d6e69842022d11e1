//! V10: patterns depth by depth, repeated sequences dropped, and what each is worth.

use std::collections::BTreeSet;

use limits::Side;
use plan::{
    lists::is_free_of_repeats,
    patterns::{Ground, Joined, Pattern, adaptive::Needs, sequences},
};

use crate::case::{self, Candidates, Case, close, count, fine, number, text};
use crate::feasibility::verdict;
use crate::old_text::sequence_hash;

const FILE: &str = "planning/sequence_pool.json";

#[test]
fn the_pool_of_all_depths_is_that_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        if input["enable_diverse_selection"].as_bool().unwrap() {
            case::not_built(FILE, &name, "its bonus counts over an empty list");
            continue;
        }
        assert!(!input["enable_combinatorial"].as_bool().unwrap(), "{name}: draws are missing");
        let mut opportunities = input["opportunities"].clone();
        for list in opportunities.as_object_mut().unwrap().values_mut() {
            list.as_array_mut().unwrap().truncate(count(&input["max_opportunities_per_category"]));
        }
        let candidates = Candidates::read(&opportunities);
        let (cash, needs) = (fine(&input["available_cash"]), Needs::default());
        let ground = Ground {
            lists: &candidates.lists,
            cash,
            joined: Joined::InOrder,
            needs: &needs,
            keeps_place: false,
        };
        let mut seen = BTreeSet::new();
        let mut pool = Vec::new();
        for depth in 1..=count(&input["max_depth"]) {
            for pattern in Pattern::ALL.into_iter().filter(|pattern| *pattern != Pattern::Adaptive) {
                for sequence in sequences(pattern, ground, depth) {
                    let key: Vec<(u16, Side)> =
                        sequence.iter().map(|item| (item.security, item.side)).collect();
                    if is_free_of_repeats(&sequence) && seen.insert(key) {
                        pool.push(sequence);
                    }
                }
            }
        }
        let got: Vec<_> = pool.iter().map(|one| candidates.named(one)).collect();
        assert_eq!(got, case::sequences(&expect["sequences"]), "{name}");
        for (at, sequence) in pool.iter().enumerate() {
            let said: Vec<_> =
                sequence.iter().map(|item| candidates.said[usize::from(item.id)].clone()).collect();
            assert_eq!(verdict(&input, &said), text(&expect["feasibility"][at]), "{name} #{at}");
            assert_eq!(sequence_hash(&said), text(&expect["sequence_hash"][at]), "{name} #{at}");
            let sum: f64 = sequence.iter().map(|item| item.priority).sum();
            assert!(close(sum, number(&expect["priority_sum"][at])), "{name} #{at}: {sum}");
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 6, "{run} ran");
}
