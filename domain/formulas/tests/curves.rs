//! Every score curve against `curves.json`, with the constants the reference put in for absent figures.

mod vectors_json;
use formulas::consistency::steps;
use formulas::curves::{
    below_high, calmness, dividend, earnings, fall, growth, momentum, ratios, solidity, timing,
};
use vectors_json::{Case, assert_close, cases};

const TOLERANCE: f64 = 1e-9;

/// The reference's score of a case; `None` for a curve nobody here knows.
fn score(case: &Case) -> Option<f64> {
    let number = |key: &str| case.input[key].as_f64();
    let x = number("x");
    let or = |curve: fn(f64) -> Option<f64>, neutral: f64| x.map_or(Some(neutral), curve);
    match case.input["curve"].as_str()? {
        "cagr" => growth::reference(x.unwrap_or(0.0), number("target")?),
        "total_return" => growth::total_return(x?, number("target")?),
        "sharpe" | "end_state_sharpe" => or(ratios::sharpe, 0.5),
        "sortino" => or(ratios::sortino, 0.5),
        "momentum" => or(momentum::reference, 0.5),
        "drawdown" | "end_state_drawdown" => or(fall::score, 0.5),
        "below_52w_high" => below_high::score(number("price")?, number("high")?).or(Some(0.5)),
        "pe" => match number("pe") {
            Some(pe) if pe > 0.0 => earnings::score(pe, number("forward_pe"), number("market_avg_pe")?),
            _ => Some(0.3),
        },
        "rsi" => or(timing::rsi, 0.5),
        "bollinger" => or(timing::bollinger, 0.5),
        "ema_distance" => timing::average(number("price")?, number("ema")?).or(Some(0.5)),
        "dividend_yield" => or(dividend::yield_score, 0.3),
        "dividend_consistency" => {
            dividend::consistency_reference(number("payout_ratio"), number("five_year_avg_yield"))
        }
        "financial_strength" => solidity::reference(
            number("profit_margin"),
            number("debt_to_equity_pct").map(|percent| percent / 100.0),
            number("current_ratio"),
        ),
        "consistency" => match number("cagr_10y") {
            Some(ten) => steps(number("cagr_5y")?, ten),
            None => Some(0.6),
        },
        "end_state_sortino" => or(ratios::promise_sortino, 0.5),
        "end_state_volatility" => or(calmness::end_volatility, 0.5),
        "end_state_payout" => or(dividend::payout_reference, 0.5),
        _ => None,
    }
}

#[test]
fn every_curve_equals_its_vectors() {
    for case in cases("scoring/curves.json") {
        let number = |key: &str| case.input[key].as_f64();
        if case.input["curve"] == "price_too_high" {
            let found = number("price").zip(number("high")).map(|(p, h)| below_high::is_too_high(p, h, 0.95));
            assert_eq!(found, case.expect["score"].as_bool(), "{}", case.name);
        } else {
            assert_close(&case.name, score(&case), &case.expect["score"], TOLERANCE);
        }
    }
}
