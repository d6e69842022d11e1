//! From wanted weights to weights worth trading for: small differences stay, large ones come in two steps.
//!
//! **No-trade band:** a weight stays as it is while it differs by less than
//! max(0.005, smallest trade, min(0.05, a quarter of the larger of both)) and is within its bounds; the others then
//! share what is left, and what was dropped as too small to hold stays dropped. Where staying would take a group beyond its
//! range, and further beyond it than it is now, its members do not stay.
//! **Gradual:** when any weight would move by more than 0.30, every weight goes half the way.
//! Both keep the bounds and never spend more than the budget.

use allocation::{Bound, Refusal, project::project_box_sum};

/// Weights below this are not worth holding.
pub const DUST: f64 = 0.005;
const BAND_WIDEST: f64 = 0.05;
const BAND_SHARE: f64 = 0.25;
const STEP_MAX: f64 = 0.30;
const ROUNDING: f64 = 1e-9;

/// Drops what is too small to hold, and projects onto bounds and budget.
///
/// # Errors
/// When bounds and budget contradict each other.
pub fn project(wanted: &[f64], bounds: &[Bound], budget: f64) -> Result<(Vec<f64>, Vec<Bound>), Refusal> {
    let mut narrowed = bounds.to_vec();
    let mut dropped: Vec<usize> = (0..wanted.len())
        .filter(|i| wanted[*i] < DUST && bounds[*i].lower <= 0.0 && bounds[*i].upper > 0.0)
        .collect();
    dropped.iter().for_each(|i| narrowed[*i].upper = 0.0);
    // What the others cannot take goes to the largest of the small ones.
    dropped.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]).then(b.cmp(a)));
    while narrowed.iter().map(|bound| bound.upper).sum::<f64>() < budget - ROUNDING {
        let Some(back) = dropped.pop() else { break };
        narrowed[back] = bounds[back];
    }
    let weights = project_box_sum(wanted, &narrowed, budget)?;
    Ok((weights, narrowed))
}

/// How far a weight may be from what is held without being worth a trade.
#[must_use]
pub fn band(wanted: f64, current: f64, min_trade: f64) -> f64 {
    DUST.max(min_trade).max(BAND_WIDEST.min(BAND_SHARE * wanted.max(current)))
}

/// What the no-trade band knows.
#[derive(Debug, Clone, Copy)]
pub struct Band<'a> {
    /// Weights now.
    pub current: &'a [f64],
    /// Within which a weight may stay.
    pub bounds: &'a [Bound],
    /// Within which the others are projected: as [`project`] narrowed them.
    pub narrowed: &'a [Bound],
    /// What may be spent.
    pub budget: f64,
    /// Smallest trade worth its costs.
    pub min_trade: f64,
}

impl Band<'_> {
    /// Applies the no-trade band to the weights that may stay; says how many do.
    ///
    /// # Errors
    /// When bounds and budget contradict each other.
    pub fn keep_small(&self, wanted: &[f64], may_stay: &[bool]) -> Result<(Vec<f64>, usize), Refusal> {
        let mut kept: Vec<usize> =
            (0..wanted.len()).filter(|i| may_stay[*i] && self.stays(*i, wanted[*i])).collect();
        // The smallest differences are given up last.
        let gap = |i: usize| (wanted[i] - self.current[i]).abs();
        kept.sort_by(|a, b| gap(*a).total_cmp(&gap(*b)).then(a.cmp(b)));
        loop {
            let mut fixed = self.narrowed.to_vec();
            for i in &kept {
                let value = self.current[*i].clamp(self.bounds[*i].lower, self.bounds[*i].upper);
                fixed[*i] = Bound { lower: value, upper: value };
            }
            let least: f64 = fixed.iter().map(|bound| bound.lower).sum();
            let most: f64 = fixed.iter().map(|bound| bound.upper).sum();
            // Everybody staying below the budget is fine, the rest is cash; above it somebody has to move.
            if least <= self.budget + ROUNDING {
                let sum = self.budget.min(most).max(least);
                return Ok((project_box_sum(wanted, &fixed, sum)?, kept.len()));
            }
            if kept.pop().is_none() {
                return Err(Refusal::Infeasible);
            }
        }
    }

    fn stays(&self, i: usize, wanted: f64) -> bool {
        let (current, bound) = (self.current[i], self.bounds[i]);
        let inside = current >= bound.lower - ROUNDING && current <= bound.upper + ROUNDING;
        inside && (wanted - current).abs() < band(wanted, current, self.min_trade)
    }
}

