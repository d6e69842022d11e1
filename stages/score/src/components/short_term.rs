//! Short term: recent momentum, and the price against its 200-day average.
//!
//! Definition: mean of two curves. Momentum, 0.6 of 30 and 0.4 of 90 bars: (−0.30, 0.2) (−0.10, 0.5) (0, 0.6)
//! (0.05, 1) (0.15, 1) (0.30, 0.8) (0.45, 0.5). Distance to the average (−0.10, 1) (−0.05, 0.7) (0, 0.5) (0.10, 0.2).
//! Units: fractions. Range: 0.2 to 1. Fewer than 200 bars, a base that is not positive, or not a number: absent.
//! Worked example: flat prices are (0.6 + 0.5)/2 = 0.55.

use formulas::{
    ema,
    momentum::{LONG_LAG, SHORT_LAG, blend, momentum},
    piecewise_linear::piecewise_linear,
};

use super::Part;

const AVERAGE: usize = 200;
const MOMENTUM: [(f64, f64); 7] =
    [(-0.30, 0.2), (-0.10, 0.5), (0.0, 0.6), (0.05, 1.0), (0.15, 1.0), (0.30, 0.8), (0.45, 0.5)];
const DISTANCE: [(f64, f64); 4] = [(-0.10, 1.0), (-0.05, 0.7), (0.0, 0.5), (0.10, 0.2)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let momentum = blend(momentum(closes, SHORT_LAG), momentum(closes, LONG_LAG));
    let distance = distance(closes);
    Part::new(curve(momentum, distance), &[("momentum", momentum), ("above_ema_200", distance)])
}

fn curve(momentum: Option<f64>, distance: Option<f64>) -> Option<f64> {
    let strength = piecewise_linear(&MOMENTUM, momentum?)?;
    Some(f64::midpoint(strength, piecewise_linear(&DISTANCE, distance?)?))
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

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-9)
    }

    #[test]
    fn the_worked_example() {
        assert!(near(part(&[50.0; 300]).value, 0.55));
        assert!(near(curve(Some(0.10), Some(0.05)), 0.675));
    }

    #[test]
    fn a_fall_costs_gradually() {
        assert!(near(curve(Some(-0.20), Some(0.0)), 0.425));
        assert!(near(curve(Some(-0.90), Some(0.10)), 0.2));
    }

    #[test]
    fn too_little_and_broken_history_says_nothing() {
        assert_eq!(part(&[]).value, None);
        assert_eq!(part(&[50.0; AVERAGE - 1]).value, None);
        assert!(part(&[50.0; AVERAGE]).value.is_some());
        assert_eq!(part(&[-50.0; 300]).value, None);
        assert_eq!(part(&[f64::NAN; 300]).value, None);
    }
}
