//! Reads a market out of any bytes and asks everything of it. Panics only when an answer is not finite or breaks a limit;
//! shared by the fuzz target and by a test that runs it on random bytes.

use allocation::feasibility::relax;
use allocation::frontier::Frontier;
use allocation::ladder::{Targets, climb};
use allocation::project::{project_box_sum, project_onto};
use allocation::tail_loss::TailLoss;
use allocation::{Bound, Group, Limits};
use formulas::{
    bollinger, cagr, contrarian, correlation, covariance, cvar, drawdown, ema, falls, hrp, ledoit_wolf,
    linkage::Linkage, momentum, returns, rsi, semidefinite, sharpe, sortino, ulcer_index, volatility,
    year_range,
};

/// What a market may do to whoever believes in it.
const EDGES: [f64; 10] =
    [0.0, 1.0, -1.0, 1e9, -1e9, 1e-9, f64::MAX, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY];

/// Three bytes are a number: mostly a return of some percent, sometimes an edge.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn next(&mut self) -> f64 {
        let (kind, high, low) = (self.byte(), self.byte(), self.byte());
        if kind >= 250 {
            return EDGES[usize::from(high) % EDGES.len()];
        }
        (f64::from(u16::from_be_bytes([high, low])) - 32_768.0) / 32_768.0 * f64::from(kind % 5) / 4.0
    }

    fn some(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Asks everything.
pub fn examine(data: &[u8]) {
    let mut numbers = Numbers(data);
    let n = 1 + usize::from(numbers.byte()) % 7;
    let rows = 2 + usize::from(numbers.byte()) % 40;
    let days = numbers.some(n * rows);
    series(&days, &numbers.some(40));
    let covariance = estimate(&days, n);
    let limits = limits(&mut numbers, n);
    let returns = numbers.some(n);
    programmes(&limits, &returns, &covariance, &days, numbers.next(), numbers.next());
}

fn finite(name: &str, values: &[Option<f64>]) {
    for (at, value) in values.iter().enumerate() {
        assert!(value.is_none_or(f64::is_finite), "{name} {at}: {value:?}");
    }
}

/// Prices with gaps, jumps and zeros: some as they are, some chained from returns.
fn series(days: &[f64], raw: &[f64]) {
    let mut price = 100.0;
    let chained: Vec<f64> = days
        .iter()
        .map(|step| {
            price *= 1.0 + step;
            price
        })
        .collect();
    for closes in [raw, &chained] {
        let mut space = vec![0.0; closes.len()];
        let made = returns::simple_returns(closes, &mut space).unwrap_or(&[]);
        let falls = falls::falls(closes);
        let signal = contrarian::signal(closes);
        let mut sorted = vec![0.0; made.len()];
        let bands = bollinger::bands(closes, 20, 2.0);
        finite(
            "indicator",
            &[
                ema::ema(closes, 20).map(|reading| reading.value),
                rsi::rsi(closes, 14),
                bands.map(|bands| bands.upper),
                bands.and_then(|bands| bands.position(*closes.last()?)),
                volatility::volatility(made),
                sharpe::sharpe(made, 0.0001),
                sortino::sortino(made, 0.0001),
                drawdown::drawdown(closes).max(),
                falls.map(|falls| falls.deepest),
                falls.map(|falls| falls.ulcer_index),
                ulcer_index::ulcer_index(closes),
                momentum::momentum(closes, 30),
                year_range::year_high(closes).map(|high| high.value),
                cagr::cagr_5y(closes),
                cvar::historical_cvar(made, 0.95, &mut sorted),
                Some(signal.opportunity),
                Some(signal.rank),
                Some(signal.volatility_ratio),
            ],
        );
    }
}

/// The shrunk covariance, or one of its own making where the returns have none.
fn estimate(days: &[f64], n: usize) -> Vec<f64> {
    let (mut centred, mut out) = (vec![0.0; days.len()], vec![0.0; n * n]);
    let found = ledoit_wolf::ledoit_wolf(days, n, 252.0, &mut centred, &mut out);
    finite("shrinkage", &[found]);
    let mut sample = vec![0.0; n * n];
    if covariance::sample_covariance(days, n, 252.0, &mut centred, &mut sample).is_some() {
        finite("covariance", &sample.iter().map(|value| Some(*value)).collect::<Vec<_>>());
        let mut rho = vec![0.0; n * n];
        if hrp::correlations(&sample, n, &mut rho).is_some() {
            for linkage in [Linkage::Single, Linkage::Ward] {
                if let Some(parity) = hrp::risk_parity(&sample, &rho, n, linkage) {
                    let sum: f64 = parity.weights.iter().sum();
                    assert!((sum - 1.0).abs() < 1e-9, "risk parity adds up to {sum}");
                }
            }
        }
        let mut repaired = vec![0.0; n * n];
        finite("repair", &[semidefinite::repair(&sample, n, &mut repaired)]);
    }
    for pair in correlation::strongest_pairs(days, n, 0.5, 5) {
        assert!(pair.correlation.is_finite());
    }
    if found.is_some() {
        out
    } else {
        (0..n * n).map(|at| if at.is_multiple_of(n + 1) { 0.04 } else { 0.0 }).collect()
    }
}

fn limits(numbers: &mut Numbers<'_>, n: usize) -> Limits {
    let bound = |numbers: &mut Numbers<'_>| match numbers.byte() % 4 {
        0 => Bound { lower: 0.0, upper: 0.0 },
        1 => Bound { lower: numbers.next(), upper: numbers.next() },
        _ => {
            let lower = numbers.next().abs() / 4.0;
            Bound { lower, upper: lower + numbers.next().abs() }
        }
    };
    let bounds = (0..n).map(|_| bound(numbers)).collect();
    let count = usize::from(numbers.byte()) % 5;
    let group = |number: usize, numbers: &mut Numbers<'_>| {
        let shares = (0..n).map(|_| f64::from(numbers.byte() % 2)).collect();
        let lower = numbers.next().abs();
        Group { name: format!("group {number}"), shares, lower, upper: lower + numbers.next().abs() }
    };
    let groups = (0..count).map(|number| group(number, numbers)).collect();
    let budget = if numbers.byte().is_multiple_of(4) { numbers.next() } else { 1.0 };
    Limits { bounds, groups, budget }
}

