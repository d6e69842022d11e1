//! The evaluator against the vectors of whole sequences, and the list of those that document what is not built.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../../domain/formulas/tests/vectors_json/end_metrics.rs"]
mod end_metrics;
#[path = "../../../tests/vectors/old_text.rs"]
mod old_text;
#[path = "../../../tests/vectors/open.rs"]
mod open;

use std::collections::BTreeMap;

use contracts::Side;
use end_metrics::metrics;
use evaluate::{
    Infeasible, Prepared, in_eur,
    start::{Costs, Held, Move, Start, Weights},
};
use formulas::{
    end_state::{Metrics, components},
    rounding::round_to,
};
use serde_json::Value;

fn cases(file: &str) -> Vec<Value> {
    let Some(text) = open::text(file) else { return Vec::new() };
    let document: Value = serde_json::from_str(&text).unwrap();
    let cases = document["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{file} holds no cases");
    cases
}

#[allow(clippy::cast_possible_truncation)]
fn nano(value: &Value) -> i64 {
    (value.as_f64().unwrap() * 1e9).round() as i64
}

#[allow(clippy::cast_possible_truncation)]
fn e6(value: &Value) -> i64 {
    (value.as_f64().unwrap() * 1e6).round() as i64
}

fn near(place: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{place}: the file has no number"));
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{place}: {found} instead of {expected}"
    );
}

/// Stability by the expressions of the document as written: one of the file's lies on a tie of its third decimal.
fn stability(metrics: &Metrics) -> f64 {
    let volatility = metrics.volatility.filter(|x| *x > 0.0).map_or(0.5, |x| match x {
        x if x <= 0.15 => 1.0,
        x if x <= 0.25 => 1.0 - (x - 0.15) / 0.10 * 0.3,
        x if x <= 0.40 => 0.7 - (x - 0.25) / 0.15 * 0.4,
        x => (0.3 - (x - 0.40)).max(0.1),
    });
    let drawdown = metrics.drawdown.map_or(0.5, |x| match x.abs() {
        a if a <= 0.10 => 1.0,
        a if a <= 0.20 => 0.8 + 2.0 * (0.20 - a),
        a if a <= 0.30 => 0.6 + 2.0 * (0.30 - a),
        a if a <= 0.50 => 0.2 + 2.0 * (0.50 - a),
        a => (0.2 - (a - 0.50)).max(0.0),
    });
    let sharpe = metrics.sharpe.map_or(0.5, |x| match x {
        x if x >= 2.0 => 1.0,
        x if x >= 1.0 => 0.7 + 0.3 * (x - 1.0),
        x if x >= 0.5 => 0.4 + 0.6 * (x - 0.5),
        x if x >= 0.0 => 0.8 * x,
        _ => 0.0,
    });
    round_to((0.50 * volatility + 0.30 * drawdown + 0.20 * sharpe).min(1.0), 3)
}

/// One case of corrected evaluation in the evaluator's own units.
struct Case {
    start: Start,
    symbols: Vec<String>,
    /// Each sequence as places of moves.
    sequences: Vec<Vec<u16>>,
}

