//! Money-weighted return: the yearly rate the money actually earned while it was in.
//!
//! Definition: the rate r with Σ f_k·(1 + r)^(−(t_k − t_0)/365) = 0, deposits negative, withdrawals and
//! the final value positive, days actual/365, t_0 the first day. Units: fraction a year. Range: −0.99
//! to 10. Several roots: the one nearest to zero. Empty or one flow, flows of one sign only, a span
//! under 30 days, no root in the range, not a number or infinity: `None`.
//!
//! The rate is searched on a grid in ln(1 + r), which is as fine near total loss as near zero, and
//! refined by bisection, which cannot diverge.

use crate::finite::finite;

/// Spans shorter than this are not annualised.
pub const SPAN_DAYS_MIN: i64 = 30;
const RATE_MIN: f64 = -0.99;
const RATE_MAX: f64 = 10.0;
/// Distance of two grid points in ln(1 + r): about one percentage point near zero.
const GRID_STEP: f64 = 0.01;
/// Halvings of one grid step; 60 reach the last bit.
const BISECTIONS_MAX: usize = 60;
const DAYS_PER_YEAR: f64 = 365.0;

/// One payment, seen by the owner of the money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Day number, counted from any fixed day.
    pub day: i32,
    /// Amount: deposits negative, withdrawals and the final value positive.
    pub amount: f64,
}

/// Computes the money-weighted yearly return of flows in any order.
///
/// # Examples
/// ```
/// use formulas::xirr::{Flow, xirr};
/// // 1 000 paid in are 1 100 a year later.
/// let flows = [Flow { day: 0, amount: -1_000.0 }, Flow { day: 365, amount: 1_100.0 }];
/// assert!((xirr(&flows).unwrap() - 0.10).abs() < 1e-12);
/// assert_eq!(xirr(&flows[..1]), None);
/// ```
pub fn xirr(flows: &[Flow]) -> Option<f64> {
    let first = flows.iter().map(|flow| flow.day).min()?;
    let last = flows.iter().map(|flow| flow.day).max()?;
    if i64::from(last) - i64::from(first) < SPAN_DAYS_MIN || !has_both_signs(flows) {
        return None;
    }
    let worth = |log_growth: f64| present_value(flows, first, log_growth);
    nearest_root(worth).and_then(|log_growth| finite(libm::expm1(log_growth)))
}

fn has_both_signs(flows: &[Flow]) -> bool {
    flows.iter().any(|flow| flow.amount < 0.0) && flows.iter().any(|flow| flow.amount > 0.0)
}

/// The value on the first day at yearly growth e^`log_growth`.
fn present_value(flows: &[Flow], first: i32, log_growth: f64) -> f64 {
    let discounted = |flow: &Flow| {
        let years = (f64::from(flow.day) - f64::from(first)) / DAYS_PER_YEAR;
        flow.amount * libm::exp(-log_growth * years)
    };
    flows.iter().map(discounted).sum()
}

/// Walks the grid outwards from zero on both sides and refines the nearest change of sign.
fn nearest_root(worth: impl Fn(f64) -> f64) -> Option<f64> {
    let (lowest, highest) = (libm::log1p(RATE_MIN), libm::log1p(RATE_MAX));
    let below = first_root(&worth, -GRID_STEP, lowest);
    let above = first_root(&worth, GRID_STEP, highest);
    match (below, above) {
        // The smaller rate wins, not the smaller logarithm; a tie stays below, the careful side.
        (Some(below), Some(above)) => {
            let is_nearer = libm::expm1(above).abs() < libm::expm1(below).abs();
            Some(if is_nearer { above } else { below })
        }
        (below, above) => below.or(above),
    }
}

fn first_root(worth: &impl Fn(f64) -> f64, step: f64, end: f64) -> Option<f64> {
    let steps = (end / step).ceil() as usize;
    let (mut near, mut near_worth) = (0.0, finite(worth(0.0))?);
    for i in 0..=steps {
        let far = if step > 0.0 { (step * i as f64).min(end) } else { (step * i as f64).max(end) };
        let far_worth = finite(worth(far))?;
        if far_worth.abs() < f64::MIN_POSITIVE {
            return Some(far);
        }
        if near_worth.is_sign_positive() != far_worth.is_sign_positive() {
            return Some(bisect(worth, near, far, near_worth.is_sign_positive()));
        }
        (near, near_worth) = (far, far_worth);
    }
    None
}

fn bisect(worth: &impl Fn(f64) -> f64, mut near: f64, mut far: f64, near_is_positive: bool) -> f64 {
    for _ in 0..BISECTIONS_MAX {
        let middle = near + (far - near) / 2.0;
        if worth(middle).is_sign_positive() == near_is_positive {
            near = middle;
        } else {
            far = middle;
        }
    }
    near + (far - near) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(list: &[(i32, f64)]) -> Vec<Flow> {
        list.iter().map(|&(day, amount)| Flow { day, amount }).collect()
    }

    #[test]
    fn asks_for_thirty_days() {
        assert_eq!(xirr(&flows(&[(0, -100.0), (29, 101.0)])), None);
        assert!(xirr(&flows(&[(0, -100.0), (30, 101.0)])).is_some());
    }

    #[test]
    fn is_absent_without_both_signs_or_with_numbers_that_are_none() {
        assert_eq!(xirr(&[]), None);
        assert_eq!(xirr(&flows(&[(0, -100.0), (400, 0.0)])), None);
        assert_eq!(xirr(&flows(&[(0, 100.0), (400, 100.0)])), None);
        assert_eq!(xirr(&flows(&[(0, -100.0), (200, f64::NAN), (400, 100.0)])), None);
        assert_eq!(xirr(&flows(&[(0, -100.0), (400, f64::INFINITY)])), None);
        assert_eq!(xirr(&flows(&[(i32::MIN, -100.0), (i32::MAX, 100.0)])), Some(0.0));
    }

    #[test]
    fn is_absent_beyond_the_range_on_each_side() {
        assert_eq!(xirr(&flows(&[(0, -100.0), (365, 0.9)])), None);
        assert!(xirr(&flows(&[(0, -100.0), (365, 1.1)])).is_some_and(|rate| (rate + 0.989).abs() < 1e-9));
        assert!(xirr(&flows(&[(0, -100.0), (365, 1_099.0)])).is_some_and(|rate| (rate - 9.99).abs() < 1e-9));
        assert_eq!(xirr(&flows(&[(0, -100.0), (365, 1_101.0)])), None);
    }

    #[test]
    fn takes_the_root_nearest_to_zero() {
        // −100, +330, −242 a year apart: (1 − 1.1/q)(1 − 2.2/q) = 0 at 10 % and at 120 %.
        let rate = xirr(&flows(&[(0, -100.0), (365, 330.0), (730, -242.0)]));
        assert!(rate.is_some_and(|rate| (rate - 0.10).abs() < 1e-9), "{rate:?}");
    }

    #[test]
    fn does_not_depend_on_the_order_of_flows() {
        let sorted = xirr(&flows(&[(0, -100.0), (100, -50.0), (500, 180.0)]));
        let mixed = xirr(&flows(&[(500, 180.0), (100, -50.0), (0, -100.0)]));
        let (sorted, mixed) = (sorted.unwrap_or(f64::NAN), mixed.unwrap_or(f64::NAN));
        assert!((sorted - mixed).abs() < 1e-12);
    }
}
