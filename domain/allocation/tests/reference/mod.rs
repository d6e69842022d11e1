//! The chain of the system that came before, for comparison only. It double-counts minima, puts more than all the
//! money to work and breaks its own bounds; nothing but these tests may use it.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

use allocation::frontier::Frontier;
use allocation::{Bound, Group, Limits, Refusal};
use formulas::covariance::sample_covariance;
use formulas::hrp::{correlations, risk_parity};
use formulas::ledoit_wolf::ledoit_wolf;
use formulas::linkage::Linkage;
use serde_json::Value;

pub type Weights = BTreeMap<String, f64>;

pub fn weights(value: &Value) -> Weights {
    let entries = value.as_object().unwrap().iter();
    entries.map(|(name, weight)| (name.clone(), weight.as_f64().unwrap())).collect()
}

pub fn bounds(value: &Value) -> BTreeMap<String, Bound> {
    let bound = |pair: &Value| Bound { lower: pair[0].as_f64().unwrap(), upper: pair[1].as_f64().unwrap() };
    value.as_object().unwrap().iter().map(|(name, pair)| (name.clone(), bound(pair))).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

pub fn weight_bounds(input: &Value) -> BTreeMap<String, Bound> {
    let value = number(&input["portfolio_value"]);
    let of = |security: &Value| {
        let symbol = security["symbol"].as_str().unwrap();
        let position = &input["positions"][symbol];
        let current = if value > 0.0 { number(&position["market_value_eur"]) / value } else { 0.0 };
        let mut bound = Bound { lower: 0.0, upper: input["max_concentration"].as_f64().unwrap_or(0.20) };
        if let Some(percent) = security["min_portfolio_target"].as_f64() {
            bound.lower = percent / 100.0;
        }
        if let Some(percent) = security["max_portfolio_target"].as_f64() {
            bound.upper = percent / 100.0;
        }
        if security["allow_buy"] == false {
            bound.upper = bound.upper.min(current);
        }
        if security["allow_sell"] == false {
            bound.lower = bound.lower.max(current);
        }
        let (lot, price) = (number(&security["min_lot"]), number(&input["prices_eur"][symbol]));
        if !position.is_null() && lot > 0.0 && price > 0.0 {
            let least = if value > 0.0 { lot * price / value } else { 0.0 };
            if number(&position["quantity"]) <= lot {
                bound.lower = bound.lower.max(current);
            } else if least <= bound.upper {
                bound.lower = bound.lower.max(least);
            }
        }
        if bound.lower > bound.upper {
            bound = Bound { lower: current, upper: current };
        }
        (symbol.to_owned(), bound)
    };
    input["securities"].as_array().unwrap().iter().map(of).collect()
}

/// A group's limits and members.
#[derive(Debug, Clone)]
pub struct Range {
    pub name: String,
    pub symbols: Vec<String>,
    pub target: f64,
    pub lower: f64,
    pub upper: f64,
}

fn ranges(input: &Value, kind: &str, tolerance: f64) -> Vec<Range> {
    let table = input[format!("{kind}_groups")].as_object().unwrap();
    let group_of = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        let found = table.iter().find(|(_, parts)| parts.as_array().unwrap().iter().any(|part| part == text));
        found.map_or("OTHER", |(name, _)| name.as_str()).to_owned()
    };
    let securities = input["securities"].as_array().unwrap();
    let range = |(name, target): (&String, &Value)| {
        let target = target.as_f64().filter(|target| *target > 0.0)?;
        let members = securities.iter().filter(|security| group_of(&security[kind]) == *name);
        let symbols: Vec<String> =
            members.map(|security| security["symbol"].as_str().unwrap().into()).collect();
        let lower = (target - tolerance).max(0.0);
        let range =
            Range { name: name.clone(), symbols, target, lower, upper: (target + tolerance).min(1.0) };
        (!range.symbols.is_empty()).then_some(range)
    };
    input[format!("{kind}_targets")].as_object().unwrap().iter().filter_map(range).collect()
}