fn case(input: &Value) -> Case {
    let sequences = input["sequences"].as_array().unwrap();
    let mut symbols: Vec<String> = input["positions"].as_object().unwrap().keys().cloned().collect();
    for action in sequences.iter().flat_map(|sequence| sequence.as_array().unwrap()) {
        let symbol = action["symbol"].as_str().unwrap();
        if !symbols.iter().any(|known| known == symbol) {
            symbols.push(symbol.to_string());
        }
    }
    let mut groups: Vec<String> = input["country_weights"].as_object().unwrap().keys().cloned().collect();
    let targets: Vec<Option<f64>> =
        groups.iter().map(|group| input["country_weights"][group].as_f64()).collect();
    groups.push("OTHER".into());
    let targets = if groups.iter().filter(|group| *group == "OTHER").count() > 1 {
        groups.pop();
        targets
    } else {
        targets.into_iter().chain([None]).collect()
    };
    let held = |symbol: &String| {
        let country = input["countries"][symbol].as_str();
        let group =
            country.and_then(|country| input["country_to_group"][country].as_str()).unwrap_or("OTHER");
        let score = input["scores"][symbol].as_f64().filter(|score| *score != 0.0).unwrap_or(0.5);
        let known = metrics(&input["metrics"][symbol]);
        let constants = components(&known);
        Held {
            value: input["positions"].get(symbol).map_or(0, nano),
            total_return: constants.total_return,
            promise: constants.promise,
            stability: stability(&known),
            dividend_yield: input["dividends"][symbol].as_f64().unwrap_or(0.0),
            quality: score,
            group: groups.iter().position(|one| one == group),
            counts_in: Vec::new(),
            most: i64::MAX,
        }
    };
    let holdings: Vec<Held> = symbols.iter().map(held).collect();
    let mut moves = Vec::new();
    let mut lists = Vec::new();
    for sequence in sequences {
        let mut list = Vec::new();
        for action in sequence.as_array().unwrap() {
            list.push(u16::try_from(moves.len()).unwrap());
            // A trade of nothing is none, as in a context.
            moves.push((nano(&action["value_eur"]) > 0).then(|| Move {
                held: symbols.iter().position(|one| one == action["symbol"].as_str().unwrap()).unwrap(),
                side: if action["side"] == "SELL" { Side::Sell } else { Side::Buy },
                value: nano(&action["value_eur"]),
                cash: 0,
            }));
        }
        lists.push(list);
    }
    let cash = nano(&input["available_cash"]);
    let profile = formulas::end_state::weights(input["risk_profile"].as_str().unwrap());
    Case {
        start: Start {
            total: holdings.iter().map(|held| held.value).sum::<i64>() + cash,
            cash: vec![cash],
            exchanges: vec![None],
            euros: Some(0),
            weights: Weights {
                total_return: profile.total_return,
                portfolio: profile.diversification,
                promise: profile.promise,
                stability: profile.stability,
                opinion: profile.opinion,
            },
            costs: Costs {
                fixed: nano(&input["transaction_cost_fixed"]),
                percent_e6: e6(&input["transaction_cost_percent"]),
                impact_e6: 0,
                factor: input["cost_penalty_factor"].as_f64().unwrap(),
            },
            targets,
            concentrations: Vec::new(),
            holdings,
            moves,
            apart: Vec::new(),
        },
        symbols,
        sequences: lists,
    }
}