fn programmes(
    limits: &Limits,
    returns: &[f64],
    covariance: &[f64],
    days: &[f64],
    target: f64,
    volatility: f64,
) {
    let kept = |name: &str, limits: &Limits, weights: &[f64]| {
        assert!(weights.iter().all(|weight| weight.is_finite()), "{name} {weights:?}");
        assert!(limits.violation(weights) <= 1e-6, "{name} breaks a limit by {}", limits.violation(weights));
    };
    let even = vec![limits.budget / returns.len() as f64; returns.len()];
    if let Ok(near) = project_box_sum(&even, &limits.bounds, limits.budget) {
        assert!(near.iter().all(|weight| weight.is_finite()));
    }
    let Ok(possible) = relax(limits) else { return };
    let limits = Limits { groups: possible.groups, ..limits.clone() };
    if let Ok(near) = project_onto(&even, &limits) {
        kept("projection", &limits, &near);
    }
    if let Ok(frontier) = Frontier::new(returns, covariance, &limits) {
        let answers = [
            frontier.min_volatility(),
            frontier.efficient_return(target),
            frontier.efficient_risk(volatility),
            frontier.max_sharpe(target),
        ];
        answers.iter().flatten().for_each(|weights| kept("frontier", &limits, weights));
        if let Ok(chosen) = climb(&frontier, &Targets { annual_return: target, volatility, risk_free: 0.02 })
        {
            kept("ladder", &limits, &chosen.weights);
        }
    }
    let tail = TailLoss { days, returns, limits: &limits, confidence: 0.95 };
    if let Ok(weights) = tail.least() {
        kept("tail", &limits, &weights);
    }
}
