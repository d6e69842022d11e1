//! The nearest weights that keep the limits.
//!
//! Definition: min Σ(w_i − v_i)² subject to the bounds and Σw = budget; then w_i = clamp(v_i − λ, l_i, u_i) with
//! one λ for all, found by bisection and finished exactly on the weights that are free. With groups the same
//! distance is minimised by the solver. Units: fractions. Σl above the budget or Σu below it: infeasible. No
//! weights, sizes that differ, not a number: invalid.

use crate::limits::{Bound, Limits, SAME};
use crate::programme::Programme;
use crate::refusal::Refusal;

/// Halvings after which λ cannot get more exact.
const HALVINGS_MAX: usize = 200;
/// Sums of bounds this near to the budget meet it.
const ROUNDING: f64 = 1e-9;

/// Projects onto bounds and sum.
///
/// # Errors
/// [`Refusal::InvalidInput`] and [`Refusal::Infeasible`].
///
/// # Examples
/// ```
/// use allocation::{Bound, project::project_box_sum};
/// let bound = Bound { lower: 0.0, upper: 0.5 };
/// let near = project_box_sum(&[0.9, 0.3, 0.1], &[bound; 3], 1.0).unwrap();
/// assert!((near[0] - 0.5).abs() < 1e-12 && (near[1] - 0.35).abs() < 1e-12 && (near[2] - 0.15).abs() < 1e-12);
/// ```
pub fn project_box_sum(wanted: &[f64], bounds: &[Bound], budget: f64) -> Result<Vec<f64>, Refusal> {
    let finite = wanted.iter().all(|v| v.is_finite()) && budget.is_finite();
    let ranges = bounds.iter().all(|bound| bound.lower.is_finite() && bound.upper.is_finite());
    if wanted.is_empty() || wanted.len() != bounds.len() || !finite || !ranges {
        return Err(Refusal::InvalidInput);
    }
    let least: f64 = bounds.iter().map(|bound| bound.lower).sum();
    let most: f64 = bounds.iter().map(|bound| bound.upper).sum();
    let crossed = bounds.iter().any(|bound| bound.lower > bound.upper);
    if crossed || least > budget + ROUNDING || most < budget - ROUNDING {
        return Err(Refusal::Infeasible);
    }
    let at = |lambda: f64, i: usize| (wanted[i] - lambda).clamp(bounds[i].lower, bounds[i].upper);
    let sum = |lambda: f64| (0..wanted.len()).map(|i| at(lambda, i)).sum::<f64>();
    let ends = wanted.iter().zip(bounds);
    let (mut low, mut high) = ends.fold((f64::MAX, f64::MIN), |(low, high), (v, bound)| {
        (low.min(v - bound.upper), high.max(v - bound.lower))
    });
    for _ in 0..HALVINGS_MAX {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if sum(middle) > budget { low = middle } else { high = middle }
    }
    let lambda = low + (high - low) / 2.0;
    Ok(finish(wanted, bounds, budget, lambda))
}

/// Solves for λ exactly on the weights that no bound holds.
fn finish(wanted: &[f64], bounds: &[Bound], budget: f64, lambda: f64) -> Vec<f64> {
    let clamp = |lambda: f64| -> Vec<f64> {
        let pairs = wanted.iter().zip(bounds);
        pairs.map(|(v, bound)| (v - lambda).clamp(bound.lower, bound.upper)).collect()
    };
    let rough = clamp(lambda);
    let (mut free, mut rest) = (0.0, budget);
    for ((v, bound), weight) in wanted.iter().zip(bounds).zip(&rough) {
        if *weight > bound.lower + SAME && *weight < bound.upper - SAME {
            free += 1.0;
            rest -= v;
        } else {
            rest -= weight;
        }
    }
    let mut weights = if free > 0.0 { clamp(-rest / free) } else { rough };
    // Where the wishes are many times larger than the bounds, λ has too few digits: the first with room take the rest.
    let mut left = budget - weights.iter().sum::<f64>();
    for (weight, bound) in weights.iter_mut().zip(bounds) {
        if left.abs() <= SAME {
            break;
        }
        let moved = (*weight + left).clamp(bound.lower, bound.upper) - *weight;
        *weight = (*weight + moved).clamp(bound.lower, bound.upper);
        left -= moved;
    }
    weights
}

/// Projects onto all limits, groups included.
///
/// # Errors
/// Those of [`project_box_sum`], and [`Refusal::Numeric`].
pub fn project_onto(wanted: &[f64], limits: &Limits) -> Result<Vec<f64>, Refusal> {
    limits.check()?;
    let near = project_box_sum(wanted, &limits.bounds, limits.budget)?;
    if limits.violation(&near) <= SAME {
        return Ok(near);
    }
    let n = wanted.len();
    let unit: Vec<f64> = (0..n * n).map(|at| f64::from(at % (n + 1) == 0)).collect();
    let mut programme = Programme::new(n);
    programme.square(&unit, n, 1.0);
    wanted.iter().enumerate().for_each(|(i, v)| programme.cost(i, -v));
    limits.require(&mut programme, None);
    limits.settle(&programme.solve()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::limits::Group;

    const FREE: Bound = Bound { lower: 0.0, upper: 1.0 };

    #[test]
    fn what_fits_already_stays() {
        let near = project_box_sum(&[0.2, 0.8], &[FREE; 2], 1.0).unwrap();
        assert!((near[0] - 0.2).abs() < 1e-15 && (near[1] - 0.8).abs() < 1e-15);
    }

    #[test]
    fn bounds_that_leave_no_choice_are_the_answer() {
        let zero = Bound { lower: 0.0, upper: 0.0 };
        assert_eq!(project_box_sum(&[0.4, 0.6], &[zero; 2], 0.0).unwrap(), [0.0, 0.0]);
        assert_eq!(project_box_sum(&[0.4, 0.6], &[zero; 2], 0.1), Err(Refusal::Infeasible));
    }

    #[test]
    fn nothing_and_not_a_number_are_invalid() {
        assert_eq!(project_box_sum(&[], &[], 0.0), Err(Refusal::InvalidInput));
        assert_eq!(project_box_sum(&[f64::NAN], &[FREE], 1.0), Err(Refusal::InvalidInput));
        assert_eq!(project_box_sum(&[0.5], &[FREE; 2], 1.0), Err(Refusal::InvalidInput));
    }

    #[test]
    fn a_group_moves_the_weights_as_little_as_possible() {
        let group = Group { name: "g".into(), shares: vec![1.0, 1.0, 0.0], lower: 0.0, upper: 0.5 };
        let limits = Limits { bounds: vec![FREE; 3], groups: vec![group], budget: 1.0 };
        let near = project_onto(&[0.4, 0.4, 0.2], &limits).unwrap();
        for (weight, expected) in near.iter().zip([0.25, 0.25, 0.5]) {
            assert!((weight - expected).abs() < 1e-8, "{near:?}");
        }
    }
}
