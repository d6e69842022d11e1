//! Whether new targets are worth saying, and how far they may move at once.
//!
//! Targets older than seven days are replaced. Younger ones only when all weights together move by more than 0.02. One
//! run moves at most a quarter of the fund (half the sum of all differences); beyond that it stops on the way.

use std::collections::BTreeMap;

use allocation::{Bound, Refusal, project::project_box_sum};
use market::Isin;

use crate::question::{Asset, Previous};

/// Age after which targets are said anew.
const OLD_DAYS: f64 = 7.0;
/// Movement below this is noise.
const MOVED_MIN: f64 = 0.02;
const ROUNDING: f64 = 1e-9;
/// Largest part of the fund that one run moves.
const TURNOVER_MAX: f64 = 0.25;

/// Whether new targets are to be said.
#[must_use]
pub fn worth_saying(new: &BTreeMap<Isin, f64>, previous: Option<&Previous>) -> bool {
    let Some(previous) = previous else { return true };
    previous.age_days >= OLD_DAYS || moved(new, &previous.weights) > MOVED_MIN + ROUNDING
}

/// The sum of all differences.
#[must_use]
pub fn moved(new: &BTreeMap<Isin, f64>, old: &BTreeMap<Isin, f64>) -> f64 {
    let of = |weights: &BTreeMap<Isin, f64>, isin| weights.get(isin).copied().unwrap_or(0.0);
    let gone = old.keys().filter(|isin| !new.contains_key(isin));
    new.keys().chain(gone).map(|isin| (of(new, isin) - of(old, isin)).abs()).sum()
}

/// Weights that move no more than allowed, and whether they had to stop on the way.
///
/// # Errors
/// When bounds and budget contradict each other.
pub fn no_further(
    weights: &[f64],
    assets: &[Asset],
    bounds: &[Bound],
    previous: Option<&Previous>,
) -> Result<(Vec<f64>, bool), Refusal> {
    let Some(previous) = previous else { return Ok((weights.to_vec(), false)) };
    let before: Vec<f64> =
        assets.iter().map(|asset| previous.weights.get(&asset.isin).copied().unwrap_or(0.0)).collect();
    let turnover = 0.5 * weights.iter().zip(&before).map(|(new, old)| (new - old).abs()).sum::<f64>();
    if turnover <= TURNOVER_MAX {
        return Ok((weights.to_vec(), false));
    }
    let part = TURNOVER_MAX / turnover;
    let on_the_way: Vec<f64> =
        weights.iter().zip(&before).map(|(new, old)| old + part * (new - old)).collect();
    let sums = |side: fn(&Bound) -> f64| bounds.iter().map(side).sum::<f64>();
    // Never more than the run itself wanted to spend.
    let wanted: f64 = weights.iter().sum();
    let sum = on_the_way.iter().sum::<f64>().min(wanted);
    let sum = sum.clamp(sums(|bound| bound.lower), sums(|bound| bound.upper));
    Ok((project_box_sum(&on_the_way, bounds, sum)?, true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn isin(number: u32) -> Isin {
        Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
    }

    fn weights(all: &[f64]) -> BTreeMap<Isin, f64> {
        (1..).zip(all).map(|(number, weight)| (isin(number), *weight)).collect()
    }

    fn previous(all: &[f64], age_days: f64) -> Previous {
        Previous { weights: weights(all), age_days }
    }

    #[test]
    fn small_movements_are_not_said_before_a_week_is_over() {
        for (new, age, said) in [
            ([0.5, 0.3], 0.0, false),
            ([0.51, 0.29], 0.0, false),
            ([0.52, 0.29], 0.0, true),
            ([0.5, 0.3], 6.99, false),
            ([0.5, 0.3], 7.0, true),
        ] {
            assert_eq!(
                worth_saying(&weights(&new), Some(&previous(&[0.5, 0.3], age))),
                said,
                "{new:?} {age}"
            );
        }
        assert!(worth_saying(&weights(&[0.1]), None), "the first ones always");
    }

    #[test]
    fn what_came_and_what_went_is_movement() {
        assert!((moved(&weights(&[0.1]), &weights(&[0.1, 0.2])) - 0.2).abs() < 1e-12);
        assert!((moved(&weights(&[0.1, 0.2]), &weights(&[0.1])) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_run_stops_after_a_quarter_of_the_fund() {
        let asset = |number| Asset {
            isin: isin(number),
            current: 0.0,
            allow_buy: true,
            allow_sell: true,
            own_max: None,
            own_min: None,
            leaves: false,
            expected: 0.1,
        };
        let assets = [asset(1), asset(2)];
        let bounds = [Bound { lower: 0.0, upper: 1.0 }; 2];
        let before = previous(&[0.9, 0.0], 1.0);
        let (near, stopped) = no_further(&[0.65, 0.25], &assets, &bounds, Some(&before)).unwrap();
        assert!(!stopped && (near[0] - 0.65).abs() < 1e-12);
        let (far, stopped) = no_further(&[0.0, 0.9], &assets, &bounds, Some(&before)).unwrap();
        assert!(stopped && (far[0] - 0.65).abs() < 1e-9 && (far[1] - 0.25).abs() < 1e-9, "{far:?}");
        assert!(!no_further(&[0.0, 0.9], &assets, &bounds, None).unwrap().1);
    }
}
