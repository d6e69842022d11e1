//! V17: comparing by four figures, and keeping the best few while stopping early. Steward ranks by one score and looks at
//! everything; the functions live here, to show what that replaced and that it gives up nothing.

use serde_json::{Value, json};

use crate::case::{self, Case, close, count, number, text};

const FILE: &str = "planning/multi_objective.json";

#[derive(Debug, Clone, Copy)]
struct Figures {
    score: f64,
    diversification: f64,
    risk: f64,
    cost: f64,
}

#[test]
fn dominance_weights_and_the_best_few_are_those_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        match text(&input["fn"]) {
            "dominates" => {
                let (a, b) = (figures(&input["a"]), figures(&input["b"]));
                assert_eq!(json!(dominates(a, b)), expect["a_dominates_b"], "{name}");
                assert_eq!(json!(dominates(b, a)), expect["b_dominates_a"], "{name}");
            }
            "weighted_score" => {
                let got = weighted(figures(&input["metrics"]), &input["weights"]);
                assert!(close(got, number(&expect["score"])), "{name}: {got}");
            }
            "beam" => beam(&name, &input, &expect),
            other => panic!("{name}: {other} is no function"),
        }
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 66, "{run} ran");
}

fn figures(value: &Value) -> Figures {
    Figures {
        score: number(&value["end_score"]),
        diversification: number(&value["diversification_score"]),
        risk: number(&value["risk_score"]),
        cost: number(&value["transaction_cost"]),
    }
}

fn dominates(a: Figures, b: Figures) -> bool {
    let pairs =
        [(a.score, b.score), (a.diversification, b.diversification), (a.risk, b.risk), (-a.cost, -b.cost)];
    pairs.iter().all(|(a, b)| a >= b) && pairs.iter().any(|(a, b)| a > b)
}

fn weighted(of: Figures, weights: &Value) -> f64 {
    let weight = |key: &str| number(&weights[key]);
    let (score, diversification, risk, cost) =
        (weight("end_score"), weight("diversification"), weight("risk"), weight("cost"));
    let sum = score + diversification + risk + cost;
    if sum == 0.0 {
        return 0.0;
    }
    let cheapness = 1.0 - (of.cost / 100.0).min(1.0);
    let total = score * of.score + diversification * of.diversification + risk * of.risk + cost * cheapness;
    (total / sum).clamp(0.0, 1.0)
}

fn beam(name: &str, input: &Value, expect: &Value) {
    let all: Vec<Figures> = input["evaluations"].as_array().unwrap().iter().map(figures).collect();
    let width = count(&input["beam_width"]);
    let (kept, evaluated) = best_few(&all, width, input);
    assert_eq!(json!(kept), expect["single_objective_beam"], "{name}");
    assert_eq!(json!(evaluated), expect["evaluated"], "{name}");
    assert_eq!(json!(frontier(&all, width)), expect["pareto_beam_all"], "{name}");
    // Looking at everything finds a best at least as good as stopping early.
    let best = all.iter().map(|one| one.score).fold(f64::MIN, f64::max);
    assert!(kept.first().is_none_or(|first| all[*first].score <= best), "{name}");
}

/// The best by score, looked at in groups until nothing new has come for a while.
fn best_few(all: &[Figures], width: usize, input: &Value) -> (Vec<usize>, usize) {
    let (batch, least, plateau) =
        (count(&input["batch"]), count(&input["min_evaluations"]), count(&input["plateau"]));
    let mut kept: Vec<usize> = Vec::new();
    let (mut rejected, mut evaluated) = (0, 0);
    for start in (0..all.len()).step_by(batch.max(1)) {
        let mut entered = false;
        for at in start..(start + batch).min(all.len()) {
            evaluated += 1;
            let enters =
                kept.len() < width || kept.last().is_some_and(|last| all[at].score > all[*last].score);
            if enters {
                kept.push(at);
                kept.sort_by(|one, other| all[*other].score.total_cmp(&all[*one].score));
                kept.truncate(width);
                entered = true;
            } else {
                rejected += 1;
            }
        }
        if evaluated >= least.min(all.len()) && !entered && rejected >= plateau {
            break;
        }
    }
    (kept, evaluated)
}

/// What nothing dominates, best score first.
fn frontier(all: &[Figures], width: usize) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    for at in 0..all.len() {
        kept.retain(|known| !dominates(all[at], all[*known]));
        if !kept.iter().any(|known| dominates(all[*known], all[at])) {
            kept.push(at);
        }
        kept.sort_by(|one, other| all[*other].score.total_cmp(&all[*one].score));
        kept.truncate(width);
    }
    kept
}
