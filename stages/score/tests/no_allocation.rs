//! Taking a bar, reading all indicators, and the estimators that write into given space take no memory. One test in a
//! program of its own: every other test in it would be counted too.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use formulas::{
    cagr, contrarian, covariance, cvar, drawdown, ema, falls, ledoit_wolf, momentum, returns, rsi, sharpe,
    sortino, twr, ulcer_index, volatility, year_range,
};
use score::rolling::Rolling;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocations(name: &str, mut work: impl FnMut()) {
    let region = Region::new(COUNTED);
    work();
    assert_eq!(region.change().allocations, 0, "{name}");
}

#[test]
fn hot_paths_take_no_memory() {
    let closes: Vec<f64> = (0..1_000).map(|i| 100.0 + 10.0 * f64::from(i).sin()).collect();
    let (mut rolling, mut space) = (Rolling::new(), vec![0.0; closes.len()]);
    allocations("a thousand bars and all indicators at each", || {
        for close in &closes {
            rolling.push(*close, close * 1.01);
            std::hint::black_box(rolling.measure(&closes, 0.0001));
        }
    });
    allocations("indicators of a whole series", || {
        let made = returns::simple_returns(&closes, &mut space).unwrap();
        std::hint::black_box((
            (
                ema::ema(&closes, 200),
                rsi::rsi(&closes, 14),
                drawdown::drawdown(&closes),
                falls::falls(&closes),
            ),
            (volatility::volatility(made), sharpe::sharpe(made, 0.0), sortino::sortino(made, 0.0)),
            (ulcer_index::ulcer_index(&closes), year_range::year_high(&closes), cagr::cagr_10y(&closes)),
            (
                momentum::momentum(&closes, 30),
                contrarian::signal(&closes),
                twr::twr(&closes, no_flows(&closes)),
            ),
        ));
    });
    let days = &closes[..60 * 16];
    let (mut centred, mut out, mut sorted) =
        (vec![0.0; days.len()], vec![0.0; 60 * 60], vec![0.0; closes.len()]);
    allocations("covariances and the mean of the worst days", || {
        covariance::sample_covariance(days, 60, 252.0, &mut centred, &mut out).unwrap();
        ledoit_wolf::ledoit_wolf(days, 60, 252.0, &mut centred, &mut out).unwrap();
        cvar::historical_cvar(&closes, 0.95, &mut sorted).unwrap();
    });
}

/// No flows for as many days, without taking memory for them.
fn no_flows(closes: &[f64]) -> &[f64] {
    static NOTHING: [f64; 1_000] = [0.0; 1_000];
    &NOTHING[..closes.len()]
}
