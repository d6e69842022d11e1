//! Cuts, growth and stability of dividends against `dividend_history.json`, judged by the first cut as there.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::dividend_history::{first_cut, judge, judge_after};
use formulas::rounding::round_to;
use vectors_json::{assert_close, cases, numbers};

const TOLERANCE: f64 = 1e-9;

#[test]
fn histories_equal_their_vectors() {
    for case in cases("scoring/dividend_history.json") {
        let annual = numbers(&case.input["annual_dividends"]);
        let paid = case.input["current_yield"].as_f64();
        let average = case.input["portfolio_avg_yield"].as_f64().unwrap_or(0.03);
        let found = judge_after(&annual, first_cut(&annual), paid, average);
        let name = &case.name;
        assert_eq!(Some(found.years_since_cut.is_some()), case.expect["big_cut"].as_bool(), "{name}");
        let years = found.years_since_cut.map(|years| years as u64);
        assert_eq!(years, case.expect["years_since_first_cut"].as_u64(), "{name}");
        assert_close(name, found.growth, &case.expect["growth_rate"], TOLERANCE);
        assert_close(name, Some(round_to(found.stability, 3)), &case.expect["stability_score"], TOLERANCE);
        let details = &case.expect["details"];
        assert_eq!(years, details["years_since_cut"].as_u64(), "{name}");
        assert_close(name, found.growth, &details["dividend_growth_rate"], TOLERANCE);
        assert_close(name, Some(found.cut_penalty), &details["cut_penalty"], TOLERANCE);
        assert_close(name, Some(found.growth_bonus), &details["growth_bonus"], TOLERANCE);
        assert_close(name, Some(found.yield_bonus), &details["yield_bonus"], TOLERANCE);
        assert_eq!(Some(found.yield_bonus > 0.0), details["above_portfolio_avg"].as_bool(), "{name}");
        // The decided rule differs only where there was more than one cut.
        let decided = judge(&annual, paid, average);
        assert!(decided.years_since_cut <= found.years_since_cut, "{name}");
    }
}
