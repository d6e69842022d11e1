//! What weights must keep: a range for each, a range for each group, and their sum.
//!
//! Definition: l_i ≤ w_i ≤ u_i, Σw = budget, and for each group g with membership shares a_i:
//! lower_g ≤ Σ a_i·w_i ≤ upper_g. A group of no members weighs 0. Bounds that cross, or whose sums leave the
//! budget outside, are infeasible before any solver is asked. Not a number anywhere, or a weight that may be a thousand
//! times everything: invalid. The solver never sees bounds wider than the budget leaves them: 0 to 1e9 beside a budget of
//! 1 would cost it all its digits.

use crate::programme::Programme;
use crate::project::project_box_sum;
use crate::refusal::Refusal;

/// A solution that breaks a limit by more than this is none.
pub const VIOLATION_MAX: f64 = 1e-6;
/// Sums that differ by less than this are the same.
pub(crate) const SAME: f64 = 1e-12;
/// Weights are fractions: what may be larger, once the budget is considered, is a mistake.
const LARGEST: f64 = 1e3;
/// How far sums of bounds may be from the budget because of rounding.
const ROUNDING: f64 = 1e-9;

/// The range of one weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Least.
    pub lower: f64,
    /// Most.
    pub upper: f64,
}

/// The range of a group's weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// For people, unique among the groups.
    pub name: String,
    /// How much of each asset belongs to the group, 0 to 1, one per asset.
    pub shares: Vec<f64>,
    /// Least.
    pub lower: f64,
    /// Most.
    pub upper: f64,
}

impl Group {
    /// The group's weight.
    #[must_use]
    pub fn value(&self, weights: &[f64]) -> f64 {
        self.shares.iter().zip(weights).map(|(share, weight)| share * weight).sum()
    }

    pub(crate) fn entries(&self, sign: f64) -> Vec<(usize, f64)> {
        let shares = self.shares.iter().enumerate();
        shares.filter(|(_, share)| share.abs() > 0.0).map(|(at, share)| (at, sign * share)).collect()
    }
}

/// All limits of one portfolio.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// One per asset.
    pub bounds: Vec<Bound>,
    /// Any number.
    pub groups: Vec<Group>,
    /// What all weights add up to.
    pub budget: f64,
}

impl Limits {
    /// Checks sizes, numbers and sums; says nothing about the groups' feasibility.
    ///
    /// # Errors
    /// [`Refusal::InvalidInput`] and [`Refusal::Infeasible`].
    pub fn check(&self) -> Result<(), Refusal> {
        let n = self.bounds.len();
        let numbers = self.bounds.iter().flat_map(|bound| [bound.lower, bound.upper]);
        let ranges = self.groups.iter().flat_map(|group| [group.lower, group.upper]);
        let shares = self.groups.iter().flat_map(|group| group.shares.iter().copied());
        let finite = numbers.chain(ranges).chain(shares).chain([self.budget]).all(f64::is_finite);
        if n == 0 || !finite || self.groups.iter().any(|group| group.shares.len() != n) {
            return Err(Refusal::InvalidInput);
        }
        let crossed = self.bounds.iter().any(|bound| bound.lower > bound.upper)
            || self.groups.iter().any(|group| group.lower > group.upper);
        let (least, most) = self.sums();
        if crossed || least > self.budget + ROUNDING || most < self.budget - ROUNDING {
            return Err(Refusal::Infeasible);
        }
        let narrow = self.narrowed();
        if narrow.iter().any(|bound| bound.lower.abs().max(bound.upper.abs()) > LARGEST) {
            return Err(Refusal::InvalidInput);
        }
        Ok(())
    }

