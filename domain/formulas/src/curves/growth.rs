//! How good a growth rate is, with a guard against bubbles.
//!
//! Definition, x = growth a year, t = target: x ≤ 0: 0.15. Bubble, x > 1.5·t and at least two of Sharpe < 0.5,
//! Sortino < 0.5, volatility > 0.40 (absent ones do not count): 0.6. From the target on (0, 0.8) (0.04, 0.95)
//! (0.09, 1) of x − t. Below it 0.15 + 0.65·exp(−(x − t)²/(2·0.06²)). Units: fractions a year. Range: 0.15 to 1.
//! Not a number, or a target that is not positive: `None`.
//!
//! Continuous at the target, so that falling just short never beats reaching it; the older form, which rises to 1
//! below the target, is [`unrepaired`], and the reference's bell, which punishes growth above the target,
//! [`reference()`].

use crate::bell::bell;
use crate::finite::all_finite;
use crate::piecewise_linear::piecewise_linear;

const FLOOR: f64 = 0.15;
const AT_TARGET: f64 = 0.8;
const WIDTH: f64 = 0.06;
const REFERENCE_WIDTH_ABOVE: f64 = 0.10;
const ABOVE: [(f64, f64); 3] = [(0.0, AT_TARGET), (0.04, 0.95), (0.09, 1.0)];
const BUBBLE: f64 = 0.6;
const BUBBLE_GROWTH: f64 = 1.5;
const BUBBLE_SIGNS: usize = 2;
const RATIO_MIN: f64 = 0.5;
const VOLATILITY_MAX: f64 = 0.40;

/// What tells healthy growth from a bubble.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Health {
    /// Sharpe ratio.
    pub sharpe: Option<f64>,
    /// Sortino ratio.
    pub sortino: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
}

impl Health {
    /// Counts the signs of a bubble.
    pub fn signs(&self) -> usize {
        let low = |ratio: Option<f64>| ratio.is_some_and(|ratio| ratio < RATIO_MIN);
        let restless = self.volatility.is_some_and(|volatility| volatility > VOLATILITY_MAX);
        [low(self.sharpe), low(self.sortino), restless].into_iter().filter(|sign| *sign).count()
    }
}

/// Scores a growth rate.
///
/// # Examples
/// ```
/// use formulas::curves::growth::{Health, score};
/// let calm = Health::default();
/// // Two points above the target of 11 %.
/// assert!((score(0.13, 0.11, calm).unwrap() - 0.875).abs() < 1e-12);
/// // One width below it: 0.15 + 0.65·e^(−1/2).
/// assert!((score(0.05, 0.11, calm).unwrap() - (0.15 + 0.65 * (-0.5_f64).exp())).abs() < 1e-12);
/// let wild = Health { sharpe: Some(0.4), volatility: Some(0.5), ..calm };
/// assert_eq!(score(0.17, 0.11, wild), Some(0.6));
/// assert_eq!(score(-0.1, 0.11, calm), Some(0.15));
/// ```
pub fn score(growth: f64, target: f64, health: Health) -> Option<f64> {
    capped(growth, target, health, AT_TARGET - FLOOR)
}

/// Scores a growth rate with the older form, whose lower branch reaches 1 at the target.
///
/// # Examples
/// ```
/// use formulas::curves::growth::{Health, unrepaired};
/// assert!(unrepaired(0.1099, 0.11, Health::default()) > unrepaired(0.11, 0.11, Health::default()));
/// ```
pub fn unrepaired(growth: f64, target: f64, health: Health) -> Option<f64> {
    capped(growth, target, health, 1.0 - FLOOR)
}

/// Scores a growth rate with the reference's bell.
///
/// # Examples
/// ```
/// assert_eq!(formulas::curves::growth::reference(0.11, 0.11), Some(1.0));
/// ```
pub fn reference(growth: f64, target: f64) -> Option<f64> {
    bell(growth, target, WIDTH, REFERENCE_WIDTH_ABOVE)
}

/// Scores price growth plus dividend yield for the end state: the bell around `target` (0.12) with widths 0.06 and
/// 0.12.
///
/// # Examples
/// ```
/// assert_eq!(formulas::curves::growth::total_return(0.12, 0.12), Some(1.0));
/// assert_eq!(formulas::curves::growth::total_return(0.0, 0.12), Some(0.15));
/// ```
pub fn total_return(total: f64, target: f64) -> Option<f64> {
    bell(total, target, WIDTH, 2.0 * WIDTH)
}

fn capped(growth: f64, target: f64, health: Health, height: f64) -> Option<f64> {
    if !all_finite(&[growth, target]) || target <= 0.0 {
        return None;
    }
    if growth <= 0.0 {
        return Some(FLOOR);
    }
    if growth > BUBBLE_GROWTH * target && health.signs() >= BUBBLE_SIGNS {
        return Some(BUBBLE);
    }
    if growth >= target {
        return piecewise_linear(&ABOVE, growth - target);
    }
    // The bell brings a floor and a height of its own; only its shape is used.
    let shape = (bell(growth, target, WIDTH, WIDTH)? - FLOOR) / (1.0 - FLOOR);
    Some(FLOOR + height * shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaching_the_target_never_scores_below_falling_short() {
        let at = |growth: f64| score(growth, 0.11, Health::default());
        assert!(at(0.11 - 1e-9) < at(0.11) && at(0.11) < at(0.11 + 1e-9));
        assert_eq!(at(3.0), Some(1.0));
    }

    #[test]
    fn one_sign_or_too_little_growth_is_no_bubble() {
        let health = Health { sharpe: Some(0.49), sortino: Some(0.49), volatility: None };
        assert_eq!(score(0.166, 0.11, health), Some(BUBBLE));
        assert!(score(0.165, 0.11, health) > Some(BUBBLE), "exactly 1.5 times the target");
        let at_the_level = Health { sharpe: Some(0.5), sortino: Some(0.5), volatility: Some(0.40) };
        assert_eq!(at_the_level.signs(), 0);
    }

    #[test]
    fn numbers_that_mean_nothing_have_no_score() {
        let calm = Health::default();
        assert_eq!(score(f64::NAN, 0.11, calm), None);
        assert_eq!(score(0.1, 0.0, calm), None);
        assert_eq!(reference(f64::NAN, 0.11), None);
    }
}
