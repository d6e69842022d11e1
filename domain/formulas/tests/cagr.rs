//! Growth rates, consistency and the growth curve against `cagr.json`.

mod vectors_json;
use formulas::bell::bell;
use formulas::cagr::{Span, cagr, cagr_5y, cagr_10y};
use formulas::consistency::steps;
use vectors_json::{assert_close, cases, numbers};

const FILE: &str = "scoring/cagr.json";
const TOLERANCE: f64 = 1e-9;

#[test]
fn rates_over_intervals_equal_the_recommended_values() {
    for case in cases(FILE) {
        let monthly = numbers(&case.input["monthly_avg_close"]);
        assert_close(&case.name, cagr_5y(&monthly), &case.recommended["cagr_5y"], TOLERANCE);
        assert_close(&case.name, cagr_10y(&monthly), &case.recommended["cagr_10y"], TOLERANCE);
    }
}

#[test]
fn rates_over_points_and_their_scores_equal_the_reference() {
    for case in cases(FILE) {
        let monthly = numbers(&case.input["monthly_avg_close"]);
        let all = cagr(&monthly, monthly.len(), Span::Points);
        // The reference takes all months when five years give nothing, and calls more than five
        // years ten.
        let five = cagr(&monthly, 60, Span::Points).or(all);
        let ten = all.filter(|_| monthly.len() > 60);
        assert_close(&case.name, five, &case.expect["cagr_5y"], TOLERANCE);
        assert_close(&case.name, ten, &case.expect["cagr_10y"], TOLERANCE);

        let consistency = ten.map_or(Some(0.6), |ten| steps(five.unwrap_or(0.0), ten));
        assert_close(&case.name, consistency, &case.expect["consistency_score"], TOLERANCE);
        let score = bell(five.unwrap_or(0.0), 0.11, 0.06, 0.10);
        assert_close(&case.name, score, &case.expect["cagr_score_target_0.11"], TOLERANCE);
    }
}
