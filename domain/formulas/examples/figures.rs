//! Reads series as JSON on standard input and answers with every figure of them as JSON, for comparison with other
//! libraries: `{"closes": [...], "benchmark": [...], "risk_free": 0.0001, "flows": [[day, amount], ...], "paid_in": [...]}`,
//! where `paid_in` are external flows beside the closes, taken as values at the ends of days.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Read;

use formulas::{
    annual_return::annual_return,
    beta::beta,
    bollinger::bands,
    calmar::calmar,
    correlation::correlation,
    cvar::historical_cvar,
    drawdown::max_drawdown_of_returns,
    ema::ema,
    moments,
    momentum::momentum,
    returns::{compound, simple_returns},
    rsi::rsi,
    sharpe::sharpe,
    sma::sma,
    sortino::sortino,
    twr::twr,
    volatility::volatility,
    xirr::{Flow, xirr},
    year_range::{year_high, year_low},
};
use serde_json::{Value, json};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let input: Value = serde_json::from_str(&text).unwrap();
    let (closes, other) = (numbers(&input["closes"]), numbers(&input["benchmark"]));
    let risk_free = input["risk_free"].as_f64().unwrap();
    let returns_of = |closes: &[f64]| {
        let mut buffer = vec![0.0; closes.len()];
        simple_returns(closes, &mut buffer).unwrap().to_vec()
    };
    let (x, y) = (returns_of(&closes), returns_of(&other));
    let mut sorted = vec![0.0; x.len()];
    let bands = bands(&closes, 20, 2.0).unwrap();
    let flows: Vec<Flow> = input["flows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| Flow {
            day: i32::try_from(row[0].as_i64().unwrap()).unwrap(),
            amount: row[1].as_f64().unwrap(),
        })
        .collect();
    let answer = json!({
        "ema_50": ema(&closes, 50).unwrap().value,
        "ema_200": ema(&closes, 200).unwrap().value,
        "sma_50": sma(&closes, 50),
        "rsi_14": rsi(&closes, 14),
        "bb_lower": bands.lower,
        "bb_middle": bands.middle,
        "bb_upper": bands.upper,
        "mean": moments::mean(&x),
        "sample_deviation": moments::sample_deviation(&x),
        "annual_return": annual_return(&x),
        "volatility": volatility(&x),
        "sharpe": sharpe(&x, risk_free),
        "sortino": sortino(&x, risk_free),
        "calmar": calmar(&x),
        "max_drawdown": max_drawdown_of_returns(&x),
        "beta": beta(&x, &y),
        "correlation": correlation(&x, &y),
        "cvar_95": historical_cvar(&x, 0.95, &mut sorted),
        "xirr": xirr(&flows),
        "cumulative_return": compound(&x),
        "twr": twr(&closes, &numbers(&input["paid_in"])),
        "year_high": year_high(&closes).map(|high| high.value),
        "year_low": year_low(&closes).map(|low| low.value),
        "momentum_30": momentum(&closes, 30),
        "momentum_90": momentum(&closes, 90),
    });
    println!("{answer}");
}
