//! Expected returns and the forward-looking adjustment against `expected_returns.json`.
//!
//! The formula shared with the reference is the base; around it the reference multiplied, which is
//! rebuilt here from its definition. Its later variant with a hard filter is not adopted either, and lives here only.
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
    assert!(compared > 0 || !vectors_json::are_own(), "nothing was compared");
}

/// The table as the reference had it: with a jump at an inverted curve and no end where earnings are cheap.
fn reference_adjustment(indicators: &Indicators) -> f64 {
    let fear = indicators.vix.map_or(0.0, |vix| match vix {
        vix if vix >= 30.0 => -0.10 * ((vix - 30.0) / 20.0).min(1.0),
        vix if vix <= 15.0 => 0.05 * (1.0 - vix / 15.0),
        _ => 0.0,
    });
    let slope = indicators.yield_10y.zip(indicators.yield_3m).map(|(long, short)| long - short);
    let curve = slope.map_or(0.0, |slope| match slope {
        slope if slope <= -0.01 => -0.15 * (slope.abs() / 0.02).min(1.0),
        slope if slope >= 0.01 => 0.045 * ((slope - 0.01) / 0.02).min(1.0),
        _ => 0.0,
    });
    let valuation = indicators.market_pe.map_or(0.0, |pe| match pe {
        pe if pe >= 26.0 => -0.10 * ((pe - 26.0) / 13.0).min(1.0),
        pe if pe <= 18.0 => 0.05 * (1.0 - (pe - 18.0) / 4.0),
        _ => 0.0,
    });
    (fear + curve + valuation).clamp(-0.20, 0.20)
}

/// Every case in the reference's form; the decided curve where each part of both agrees.
#[test]
fn forward_adjustments_equal_their_vectors() {
    for case in cases_of(FILE, "forward_adjustment") {
        let number = |key: &str| case.input[key].as_f64();
        let indicators = Indicators {
            vix: number("vix"),
            yield_10y: number("yield_10y"),
            yield_3m: number("yield_3m"),
            market_pe: number("market_pe"),
        };
        assert_close(&case.name, Some(reference_adjustment(&indicators)), &case.expect["value"], TOLERANCE);
        let decided = forward_adjustment(&indicators);
        assert!((-0.20..=0.15).contains(&decided), "{}: {decided}", case.name);
        let only_fear = Indicators { vix: indicators.vix, ..Indicators::default() };
        let shared = (reference_adjustment(&only_fear) - forward_adjustment(&only_fear)).abs();
        assert!(shared < TOLERANCE, "{}: fear was continuous and is the same", case.name);
    }
}

/// The later variant: growth rebuilt from a score, a filter below 6 % or half the target, a penalty below the
/// threshold that quality softens.
fn later(case: &Case) -> Option<f64> {
    let number = |key: &str| case.input[key].as_f64();
    let growth_score = number("cagr_score").filter(|score| *score > 0.0)?;
    let growth = if growth_score >= 0.8 {
        0.11 + (growth_score - 0.8) * 0.45
    } else {
        (growth_score - 0.15).max(0.0) * 0.11 / 0.65
    };
    let regime = number("regime_score").unwrap_or(0.0).clamp(-1.0, 1.0);
    let target = number("target_return").unwrap();
    let outlook = Outlook {
        growth,
        dividend_yield: number("dividend_yield").unwrap_or(0.0),
        score: number("score").unwrap_or(0.5),
        target,
    };
    let base = base(&outlook, HISTORY_SHARE + 0.10 * regime.max(0.0))?;
    let damping = 1.0 - 0.25 * (-regime).max(0.0);
    let multiplier = number("priority_multiplier").filter(|multiplier| *multiplier > 0.0).unwrap_or(1.0);
    let value = (base * damping * multiplier + number("bonus").unwrap_or(0.0)).clamp(-0.10, 0.30);
    if value < 0.06_f64.max(target / 2.0) {
        return None;
    }
    let threshold = target * number("threshold_pct").filter(|share| *share > 0.0).unwrap_or(0.80);
    if value >= threshold {
        return Some(value);
    }
    let quality = match (number("long_term_score"), number("stability_score")) {
        (Some(long_term), Some(stability)) => f64::midpoint(long_term, stability),
        (one, other) => one.or(other).unwrap_or(0.0),
    };
    let softening = match quality {
        quality if quality > 0.80 => 0.65,
        quality if quality > 0.75 => 0.80,
        _ => 1.0,
    };
    let penalty = ((threshold - value) / threshold * 0.5).min(0.3) * softening;
    Some(value * (1.0 - penalty))
}

#[test]
fn the_later_variant_equals_its_vectors() {
    for case in cases_of(FILE, "expected_return_later") {
        assert_close(&case.name, later(&case), &case.expect["value"], TOLERANCE);
    }
}

#[test]
fn no_function_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["expected_return", "expected_return_later", "forward_adjustment"]);
}
