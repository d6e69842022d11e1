//! Compares every indicator of a price series with a case of the indicator files.
//!
//! Where the reference put a constant in place of an absent value, the constant stands here, next to
//! the comparison, and not in the formula.

use super::{Case, assert_close, left_out, numbers};
use formulas::minimum_lengths::{SELL_VOLATILITY_CLOSES_MIN, SHARPE_CLOSES_MIN, VOLATILITY_CLOSES_MIN};
use formulas::rsi::{RSI_LENGTH, Seed, seeded_rsi};
use formulas::trading_year::risk_free_per_day;
use formulas::{bollinger, drawdown, ema, momentum, returns, sharpe, sortino, volatility, year_range};
use serde_json::Value;

const TOLERANCE: f64 = 1e-8;
const POSITION_TOLERANCE: f64 = 1e-6;

pub fn check(case: &Case) {
    let closes = numbers(&case.input["close"]);
    averages_and_oscillators(case, &closes);
    returns_and_risk(case, &closes);
    range_and_momentum(case, &closes);
    sell_values(case, &closes);
    recommended_values(case, &closes);
    if closes.iter().all(|close| *close > 0.0) {
        position_values(case, &closes);
    } else {
        left_out(
            "indicators",
            &case.name,
            "position values with zero prices are artefacts of the old system's gaps",
        );
    }
}

fn close_to(case: &Case, key: &str, actual: Option<f64>) {
    assert_close(&format!("{} {key}", case.name), actual, &case.expect[key], TOLERANCE);
}

fn returns_of(closes: &[f64]) -> Option<Vec<f64>> {
    let mut buffer = vec![0.0; closes.len()];
    returns::simple_returns(closes, &mut buffer).map(<[f64]>::to_vec)
}

fn averages_and_oscillators(case: &Case, closes: &[f64]) {
    let slow = ema::ema(closes, 200).map(|average| average.value);
    close_to(case, "ema_200", slow);
    close_to(case, "ema_50", ema::ema(closes, 50).map(|average| average.value));
    let distance = slow.and_then(|average| ema::distance(*closes.last()?, average));
    close_to(case, "distance_from_ema_200", distance);
    close_to(case, "rsi_14", seeded_rsi(closes, RSI_LENGTH, Seed::Wilder));
    close_to(case, "rsi_14_ew", seeded_rsi(closes, RSI_LENGTH, Seed::Exponential));
    let bands = bollinger::bands(closes, bollinger::BOLLINGER_LENGTH, bollinger::BOLLINGER_WIDTH);
    close_to(case, "bb_lower", bands.map(|bands| bands.lower));
    close_to(case, "bb_middle", bands.map(|bands| bands.middle));
    close_to(case, "bb_upper", bands.map(|bands| bands.upper));
    let position = bands.and_then(|bands| bands.position(*closes.last()?));
    assert_close(&case.name, position, &case.expect["bb_position"], POSITION_TOLERANCE);
}

fn returns_and_risk(case: &Case, closes: &[f64]) {
    let returns = returns_of(closes);
    let enough = |closes_min: usize| returns.as_deref().filter(|_| closes.len() >= closes_min);
    close_to(case, "volatility_annual", enough(VOLATILITY_CLOSES_MIN).and_then(volatility::volatility));
    close_to(case, "sharpe", enough(SHARPE_CLOSES_MIN).and_then(|x| sharpe::sharpe(x, 0.0)));
    let long_enough = closes.len() >= VOLATILITY_CLOSES_MIN;
    let deepest = drawdown::drawdown(closes).max().filter(|_| long_enough);
    close_to(case, "max_drawdown", deepest);
}