pub fn group_constraints(input: &Value) -> (Vec<Range>, Vec<Range>) {
    let mut countries = ranges(input, "country", input["geo_tolerance"].as_f64().unwrap_or(0.10));
    countries.iter_mut().for_each(|range| range.upper = range.upper.min(0.35));
    let most: f64 = countries.iter().map(|range| range.upper).sum();
    if most > 1.0 {
        countries.iter_mut().for_each(|range| range.upper = (range.upper / most).max(range.lower));
    }
    let mut industries = ranges(input, "industry", input["ind_tolerance"].as_f64().unwrap_or(0.15));
    let cap = match industries.len() {
        1 => 0.70,
        2 => 0.50,
        0 | 3 | 4 => 0.40,
        _ => 0.30,
    };
    industries.iter_mut().for_each(|range| range.upper = range.upper.min(cap));
    if industries.is_empty() {
        return (countries, industries);
    }
    let least = |ranges: &[Range]| ranges.iter().map(|range| range.lower).sum::<f64>();
    let (ours, theirs) = (least(&industries), least(&countries));
    if ours > 1.0 {
        industries.iter_mut().for_each(|range| range.lower /= ours);
    } else if ours + theirs > 0.70 {
        let factor = 0.60 / (ours + theirs);
        countries.iter_mut().chain(&mut industries).for_each(|range| range.lower *= factor);
    }
    countries.iter_mut().chain(&mut industries).for_each(|range| range.lower = range.lower.min(range.upper));
    (countries, industries)
}

pub fn transaction_costs(input: &Value, returns: &Weights) -> Weights {
    let fixed = input["fixed"].as_f64().unwrap_or(2.0);
    let percent = input["percent"].as_f64().unwrap_or(0.002);
    let value = number(&input["portfolio_value"]);
    let adjusted = |(symbol, expected): (&String, &f64)| {
        let held = number(&input["positions"][symbol]["market_value_eur"]);
        let traded = if held.abs() > 0.0 { (0.05 * value).min(0.5 * held) } else { fixed / (0.01 - percent) };
        let ratio = if traded > 0.0 { (fixed + percent * traded) / traded } else { 0.01 };
        (symbol.clone(), expected - ratio.min(0.02))
    };
    returns.iter().map(adjusted).collect()
}

pub fn blend(mv: &Weights, hrp: &Weights, share: f64) -> Weights {
    let of = |weights: &Weights, name: &String| weights.get(name).copied().unwrap_or(0.0);
    let names: std::collections::BTreeSet<&String> = mv.keys().chain(hrp.keys()).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), share * of(hrp, name) + (1.0 - share) * of(mv, name)))
        .collect()
}

pub fn clamp(weights: &Weights, bounds: &BTreeMap<String, Bound>) -> Weights {
    let one = |(name, weight): (&String, &f64)| {
        let bound = bounds.get(name).copied().unwrap_or(Bound { lower: 0.0, upper: 1.0 });
        (name.clone(), weight.min(bound.upper).max(bound.lower))
    };
    weights.iter().map(one).collect()
}

pub fn normalise(weights: &Weights, sum: f64) -> Weights {
    let total: f64 = weights.values().sum();
    if total <= 0.0 {
        return weights.clone();
    }
    weights.iter().map(|(name, weight)| (name.clone(), weight / total * sum)).collect()
}

fn current(input: &Value) -> Weights {
    let value = number(&input["portfolio_value"]);
    let of = |(name, position): (&String, &Value)| {
        let priced = number(&position["quantity"]) * number(&input["prices"][name]);
        (name.clone(), position["market_value_eur"].as_f64().unwrap_or(priced) / value)
    };
    input["positions"].as_object().unwrap().iter().map(of).collect()
}

pub fn gradual(targets: &Weights, input: &Value) -> Weights {
    let current = current(input);
    let of = |weights: &Weights, name: &String| weights.get(name).copied().unwrap_or(0.0);
    let names: std::collections::BTreeSet<&String> = targets.keys().chain(current.keys()).collect();
    let distance =
        names.iter().map(|name| (of(targets, name) - of(&current, name)).abs()).fold(0.0_f64, f64::max);
    if distance <= 0.30 {
        return targets.clone();
    }
    let step = |name: &String| {
        let weight = of(&current, name) + 0.5 * (of(targets, name) - of(&current, name));
        (name.clone(), if weight < 0.005 { 0.0 } else { weight })
    };
    let halfway: Weights = names.into_iter().map(step).collect();
    if halfway.values().sum::<f64>() <= 0.0 {
        return Weights::new();
    }
    normalise(&halfway, targets.values().sum())
}

/// Symbol, current, target and change, largest change first.
pub fn changes(targets: &Weights, input: &Value) -> Vec<(String, f64, f64, f64)> {
    let current = current(input);
    let of = |weights: &Weights, name: &String| weights.get(name).copied().unwrap_or(0.0);
    let round = |number: f64| (number * 1e4).round_ties_even() / 1e4;
    let names: std::collections::BTreeSet<&String> = targets.keys().chain(current.keys()).collect();
    let change = |name: &String| (name.clone(), of(&current, name), of(targets, name));
    let mut changes: Vec<_> = names
        .into_iter()
        .map(change)
        .filter(|(_, now, then)| (then - now).abs() > 0.001)
        .map(|(name, now, then)| (name, round(now), round(then), round(then - now)))
        .collect();
    changes.sort_by(|a, b| b.3.abs().total_cmp(&a.3.abs()));
    changes
}

