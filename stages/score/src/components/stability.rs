//! Stability: calm prices and shallow falls over the last year.
//!
//! Definition: mean of two curves. Annual volatility (0.10, 1) (0.15, 0.9) (0.20, 0.75) (0.25, 0.6) (0.30, 0.45)
//! (0.40, 0.3) (0.6667, 0.1). Depth of the deepest fall (0.1, 1) (0.2, 0.8) (0.3, 0.6) (0.5, 0.2) (0.7, 0). Units:
//! fractions. Range: 0.05 to 1. Fewer than 60 bars, a close that is not positive, or not a number: absent.
//! Worked example: a volatility of 20 % and a fall of 30 % are (0.75 + 0.6)/2 = 0.675.

use formulas::{
    drawdown::drawdown, piecewise_linear::piecewise_linear, returns::simple_returns, volatility::volatility,
};

use super::Part;
use crate::limits::BARS_MIN;

const YEAR: usize = 252;
const VOLATILITY: [(f64, f64); 7] =
    [(0.10, 1.0), (0.15, 0.9), (0.20, 0.75), (0.25, 0.6), (0.30, 0.45), (0.40, 0.3), (0.6667, 0.1)];
const FALL: [(f64, f64); 5] = [(0.1, 1.0), (0.2, 0.8), (0.3, 0.6), (0.5, 0.2), (0.7, 0.0)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let year = &closes[closes.len().saturating_sub(YEAR)..];
    let mut buffer = [0.0; YEAR];
    let known = (year.len() >= BARS_MIN).then_some(year);
    let volatility = known.and_then(|year| volatility(simple_returns(year, &mut buffer)?));
    let fall = known.and_then(|year| drawdown(year).max());
    Part::new(curve(volatility, fall), &[("volatility", volatility), ("max_drawdown", fall)])
}

fn curve(volatility: Option<f64>, fall: Option<f64>) -> Option<f64> {
    let calm = piecewise_linear(&VOLATILITY, volatility?)?;
    Some(f64::midpoint(calm, piecewise_linear(&FALL, fall?.abs())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-9)
    }

    #[test]
    fn the_worked_example() {
        assert!(near(curve(Some(0.20), Some(-0.30)), 0.675));
        assert!(near(curve(Some(5.0), Some(-1.0)), 0.05), "losing everything");
    }

    #[test]
    fn flat_prices_are_perfectly_stable() {
        assert!(near(part(&[50.0; 300]).value, 1.0));
    }

    #[test]
    fn a_halved_price_is_not() {
        let mut closes = vec![50.0; 300];
        closes[299] = 25.0;
        assert!(part(&closes).value.is_some_and(|value| value < 0.5));
    }

    #[test]
    fn only_the_last_year_counts() {
        let mut closes = vec![50.0; 300];
        closes[47] = 25.0;
        assert!(near(part(&closes).value, 1.0));
        closes[48] = 25.0;
        assert!(part(&closes).value.is_some_and(|value| value < 1.0));
    }

    #[test]
    fn too_little_and_broken_history_says_nothing() {
        assert_eq!(part(&[]).value, None);
        assert_eq!(part(&[50.0; BARS_MIN - 1]).value, None);
        assert!(part(&[50.0; BARS_MIN]).value.is_some());
        for broken in [0.0, -1.0, f64::NAN] {
            let mut closes = vec![50.0; 300];
            closes[200] = broken;
            assert_eq!(part(&closes).value, None, "{broken}");
        }
    }
}
