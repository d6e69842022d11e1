//! Attribution: which security earned how much of the total return, adding up exactly.
//!
//! Definition: c_(i,t) = w_(i,t−1)·r_(i,t), weight at the previous close with cash in the denominator,
//! r the return in the base currency; linked with k_t = ln(1 + R_t)/R_t (1 if R_t = 0) and
//! k = ln(1 + R)/R over the period: C_i = Σ_t c_(i,t)·k_t/k. ΣC_i + residual = R, the residual being
//! what no security earned: cash, costs. A category is the sum of its members. Units: fractions.
//! No days or no securities, shapes that do not fit, a day at or below −100 %, not a number or
//! infinity: `None`.
//!
//! Linking is linear: to split a security into local price, dividend and currency, hand in one column
//! for each of the three, with the same weight.

use crate::finite::{all_finite, finite};

/// The period's return and what no security earned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linked {
    /// Return of the whole portfolio over the period.
    pub total: f64,
    /// Part of it that no security earned.
    pub residual: f64,
}

/// Writes the linked contribution of each security into `out`.
///
/// `weights` and `returns` are row-major, one row per day, one column per security; `totals` holds the
/// portfolio's own return of each day and says how many days there are.
///
/// # Examples
/// ```
/// // Half in a security that gains 10 % twice, half in cash: 5 % twice, all of it earned by one.
/// let mut parts = [0.0];
/// let linked =
///     formulas::attribution::link(&[0.5, 0.5], &[0.1, 0.1], &[0.05, 0.05], &mut parts).unwrap();
/// assert!((linked.total - 0.1025).abs() < 1e-12);
/// assert!((parts[0] - 0.1025).abs() < 1e-12 && linked.residual.abs() < 1e-12);
/// ```
pub fn link(weights: &[f64], returns: &[f64], totals: &[f64], out: &mut [f64]) -> Option<Linked> {
    let securities = weights.len().checked_div(totals.len())?;
    if securities == 0 || securities * totals.len() != weights.len() || returns.len() != weights.len() {
        return None;
    }
    if !all_finite(weights) || !all_finite(returns) {
        return None;
    }
    let out = out.get_mut(..securities)?;
    out.fill(0.0);
    let mut growth = 1.0;
    let rows = weights.chunks_exact(securities).zip(returns.chunks_exact(securities));
    for (&total, (day_weights, day_returns)) in totals.iter().zip(rows) {
        let k = linking(total)?;
        for ((part, w), r) in out.iter_mut().zip(day_weights).zip(day_returns) {
            *part += w * r * k;
        }
        growth *= 1.0 + total;
    }
    let total = finite(growth - 1.0)?;
    let k = linking(total)?;
    out.iter_mut().for_each(|part| *part /= k);
    let residual = finite(total - out.iter().sum::<f64>())?;
    all_finite(out).then_some(Linked { total, residual })
}

/// Computes a day's return as far as its securities earned it: Σ w·r.
///
/// # Examples
/// ```
/// assert_eq!(formulas::attribution::earned(&[0.5, 0.25], &[0.1, -0.2]), Some(0.0));
/// ```
pub fn earned(weights: &[f64], returns: &[f64]) -> Option<f64> {
    if weights.len() != returns.len() {
        return None;
    }
    finite(weights.iter().zip(returns).map(|(w, r)| w * r).sum())
}

/// ln(1 + R)/R, which turns products of returns into sums.
fn linking(total: f64) -> Option<f64> {
    if total.is_nan() || total <= -1.0 {
        return None;
    }
    if total.abs() < f64::MIN_POSITIVE {
        return Some(1.0);
    }
    finite(libm::log1p(total) / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_what_no_security_earned() {
        let linked = link(&[1.0], &[0.02], &[0.015], &mut [0.0]);
        assert!(linked.is_some_and(|linked| (linked.residual + 0.005).abs() < 1e-12));
    }

    #[test]
    fn refuses_a_total_loss_and_shapes_that_do_not_fit() {
        assert_eq!(link(&[1.0], &[-1.0], &[-1.0], &mut [0.0]), None);
        assert_eq!(link(&[], &[], &[], &mut [0.0]), None);
        assert_eq!(link(&[1.0, 1.0, 1.0], &[0.1; 3], &[0.1, 0.1], &mut [0.0; 2]), None);
        assert_eq!(link(&[1.0], &[0.1, 0.1], &[0.1], &mut [0.0]), None);
        assert_eq!(link(&[1.0], &[0.1], &[0.1], &mut []), None);
        assert_eq!(link(&[1.0], &[f64::NAN], &[0.1], &mut [0.0]), None);
        assert_eq!(earned(&[1.0], &[]), None);
    }
}