/// Everything of a whole run that the decided chain may be compared with.
pub struct Problem {
    pub symbols: Vec<String>,
    pub returns: Vec<f64>,
    pub covariance: Vec<f64>,
    pub limits: Limits,
    pub later_bounds: BTreeMap<String, Bound>,
    pub hrp: Vec<f64>,
}

pub fn problem(input: &Value) -> Problem {
    let symbols: Vec<String> =
        input["tickers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().into()).collect();
    let n = symbols.len();
    let days: Vec<f64> = input["returns"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()))
        .collect();
    let expected = transaction_costs(input, &weights(&input["expected_returns_before_costs"]));
    let (mut centred, mut covariance, mut sample, mut rho) =
        (vec![0.0; days.len()], vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * n]);
    ledoit_wolf(&days, n, 252.0, &mut centred, &mut covariance).unwrap();
    sample_covariance(&days, n, 252.0, &mut centred, &mut sample).unwrap();
    correlations(&sample, n, &mut rho).unwrap();
    let hrp = risk_parity(&sample, &rho, n, Linkage::Single).unwrap().weights;
    let mut later_bounds = weight_bounds(input);
    let bounds: Vec<Bound> = symbols.iter().map(|symbol| later_bounds[symbol]).collect();
    let (countries, industries) = group_constraints(input);
    let mut ranges: Vec<Range> = countries.into_iter().chain(industries).collect();
    let groups_least: f64 = ranges.iter().map(|range| range.lower).sum();
    let mut least: f64 = later_bounds.values().map(|bound| bound.lower).sum();
    if !ranges.is_empty() && least + groups_least > 0.80 {
        if least > 0.70 {
            let factor = (0.80 - groups_least) / least;
            if factor > 0.0 && factor < 1.0 {
                later_bounds.values_mut().for_each(|bound| bound.lower *= factor);
                least *= factor;
            }
        }
        if least + groups_least > 0.80 && groups_least > 0.0 {
            let factor = (0.80 - least).max(0.0) / groups_least;
            ranges.iter_mut().for_each(|range| range.lower *= factor);
        }
    }
    let group = |range: &Range| Group {
        name: range.name.clone(),
        shares: symbols.iter().map(|symbol| f64::from(range.symbols.contains(symbol))).collect(),
        lower: range.lower,
        upper: range.upper,
    };
    let limits = Limits { bounds, groups: ranges.iter().map(group).collect(), budget: 1.0 };
    let returns = symbols.iter().map(|symbol| expected[symbol]).collect();
    Problem { symbols, returns, covariance, limits, later_bounds, hrp }
}

/// Mean-variance as it was: only its own kind of error falls back, the others abort the whole run.
fn mean_variance(problem: &Problem, target: f64) -> Result<Vec<f64>, Refusal> {
    let mut last = Refusal::Infeasible;
    for (level, minima) in [1.0, 0.5, 0.0].into_iter().enumerate() {
        let mut limits = problem.limits.clone();
        limits.groups.iter_mut().for_each(|group| group.lower *= minima);
        if level == 2 {
            limits.groups.clear();
        }
        let frontier = match Frontier::new(&problem.returns, &problem.covariance, &limits) {
            Ok(frontier) => frontier,
            Err(refusal) => {
                last = refusal;
                continue;
            }
        };
        for answer in [frontier.efficient_return(target), frontier.min_volatility()] {
            match answer {
                Err(Refusal::Infeasible) => {}
                other => return other,
            }
        }
    }
    Err(last)
}

pub fn optimise(input: &Value) -> Result<Weights, Refusal> {
    let problem = problem(input);
    let named = |weights: &[f64]| -> Weights {
        problem.symbols.iter().cloned().zip(weights.iter().copied()).collect()
    };
    let clean = |weight: &f64| if weight.abs() < 1e-4 { 0.0 } else { (weight * 1e5).round_ties_even() / 1e5 };
    let target = input["target_return"].as_f64().unwrap();
    let mv: Vec<f64> = mean_variance(&problem, target)?.iter().map(clean).collect();
    let hrp: Vec<f64> = problem.hrp.iter().map(clean).collect();
    let hrp = clamp(&named(&hrp), &problem.later_bounds);
    let share = input["blend"].as_f64().unwrap();
    let mut weights = clamp(&blend(&named(&mv), &hrp, share), &problem.later_bounds);
    weights.retain(|_, weight| *weight >= 0.005);
    let value = number(&input["portfolio_value"]);
    let invested = if value > 0.0 { 1.0 - number(&input["min_cash_reserve"]) / value } else { 0.9 };
    let weights = clamp(&normalise(&weights, invested), &problem.later_bounds);
    Ok(gradual(&weights, input))
}
