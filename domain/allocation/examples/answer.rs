//! Answers questions in JSON, one per line on standard input, one answer per line on standard output, so that
//! libraries nobody here wrote can be asked the same.
//!
//! `{"ask": "max_sharpe", "mu": […], "cov": [[…]], "bounds": [[l, u]…], "groups": [{"members": […], "lower": l, "upper": u}],
//! "risk_free": 0.02}` is answered with `{"weights": […], "micros": t}` or `{"refused": "infeasible"}`.
#![allow(clippy::print_stdout)]

use std::{
    io::{BufRead, stdin},
    time::Instant,
};

use allocation::{
    Bound, Group, Limits, feasibility::relax, frontier::Frontier, project::project_onto, tail_loss::TailLoss,
};
use formulas::{
    black_litterman::{Market, View},
    covariance::sample_covariance,
    hrp::{correlations, risk_parity},
    ledoit_wolf::ledoit_wolf,
    linkage::Linkage,
    weighted_covariance::{Weighting, day_weights, weighted_covariance},
};
use serde_json::{Value, json};

const YEAR: f64 = 252.0;

fn main() {
    for line in stdin().lock().lines().map_while(Result::ok) {
        let answer = match serde_json::from_str::<Value>(&line) {
            Ok(question) => answer(&question).unwrap_or_else(|| json!({"refused": "invalid_input"})),
            Err(error) => json!({"refused": error.to_string()}),
        };
        println!("{answer}");
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    Some(value.as_array()?.iter().map(number).collect())
}

fn rows(value: &Value) -> Option<Vec<f64>> {
    let rows: Option<Vec<Vec<f64>>> = value.as_array()?.iter().map(numbers).collect();
    Some(rows?.concat())
}

fn limits(question: &Value, n: usize) -> Option<Limits> {
    let bound = |pair: &Value| Bound { lower: number(&pair[0]), upper: number(&pair[1]) };
    let bounds = question["bounds"].as_array()?.iter().map(bound).collect();
    let mut groups = Vec::new();
    for group in question["groups"].as_array().into_iter().flatten() {
        let mut shares = vec![0.0; n];
        for member in group["members"].as_array()? {
            *shares.get_mut(usize::try_from(member.as_u64()?).ok()?)? = 1.0;
        }
        let name = format!("group {}", groups.len());
        groups.push(Group { name, shares, lower: number(&group["lower"]), upper: number(&group["upper"]) });
    }
    Some(Limits { bounds, groups, budget: question["budget"].as_f64().unwrap_or(1.0) })
}

fn answer(question: &Value) -> Option<Value> {
    match question["ask"].as_str()? {
        "sample_covariance" | "ledoit_wolf" | "hrp" => estimate(question),
        "min_cvar" => {
            let (days, returns) = (rows(&question["returns"])?, numbers(&question["mu"])?);
            let limits = limits(question, returns.len())?;
            let confidence = number(&question["beta"]);
            let tail = TailLoss { days: &days, returns: &returns, limits: &limits, confidence };
            timed(|| tail.least())
        }
        "project_onto" => {
            let wanted = numbers(&question["wanted"])?;
            let limits = limits(question, wanted.len())?;
            timed(|| project_onto(&wanted, &limits))
        }
        "relax" => {
            let limits = limits(question, question["bounds"].as_array()?.len())?;
            Some(match relax(&limits) {
                Ok(found) => {
                    let wider = found.groups.iter().zip(&limits.groups);
                    let widened: f64 = wider.map(|(used, asked)| (used.upper - asked.upper).max(0.0)).sum();
                    json!({"level": found.level.code(), "widened": widened})
                }
                Err(refusal) => json!({"refused": refusal.code()}),
            })
        }
        "weighted_covariance" => {
            let (days, regimes) = (rows(&question["returns"])?, numbers(&question["regimes"])?);
            let n = question["returns"][0].as_array()?.len();
            let weighting = Weighting {
                half_life_days: number(&question["half_life"]),
                regime: number(&question["regime"]),
                bandwidth: number(&question["bandwidth"]),
            };
            let (mut weights, mut means, mut out) =
                (vec![0.0; regimes.len()], vec![0.0; n], vec![0.0; n * n]);
            let size = day_weights(&regimes, &weighting, &mut weights)?;
            weighted_covariance(&days, &weights, &mut means, &mut out)?;
            Some(json!({"covariance": out, "size": size}))
        }
        "black_litterman" => {
            let covariance = rows(&question["cov"])?;
            let market =
                Market { covariance: &covariance, risk_aversion: number(&question["delta"]), tau: 0.05 };
            let prior = market.prior(&numbers(&question["market"])?)?;
            let views = question["views"].as_array()?.iter().map(|view| {
                let exposure = numbers(&view["exposure"])?;
                let uncertainty = market.uncertainty(&exposure)?;
                Some(View { exposure, expected: number(&view["expected"]), uncertainty })
            });
            let posterior = market.posterior(&prior, &views.collect::<Option<Vec<_>>>()?).ok()?;
            Some(json!({"returns": posterior.returns, "covariance": posterior.covariance}))
        }
        ask => {
            let (returns, covariance) = (numbers(&question["mu"])?, rows(&question["cov"])?);
            let limits = limits(question, returns.len())?;
            timed(|| {
                let frontier = Frontier::new(&returns, &covariance, &limits)?;
                match ask {
                    "min_volatility" => frontier.min_volatility(),
                    "efficient_return" => frontier.efficient_return(number(&question["target_return"])),
                    "efficient_risk" => frontier.efficient_risk(number(&question["target_volatility"])),
                    "max_sharpe" => frontier.max_sharpe(number(&question["risk_free"])),
                    "highest_return" => frontier.highest_return(),
                    _ => Err(allocation::Refusal::InvalidInput),
                }
            })
        }
    }
}

fn timed(solve: impl Fn() -> Result<Vec<f64>, allocation::Refusal>) -> Option<Value> {
    let start = Instant::now();
    let answer = solve();
    let micros = start.elapsed().as_secs_f64() * 1e6;
    Some(match answer {
        Ok(weights) => json!({"weights": weights, "micros": micros}),
        Err(refusal) => json!({"refused": refusal.code()}),
    })
}

fn estimate(question: &Value) -> Option<Value> {
    let days = rows(&question["returns"])?;
    let n = question["returns"][0].as_array()?.len();
    let (mut centred, mut out) = (vec![0.0; days.len()], vec![0.0; n * n]);
    let start = Instant::now();
    if question["ask"] == "ledoit_wolf" {
        let shrinkage = ledoit_wolf(&days, n, YEAR, &mut centred, &mut out)?;
        let micros = start.elapsed().as_secs_f64() * 1e6;
        return Some(json!({"covariance": out, "shrinkage": shrinkage, "micros": micros}));
    }
    sample_covariance(&days, n, YEAR, &mut centred, &mut out)?;
    if question["ask"] == "sample_covariance" {
        return Some(json!({"covariance": out}));
    }
    let linkage = match question["linkage"].as_str()? {
        "single" => Linkage::Single,
        "complete" => Linkage::Complete,
        "average" => Linkage::Average,
        "ward" => Linkage::Ward,
        _ => return None,
    };
    let start = Instant::now();
    let mut rho = vec![0.0; n * n];
    correlations(&out, n, &mut rho)?;
    let parity = risk_parity(&out, &rho, n, linkage)?;
    let micros = start.elapsed().as_secs_f64() * 1e6;
    let merges: Vec<_> = parity
        .merges
        .iter()
        .map(|merge| json!([merge.first, merge.second, merge.distance, merge.size]))
        .collect();
    Some(json!({"weights": parity.weights, "order": parity.order, "merges": merges, "micros": micros}))
}
