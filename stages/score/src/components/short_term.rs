//! Short-term strength: momentum of a quarter and the price against its 200-day average.
//!
//! Rule: mean of two curves, each 0 at −15 %, 0.5 at 0 and 1 at +15 %. Worked example: flat prices are 0.5.

use formulas::{ema, momentum::momentum, piecewise_linear::piecewise_linear};

use super::Part;

const QUARTER: usize = 63;
const AVERAGE: usize = 200;
const STRENGTH: [(f64, f64); 3] = [(-0.15, 0.0), (0.0, 0.5), (0.15, 1.0)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let momentum = momentum(closes, QUARTER);
    let distance = distance(closes);
    let curve = |figure: Option<f64>| figure.and_then(|figure| piecewise_linear(&STRENGTH, figure));
    let value = curve(momentum).zip(curve(distance)).map(|(one, other)| f64::midpoint(one, other));
    Part::new(value, &[("momentum_63", momentum), ("above_ema_200", distance)])
}

/// The price against its 200-day average, as a fraction; also the measure of the regime.
#[must_use]
pub fn distance(closes: &[f64]) -> Option<f64> {
    let average = ema::ema(closes, AVERAGE)?.complete()?;
    ema::distance(*closes.last()?, average)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_prices_are_neutral() {
        assert!(part(&[50.0; 300]).value.is_some_and(|value| (value - 0.5).abs() < 1e-9));
    }

    #[test]
    fn a_short_history_says_nothing() {
        assert_eq!(part(&[50.0; 150]).value, None);
    }
}
