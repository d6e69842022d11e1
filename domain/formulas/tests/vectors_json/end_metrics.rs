//! The figures of a security as the files of end states and plans name them.

use formulas::end_state::Metrics;
use serde_json::Value;

pub fn metrics(map: &Value) -> Metrics {
    let number = |key: &str| map[key].as_f64();
    Metrics {
        growth: number("CAGR_5Y"),
        dividend_yield: number("DIVIDEND_YIELD"),
        consistency: number("CONSISTENCY_SCORE"),
        financial_strength: number("FINANCIAL_STRENGTH"),
        dividend_consistency: number("DIVIDEND_CONSISTENCY"),
        payout: number("PAYOUT_RATIO"),
        sortino: number("SORTINO"),
        volatility: number("VOLATILITY_ANNUAL"),
        drawdown: number("MAX_DRAWDOWN"),
        sharpe: number("SHARPE"),
    }
}