#[test]
fn corrected_evaluations_equal_their_vectors() {
    for one in cases("planning/evaluate_corrected.json") {
        let (name, input, expect) = (one["name"].as_str().unwrap(), &one["input"], &one["expect"]);
        let Case { start, symbols, sequences } = case(input);
        let (total, factor) = (start.total, start.costs.factor);
        let prepared = Prepared::from(start);
        let unchanged = prepared.unchanged();
        near(&format!("{name} doing nothing"), unchanged, &expect["do_nothing_score"]);
        let mut walker = prepared.walker();
        let mut ranked = Vec::new();
        for (number, list) in sequences.iter().enumerate() {
            let (place, wanted) = (format!("{name} {number}"), &expect["sequences"][number]);
            // What cannot be executed changes nothing: the file goes on without it.
            let mut executed: Vec<u16> = Vec::new();
            let flags: Vec<bool> = list
                .iter()
                .map(|action| {
                    executed.push(*action);
                    let possible = walker.simulate(&executed).is_ok();
                    if !possible {
                        executed.pop();
                    }
                    possible
                })
                .collect();
            let expected: Vec<bool> =
                wanted["executed"].as_array().unwrap().iter().map(|flag| flag.as_bool().unwrap()).collect();
            assert_eq!(flags, expected, "{place}");
            let (outcome, parts) = (walker.simulate(&executed).unwrap(), walker.parts(&executed).unwrap());
            near(&format!("{place} cost"), in_eur(outcome.cost), &wanted["transaction_cost"]);
            near(&format!("{place} cash"), in_eur(outcome.cash), &wanted["end_cash"]);
            near(&format!("{place} total"), in_eur(total - outcome.cost), &wanted["total_value"]);
            near(&format!("{place} before"), outcome.before_costs, &wanted["score_before_penalty"]);
            near(&format!("{place} score"), outcome.score, &wanted["score"]);
            near(&format!("{place} return"), parts.total_return, &wanted["total_return"]);
            near(&format!("{place} promise"), parts.promise, &wanted["promise"]);
            near(&format!("{place} stability"), parts.stability, &wanted["stability"]);
            near(
                &format!("{place} diversification"),
                parts.diversification * 100.0,
                &wanted["diversification"],
            );
            near(&format!("{place} dividend"), parts.dividend * 100.0, &wanted["dividend"]);
            near(&format!("{place} quality"), parts.quality * 100.0, &wanted["quality"]);
            let together = 40.0 * parts.diversification + 30.0 * parts.dividend + 30.0 * parts.quality;
            near(&format!("{place} portfolio"), together, &wanted["portfolio_score"]);
            ends(&place, &walker.end(&executed).unwrap(), &symbols, &wanted["end_positions"]);
            assert!(factor >= 1.0);
            if !list.is_empty() && walker.evaluate(list).is_ok() {
                ranked.push((number, outcome.score, list.len(), outcome.cost));
            }
        }
        let hash = |one: &Ranked| old_text::sequence_hash(input["sequences"][one.0].as_array().unwrap());
        let ranked = in_order(ranked, hash);
        let order: Vec<usize> = ranked.iter().map(|one| one.0).collect();
        assert_eq!(serde_json::json!(order), expect["ranking"], "{name}");
        let hurdle = input["min_improvement"].as_f64().unwrap();
        let winner = ranked.first().filter(|best| best.1 - unchanged >= hurdle).map(|best| best.0);
        assert_eq!(serde_json::json!(winner), expect["winner"], "{name}");
    }
}

/// The number of a sequence, its score, its actions and its cost.
type Ranked = (usize, f64, usize, i64);

/// Scores that differ by less than their sums carry of dust are equal; then fewer actions, lower cost, the smaller hash.
fn in_order(mut ranked: Vec<Ranked>, hash: impl Fn(&Ranked) -> String) -> Vec<Ranked> {
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut ordered: Vec<Ranked> = Vec::new();
    while !ranked.is_empty() {
        let best = ranked[0].1;
        let count = ranked.iter().take_while(|one| (best - one.1).abs() <= 1e-12).count();
        let mut equal: Vec<Ranked> = ranked.drain(..count).collect();
        equal.sort_by_cached_key(|one| (one.2, one.3, hash(one)));
        ordered.extend(equal);
    }
    ordered
}

#[test]
fn equal_scores_are_ranked_by_actions_cost_and_hash() {
    let dust = 0.5 + 4e-13;
    let ranked = vec![
        (0, 0.5, 2, 9),
        (1, dust, 3, 1),
        (2, 0.5, 2, 8),
        (3, dust, 2, 8),
        (4, 0.6, 9, 9),
        (5, 0.4, 1, 1),
    ];
    let hash = |one: &Ranked| if one.0 == 3 { "a".into() } else { "b".to_string() };
    let order: Vec<usize> = in_order(ranked, hash).iter().map(|one| one.0).collect();
    assert_eq!(order, [4, 3, 2, 0, 1, 5]);
}

