//! Quality gate: tells what is cheap because it is bad from what is a good opportunity.
//!
//! Definition. Factor on opportunity and timing: 1 − 0.3·clip((o − 0.4)/0.4)·clip(max(0.6 − s, 0.5 − l)/0.2), with
//! opportunity o, stability s, long-term growth l; an absent s or l does not count against it. Gate, any path passes:
//! s ≥ 0.55 and l ≥ 0.45; or s ≥ 0.55, dividends ≥ 0.65 and yield ≥ 0.035; or l ≥ 0.55, Sharpe or Sortino ≥ 0.7,
//! volatility ≤ 0.35. Units: scores and fractions. Range: factor 0.7 to 1. Without s and l the gate is unknown. Not a
//! number counts as absent.

/// What the gate looks at; what is unknown opens no path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Score of the stability group.
    pub stability: Option<f64>,
    /// Score of the long-term group.
    pub long_term: Option<f64>,
    /// Score of the dividends group.
    pub dividends: Option<f64>,
    /// Dividend yield.
    pub dividend_yield: Option<f64>,
    /// Sharpe ratio.
    pub sharpe: Option<f64>,
    /// Sortino ratio.
    pub sortino: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
}

/// Decides whether a security passes; `None` without both stability and long-term growth.
///
/// # Examples
/// ```
/// use formulas::quality_gate::{Evidence, passes};
/// let known = Evidence { stability: Some(0.55), long_term: Some(0.45), ..Evidence::default() };
/// assert_eq!(passes(&known), Some(true));
/// assert_eq!(passes(&Evidence { long_term: Some(0.44), ..known }), Some(false));
/// assert_eq!(passes(&Evidence { stability: None, ..known }), None);
/// ```
pub fn passes(evidence: &Evidence) -> Option<bool> {
    let at_least = |value: Option<f64>, least: f64| value.is_some_and(|value| value >= least);
    let balanced = at_least(evidence.stability, 0.55) && at_least(evidence.long_term, 0.45);
    let payer = at_least(evidence.stability, 0.55)
        && at_least(evidence.dividends, 0.65)
        && at_least(evidence.dividend_yield, 0.035);
    let grower = at_least(evidence.long_term, 0.55)
        && (at_least(evidence.sharpe, 0.7) || at_least(evidence.sortino, 0.7))
        && evidence.volatility.is_some_and(|volatility| volatility <= 0.35);
    if balanced || payer || grower {
        return Some(true);
    }
    (evidence.stability.is_some() && evidence.long_term.is_some()).then_some(false)
}

/// Computes what remains of an opportunity or a timing.
///
/// # Examples
/// ```
/// use formulas::quality_gate::factor;
/// assert!((factor(0.9, Some(0.5), Some(0.9)) - 0.85).abs() < 1e-12);
/// assert!((factor(0.9, Some(0.9), Some(0.3)) - 0.7).abs() < 1e-12);
/// assert_eq!(factor(0.4, Some(0.0), Some(0.0)), 1.0);
/// assert_eq!(factor(0.9, None, None), 1.0);
/// ```
pub fn factor(opportunity: f64, stability: Option<f64>, long_term: Option<f64>) -> f64 {
    let short = |value: Option<f64>, least: f64| {
        value.filter(|value| value.is_finite()).map_or(0.0, |value| least - value)
    };
    let lack = short(stability, 0.6).max(short(long_term, 0.5));
    let cheap = if opportunity.is_finite() { ((opportunity - 0.4) / 0.4).clamp(0.0, 1.0) } else { 0.0 };
    1.0 - 0.3 * cheap * (lack / 0.2).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_opens_at_its_levels_and_not_below() {
        let payer = Evidence {
            stability: Some(0.55),
            long_term: Some(0.0),
            dividends: Some(0.65),
            dividend_yield: Some(0.035),
            ..Evidence::default()
        };
        assert_eq!(passes(&payer), Some(true));
        for worse in [
            Evidence { stability: Some(0.549), ..payer },
            Evidence { dividends: Some(0.649), ..payer },
            Evidence { dividend_yield: Some(0.0349), ..payer },
            Evidence { dividend_yield: None, ..payer },
        ] {
            assert_eq!(passes(&worse), Some(false), "{worse:?}");
        }
        let grower = Evidence {
            stability: Some(0.0),
            long_term: Some(0.55),
            sortino: Some(0.7),
            volatility: Some(0.35),
            ..Evidence::default()
        };
        assert_eq!(passes(&grower), Some(true));
        assert_eq!(passes(&Evidence { sortino: None, sharpe: Some(0.7), ..grower }), Some(true));
        for worse in [
            Evidence { long_term: Some(0.549), ..grower },
            Evidence { sortino: Some(0.699), ..grower },
            Evidence { volatility: Some(0.351), ..grower },
            Evidence { volatility: None, ..grower },
        ] {
            assert_eq!(passes(&worse), Some(false), "{worse:?}");
        }
    }

    #[test]
    fn the_factor_begins_where_quality_ends_and_takes_three_tenths_at_most() {
        assert!((factor(0.9, Some(0.6), Some(0.5)) - 1.0).abs() < 1e-12);
        assert!((factor(0.9, Some(0.0), None) - 0.7).abs() < 1e-12);
        assert!((factor(0.6, Some(0.0), None) - 0.85).abs() < 1e-12);
        assert!((factor(f64::NAN, Some(0.0), None) - 1.0).abs() < 1e-12);
    }
}
