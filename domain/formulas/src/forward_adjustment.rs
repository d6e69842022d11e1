//! Forward-looking adjustment of expected returns from fear, the yield curve and valuation.
//!
//! Definition, each term continuous and between −0.10 and +0.05, a missing indicator 0:
//! VIX v: −0.10·min(1, (v − 30)/20) above 30, +0.05·(1 − v/15) below 15;
//! slope s = y10 − y3m: −0.10·min(1, (−0.01 − s)/0.02) below −0.01, +0.045·min(1, (s − 0.01)/0.02)
//! above 0.01; market P/E p: −0.10·min(1, (p − 26)/13) above 26, +0.05·min(1, (18 − p)/4) below 18.
//! Sum clamped to ±0.20. Units: relative change of a return. Not a number or a negative VIX or P/E
//! counts as missing. For display; off in the decision, because fear has preceded better returns, not
//! worse ones.

use crate::finite::finite;
use crate::piecewise_linear::piecewise_linear;

const FEAR: [(f64, f64); 4] = [(0.0, 0.05), (15.0, 0.0), (30.0, 0.0), (50.0, -0.10)];
const SLOPE: [(f64, f64); 4] = [(-0.03, -0.10), (-0.01, 0.0), (0.01, 0.0), (0.03, 0.045)];
const VALUATION: [(f64, f64); 4] = [(14.0, 0.05), (18.0, 0.0), (26.0, 0.0), (39.0, -0.10)];
const SUM_MAX: f64 = 0.20;

/// The market's indicators, each may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Indicators {
    /// VIX.
    pub vix: Option<f64>,
    /// Ten-year yield, fraction.
    pub yield_10y: Option<f64>,
    /// Three-month yield, fraction.
    pub yield_3m: Option<f64>,
    /// Price-earnings ratio of the market.
    pub market_pe: Option<f64>,
}

/// Computes the adjustment; 0 when nothing is known.
///
/// # Examples
/// ```
/// use formulas::forward_adjustment::{Indicators, forward_adjustment};
/// let fear = Indicators { vix: Some(40.0), ..Indicators::default() };
/// assert!((forward_adjustment(&fear) + 0.05).abs() < 1e-12);
/// assert!(forward_adjustment(&Indicators::default()).abs() < 1e-12);
/// ```
pub fn forward_adjustment(indicators: &Indicators) -> f64 {
    let slope = indicators.yield_10y.zip(indicators.yield_3m).map(|(long, short)| long - short);
    let sum = term(&FEAR, indicators.vix.filter(|vix| *vix >= 0.0))
        + term(&SLOPE, slope)
        + term(&VALUATION, indicators.market_pe.filter(|pe| *pe > 0.0));
    sum.clamp(-SUM_MAX, SUM_MAX)
}

fn term(curve: &[(f64, f64)], indicator: Option<f64>) -> f64 {
    indicator.and_then(finite).and_then(|x| piecewise_linear(curve, x)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_indicators_that_mean_nothing() {
        for bad in [f64::NAN, f64::INFINITY, -5.0] {
            let indicators = Indicators { vix: Some(bad), market_pe: Some(bad), ..Indicators::default() };
            assert!(forward_adjustment(&indicators).abs() < 1e-12, "{bad}");
        }
        let half = Indicators { yield_10y: Some(0.05), ..Indicators::default() };
        assert!(forward_adjustment(&half).abs() < 1e-12);
    }

    #[test]
    fn has_no_jump_and_no_free_growth() {
        let pe = |pe| forward_adjustment(&Indicators { market_pe: Some(pe), ..Indicators::default() });
        assert!(pe(18.0).abs() < 1e-12 && (pe(14.0) - 0.05).abs() < 1e-12 && (pe(2.0) - 0.05).abs() < 1e-12);
        let slope = |s| {
            let yields = Indicators { yield_10y: Some(s), yield_3m: Some(0.0), ..Indicators::default() };
            forward_adjustment(&yields)
        };
        assert!(slope(-0.01).abs() < 1e-12 && (slope(-0.03) + 0.10).abs() < 1e-12);
    }
}
