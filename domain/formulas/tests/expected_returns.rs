//! Expected returns and the forward-looking adjustment against `expected_returns.json`.
//!
//! The formula shared with the reference is the base; around it the reference multiplied, which is
//! rebuilt here from its definition. Its later variant with a hard filter is not adopted.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::expected_return::{HISTORY_SHARE, Outlook, Shifts, base, expected_return};
use formulas::forward_adjustment::{Indicators, forward_adjustment};
use vectors_json::{Case, assert_close, cases_of};

const FILE: &str = "optimization/expected_returns.json";
const TOLERANCE: f64 = 1e-12;
const BULL_HISTORY_SHARE: f64 = 0.80;

/// The base of a case; the reference took a growth of exactly 0 for missing, and no score for 0.5.
fn base_of(case: &Case) -> Option<f64> {
    let number = |key: &str| case.input[key].as_f64();
    let growth = number("cagr_5y").filter(|growth| growth.abs() > 0.0).or(number("cagr_10y"))?;
    let is_bull = case.input["regime"] == "bull";
    let outlook = Outlook {
        growth,
        dividend_yield: number("dividend_yield").unwrap_or(0.0),
        score: number("score").unwrap_or(0.5),
        target: number("target_return").unwrap(),
    };
    base(&outlook, if is_bull { BULL_HISTORY_SHARE } else { HISTORY_SHARE })
}

#[test]
fn bases_with_the_factors_of_the_reference_equal_its_vectors() {
    for case in cases_of(FILE, "expected_return") {
        let number = |key: &str, default: f64| case.input[key].as_f64().unwrap_or(default);
        let damping = if case.input["regime"] == "bear" { 0.75 } else { 1.0 };
        let factors =
            damping * (1.0 + number("forward_adjustment", 0.0)) * number("priority_multiplier", 1.0);
        let value = base_of(&case).map(|base| (base * factors + number("bonus", 0.0)).clamp(-0.10, 0.30));
        assert_close(&case.name, value, &case.expect["value"], TOLERANCE);
    }
}

#[test]
fn decided_returns_equal_the_vectors_wherever_no_factor_differs() {
    let mut compared = 0;
    for case in cases_of(FILE, "expected_return") {
        let number = |key: &str, default: f64| case.input[key].as_f64().unwrap_or(default);
        let is_bear = case.input["regime"] == "bear";
        let forward = number("forward_adjustment", 0.0);
        let is_shared =
            (number("priority_multiplier", 1.0) - 1.0).abs() < TOLERANCE && !(is_bear && forward.abs() > 0.0);
        let Some(base) = base_of(&case).filter(|base| is_shared && *base >= 0.0) else { continue };
        let damping = if is_bear { 0.75 } else { 1.0 };
        let shifts = Shifts { damping, forward, tilt: 0.0, bonus: number("bonus", 0.0) };
        assert_close(&case.name, expected_return(base, &shifts), &case.expect["value"], TOLERANCE);
        compared += 1;
    }
    assert!(compared >= 9, "{compared}");
}

/// Where the reference jumped or grew without bound, the decided curve differs and is named here.
#[test]
fn forward_adjustments_equal_their_vectors_where_the_reference_was_continuous() {
    for case in cases_of(FILE, "forward_adjustment") {
        let number = |key: &str| case.input[key].as_f64();
        let indicators = Indicators {
            vix: number("vix"),
            yield_10y: number("yield_10y"),
            yield_3m: number("yield_3m"),
            market_pe: number("market_pe"),
        };
        let adjustment = forward_adjustment(&indicators);
        let decided = match case.name.as_str() {
            "inverted 3 percent" => -0.10,
            "pe 18" => 0.0,
            "pe 14" | "pe 2 (cheap branch unbounded)" => 0.05,
            _ => {
                assert_close(&case.name, Some(adjustment), &case.expect["value"], TOLERANCE);
                continue;
            }
        };
        assert!((adjustment - decided).abs() < TOLERANCE, "{}: {adjustment}", case.name);
    }
}