/// Goes half the way when any weight would move too far; says whether it did.
///
/// # Errors
/// When bounds and budget contradict each other.
pub fn gradual(
    wanted: &[f64],
    current: &[f64],
    bounds: &[Bound],
    budget: f64,
) -> Result<(Vec<f64>, bool), Refusal> {
    let farthest =
        wanted.iter().zip(current).map(|(wanted, current)| (wanted - current).abs()).fold(0.0, f64::max);
    if farthest <= STEP_MAX + ROUNDING {
        return Ok((wanted.to_vec(), false));
    }
    let half: Vec<f64> = wanted.iter().zip(current).map(|(wanted, now)| now + 0.5 * (wanted - now)).collect();
    let sum: f64 = half.iter().zip(bounds).map(|(half, bound)| half.clamp(bound.lower, bound.upper)).sum();
    Ok((project_box_sum(&half, bounds, sum.min(budget))?, true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: Bound = Bound { lower: 0.0, upper: 1.0 };

    fn near(found: &[f64], expected: &[f64]) {
        for (one, other) in found.iter().zip(expected) {
            assert!((one - other).abs() < 1e-9, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn dust_is_dropped_and_what_must_stay_is_not() {
        let bounds = [FREE, FREE, Bound { lower: 0.002, upper: 1.0 }];
        near(&project(&[0.9, 0.004, 0.002], &bounds, 0.906).unwrap().0, &[0.902, 0.0, 0.004]);
        near(&project(&[0.9, 0.005, 0.0], &[FREE; 3], 0.905).unwrap().0, &[0.9, 0.005, 0.0]);
    }

    #[test]
    fn dust_comes_back_when_the_others_cannot_take_it() {
        let bounds = [Bound { lower: 0.0, upper: 0.9 }, FREE, FREE];
        let (weights, _) = project(&[0.9, 0.004, 0.003], &bounds, 0.92).unwrap();
        near(&weights, &[0.9, 0.02, 0.0]);
    }

    #[test]
    fn the_band_is_a_quarter_within_limits() {
        assert!((band(0.06, 0.0, 0.0) - 0.015).abs() < 1e-12);
        assert!((band(0.5, 0.4, 0.0) - 0.05).abs() < 1e-12);
        assert!((band(0.01, 0.01, 0.0) - 0.005).abs() < 1e-12);
        assert!((band(0.06, 0.0, 0.025) - 0.025).abs() < 1e-12);
    }

    fn keep_small(
        wanted: &[f64],
        current: &[f64],
        bounds: &[Bound],
        budget: f64,
        min_trade: f64,
    ) -> Result<(Vec<f64>, usize), Refusal> {
        let band = Band { current, bounds, narrowed: bounds, budget, min_trade };
        band.keep_small(wanted, &vec![true; wanted.len()])
    }

    #[test]
    fn what_may_not_stay_moves_and_what_was_dropped_stays_dropped() {
        let (current, wanted) = ([0.10, 0.0, 0.30], [0.11, 0.0, 0.29]);
        let narrowed = [FREE, Bound { lower: 0.0, upper: 0.0 }, FREE];
        let band =
            Band { current: &current, bounds: &[FREE; 3], narrowed: &narrowed, budget: 0.40, min_trade: 0.0 };
        let (weights, kept) = band.keep_small(&wanted, &[true, true, false]).unwrap();
        near(&weights, &[0.10, 0.0, 0.30]);
        assert_eq!(kept, 2, "the dropped one stays at nothing");
        let (weights, kept) = band.keep_small(&[0.11, 0.0, 0.29], &[false, false, false]).unwrap();
        near(&weights, &wanted);
        assert_eq!(kept, 0);
        // Held dust may stay where it is, but nothing beyond that comes back.
        let held = Band { current: &[0.10, 0.003, 0.25], ..band };
        let (weights, _) = held.keep_small(&[0.11, 0.0, 0.29], &[true; 3]).unwrap();
        near(&weights, &[0.10, 0.003, 0.25]);
        let (weights, _) =
            Band { current: &[0.10, 0.0, 0.0], ..band }.keep_small(&wanted, &[true; 3]).unwrap();
        near(&weights, &[0.10, 0.0, 0.30]);
    }

    #[test]
    fn a_new_position_of_six_percent_is_bought_and_small_moves_are_not() {
        let current = [0.10, 0.0, 0.30];
        let (weights, kept) = keep_small(&[0.11, 0.06, 0.23], &current, &[FREE; 3], 0.40, 0.005).unwrap();
        near(&weights, &[0.10, 0.06 + 0.005, 0.23 + 0.005]);
        assert_eq!(kept, 1);
    }

    #[test]
    fn everybody_may_stay_below_the_budget_but_not_above_it() {
        let (weights, kept) = keep_small(&[0.51, 0.44], &[0.5, 0.42], &[FREE; 2], 0.95, 0.005).unwrap();
        near(&weights, &[0.5, 0.42]);
        assert_eq!(kept, 2);
        let (weights, kept) = keep_small(&[0.49, 0.46], &[0.5, 0.47], &[FREE; 2], 0.95, 0.005).unwrap();
        assert!(kept < 2 && weights.iter().sum::<f64>() <= 0.95 + 1e-9, "{weights:?}");
    }

    #[test]
    fn a_holding_outside_its_bounds_moves_whatever_the_band_says() {
        let bounds = [Bound { lower: 0.0, upper: 0.1 }, FREE];
        let (weights, _) = keep_small(&[0.1, 0.4], &[0.104, 0.4], &bounds, 0.5, 0.005).unwrap();
        assert!(weights[0] <= 0.1);
    }

    #[test]
    fn far_moves_go_half_the_way_and_near_ones_all_of_it() {
        near(&gradual(&[0.5, 0.3], &[0.2, 0.3], &[FREE; 2], 0.8).unwrap().0, &[0.5, 0.3]);
        let (weights, halved) = gradual(&[0.6, 0.2], &[0.2, 0.4], &[FREE; 2], 0.8).unwrap();
        near(&weights, &[0.4, 0.3]);
        assert!(halved);
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_bounds_and_budget_hold(
            all in proptest::collection::vec((0.0_f64..0.4, 0.0_f64..0.3, 0.01_f64..0.3), 1..30),
            share in 0.0_f64..1.0,
        ) {
            let wanted: Vec<f64> = all.iter().map(|one| one.0).collect();
            let current: Vec<f64> = all.iter().map(|one| one.1).collect();
            let bounds: Vec<Bound> = all.iter().map(|one| Bound { lower: 0.0, upper: one.2.max(one.1) }).collect();
            let budget = share * bounds.iter().map(|bound| bound.upper).sum::<f64>();
            let (projected, _) = project(&wanted, &bounds, budget).unwrap();
            let (banded, _) = keep_small(&projected, &current, &bounds, budget, 0.01).unwrap();
            let (stepped, _) = gradual(&banded, &current, &bounds, budget).unwrap();
            for weights in [projected, banded, stepped] {
                prop_assert!(weights.iter().sum::<f64>() <= budget + 1e-9);
                prop_assert!(weights.iter().zip(&bounds).all(|(weight, bound)| *weight >= bound.lower - 1e-9 && *weight <= bound.upper + 1e-9));
            }
        }
    }
}
