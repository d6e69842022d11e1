//! The worst days: weights with the least mean loss on them (CVaR, Rockafellar and Uryasev).
//!
//! Definition over T days of returns r_t and confidence β: minimise α + Σu_t/((1 − β)·T) with u_t ≥ 0 and
//! u_t ≥ −r_tᵀw − α; a loss is positive. `with_return(ρ)` adds μᵀw ≥ ρ; `within_loss` maximises μᵀw with that
//! loss at most a limit. Units: fraction a day. Several weights may be equally good. No days, β outside 0 to 1,
//! shapes that differ, not a number: invalid. Flat series lose nothing; that is an answer.

use crate::limits::Limits;
use crate::programme::Programme;
use crate::refusal::Refusal;

/// Days, opinions and limits.
#[derive(Debug, Clone, Copy)]
pub struct TailLoss<'a> {
    /// Row-major, one row per day.
    pub days: &'a [f64],
    /// Expected returns, one per asset.
    pub returns: &'a [f64],
    /// What weights must keep.
    pub limits: &'a Limits,
    /// β, for example 0.95.
    pub confidence: f64,
}

impl TailLoss<'_> {
    /// The weights with the least loss.
    ///
    /// # Errors
    /// [`Refusal::InvalidInput`], [`Refusal::Infeasible`], [`Refusal::Numeric`].
    ///
    /// # Examples
    /// ```
    /// use allocation::{Bound, Limits, tail_loss::TailLoss};
    /// let bounds = vec![Bound { lower: 0.0, upper: 1.0 }; 2];
    /// let limits = Limits { bounds, groups: vec![], budget: 1.0 };
    /// // The first loses 2 % on its bad day, the second 4 %, on different days: five eighths and three.
    /// let days = [-0.02, 0.01, 0.01, -0.04];
    /// let tail = TailLoss { days: &days, returns: &[0.0, 0.0], limits: &limits, confidence: 0.5 };
    /// let weights = tail.least().unwrap();
    /// assert!((tail.loss_of(&weights).unwrap() - 0.00875).abs() < 1e-8);
    /// ```
    pub fn least(&self) -> Result<Vec<f64>, Refusal> {
        self.answer(&self.least_loss()?)
    }

    /// The weights with the least loss among those with at least this return.
    ///
    /// # Errors
    /// [`Refusal::TargetReturnTooHigh`], and those of [`TailLoss::least`].
    pub fn with_return(&self, target: f64) -> Result<Vec<f64>, Refusal> {
        if !target.is_finite() {
            return Err(Refusal::InvalidInput);
        }
        let mut programme = self.least_loss()?;
        programme.at_most((self.returns.iter().enumerate().map(|(i, mu)| (i, -mu)).collect(), -target));
        self.answer(&programme).map_err(|refusal| match refusal {
            // The limits alone allow something, or `least` would have said so.
            Refusal::Infeasible if self.least().is_ok() => Refusal::TargetReturnTooHigh,
            other => other,
        })
    }

    /// The weights with the highest return whose loss stays within a limit.
    ///
    /// # Errors
    /// Those of [`TailLoss::least`]; a limit that cannot be kept is infeasible.
    pub fn within_loss(&self, loss: f64) -> Result<Vec<f64>, Refusal> {
        if !loss.is_finite() {
            return Err(Refusal::InvalidInput);
        }
        let (mut programme, unit) = self.programme()?;
        let (n, days) = self.shape();
        self.returns.iter().enumerate().for_each(|(i, mu)| programme.cost(i, -mu));
        let tail = (0..days).map(|day| (n + 1 + day, self.day_cost()));
        programme.at_most(([(n, 1.0)].into_iter().chain(tail).collect(), loss / unit));
        self.answer(&programme)
    }

    /// The mean loss of weights on the worst share of the days, as the programme counts it.
    #[must_use]
    pub fn loss_of(&self, weights: &[f64]) -> Option<f64> {
        let n = weights.len();
        let rows = self.days.chunks_exact(n.max(1));
        let mut losses: Vec<f64> =
            rows.map(|row| -row.iter().zip(weights).map(|(r, w)| r * w).sum::<f64>()).collect();
        losses.sort_by(|a, b| b.total_cmp(a));
        let tail = (1.0 - self.confidence) * losses.len() as f64;
        let (mut left, mut sum) = (tail, 0.0);
        for loss in losses {
            let share = left.clamp(0.0, 1.0);
            sum += share * loss;
            left -= share;
        }
        Some(sum / tail).filter(|loss| loss.is_finite())
    }

    fn shape(&self) -> (usize, usize) {
        let n = self.returns.len();
        (n, self.days.len().checked_div(n).unwrap_or(0))
    }

    fn day_cost(&self) -> f64 {
        1.0 / ((1.0 - self.confidence) * self.shape().1 as f64)
    }

    /// Variables: weights, α, one u per day; losses in units of the mean movement, which is returned.
    fn programme(&self) -> Result<(Programme, f64), Refusal> {
        let (n, days) = self.shape();
        let finite = self.days.iter().chain(self.returns).all(|value| value.is_finite());
        let fits = n > 0 && days > 0 && n * days == self.days.len() && n == self.limits.bounds.len();
        let known = self.confidence > 0.0 && self.confidence < 1.0;
        if !(finite && fits && known) {
            return Err(Refusal::InvalidInput);
        }
        self.limits.check()?;
        let mean = self.days.iter().map(|value| value.abs()).sum::<f64>() / self.days.len() as f64;
        let unit = if mean > 0.0 { mean } else { 1.0 };
        let mut programme = Programme::new(n + 1 + days);
        self.limits.require(&mut programme, None);
        for (day, row) in self.days.chunks_exact(n).enumerate() {
            let mut entries: Vec<(usize, f64)> =
                row.iter().enumerate().map(|(i, r)| (i, -r / unit)).collect();
            entries.extend([(n, -1.0), (n + 1 + day, -1.0)]);
            programme.at_most((entries, 0.0));
            programme.at_most((vec![(n + 1 + day, -1.0)], 0.0));
        }
        Ok((programme, unit))
    }

    fn least_loss(&self) -> Result<Programme, Refusal> {
        let (mut programme, _) = self.programme()?;
        let (n, days) = self.shape();
        programme.cost(n, 1.0);
        (0..days).for_each(|day| programme.cost(n + 1 + day, self.day_cost()));
        Ok(programme)
    }

    fn answer(&self, programme: &Programme) -> Result<Vec<f64>, Refusal> {
        let mut x = programme.solve()?;
        x.truncate(self.returns.len());
        self.limits.settle(&x)
    }
}
