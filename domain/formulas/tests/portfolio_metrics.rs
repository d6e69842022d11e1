//! Return and risk figures of daily returns against `portfolio_metrics.json`.

mod vectors_json;
use formulas::{annual_return, calmar, drawdown, sharpe, sortino, volatility};
use vectors_json::{assert_close, cases, numbers};

const TOLERANCE: f64 = 1e-8;

#[test]
fn every_figure_equals_its_vector_and_is_absent_where_the_reference_said_zero() {
    for case in cases("scoring/portfolio_metrics.json") {
        let returns = numbers(&case.input["daily_returns"]);
        let risk_free = case.input["risk_free_rate_per_day"].as_f64().unwrap_or_default();
        let enough = returns.len() >= 2;
        let figures = [
            ("annual_return", annual_return::annual_return(&returns)),
            ("volatility", volatility::volatility(&returns)),
            ("sharpe_ratio", sharpe::sharpe(&returns, risk_free)),
            ("sortino_ratio", sortino::sortino(&returns, risk_free)),
            ("calmar_ratio", calmar::calmar(&returns)),
            ("max_drawdown", drawdown::max_drawdown_of_returns(&returns).filter(|_| enough)),
        ];
        for (key, figure) in figures {
            let place = format!("{} {key}", case.name);
            assert_close(&place, figure.or(Some(0.0)), &case.expect[key], TOLERANCE);
        }
    }
}
