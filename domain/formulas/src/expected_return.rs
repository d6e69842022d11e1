//! Expected annual return of a security, from its history and its score.
//!
//! Definition: total = growth + yield, growth being the price CAGR shrunk towards the universe median;
//! base = history·total + (1 − history)·target·max(0, score)/0.5, history 0.70;
//! adjusted = base − |base|·(1 − m) + |base|·forward, m = 1 − 0.25·max(0, −R);
//! result = clamp(adjusted + tilt + bonus, −0.10, 0.30). Units: fractions a year. Range: −0.10 to 0.30.
//! Not a number or infinity anywhere: `None`. What to do about a missing input is the caller's
//! question: a missing growth excludes the security, a missing score forbids buying it.
//!
//! Shifts are added, never multiplied: a factor would make a negative expectation *better* in a bear
//! market and *worse* for a favourite.

use crate::finite::{all_finite, finite};

/// Share of history in the base; the rest is the score's.
pub const HISTORY_SHARE: f64 = 0.70;
/// The score that counts as exactly the target return.
const NEUTRAL_SCORE: f64 = 0.5;
/// Years of history at which growth counts half.
const SHRINKING_YEARS: f64 = 5.0;
const BEAR_DAMPING_MAX: f64 = 0.25;
const TILT_PER_DOUBLING: f64 = 0.02;
const TILT_MAX: f64 = 0.02;
const BONUS_MAX: f64 = 0.02;
const RETURN_MIN: f64 = -0.10;
const RETURN_MAX: f64 = 0.30;

/// What is known about a security's future.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Shrunk price growth a year.
    pub growth: f64,
    /// Dividend yield a year.
    pub dividend_yield: f64,
    /// Total score, 0 to 1.
    pub score: f64,
    /// Target return a year.
    pub target: f64,
}

/// What shifts the base, each neutral at its default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shifts {
    /// Bear damping m, 1 = none.
    pub damping: f64,
    /// Forward-looking adjustment, 0 = none (off by default).
    pub forward: f64,
    /// Tilt for the owner's preference, 0 = none.
    pub tilt: f64,
    /// Bonus for dividends to reinvest, 0 = none.
    pub bonus: f64,
}

impl Default for Shifts {
    fn default() -> Self {
        Self { damping: 1.0, forward: 0.0, tilt: 0.0, bonus: 0.0 }
    }
}

/// Shrinks a growth rate towards the universe median; `years` of history weigh years/(years + 5).
///
/// # Examples
/// ```
/// let shrunk = formulas::expected_return::shrunk_growth(0.20, 0.08, 5.0).unwrap();
/// assert!((shrunk - 0.14).abs() < 1e-15);
/// assert_eq!(formulas::expected_return::shrunk_growth(0.20, 0.08, 0.0), Some(0.08));
/// assert_eq!(formulas::expected_return::shrunk_growth(0.20, 0.08, -1.0), None);
/// ```
pub fn shrunk_growth(growth: f64, universe_median: f64, years: f64) -> Option<f64> {
    if years.is_nan() || years < 0.0 {
        return None;
    }
    let weight = finite(years / (years + SHRINKING_YEARS))?;
    finite(universe_median + weight * (growth - universe_median))
}

/// Computes the base: history and score mixed, before any shift.
///
/// # Examples
/// ```
/// use formulas::expected_return::{HISTORY_SHARE, Outlook, base};
/// let outlook = Outlook { growth: 0.09, dividend_yield: 0.02, score: 0.6, target: 0.11 };
/// // 0.7·0.11 + 0.3·0.11·1.2.
/// assert!((base(&outlook, HISTORY_SHARE).unwrap() - 0.1166).abs() < 1e-12);
/// ```
pub fn base(outlook: &Outlook, history_share: f64) -> Option<f64> {
    let factor = finite(outlook.score)?.max(0.0) / NEUTRAL_SCORE;
    let total = outlook.growth + outlook.dividend_yield;
    finite(total * history_share + outlook.target * factor * (1.0 - history_share))
}

