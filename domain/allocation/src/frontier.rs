//! Mean and variance: the calmest weights, the calmest for a return, the best for a risk, the best ratio.
//!
//! Definition, Σ the covariance, μ the expected returns, limits as in [`crate::limits`]:
//! `min_volatility` min wᵀΣw; `efficient_return(ρ)` the same with μᵀw ≥ ρ; `efficient_risk(σ)` max μᵀw with
//! wᵀΣw ≤ σ²; `max_sharpe(rf)` y, k: min yᵀΣy with (μ − rf)ᵀy = 1, Σy = budget·k, k ≥ 0, every limit times k,
//! then w = y/k. Units: fractions a year in, fractions out. A target that the limits cannot reach, a volatility
//! that no portfolio has, no return above the rate: each its own refusal. Flat series, duplicates and singular
//! matrices are allowed; not a number, shapes that differ, asymmetry: invalid; a negative eigenvalue: not psd.

use formulas::cholesky;

use crate::limits::{Limits, SAME};
use crate::programme::Programme;
use crate::refusal::Refusal;

/// Largest asymmetry, relative to the largest entry.
const ASYMMETRY_MAX: f64 = 1e-12;
/// How far below zero an eigenvalue may be by rounding, relative to the mean variance.
const EIGENVALUE_ROUNDING: f64 = 1e-12;
/// A target this little above what can be reached is reached.
const TARGET_ROUNDING: f64 = 1e-9;

/// Returns, risk and limits that have passed every check.
#[derive(Debug, Clone)]
pub struct Frontier<'a> {
    returns: &'a [f64],
    covariance: &'a [f64],
    limits: &'a Limits,
    /// Mean variance, by which the covariance is divided for the solver.
    scale: f64,
    /// Lower triangular root of the scaled covariance.
    root: Vec<f64>,
}