fn range_and_momentum(case: &Case, closes: &[f64]) {
    let high = year_range::year_high(&numbers(&case.input["high"])).map(|high| high.value);
    let low = year_range::year_low(&numbers(&case.input["low"])).map(|low| low.value);
    close_to(case, "high_52w", high);
    close_to(case, "low_52w", low);
    let below = high.and_then(|high| year_range::below_high(*closes.last()?, high));
    close_to(case, "distance_from_52w_high", below);
    // The reference looked back one interval less, and read a base of zero as no change.
    let reference = |lag: usize| {
        let fallback = (closes.len() > lag).then_some(0.0);
        momentum::momentum(closes, lag).or(fallback)
    };
    let (short, long) = (reference(momentum::SHORT_LAG - 1), reference(momentum::LONG_LAG - 1));
    close_to(case, "momentum_30d", short);
    close_to(case, "momentum_90d", long);
    close_to(case, "momentum_blend", momentum::blend(short, long));
}

fn sell_values(case: &Case, closes: &[f64]) {
    let usable = closes.len() >= SELL_VOLATILITY_CLOSES_MIN && closes.iter().all(|close| *close > 0.0);
    let newest = |count: usize| &closes[closes.len() - count.min(closes.len())..];
    let annual = |closes: &[f64]| volatility::volatility(&returns_of(closes)?);
    let [current, historical] = [60, 400].map(|count| annual(newest(count)).filter(|_| usable));
    close_to(case, "sell_current_volatility", current.or(Some(0.2)));
    close_to(case, "sell_historical_volatility", historical.or(Some(0.2)));
    let average = ema::ema(closes, 200).and_then(|average| average.complete());
    let distance = average.and_then(|average| ema::distance(*closes.last()?, average));
    close_to(case, "sell_distance_from_ma_200", distance.filter(|_| usable).or(Some(0.0)));
}

fn recommended_values(case: &Case, closes: &[f64]) {
    let check = |key: &str, actual: Option<f64>| {
        assert_close(&format!("{} {key}", case.name), actual, &case.recommended[key], TOLERANCE);
    };
    check("momentum_30_lag30", momentum::momentum(closes, momentum::SHORT_LAG));
    check("momentum_90_lag90", momentum::momentum(closes, momentum::LONG_LAG));
    // Bars without a positive close are filtered before the recommended ratios.
    let usable = closes.len() >= SHARPE_CLOSES_MIN && closes.iter().all(|close| *close > 0.0);
    let returns = returns_of(closes).filter(|_| usable);
    let risk_free = risk_free_per_day(0.02).unwrap();
    check("sharpe_rf_2pct", returns.as_ref().and_then(|x| sharpe::sharpe(x, risk_free)));
    check("sortino_rf_0", returns.as_ref().and_then(|x| sortino::sortino(x, 0.0)));
    check("sortino_rf_2pct", returns.as_ref().and_then(|x| sortino::sortino(x, risk_free)));
}

fn position_values(case: &Case, closes: &[f64]) {
    check_position(case, closes, &case.expect["position_risk"], &case.expect["position_drawdown"]);
}

/// Compares the drawdown state and risk figures of one position; absent ratios are 0 in the files.
pub fn check_position(case: &Case, closes: &[f64], risk: &Value, state: &Value) {
    let check = |part: &Value, key: &str, actual: Option<f64>| {
        assert_close(&format!("{} position {key}", case.name), actual, &part[key], TOLERANCE);
    };
    let returns = returns_of(closes).unwrap_or_default();
    check(risk, "sortino_ratio", sortino::sortino(&returns, 0.0).or(Some(0.0)));
    check(risk, "sharpe_ratio", sharpe::sharpe(&returns, 0.0).or(Some(0.0)));
    check(risk, "volatility", volatility::volatility(&returns).or(Some(0.0)));
    check(risk, "max_drawdown", drawdown::max_drawdown_of_returns(&returns).or(Some(0.0)));

    let drawdown = drawdown::drawdown(closes);
    let enough = closes.len() >= 2;
    check(state, "max_drawdown", drawdown.max().filter(|_| enough));
    check(state, "current_drawdown", drawdown.current().filter(|_| enough));
    let days = drawdown.bars_under_water().map(|bars| bars as u64);
    assert_eq!(days, state["days_in_drawdown"].as_u64(), "{} days in drawdown", case.name);
}