/// Computes the damping of a bear market: 1 − 0.25·max(0, −R); an unknown regime damps nothing.
///
/// # Examples
/// ```
/// assert_eq!(formulas::expected_return::bear_damping(Some(-1.0)), Some(0.75));
/// assert_eq!(formulas::expected_return::bear_damping(Some(0.7)), Some(1.0));
/// assert_eq!(formulas::expected_return::bear_damping(None), Some(1.0));
/// ```
pub fn bear_damping(regime_score: Option<f64>) -> Option<f64> {
    let Some(score) = regime_score else { return Some(1.0) };
    Some(1.0 - BEAR_DAMPING_MAX * (-finite(score)?).clamp(0.0, 1.0))
}

/// Computes the tilt for the owner's multiplier: 0.02 per doubling, at most ±0.02; a multiplier that is
/// not positive is a fault, `None`.
///
/// # Examples
/// ```
/// use formulas::expected_return::preference_tilt;
/// assert_eq!(preference_tilt(1.0), Some(0.0));
/// assert_eq!(preference_tilt(3.0), Some(0.02));
/// assert_eq!(preference_tilt(0.5), Some(-0.02));
/// assert_eq!(preference_tilt(0.0), None);
/// ```
pub fn preference_tilt(multiplier: f64) -> Option<f64> {
    if multiplier > 0.0 {
        let tilt = finite(TILT_PER_DOUBLING * libm::log2(multiplier))?;
        Some(tilt.clamp(-TILT_MAX, TILT_MAX))
    } else {
        None
    }
}

/// Applies the shifts to a base and clamps the result.
///
/// The bonus counts at most 0.02 and never as a deduction.
///
/// # Examples
/// ```
/// use formulas::expected_return::{Shifts, expected_return};
/// let bear = Shifts { damping: 0.75, ..Shifts::default() };
/// assert!((expected_return(0.08, &bear).unwrap() - 0.06).abs() < 1e-12);
/// // A negative expectation gets worse in a bear market, not better.
/// assert!((expected_return(-0.08, &bear).unwrap() + 0.10).abs() < 1e-12);
/// assert_eq!(expected_return(0.9, &Shifts::default()), Some(0.30));
/// ```
pub fn expected_return(base: f64, shifts: &Shifts) -> Option<f64> {
    if !all_finite(&[base, shifts.damping, shifts.forward, shifts.tilt, shifts.bonus]) {
        return None;
    }
    let adjusted = base - base.abs() * (1.0 - shifts.damping) + base.abs() * shifts.forward;
    let bonus = shifts.bonus.clamp(0.0, BONUS_MAX);
    finite(adjusted + shifts.tilt + bonus).map(|result| result.clamp(RETURN_MIN, RETURN_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clamped_on_both_sides() {
        let none = Shifts::default();
        assert_eq!(expected_return(-0.5, &none), Some(RETURN_MIN));
        assert_eq!(expected_return(-0.0999, &none), Some(-0.0999));
        assert_eq!(expected_return(0.3001, &none), Some(RETURN_MAX));
    }

    #[test]
    fn a_favourite_gains_and_never_loses_by_preference() {
        for base in [-0.05, 0.0, 0.05] {
            let tilt = preference_tilt(1.5).unwrap_or(f64::NAN);
            let favourite = expected_return(base, &Shifts { tilt, ..Shifts::default() });
            assert!(favourite > expected_return(base, &Shifts::default()), "{base}");
        }
    }

    #[test]
    fn refuses_values_that_are_not_numbers() {
        let outlook = Outlook { growth: f64::NAN, dividend_yield: 0.0, score: 0.5, target: 0.11 };
        assert_eq!(base(&outlook, HISTORY_SHARE), None);
        assert_eq!(base(&Outlook { growth: 0.1, score: f64::NAN, ..outlook }, HISTORY_SHARE), None);
        assert_eq!(expected_return(f64::INFINITY, &Shifts::default()), None);
        assert_eq!(bear_damping(Some(f64::NAN)), None);
        assert_eq!(preference_tilt(f64::NAN), None);
        assert_eq!(shrunk_growth(0.1, 0.1, f64::INFINITY), None);
    }
}
