//! Opportunity: a good price now, measured by the distance below the high of the year and by exhaustion of sellers.
//!
//! Rule: mean of two curves. Below the year's high: 0.2 at none, 0.7 at 15 %, 1 at 30 % and more. RSI of 14 days: 1 at 30
//! and below, 0.5 at 50, 0 at 80. Worked example: at the high with an RSI of 50: (0.2 + 0.5) / 2 = 0.35.

use formulas::{
    piecewise_linear::piecewise_linear,
    rsi::rsi,
    year_range::{below_high, year_high},
};

use super::Part;

const RSI_BARS: usize = 14;
const CHEAP: [(f64, f64); 3] = [(0.0, 0.2), (0.15, 0.7), (0.30, 1.0)];
const EXHAUSTED: [(f64, f64); 3] = [(30.0, 1.0), (50.0, 0.5), (80.0, 0.0)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let high = year_high(closes).and_then(formulas::reading::Reading::complete);
    let below = high.zip(closes.last()).and_then(|(high, close)| below_high(*close, high)).map(f64::abs);
    let rsi = rsi(closes, RSI_BARS);
    let cheap = below.and_then(|below| piecewise_linear(&CHEAP, below));
    let exhausted = rsi.and_then(|rsi| piecewise_linear(&EXHAUSTED, rsi));
    let value = cheap.zip(exhausted).map(|(cheap, exhausted)| f64::midpoint(cheap, exhausted));
    Part::new(value, &[("below_high", below), ("rsi", rsi)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_an_opportunity_and_a_high_is_not() {
        let rising: Vec<f64> = (0..300).map(|bar| 100.0 + f64::from(bar)).collect();
        let falling: Vec<f64> = (0..300).map(|bar| 400.0 - f64::from(bar)).collect();
        let (up, down) = (part(&rising).value, part(&falling).value);
        assert!(up.zip(down).is_some_and(|(up, down)| up < 0.2 && down > 0.9), "{up:?} {down:?}");
    }

    #[test]
    fn a_short_history_says_nothing() {
        assert_eq!(part(&[1.0, 2.0]).value, None);
    }
}
