//! Time- and money-weighted returns of daily valuations against `twr_xirr.json`.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod vectors_json;
use formulas::trading_year::risk_free_per_day;
use formulas::twr::{TimeWeightedReturn, twr};
use formulas::xirr::{Flow, xirr};
use formulas::{drawdown, sharpe, volatility};
use vectors_json::{Case, assert_close, cases, day};

const TOLERANCE: f64 = 1e-9;
const XIRR_TOLERANCE: f64 = 1e-6;

/// Days, end-of-day values and the external flow of each day.
struct Valuations {
    days: Vec<i32>,
    values: Vec<f64>,
    flows: Vec<f64>,
}

fn valuations(case: &Case) -> Valuations {
    let list = |key: &str| case.input[key].as_array().unwrap().clone();
    let amount = |row: &serde_json::Value| row[1].as_f64().unwrap();
    let days: Vec<i32> = list("values").iter().map(|row| day(&row[0])).collect();
    let values: Vec<f64> = list("values").iter().map(amount).collect();
    let mut flows = vec![0.0; days.len()];
    for row in list("external_flows") {
        // What came on a day without a valuation counts at the next one.
        let at = days.partition_point(|known| *known < day(&row[0]));
        flows[at.min(days.len() - 1)] += amount(&row);
    }
    Valuations { days, values, flows }
}

#[test]
fn time_weighted_returns_equal_their_vectors() {
    for case in cases("scoring/twr_xirr.json") {
        let v = valuations(&case);
        assert_close(&case.name, twr(&v.values, &v.flows), &case.expect["twr_all"], TOLERANCE);
        // Thirty daily returns.
        let from = v.values.len().saturating_sub(31);
        let month = twr(&v.values[from..], &v.flows[from..]);
        assert_close(&case.name, month, &case.expect["twr_30d"], TOLERANCE);
    }
}

#[test]
fn money_weighted_returns_equal_their_vectors() {
    for case in cases("scoring/twr_xirr.json") {
        let v = valuations(&case);
        let paid = v.days.iter().zip(&v.flows).map(|(&day, &flow)| Flow { day, amount: -flow });
        let end = Flow { day: *v.days.last().unwrap(), amount: *v.values.last().unwrap() };
        let flows: Vec<Flow> = paid.filter(|flow| flow.amount != 0.0).chain([end]).collect();
        assert_close(&case.name, xirr(&flows), &case.expect["xirr_act365"], XIRR_TOLERANCE);
    }
}

/// The growth on net deposits treats all money as paid in on day one; it is not used, and stands here only.
#[test]
fn growth_on_net_deposits_equals_its_vectors() {
    for case in cases("scoring/twr_xirr.json") {
        let v = valuations(&case);
        let (first, last) = (v.days[0], v.days[v.days.len() - 1]);
        let years = f64::from(last - first) / 365.25;
        assert_close(&case.name, Some(years), &case.expect["years_365_25"], TOLERANCE);
        let paid: f64 = v.flows.iter().sum();
        // Of weeks too, which the growth of a security never is.
        let growth = (v.values[v.values.len() - 1] / paid).powf(1.0 / years) - 1.0;
        assert_close(&case.name, Some(growth), &case.expect["naive_inception_cagr"], TOLERANCE);
    }
}

#[test]
fn risk_figures_of_the_daily_returns_equal_their_vectors() {
    for case in cases("scoring/twr_xirr.json") {
        let v = valuations(&case);
        let mut total = TimeWeightedReturn::new();
        let days = v.values.iter().zip(&v.flows).filter_map(|(&value, &flow)| total.push(value, flow));
        let returns: Vec<f64> = days.collect();
        let risk_free = risk_free_per_day(0.02).unwrap();
        // The file measures the fall of the plain totals, in which a withdrawal is a loss.
        let fall = drawdown::drawdown(&v.values).max().map(f64::abs);
        for (key, figure) in [
            ("volatility", volatility::volatility(&returns)),
            ("sharpe_rf_2pct", sharpe::sharpe(&returns, risk_free)),
            ("max_drawdown_positive", fall),
        ] {
            assert_close(&format!("{} {key}", case.name), figure, &case.expect[key], TOLERANCE);
        }
    }
}
