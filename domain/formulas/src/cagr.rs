//! Compound annual growth rate: the constant yearly rate between two prices.
//!
//! Definition: (last/first)^(1/years) − 1; below a quarter of a year the plain ratio minus 1.
//! Units: fraction a year. Range: > −1. Counted over intervals: n month-end points span (n−1)/12
//! years. The five-year rate takes the last 61 points (fewer: all, at least 13), the ten-year rate
//! exactly the last 121. Empty, one, or too few points: `None`. A first or last price ≤ 0, not a
//! number or infinite: `None`; points in between do not enter. The older way of counting n points
//! as n/12 years is kept as [`Span::Points`] to reproduce reference figures; it understates growth.

use crate::finite::finite;
use crate::minimum_lengths::CAGR_MONTHS_MIN;

/// Years below which a growth rate is not annualised.
const ANNUALISED_YEARS_MIN: f64 = 0.25;
/// Points of the five-year rate counted over intervals.
const FIVE_YEAR_POINTS: usize = 61;
/// Points of the ten-year rate counted over intervals.
const TEN_YEAR_POINTS: usize = 121;
/// Points the reference way of counting needs at least.
const REFERENCE_POINTS_MIN: usize = 12;

/// How many years a number of monthly points span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// n points span (n − 1)/12 years: the rule.
    Intervals,
    /// n points count as n/12 years: the reference's figures only.
    Points,
}

/// Computes the growth rate between two prices that lie `years` apart; `None` unless both prices
/// and the years are positive.
///
/// # Examples
/// ```
/// // 100 became 121 in two years: 10 % a year.
/// let rate = formulas::cagr::growth_rate(100.0, 121.0, 2.0).unwrap();
/// assert!((rate - 0.10).abs() < 1e-12);
/// assert_eq!(formulas::cagr::growth_rate(100.0, -3.0, 2.0), None);
/// ```
pub fn growth_rate(first: f64, last: f64, years: f64) -> Option<f64> {
    if !(first > 0.0 && last > 0.0 && years > 0.0) {
        return None;
    }
    let ratio = last / first;
    let growth = if years < ANNUALISED_YEARS_MIN { ratio } else { libm::pow(ratio, 1.0 / years) };
    finite(growth - 1.0)
}

/// Computes the growth rate over the last `points` monthly prices (fewer: all of them).
///
/// `None` below 13 points over intervals, below 12 counted as points.
///
/// # Examples
/// ```
/// use formulas::cagr::{Span, cagr};
/// let doubled_in_a_year: Vec<f64> = (0..13).map(|m| 100.0 * 2f64.powf(m as f64 / 12.0)).collect();
/// let rate = cagr(&doubled_in_a_year, 61, Span::Intervals).unwrap();
/// assert!((rate - 1.0).abs() < 1e-12);
/// assert_eq!(cagr(&doubled_in_a_year[1..], 61, Span::Intervals), None);
/// ```
pub fn cagr(monthly: &[f64], points: usize, span: Span) -> Option<f64> {
    let (points_min, spare) = match span {
        Span::Intervals => (CAGR_MONTHS_MIN, 1),
        Span::Points => (REFERENCE_POINTS_MIN, 0),
    };
    if monthly.len() < points_min {
        return None;
    }
    let used = &monthly[monthly.len() - points.min(monthly.len())..];
    let years = used.len().saturating_sub(spare) as f64 / 12.0;
    growth_rate(*used.first()?, *used.last()?, years)
}

/// Computes the five-year growth rate: the last 61 month-end closes, or all of at least 13.
///
/// # Examples
/// ```
/// assert_eq!(formulas::cagr::cagr_5y(&[100.0; 12]), None);
/// assert_eq!(formulas::cagr::cagr_5y(&[100.0; 13]), Some(0.0));
/// ```
pub fn cagr_5y(month_ends: &[f64]) -> Option<f64> {
    cagr(month_ends, FIVE_YEAR_POINTS, Span::Intervals)
}

/// Computes the ten-year growth rate: exactly the last 121 month-end closes, absent with fewer.
///
/// # Examples
/// ```
/// assert_eq!(formulas::cagr::cagr_10y(&[100.0; 120]), None);
/// assert_eq!(formulas::cagr::cagr_10y(&[100.0; 121]), Some(0.0));
/// ```
pub fn cagr_10y(month_ends: &[f64]) -> Option<f64> {
    if month_ends.len() < TEN_YEAR_POINTS {
        return None;
    }
    cagr(month_ends, TEN_YEAR_POINTS, Span::Intervals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_prices_and_years_that_are_not_positive_or_not_numbers() {
        for (first, last, years) in [
            (0.0, 1.0, 1.0),
            (1.0, 0.0, 1.0),
            (-1.0, 1.0, 1.0),
            (1.0, 1.0, 0.0),
            (1.0, 1.0, -1.0),
            (f64::NAN, 1.0, 1.0),
            (1.0, f64::INFINITY, 1.0),
            (1.0, 1.0, f64::NAN),
        ] {
            assert_eq!(growth_rate(first, last, years), None, "{first} {last} {years}");
        }
    }

    #[test]
    fn does_not_annualise_below_a_quarter_of_a_year() {
        assert_eq!(growth_rate(100.0, 110.0, 0.2499), Some(110.0 / 100.0 - 1.0));
        assert!(growth_rate(100.0, 110.0, 0.25).is_some_and(|rate| rate > 0.4));
    }

    #[test]
    fn asks_for_at_least_one_point() {
        assert_eq!(cagr(&[1.0; 20], 0, Span::Intervals), None);
        assert_eq!(cagr(&[1.0; 20], 1, Span::Intervals), None);
        assert_eq!(cagr(&[], 61, Span::Intervals), None);
    }
}
