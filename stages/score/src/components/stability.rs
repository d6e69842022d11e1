//! Stability: calm prices and shallow falls over the last year.
//!
//! Rule: mean of two curves. Yearly volatility: 1 at 10 %, 0.5 at 25 %, 0 at 60 %. Deepest fall: 1 at none, 0.5 at
//! −20 %, 0 at −50 %. Worked example: flat prices are 1.

use formulas::{
    drawdown::drawdown, piecewise_linear::piecewise_linear, returns::simple_returns, volatility::volatility,
};

use super::Part;
use crate::limits::BARS_MIN;

const YEAR: usize = 252;
const CALM: [(f64, f64); 3] = [(0.10, 1.0), (0.25, 0.5), (0.60, 0.0)];
const SHALLOW: [(f64, f64); 3] = [(-0.50, 0.0), (-0.20, 0.5), (0.0, 1.0)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let year = &closes[closes.len().saturating_sub(YEAR + 1)..];
    let mut buffer = [0.0; YEAR];
    let known = (year.len() >= BARS_MIN).then_some(year);
    let volatility = known.and_then(|year| volatility(simple_returns(year, &mut buffer)?));
    let fall = known.and_then(|year| drawdown(year).max());
    let calm = volatility.and_then(|volatility| piecewise_linear(&CALM, volatility));
    let shallow = fall.and_then(|fall| piecewise_linear(&SHALLOW, fall));
    let value = calm.zip(shallow).map(|(calm, shallow)| f64::midpoint(calm, shallow));
    Part::new(value, &[("volatility", volatility), ("max_drawdown", fall)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_prices_are_perfectly_stable() {
        assert!(part(&[50.0; 300]).value.is_some_and(|value| (value - 1.0).abs() < 1e-9));
    }

    #[test]
    fn a_halved_price_is_not() {
        let mut closes = vec![50.0; 300];
        closes[299] = 25.0;
        assert!(part(&closes).value.is_some_and(|value| value < 0.5));
    }

    #[test]
    fn a_few_bars_say_nothing() {
        assert_eq!(part(&[50.0; BARS_MIN - 1]).value, None);
    }
}
