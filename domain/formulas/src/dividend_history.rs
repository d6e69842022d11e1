//! What a history of dividends says: cuts, growth, stability.
//!
//! Input: dividends per share and year, oldest first, complete years only, without special dividends. Cut: the last
//! year whose dividend fell by more than 20 %; years since = length − its index, so a cut in the last year gives 1.
//! Growth: leading non-positive years dropped, at least two left, (last/first)^(1/(count − 1)) − 1. Stability: 0.5;
//! cut −0.40 within 2 years, −0.25 within 5, else −0.10; no cut +0.15 from 5 years, +0.10 from 3; growth +0.30 from
//! 5 %, +0.20 from 2 %, +0.10 from 0; yield +0.30 from 1.5 times the fund's average, +0.15 from once; clipped to 0..1.
//! Units: fractions. Empty or one year: no growth, stability 0.5 plus the yield's part. Negative years are ordinary
//! falls. Not a number: no cut there, no growth. The reference looked for the first cut, [`first_cut`].

use crate::finite::finite;

const CUT: f64 = -0.20;

/// What became of the dividend.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DividendHistory {
    /// Years since the cut that counts, 1 for the last year.
    pub years_since_cut: Option<usize>,
    /// Growth a year.
    pub growth: Option<f64>,
    /// What the cut takes away, positive.
    pub cut_penalty: f64,
    /// What growth adds.
    pub growth_bonus: f64,
    /// What the yield adds.
    pub yield_bonus: f64,
    /// 0 to 1, unrounded.
    pub stability: f64,
}

/// Judges a history by its most recent cut.
///
/// # Examples
/// ```
/// use formulas::dividend_history::judge;
/// let history = judge(&[1.0, 0.7, 0.8, 0.9, 1.0, 1.1], None, 0.03);
/// assert_eq!(history.years_since_cut, Some(5));
/// // 0.5 − 0.25, and growth (1.1/1)^(1/5) − 1 = 1.9 % adds 0.10.
/// assert!((history.stability - 0.35).abs() < 1e-12);
/// ```
pub fn judge(annual: &[f64], dividend_yield: Option<f64>, average_yield: f64) -> DividendHistory {
    judge_after(annual, last_cut(annual), dividend_yield, average_yield)
}

/// Judges a history by the cut given.
pub fn judge_after(
    annual: &[f64],
    cut: Option<usize>,
    dividend_yield: Option<f64>,
    average_yield: f64,
) -> DividendHistory {
    let growth = growth(annual);
    let cut_penalty = match cut {
        None => 0.0,
        Some(0..=2) => 0.40,
        Some(3..=5) => 0.25,
        Some(_) => 0.10,
    };
    let unbroken = match annual.len() {
        _ if cut.is_some() => 0.0,
        0..=2 => 0.0,
        3..=4 => 0.10,
        _ => 0.15,
    };
    let growth_bonus = match growth {
        Some(growth) if growth >= 0.05 => 0.30,
        Some(growth) if growth >= 0.02 => 0.20,
        Some(growth) if growth >= 0.0 => 0.10,
        _ => 0.0,
    };
    let yield_bonus = match dividend_yield {
        Some(paid) if paid >= 1.5 * average_yield => 0.30,
        Some(paid) if paid >= average_yield => 0.15,
        _ => 0.0,
    };
    let sum: f64 = 0.5 - cut_penalty + unbroken + growth_bonus + yield_bonus;
    let stability = sum.clamp(0.0, 1.0);
    DividendHistory { years_since_cut: cut, growth, cut_penalty, growth_bonus, yield_bonus, stability }
}

/// Finds the years since the most recent cut.
///
/// # Examples
/// ```
/// use formulas::dividend_history::{first_cut, last_cut};
/// let annual = [1.0, 0.7, 0.9, 0.5, 0.5];
/// assert_eq!((last_cut(&annual), first_cut(&annual)), (Some(2), Some(4)));
/// assert_eq!(last_cut(&[1.0, 0.8]), None, "20 % exactly is no cut");
/// ```
pub fn last_cut(annual: &[f64]) -> Option<usize> {
    cuts(annual).last()
}

/// Finds the years since the first cut: the reference's figures only.
pub fn first_cut(annual: &[f64]) -> Option<usize> {
    cuts(annual).next()
}

fn cuts(annual: &[f64]) -> impl Iterator<Item = usize> {
    let is_cut = |pair: &[f64]| pair[0] > 0.0 && (pair[1] - pair[0]) / pair[0] < CUT;
    let years = annual.len();
    annual.windows(2).enumerate().filter(move |(_, pair)| is_cut(pair)).map(move |(i, _)| years - (i + 1))
}

/// Computes the yearly growth of the dividend.
///
/// # Examples
/// ```
/// use formulas::dividend_history::growth;
/// assert!((growth(&[0.0, 1.0, 1.1, 1.21]).unwrap() - 0.10).abs() < 1e-12);
/// assert_eq!(growth(&[1.0, 0.0]), Some(-1.0));
/// assert_eq!(growth(&[0.0, 1.0]), None);
/// ```
pub fn growth(annual: &[f64]) -> Option<f64> {
    let begin = annual.iter().position(|paid| *paid > 0.0)?;
    let paid = &annual[begin..];
    let (first, last) = (paid.first()?, paid.last()?);
    if paid.len() < 2 || *last < 0.0 {
        return None;
    }
    finite(libm::pow(last / first, 1.0 / (paid.len() - 1) as f64) - 1.0)
}

/// Estimates stability from the payout ratio alone, for a company without a history.
///
/// # Examples
/// ```
/// use formulas::dividend_history::estimate;
/// assert_eq!([0.45, 0.25, 0.7, 0.9, 0.1].map(|p| estimate(Some(p))), [0.85, 0.70, 0.60, 0.40, 0.50]);
/// assert_eq!(estimate(None), 0.50);
/// ```
pub fn estimate(payout: Option<f64>) -> f64 {
    match payout {
        Some(payout) if (0.30..=0.60).contains(&payout) => 0.85,
        Some(payout) if (0.20..0.30).contains(&payout) => 0.70,
        Some(payout) if payout > 0.60 && payout <= 0.80 => 0.60,
        Some(payout) if payout > 0.80 => 0.40,
        _ => 0.50,
    }
}
