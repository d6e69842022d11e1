//! How the securities move: the shrunk covariance for the solver and the plain one for risk parity.
//!
//! Ledoit–Wolf on daily returns, a year. Where venues close hours apart, a day in Asia answers the evening before in
//! New York, and daily correlations come out too low; then correlations are taken from overlapping five-day returns
//! and variances stay daily.

use formulas::{
    correlation::{Pair, strongest_pairs},
    covariance::sample_covariance,
    cvar::{Space, contributions, historical_cvar, overlapping_sums},
    hrp::correlations,
    ledoit_wolf::ledoit_wolf,
    trading_year::TRADING_DAYS_PER_YEAR,
};

/// Days of an overlapping return.
const OVERLAP: usize = 5;
/// Pairs this alike are reported.
const ALIKE: f64 = 0.80;
const PAIRS_MAX: usize = 5;
/// Days of the loss that is compared with its limit.
const LOSS_DAYS: usize = 20;
const LOSS_CONFIDENCE: f64 = 0.95;
/// Days below which the worst of them say nothing.
const LOSS_DAYS_MIN: usize = 250;

/// What is known of the risk of n securities.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// Securities.
    pub count: usize,
    /// Daily returns, row-major.
    pub days: Vec<f64>,
    /// Shrunk covariance a year.
    pub covariance: Vec<f64>,
    /// Plain covariance a year.
    pub sample: Vec<f64>,
    /// Correlations of the plain covariance.
    pub correlation: Vec<f64>,
    /// How far it was shrunk, 0 to 1.
    pub shrinkage: f64,
    /// The pairs that move most alike.
    pub alike: Vec<Pair>,
}

/// Estimates; `None` when the returns say nothing.
#[must_use]
pub fn risk(days: Vec<f64>, count: usize, closes_apart: bool) -> Option<Risk> {
    let (mut covariance, shrinkage) = shrunk(&days, count, 1.0)?;
    let mut sample = plain(&days, count, 1.0)?;
    if closes_apart {
        let sums = sums(&days, count);
        let long = OVERLAP as f64;
        if let Some(((five, _), plain)) = shrunk(&sums, count, long).zip(plain(&sums, count, long)) {
            covariance = with_correlations_of(&covariance, &five, count)?;
            sample = with_correlations_of(&sample, &plain, count)?;
        }
    }
    let mut correlation = vec![0.0; count * count];
    correlations(&sample, count, &mut correlation)?;
    let alike = strongest_pairs(&days, count, ALIKE, PAIRS_MAX);
    Some(Risk { count, days, covariance, sample, correlation, shrinkage, alike })
}

impl Risk {
    /// The mean loss of weights on the worst twentieth of all days, below zero for a loss, and what each contributes to it;
    /// `None` with too few days to speak of a twentieth.
    #[must_use]
    pub fn daily_tail(&self, weights: &[f64]) -> Option<(f64, Vec<f64>)> {
        let days = self.days.len() / self.count.max(1);
        if days < LOSS_DAYS_MIN {
            return None;
        }
        let (mut daily, mut order, mut parts) = (vec![0.0; days], vec![0; days], vec![0.0; self.count]);
        let space = Space { daily: &mut daily, order: &mut order };
        let loss = contributions(weights, &self.days, LOSS_CONFIDENCE, space, &mut parts)?;
        Some((loss, parts))
    }

    /// The mean loss of weights on the worst twentieth of all stretches of twenty days, below zero for a loss; `None`
    /// with too few days.
    #[must_use]
    pub fn tail(&self, weights: &[f64]) -> Option<f64> {
        if self.days.len() / self.count.max(1) < LOSS_DAYS_MIN {
            return None;
        }
        let rows = self.days.chunks_exact(self.count.max(1));
        let daily: Vec<f64> =
            rows.map(|row| row.iter().zip(weights).map(|(value, weight)| value * weight).sum()).collect();
        let mut long = vec![0.0; daily.len()];
        let long = overlapping_sums(&daily, LOSS_DAYS, &mut long)?;
        let mut sorted = vec![0.0; long.len()];
        historical_cvar(long, LOSS_CONFIDENCE, &mut sorted)
    }
}

