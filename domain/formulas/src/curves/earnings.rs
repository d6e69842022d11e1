//! How cheap earnings are: price to earnings against that of the market.
//!
//! Definition: e = (pe + forward)/2 if forward > 0, else pe; x = (e − market)/market: (−0.2, 1) (−0.1, 0.7) (0, 0.5)
//! (0.2, 0.2). Units: ratio. Range: 0.2 to 1. A pe ≤ 0 means that money is lost: 0.2; the reference read it as
//! unknown. A market ratio that is not positive, a pe not a number: `None`.

use crate::finite::finite;
use crate::piecewise_linear::piecewise_linear;

const CURVE: [(f64, f64); 4] = [(-0.2, 1.0), (-0.1, 0.7), (0.0, 0.5), (0.2, 0.2)];
const LOSS: f64 = 0.2;

/// Scores a price to earnings ratio.
///
/// # Examples
/// ```
/// use formulas::curves::earnings::score;
/// // (20 + 18.7)/2 is 12 % below 22.
/// assert!((score(20.0, Some(18.72), 22.0).unwrap() - 0.76).abs() < 1e-9);
/// assert!((score(24.2, None, 22.0).unwrap() - 0.35).abs() < 1e-9);
/// assert_eq!(score(-5.0, Some(10.0), 22.0), Some(0.2));
/// assert_eq!(score(20.0, None, 0.0), None);
/// ```
pub fn score(pe: f64, forward: Option<f64>, market: f64) -> Option<f64> {
    if pe <= 0.0 {
        return Some(LOSS);
    }
    piecewise_linear(&CURVE, relative(pe, forward, market)?)
}

/// Computes how far above the market the ratio is, as a fraction; `None` unless both are positive.
///
/// # Examples
/// ```
/// let above = formulas::curves::earnings::relative(22.0, Some(26.4), 22.0).unwrap();
/// assert!((above - 0.1).abs() < 1e-12);
/// ```
pub fn relative(pe: f64, forward: Option<f64>, market: f64) -> Option<f64> {
    if !(pe > 0.0 && market > 0.0) {
        return None;
    }
    let expected = forward.filter(|forward| *forward > 0.0).map_or(pe, |forward| (pe + forward) / 2.0);
    finite((expected - market) / market)
}
