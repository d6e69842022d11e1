//! One value at a time gives what a full recomputation gives, for every prefix of a random series.
#![allow(clippy::unwrap_used)]

use formulas::drawdown::{Drawdown, max_drawdown_of_returns};
use formulas::ema::Ema;
use formulas::rsi::{Rsi, Seed};
use formulas::twr::{TimeWeightedReturn, twr};
use formulas::window::Window;
use formulas::{bollinger, returns, sharpe, sma, sortino, ulcer_index, volatility, year_range};
use proptest::prelude::*;

const TOLERANCE: f64 = 1e-12;

fn closes() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.01..100_000.0_f64, 1..320)
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= TOLERANCE * right.abs().max(1.0)
}

/// The average by its closed form: the seed decayed, plus every later close with its weight.
fn ema_by_weights(closes: &[f64], length: usize) -> f64 {
    let seeded = length.min(closes.len());
    let seed = closes[..seeded].iter().sum::<f64>() / seeded as f64;
    let keep: f64 = 1.0 - 2.0 / (length as f64 + 1.0);
    let later = &closes[seeded..];
    let decayed = seed * keep.powi(later.len() as i32);
    let weigh = |(age, close): (usize, &f64)| (1.0 - keep) * keep.powi(age as i32) * close;
    decayed + later.iter().rev().enumerate().map(weigh).sum::<f64>()
}

/// Wilder's averages by their closed form.
fn rsi_by_weights(closes: &[f64], length: usize) -> Option<f64> {
    let differences: Vec<f64> = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (seed, later) = differences.split_at_checked(length)?;
    let keep = (length as f64 - 1.0) / length as f64;
    let average = |sign: f64| {
        let positive = |difference: &f64| (sign * difference).max(0.0);
        let start = seed.iter().map(positive).sum::<f64>() / length as f64;
        let decayed = start * keep.powi(later.len() as i32);
        let weigh = |(age, d): (usize, &f64)| keep.powi(age as i32) * positive(d) / length as f64;
        decayed + later.iter().rev().enumerate().map(weigh).sum::<f64>()
    };
    let (gain, loss) = (average(1.0), average(-1.0));
    (gain + loss > 0.0).then(|| 100.0 * gain / (gain + loss))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ema_equals_its_closed_form(series in closes(), length in 1_usize..60) {
        let mut average = Ema::new(length);
        for (i, &value) in series.iter().enumerate() {
            average.push(value);
            let reading = average.value().unwrap();
            prop_assert!(close(reading.value, ema_by_weights(&series[..=i], length)));
            prop_assert_eq!(reading.is_partial, i + 1 < length);
        }
    }

    #[test]
    fn rsi_equals_its_closed_form(series in closes(), length in 1_usize..30) {
        let mut index = Rsi::new(length, Seed::Wilder);
        for (i, &value) in series.iter().enumerate() {
            index.push(value);
            match (index.value(), rsi_by_weights(&series[..=i], length)) {
                (Some(left), Some(right)) => prop_assert!(close(left, right), "{left} {right}"),
                (left, right) => prop_assert_eq!(left, right),
            }
        }
    }

    #[test]
    fn drawdown_equals_the_definition(series in closes()) {
        let mut drawdown = Drawdown::new();
        for (i, &value) in series.iter().enumerate() {
            drawdown.push(value);
            let falls = (0..=i).map(|j| {
                let peak = series[..=j].iter().copied().fold(0.0, f64::max);
                series[j] / peak - 1.0
            });
            let falls: Vec<f64> = falls.collect();
            let deepest = falls.iter().copied().fold(0.0, f64::min);
            prop_assert!(close(drawdown.max().unwrap(), deepest));
            prop_assert!(close(drawdown.current().unwrap(), falls[i]));
        }
    }

    #[test]
    fn drawdown_from_returns_equals_drawdown_from_closes(series in closes()) {
        let mut buffer = vec![0.0; series.len()];
        if let Some(returns) = returns::simple_returns(&series, &mut buffer) {
            let from_returns = max_drawdown_of_returns(returns).unwrap();
            let from_closes = formulas::drawdown::drawdown(&series).max().unwrap();
            prop_assert!((from_returns - from_closes).abs() < 1e-9);
        }
    }

    #[test]
    fn time_weighted_return_equals_the_product_of_its_days(
        series in closes(),
        flows in prop::collection::vec(-0.005..100.0_f64, 320),
    ) {
        let mut total = TimeWeightedReturn::new();
        // Values that follow from the closes as prices, plus what was paid in at the end of each day.
        let (mut units, mut values) = (1.0, Vec::new());
        for (price, flow) in series.iter().zip(&flows) {
            units += flow / price;
            values.push(units * price);
        }
        for (i, (&value, &flow)) in values.iter().zip(&flows).enumerate() {
            total.push(value, flow);
            // Units neither gain nor lose by deposits, so the return is that of the price.
            let expected = (i > 0).then(|| series[i] / series[0]);
            match (total.value(), expected) {
                (Some(left), Some(right)) => prop_assert!(((1.0 + left) / right - 1.0).abs() < 1e-9),
                (left, right) => prop_assert!(left.is_none() && right.is_none()),
            }
            prop_assert_eq!(total.value(), twr(&values[..=i], &flows[..=i]));
        }
    }

    /// A window holds the last values bit for bit, so each statistic of it is the full one.
    #[test]
    fn windowed_statistics_equal_those_of_the_last_values(series in closes(), size in 1_usize..80) {
        let mut window = Window::new(size);
        for (i, &value) in series.iter().enumerate() {
            window.push(value);
            let last = &series[(i + 1).saturating_sub(size)..=i];
            let held = window.as_slice();
            prop_assert_eq!(held, last);
            prop_assert_eq!(window.is_full(), i + 1 >= size);
            prop_assert_eq!(sma::sma(held, size), sma::sma(last, size));
            prop_assert_eq!(bollinger::bands(held, size, 2.0), bollinger::bands(last, size, 2.0));
            prop_assert_eq!(volatility::volatility(held), volatility::volatility(last));
            prop_assert_eq!(sharpe::sharpe(held, 0.0), sharpe::sharpe(last, 0.0));
            prop_assert_eq!(sortino::sortino(held, 0.0), sortino::sortino(last, 0.0));
            prop_assert_eq!(ulcer_index::ulcer_index(held), ulcer_index::ulcer_index(last));
            prop_assert_eq!(year_range::year_high(held), year_range::year_high(last));
        }
    }
}

#[test]
fn a_window_of_no_capacity_stays_empty() {
    let mut window = Window::new(0);
    window.push(1.0);
    assert!(window.as_slice().is_empty() && window.is_full());
}
