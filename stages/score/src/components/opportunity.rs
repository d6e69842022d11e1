//! Opportunity: a good price now, measured by the distance below the high of the year and by exhaustion of sellers.
//!
//! Definition: o = mean of two curves. Distance below the 52-week high (0, 0.2) (0.1, 0.5) (0.2, 0.8) (0.3, 1); index
//! of relative strength over 14 days (30, 1) (70, 0). Then the quality gate: o·(1 − 0.3·clip((o − 0.4)/0.4)
//! ·clip(max(0.6 − s, 0.5 − l)/0.2)) with stability s and long-term growth l, because what is cheap because it is bad
//! is no opportunity; an absent one does not count against it. Units: fraction, index points. Range: 0 to 1. Fewer than
//! 126 bars, a flat series (no strength), or not a number: absent. Negative prices have no distance: absent.
//! Worked example: a tenth below the high with an index of 40 is (0.5 + 0.75)/2 = 0.625.

use formulas::{
    piecewise_linear::piecewise_linear,
    reading::Reading,
    rsi::{RSI_LENGTH, rsi},
    year_range::{below_high, year_high},
};

use super::{Part, long_term, stability};

const BELOW_HIGH: [(f64, f64); 4] = [(0.0, 0.2), (0.1, 0.5), (0.2, 0.8), (0.3, 1.0)];
const STRENGTH: [(f64, f64); 2] = [(30.0, 1.0), (70.0, 0.0)];
const STABILITY_MIN: f64 = 0.6;
const LONG_TERM_MIN: f64 = 0.5;

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let high = year_high(closes).and_then(Reading::complete);
    let below = high.zip(closes.last()).and_then(|(high, close)| below_high(*close, high));
    let rsi = rsi(closes, RSI_LENGTH);
    let lack = lack(stability::part(closes).value, long_term::part(closes).value);
    let value = curve(below, rsi).map(|value| value * gate(value, lack));
    Part::new(value, &[("below_high", below), ("rsi", rsi)])
}

fn curve(below: Option<f64>, rsi: Option<f64>) -> Option<f64> {
    let cheap = piecewise_linear(&BELOW_HIGH, below?)?;
    Some(f64::midpoint(cheap, piecewise_linear(&STRENGTH, rsi?)?))
}

/// How far quality falls short; what is unknown does not.
fn lack(stability: Option<f64>, long_term: Option<f64>) -> f64 {
    let short = |value: Option<f64>, min: f64| value.map_or(0.0, |value| min - value);
    short(stability, STABILITY_MIN).max(short(long_term, LONG_TERM_MIN))
}

fn gate(value: f64, lack: f64) -> f64 {
    1.0 - 0.3 * ((value - 0.4) / 0.4).clamp(0.0, 1.0) * (lack / 0.2).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-9)
    }

    #[test]
    fn the_worked_example() {
        assert!(near(curve(Some(0.1), Some(40.0)), 0.625));
        assert!(near(curve(Some(0.0), Some(70.0)), 0.1) && near(curve(Some(0.9), Some(0.0)), 1.0));
    }

    #[test]
    fn the_gate_begins_where_quality_ends_and_takes_three_tenths_at_most() {
        for (value, stability, long_term, expected) in [
            (0.9, Some(0.6), Some(0.5), 1.0),
            (0.9, Some(0.5), Some(0.9), 0.85),
            (0.9, Some(0.9), Some(0.3), 0.7),
            (0.9, Some(0.0), None, 0.7),
            (0.9, None, None, 1.0),
            (0.6, Some(0.0), None, 0.85),
            (0.4, Some(0.0), Some(0.0), 1.0),
        ] {
            assert!(near(Some(gate(value, lack(stability, long_term))), expected), "{value} {stability:?}");
        }
    }

    #[test]
    fn a_fall_is_an_opportunity_and_a_high_is_not() {
        let rising: Vec<f64> = (0..300).map(|bar| 100.0 + f64::from(bar)).collect();
        let falling: Vec<f64> = (0..300).map(|bar| 400.0 - f64::from(bar)).collect();
        assert!(near(part(&rising).value, 0.1), "at the high, never sold");
        // 63 % below the high, index 0, but it only ever fell: the whole gate.
        assert!(near(part(&falling).value, 0.7));
    }

    #[test]
    fn too_little_flat_and_broken_history_says_nothing() {
        let rising: Vec<f64> = (0..126).map(|bar| 100.0 + f64::from(bar)).collect();
        assert!(part(&rising).value.is_some());
        assert_eq!(part(&rising[1..]).value, None);
        assert_eq!(part(&[]).value, None);
        assert_eq!(part(&[50.0; 300]).value, None, "what never moved has no strength");
        assert_eq!(part(&[-50.0; 300]).value, None);
        assert_eq!(part(&[f64::NAN; 300]).value, None);
    }
}