impl<'a> Frontier<'a> {
    /// Checks everything before any solver is asked.
    ///
    /// # Errors
    /// [`Refusal::InvalidInput`], [`Refusal::NotPsd`], [`Refusal::Infeasible`].
    ///
    /// # Examples
    /// ```
    /// use allocation::{Bound, Limits, frontier::Frontier};
    /// let bounds = vec![Bound { lower: 0.0, upper: 1.0 }; 2];
    /// let limits = Limits { bounds, groups: vec![], budget: 1.0 };
    /// let frontier = Frontier::new(&[0.05, 0.08], &[0.01, 0.0, 0.0, 0.04], &limits).unwrap();
    /// let calm = frontier.min_volatility().unwrap();
    /// assert!((calm[0] - 0.8).abs() < 1e-8 && (calm[1] - 0.2).abs() < 1e-8);
    /// let asked = frontier.efficient_return(0.065).unwrap();
    /// assert!((asked[0] - 0.5).abs() < 1e-8);
    /// ```
    pub fn new(returns: &'a [f64], covariance: &'a [f64], limits: &'a Limits) -> Result<Self, Refusal> {
        let n = returns.len();
        let finite = returns.iter().chain(covariance).all(|value| value.is_finite());
        if n == 0 || n * n != covariance.len() || n != limits.bounds.len() || !finite {
            return Err(Refusal::InvalidInput);
        }
        let largest = covariance.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let mirrored = |at: usize| covariance[at % n * n + at / n];
        if (0..n * n).any(|at| (covariance[at] - mirrored(at)).abs() > ASYMMETRY_MAX * largest) {
            return Err(Refusal::InvalidInput);
        }
        let trace: f64 = covariance.iter().step_by(n + 1).sum();
        let scale = if largest > 0.0 { trace / n as f64 } else { 1.0 };
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Refusal::NotPsd);
        }
        let root = root(covariance, n, scale)?;
        limits.check()?;
        Ok(Frontier { returns, covariance, limits, scale, root })
    }

    /// The expected return of weights.
    #[must_use]
    pub fn return_of(&self, weights: &[f64]) -> f64 {
        self.returns.iter().zip(weights).map(|(mu, weight)| mu * weight).sum()
    }

    /// The volatility of weights.
    #[must_use]
    pub fn volatility_of(&self, weights: &[f64]) -> f64 {
        volatility(self.covariance, weights)
    }

    /// The calmest weights.
    ///
    /// # Errors
    /// [`Refusal::Infeasible`], [`Refusal::Numeric`].
    pub fn min_volatility(&self) -> Result<Vec<f64>, Refusal> {
        if let Some(only) = self.only_choice()? {
            return Ok(only);
        }
        self.limits.settle(&self.calmest().solve()?)
    }

    /// The calmest weights with at least this return.
    ///
    /// # Errors
    /// [`Refusal::TargetReturnTooHigh`], and those of [`Frontier::min_volatility`].
    pub fn efficient_return(&self, target: f64) -> Result<Vec<f64>, Refusal> {
        if !target.is_finite() {
            return Err(Refusal::InvalidInput);
        }
        let best = self.highest_return()?;
        let reached = self.return_of(&best);
        if target > reached + TARGET_ROUNDING {
            return Err(Refusal::TargetReturnTooHigh);
        }
        if target >= reached - TARGET_ROUNDING {
            // Only the best there is will do, and a programme without an interior answers badly.
            return Ok(best);
        }
        let mut programme = self.calmest();
        programme.at_most((self.negative_returns(), -target));
        self.limits.settle(&programme.solve()?)
    }

    /// The highest return at this volatility.
    ///
    /// # Errors
    /// [`Refusal::InvalidInput`] for a negative one, [`Refusal::TargetVolatilityTooLow`], and those of
    /// [`Frontier::min_volatility`].
    pub fn efficient_risk(&self, volatility: f64) -> Result<Vec<f64>, Refusal> {
        if !volatility.is_finite() || volatility < 0.0 {
            return Err(Refusal::InvalidInput);
        }
        if volatility < self.least_volatility_with_short_sales() {
            return Err(Refusal::TargetVolatilityTooLow);
        }
        if let Some(only) = self.only_choice()? {
            let calm = self.volatility_of(&only) <= volatility + TARGET_ROUNDING;
            return if calm { Ok(only) } else { Err(Refusal::Infeasible) };
        }
        let n = self.returns.len();
        let mut programme = Programme::new(n);
        self.returns.iter().enumerate().for_each(|(i, mu)| programme.cost(i, -mu));
        self.limits.require(&mut programme, None);
        let column = |j: usize| (j..n).map(|i| (i, self.root[i * n + j])).collect();
        programme.within((0..n).map(column).collect(), volatility / self.scale.sqrt());
        self.limits.settle(&programme.solve()?)
    }

    /// The weights with the highest return above the rate per unit of risk.
    ///
    /// # Errors
    /// [`Refusal::NoPositiveExcessReturn`], and those of [`Frontier::min_volatility`].
    pub fn max_sharpe(&self, risk_free: f64) -> Result<Vec<f64>, Refusal> {
        if !risk_free.is_finite() {
            return Err(Refusal::InvalidInput);
        }
        let n = self.returns.len();
        let highest = self.returns.iter().copied().fold(f64::MIN, f64::max) - risk_free;
        if highest <= 0.0 {
            return Err(Refusal::NoPositiveExcessReturn);
        }
        if let Some(only) = self.only_choice()? {
            let earns = self.return_of(&only) > risk_free * self.limits.budget;
            return if earns { Ok(only) } else { Err(Refusal::Infeasible) };
        }
        let mut programme = Programme::new(n + 1);
        programme.square(self.covariance, n, 1.0 / self.scale);
        // Divided by the highest excess return, so that y is of the size of the weights.
        let excess = self.returns.iter().map(|mu| (mu - risk_free) / highest);
        programme.equal((excess.enumerate().collect(), 1.0));
        self.limits.require(&mut programme, Some(n));
        programme.at_most((vec![(n, -1.0)], 0.0));
        let mut y = programme.solve()?;
        let k = y.pop().filter(|k| *k > SAME).ok_or(Refusal::Numeric)?;
        y.iter_mut().for_each(|y| *y /= k);
        self.limits.settle(&y)
    }

    /// The weights with the highest return within the limits.
    ///
    /// # Errors
    /// [`Refusal::Infeasible`], [`Refusal::Numeric`].
    pub fn highest_return(&self) -> Result<Vec<f64>, Refusal> {
        if let Some(only) = self.only_choice()? {
            return Ok(only);
        }
        if self.limits.groups.is_empty() {
            return Ok(self.best_first());
        }
        let mut programme = Programme::new(self.returns.len());
        self.returns.iter().enumerate().for_each(|(i, mu)| programme.cost(i, -mu));
        self.limits.require(&mut programme, None);
        self.limits.settle(&programme.solve()?)
    }

    /// Without groups the highest return fills the best first.
    fn best_first(&self) -> Vec<f64> {
        let mut weights: Vec<f64> = self.limits.bounds.iter().map(|bound| bound.lower).collect();
        let mut left = self.limits.budget - weights.iter().sum::<f64>();
        let mut order: Vec<usize> = (0..self.returns.len()).collect();
        order.sort_by(|a, b| self.returns[*b].total_cmp(&self.returns[*a]).then(a.cmp(b)));
        for i in order {
            let more = (self.limits.bounds[i].upper - weights[i]).min(left).max(0.0);
            weights[i] += more;
            left -= more;
        }
        weights
    }

    fn calmest(&self) -> Programme {
        let n = self.returns.len();
        let mut programme = Programme::new(n);
        programme.square(self.covariance, n, 1.0 / self.scale);
        self.limits.require(&mut programme, None);
        programme
    }

    fn negative_returns(&self) -> Vec<(usize, f64)> {
        self.returns.iter().enumerate().map(|(i, mu)| (i, -mu)).collect()
    }

    /// The only weights there are, when the bounds leave no room; refused when a group forbids them.
    fn only_choice(&self) -> Result<Option<Vec<f64>>, Refusal> {
        let (least, most) = self.limits.sums();
        let bounds = self.limits.bounds.iter();
        let only: Vec<f64> = if self.limits.budget - least <= SAME {
            bounds.map(|bound| bound.lower).collect()
        } else if most - self.limits.budget <= SAME {
            bounds.map(|bound| bound.upper).collect()
        } else {
            return Ok(None);
        };
        self.limits.settle(&only).map(Some).map_err(|_| Refusal::Infeasible)
    }

    /// √(budget²/ΣᵢⱼΣ⁻¹ᵢⱼ): nobody can be calmer, whatever is sold short.
    fn least_volatility_with_short_sales(&self) -> f64 {
        let mut ones = vec![1.0; self.returns.len()];
        if cholesky::solve(&self.root, self.returns.len(), &mut ones).is_err() {
            return 0.0;
        }
        let sum: f64 = ones.iter().sum();
        if sum > 0.0 { self.limits.budget.abs() * (self.scale / sum).sqrt() } else { 0.0 }
    }
}

/// √(wᵀΣw); rounding below zero counts as none.
#[must_use]
pub fn volatility(covariance: &[f64], weights: &[f64]) -> f64 {
    let rows = covariance.chunks_exact(weights.len().max(1)).zip(weights);
    let row = |row: &[f64]| row.iter().zip(weights).map(|(c, weight)| c * weight).sum::<f64>();
    let variance: f64 = rows.map(|(values, weight)| weight * row(values)).sum();
    variance.max(0.0).sqrt()
}

/// Root of Σ/scale, helped over rounding by the smallest diagonal that rounding explains.
fn root(covariance: &[f64], n: usize, scale: f64) -> Result<Vec<f64>, Refusal> {
    let mut root: Vec<f64> = covariance.iter().map(|value| value / scale).collect();
    root.iter_mut().step_by(n + 1).for_each(|value| *value += EIGENVALUE_ROUNDING * n as f64);
    cholesky::factor(&mut root, n).map_err(|_| Refusal::NotPsd)?;
    Ok(root)
}