fn shrunk(days: &[f64], count: usize, length: f64) -> Option<(Vec<f64>, f64)> {
    let (mut centred, mut out) = (vec![0.0; days.len()], vec![0.0; count * count]);
    let shrinkage = ledoit_wolf(days, count, TRADING_DAYS_PER_YEAR / length, &mut centred, &mut out)?;
    Some((out, shrinkage))
}

fn plain(days: &[f64], count: usize, length: f64) -> Option<Vec<f64>> {
    let (mut centred, mut out) = (vec![0.0; days.len()], vec![0.0; count * count]);
    sample_covariance(days, count, TRADING_DAYS_PER_YEAR / length, &mut centred, &mut out)?;
    Some(out)
}

/// Sums of five days that follow each other, one row per day from the fifth on.
fn sums(days: &[f64], count: usize) -> Vec<f64> {
    let rows = days.len() / count.max(1);
    let sum =
        |row: usize, column: usize| (row..row + OVERLAP).map(|day| days[day * count + column]).sum::<f64>();
    let rows = 0..(rows + 1).saturating_sub(OVERLAP);
    rows.flat_map(|row| (0..count).map(move |column| sum(row, column))).collect()
}

fn with_correlations_of(variances: &[f64], other: &[f64], count: usize) -> Option<Vec<f64>> {
    let mut rho = vec![0.0; count * count];
    correlations(other, count, &mut rho)?;
    let scatter: Vec<f64> = variances.iter().step_by(count + 1).map(|variance| variance.sqrt()).collect();
    Some((0..count * count).map(|at| rho[at] * (scatter[at / count] * scatter[at % count])).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Two series of which the second does today what the first did yesterday.
    fn lagging(days: usize) -> Vec<f64> {
        let step = |day: usize| 0.01 * (((day * 7919 + 13) % 101) as f64 / 50.0 - 1.0);
        (1..=days).flat_map(|day| [step(day), step(day - 1)]).collect()
    }

    #[test]
    fn five_days_see_what_closing_times_hide() {
        let days = lagging(300);
        let daily = risk(days.clone(), 2, false).unwrap();
        let apart = risk(days, 2, true).unwrap();
        assert!(daily.correlation[1] < 0.3 && apart.correlation[1] > 0.5, "{daily:?}");
        assert!((daily.covariance[0] - apart.covariance[0]).abs() < 1e-12, "variances stay daily");
    }

    #[test]
    fn the_same_series_twice_has_a_usable_covariance() {
        let days: Vec<f64> = lagging(300).chunks_exact(2).flat_map(|row| [row[0], row[0]]).collect();
        let risk = risk(days, 2, true).unwrap();
        assert!((risk.correlation[1] - 1.0).abs() < 1e-12);
        assert_eq!(risk.alike.len(), 1);
    }

    #[test]
    fn no_days_say_nothing() {
        assert_eq!(risk(vec![], 2, false), None);
        assert_eq!(risk(vec![0.0; 40], 2, false), None, "nothing moves");
    }

    #[test]
    fn the_tail_is_a_loss_below_zero() {
        let falling = |days: i32| -> Vec<f64> {
            (0..days).flat_map(|day| [-0.001 * f64::from(day % 3), 0.001 * f64::from(day % 2)]).collect()
        };
        let known = risk(falling(250), 2, false).unwrap();
        assert!(known.tail(&[1.0, 0.0]).unwrap() < -0.015);
        let (loss, parts) = known.daily_tail(&[0.5, 0.5]).unwrap();
        // The 13 worst days lose 0.002 in the first and gain nothing in the second.
        assert!((loss + 0.001).abs() < 1e-12 && (parts[0] + 0.001).abs() < 1e-12, "{loss} {parts:?}");
        assert!((parts.iter().sum::<f64>() - loss).abs() < 1e-15);
        let few = risk(falling(249), 2, false).unwrap();
        assert_eq!((few.tail(&[1.0, 0.0]), few.daily_tail(&[1.0, 0.0])), (None, None));
    }
}