/// V10b, as far as it is the evaluator's question: cash and repeated securities. What is unknown, not allowed, not held or
/// unimportant is no candidate.
#[test]
fn sequences_that_cannot_be_paid_or_repeat_a_security_are_refused_as_the_vectors_say() {
    let mut run = 0;
    for one in cases("planning/feasibility.json") {
        let (name, input) = (one["name"].as_str().unwrap(), &one["input"]);
        let verdicts = one["expect"]["verdicts"].as_array().unwrap();
        for (sequence, expected) in input["sequences"].as_array().unwrap().iter().zip(verdicts) {
            let expected = match expected.as_str().unwrap() {
                "ok" => Ok(()),
                "cash" => Err(Infeasible::Cash),
                "duplicate_symbol" => Err(Infeasible::Repeated),
                _ => continue,
            };
            let actions = sequence.as_array().unwrap();
            let start = unjudged(input, actions);
            let all: Vec<u16> = (0_u16..).zip(&start.moves).map(|(at, _)| at).collect();
            let found = Prepared::from(start).walker().evaluate(&all).map(|_| ());
            assert_eq!(found, expected, "{name}: {sequence}");
            run += 1;
        }
    }
    assert!(open::elsewhere() || run == 57, "{run} ran");
}

/// Holdings, cash and moves of a sequence, without limits or costs; what is held is worth what its sale asks for it.
fn unjudged(input: &Value, actions: &[Value]) -> Start {
    let mut symbols: Vec<&str> = actions.iter().map(|action| action["symbol"].as_str().unwrap()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let cash = nano(&input["available_cash"]);
    let held = |symbol: &&str| {
        let sale = actions.iter().find(|one| one["symbol"] == **symbol && one["side"] == "SELL");
        // A sale of nothing says no price.
        let asked = sale.map(|one| (one["value_eur"].as_f64().unwrap(), one["quantity"].as_f64().unwrap()));
        let price = asked.filter(|(_, pieces)| *pieces > 0.0).map_or(1.0, |(value, pieces)| value / pieces);
        let quantity = input["position_quantities"][*symbol].as_f64().unwrap_or(0.0);
        Held {
            value: nano(&serde_json::json!(price * quantity)),
            total_return: 0.5,
            promise: 0.5,
            stability: 0.5,
            dividend_yield: 0.0,
            quality: 0.5,
            group: None,
            counts_in: Vec::new(),
            most: i64::MAX,
        }
    };
    let holdings: Vec<Held> = symbols.iter().map(held).collect();
    let step = |action: &Value| Move {
        held: symbols.iter().position(|one| action["symbol"] == **one).unwrap(),
        side: if action["side"] == "SELL" { Side::Sell } else { Side::Buy },
        value: nano(&action["value_eur"]),
        cash: 0,
    };
    Start {
        total: holdings.iter().map(|held| held.value).sum::<i64>() + cash,
        cash: vec![cash],
        exchanges: vec![None],
        euros: Some(0),
        weights: Weights {
            total_return: 0.35,
            portfolio: 0.25,
            promise: 0.2,
            stability: 0.15,
            opinion: 0.05,
        },
        costs: Costs { fixed: 0, percent_e6: 0, impact_e6: 0, factor: 1.0 },
        targets: Vec::new(),
        concentrations: Vec::new(),
        holdings,
        moves: actions.iter().map(|action| Some(step(action))).collect(),
        apart: Vec::new(),
    }
}

fn ends(place: &str, values: &[i64], symbols: &[String], expected: &Value) {
    let held: BTreeMap<&str, f64> = symbols
        .iter()
        .zip(values)
        .filter(|(_, value)| **value > 0)
        .map(|(symbol, value)| (symbol.as_str(), in_eur(*value)))
        .collect();
    let expected = expected.as_object().unwrap();
    assert_eq!(held.len(), expected.len(), "{place}: {held:?}");
    for (symbol, value) in held {
        near(&format!("{place} {symbol}"), value, &expected[symbol]);
    }
}

#[test]
fn what_is_not_built_is_listed_by_name() {
    // The repository keeps only what is checked; other folders hold these as well.
    if !open::elsewhere() {
        return;
    }
    let baseline = "lost group maps, missing figures as zero and totals without cash are faults";
    let scenarios = "moving only the traded price tests a day's slippage, not market risk";
    for (file, reason) in
        [("planning/evaluate_baseline.json", baseline), ("planning/scenarios.json", scenarios)]
    {
        for one in cases(file) {
            println!("not built  {file} {}: {reason}", one["name"].as_str().unwrap());
        }
    }
}