    /// The bounds as the budget narrows them: no weight can be more than what the least of all others leave, or less
    /// than what the most of all others cannot take. The same weights keep both.
    #[must_use]
    pub fn narrowed(&self) -> Vec<Bound> {
        let others = |i: usize, side: fn(&Bound) -> f64| {
            // Added up without i: taken off a sum, a large bound would leave its rounding behind.
            self.bounds
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != i)
                .map(|(_, bound)| side(bound))
                .sum::<f64>()
        };
        let narrow = |(i, bound): (usize, &Bound)| {
            let least = self.budget - others(i, |bound| bound.upper);
            let most = self.budget - others(i, |bound| bound.lower);
            let lower = bound.lower.max(least).min(bound.upper);
            Bound { lower, upper: bound.upper.min(most).max(lower) }
        };
        self.bounds.iter().enumerate().map(narrow).collect()
    }

    /// Sums of the lower and of the upper bounds.
    #[must_use]
    pub fn sums(&self) -> (f64, f64) {
        self.bounds.iter().fold((0.0, 0.0), |(least, most), bound| (least + bound.lower, most + bound.upper))
    }

    /// The largest amount by which weights break a limit.
    #[must_use]
    pub fn violation(&self, weights: &[f64]) -> f64 {
        let boxes = self
            .bounds
            .iter()
            .zip(weights)
            .map(|(bound, weight)| (bound.lower - weight).max(weight - bound.upper));
        let groups = self.groups.iter().map(|group| {
            let value = group.value(weights);
            (group.lower - value).max(value - group.upper)
        });
        let sum = (weights.iter().sum::<f64>() - self.budget).abs();
        boxes.chain(groups).fold(sum, f64::max)
    }

    /// Clips a solver's answer to the bounds and restores the sum.
    ///
    /// # Errors
    /// [`Refusal::Numeric`] for an answer that is too far from the limits.
    pub fn settle(&self, raw: &[f64]) -> Result<Vec<f64>, Refusal> {
        if !raw.iter().all(|weight| weight.is_finite()) || self.violation(raw) > VIOLATION_MAX {
            return Err(Refusal::Numeric);
        }
        let weights = project_box_sum(raw, &self.bounds, self.budget).map_err(|_| Refusal::Numeric)?;
        if self.violation(&weights) > VIOLATION_MAX { Err(Refusal::Numeric) } else { Ok(weights) }
    }

    /// Writes the limits into a programme whose first variables are the weights. `scaled_by` names a variable k
    /// by which every limit is multiplied.
    pub(crate) fn require(&self, programme: &mut Programme, scaled_by: Option<usize>) {
        let with = |mut entries: Vec<(usize, f64)>, limit: f64| match scaled_by {
            Some(k) => {
                entries.push((k, -limit));
                (entries, 0.0)
            }
            None => (entries, limit),
        };
        let all = (0..self.bounds.len()).map(|at| (at, 1.0)).collect();
        programme.equal(with(all, self.budget));
        for (at, bound) in self.narrowed().into_iter().enumerate() {
            if bound.upper - bound.lower <= SAME {
                // Two inequalities that touch leave an interior-point method no interior.
                programme.equal(with(vec![(at, 1.0)], bound.lower));
                continue;
            }
            programme.at_most(with(vec![(at, 1.0)], bound.upper));
            programme.at_most(with(vec![(at, -1.0)], -bound.lower));
        }
        for group in &self.groups {
            programme.at_most(with(group.entries(1.0), group.upper));
            programme.at_most(with(group.entries(-1.0), -group.lower));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bounds: &[(f64, f64)], budget: f64) -> Limits {
        let bounds = bounds.iter().map(|(lower, upper)| Bound { lower: *lower, upper: *upper }).collect();
        Limits { bounds, groups: vec![], budget }
    }

    #[test]
    fn sums_of_bounds_must_leave_room_for_the_budget() {
        assert_eq!(limits(&[(0.0, 0.5), (0.0, 0.5)], 1.0).check(), Ok(()));
        assert_eq!(limits(&[(0.0, 0.5), (0.0, 0.4)], 1.0).check(), Err(Refusal::Infeasible));
        assert_eq!(limits(&[(0.6, 0.7), (0.5, 0.6)], 1.0).check(), Err(Refusal::Infeasible));
        assert_eq!(limits(&[(0.3, 0.2), (0.0, 1.0)], 1.0).check(), Err(Refusal::Infeasible));
    }

    #[test]
    fn what_is_missing_or_not_a_number_is_invalid() {
        assert_eq!(limits(&[], 0.0).check(), Err(Refusal::InvalidInput));
        assert_eq!(limits(&[(f64::NAN, 0.5)], 0.5).check(), Err(Refusal::InvalidInput));
        assert_eq!(limits(&[(0.0, 1.0)], f64::INFINITY).check(), Err(Refusal::InvalidInput));
        let short = Group { name: "g".into(), shares: vec![1.0], lower: 0.0, upper: 1.0 };
        let limits = Limits { groups: vec![short], ..limits(&[(0.0, 1.0), (0.0, 1.0)], 1.0) };
        assert_eq!(limits.check(), Err(Refusal::InvalidInput));
    }

    #[test]
    fn bounds_are_narrowed_to_what_the_budget_leaves() {
        let of = |bounds: &[(f64, f64)], budget| {
            let narrow = limits(bounds, budget).narrowed();
            narrow.iter().map(|bound| (bound.lower, bound.upper)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[(0.0, 1e9), (0.25, 1e9)], 1.0), [(0.0, 0.75), (0.25, 1.0)]);
        assert_eq!(of(&[(0.0, 0.5), (0.0, 0.75)], 1.0), [(0.25, 0.5), (0.5, 0.75)]);
        assert_eq!(of(&[(0.0, 0.5), (0.0, 0.5)], 0.0), [(0.0, 0.0), (0.0, 0.0)]);
        assert_eq!(of(&[(0.0, 1.0)], 0.5), [(0.5, 0.5)], "one alone has no choice");
    }

    #[test]
    fn a_weight_of_a_thousand_times_everything_is_invalid_unless_the_budget_forbids_it() {
        assert_eq!(limits(&[(0.0, 1e9), (0.0, 1.0)], 1.0).check(), Ok(()));
        assert_eq!(limits(&[(-1e9, 1e9), (0.0, 1e9)], 1.0).check(), Err(Refusal::InvalidInput));
        assert_eq!(limits(&[(0.0, 2e3)], 1_001.0).check(), Err(Refusal::InvalidInput));
        assert_eq!(limits(&[(0.0, 2e3)], 999.0).check(), Ok(()));
    }

    #[test]
    fn an_answer_far_from_the_limits_is_none() {
        let limits = limits(&[(0.0, 0.6), (0.0, 0.6)], 1.0);
        assert_eq!(limits.settle(&[0.7, 0.3]), Err(Refusal::Numeric));
        assert_eq!(limits.settle(&[f64::NAN, 0.3]), Err(Refusal::Numeric));
        let settled = limits.settle(&[0.6 + 1e-8, 0.4]).unwrap_or_default();
        assert!(settled.first().is_some_and(|weight| *weight <= 0.6), "{settled:?}");
    }
}
