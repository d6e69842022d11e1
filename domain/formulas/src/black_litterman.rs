//! Black–Litterman: what the market expects, corrected by opinions according to their confidence.
//!
//! Definition: prior π = λ·Σ·w; for views P (k × n), Q, Ω diagonal and M = P·τΣ·Pᵀ + Ω:
//! E = π + τΣPᵀ·M⁻¹·(Q − Pπ); posterior covariance Σ + τΣ − τΣPᵀ·M⁻¹·P·τΣ; weights (λΣ)⁻¹·E divided by
//! their sum. Uncertainty of a view: τ·pᵀΣp by default, with a confidence c in (0, 1] times (1 − c)/c
//! (Idzorek). Units: fractions a year, Σ annual. No views: E = π. Shapes that do not fit, not a number,
//! views that contradict each other with certainty, a Σ that is not positive definite where it is
//! inverted: a refusal. Allocates its working space; it runs once a day and is off by default.

use crate::cholesky::{Refusal, factor, solve};
use crate::finite::{all_finite, finite};

/// The usual τ, the uncertainty of the prior relative to the covariance.
pub const TAU: f64 = 0.05;
/// Uncertainty of a view without any confidence, large enough to have no effect.
const NO_CONFIDENCE: f64 = 1e6;

/// The market: annual covariance (row-major), risk aversion λ and τ.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// Annual covariance, assets² values.
    pub covariance: &'a [f64],
    /// Risk aversion λ.
    pub risk_aversion: f64,
    /// Uncertainty of the prior, [`TAU`] as a rule.
    pub tau: f64,
}

/// One opinion: a portfolio (`exposure`), the return expected of it, and how uncertain that is.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// One 1 for an absolute view, +1 and −1 for a relative one.
    pub exposure: Vec<f64>,
    /// Expected annual return of that portfolio.
    pub expected: f64,
    /// Variance of the opinion, the diagonal of Ω.
    pub uncertainty: f64,
}

/// What is expected once the opinions are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// Expected annual return per asset.
    pub returns: Vec<f64>,
    /// Covariance including the uncertainty of the estimate.
    pub covariance: Vec<f64>,
}

impl Market<'_> {
    /// Computes the returns the market weights imply: λ·Σ·w.
    ///
    /// # Examples
    /// ```
    /// use formulas::black_litterman::Market;
    /// let market = Market { covariance: &[0.04, 0.0, 0.0, 0.01], risk_aversion: 2.5, tau: 0.05 };
    /// assert_eq!(market.prior(&[0.5, 0.5]), Some(vec![0.05, 0.0125]));
    /// ```
    pub fn prior(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let prior: Vec<f64> = self.times(weights)?.iter().map(|value| self.risk_aversion * value).collect();
        all_finite(&prior).then_some(prior)
    }

    /// Computes the default uncertainty of a view, τ·pᵀΣp.
    ///
    /// # Examples
    /// ```
    /// use formulas::black_litterman::Market;
    /// let market = Market { covariance: &[0.04], risk_aversion: 2.5, tau: 0.05 };
    /// assert_eq!(market.uncertainty(&[1.0]), Some(0.002));
    /// ```
    pub fn uncertainty(&self, exposure: &[f64]) -> Option<f64> {
        let spread = dot(exposure, &self.times(exposure)?);
        finite(self.tau * spread)
    }

    /// Computes the uncertainty of a view held with confidence 0 to 1: τ·pᵀΣp·(1 − c)/c.
    ///
    /// # Examples
    /// ```
    /// use formulas::black_litterman::Market;
    /// let market = Market { covariance: &[0.04], risk_aversion: 2.5, tau: 0.05 };
    /// assert_eq!(market.uncertainty_at(&[1.0], 0.5), Some(0.002));
    /// assert_eq!(market.uncertainty_at(&[1.0], 1.0), Some(0.0));
    /// assert_eq!(market.uncertainty_at(&[1.0], 1.1), None);
    /// ```
    pub fn uncertainty_at(&self, exposure: &[f64], confidence: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&confidence) {
            return None;
        }
        if confidence < f64::MIN_POSITIVE {
            return Some(NO_CONFIDENCE);
        }
        finite(self.uncertainty(exposure)? * ((1.0 - confidence) / confidence))
    }

    /// Combines prior returns and views.
    ///
    /// # Errors
    /// [`Refusal::WrongShape`] when lengths differ, [`Refusal::NotPositiveDefinite`] when views
    /// contradict each other with certainty, [`Refusal::NotFinite`] for numbers that are none.
    ///
    /// # Examples
    /// ```
    /// use formulas::black_litterman::{Market, View};
    /// let market = Market { covariance: &[0.04], risk_aversion: 2.5, tau: 0.05 };
    /// // Prior 10 %, opinion 6 %, equally certain: 8 %.
    /// let view = View { exposure: vec![1.0], expected: 0.06, uncertainty: 0.002 };
    /// let posterior = market.posterior(&[0.10], &[view]).unwrap();
    /// assert!((posterior.returns[0] - 0.08).abs() < 1e-12);
    /// assert!((posterior.covariance[0] - 0.041).abs() < 1e-12);
    /// ```
    pub fn posterior(&self, prior: &[f64], views: &[View]) -> Result<Posterior, Refusal> {
        let assets = prior.len();
        // Row v holds τ·Σ·p_v, which is also the column of τΣPᵀ.
        let scaled = |view: &View| -> Option<Vec<f64>> {
            let product = self.times(&view.exposure)?;
            (product.len() == assets).then(|| product.iter().map(|value| self.tau * value).collect())
        };
        let spread: Vec<Vec<f64>> =
            views.iter().map(scaled).collect::<Option<_>>().ok_or(Refusal::WrongShape)?;
        if self.covariance.len() != assets * assets {
            return Err(Refusal::WrongShape);
        }
        let root = self.view_root(views, &spread)?;
        let mut surprise: Vec<f64> =
            views.iter().map(|view| view.expected - dot(&view.exposure, prior)).collect();
        solve(&root, views.len(), &mut surprise)?;
        let shifted =
            |i: usize| prior[i] + spread.iter().zip(&surprise).map(|(row, s)| row[i] * s).sum::<f64>();
        let returns: Vec<f64> = (0..assets).map(shifted).collect();
        let covariance = self.posterior_covariance(assets, &spread, &root)?;
        if all_finite(&returns) && all_finite(&covariance) {
            Ok(Posterior { returns, covariance })
        } else {
            Err(Refusal::NotFinite)
        }
    }

    /// The factor of M = P·τΣ·Pᵀ + Ω.
    fn view_root(&self, views: &[View], spread: &[Vec<f64>]) -> Result<Vec<f64>, Refusal> {
        let count = views.len();
        let mut matrix = vec![0.0; count * count];
        for (i, view) in views.iter().enumerate() {
            for (j, row) in spread.iter().enumerate() {
                matrix[i * count + j] = dot(&view.exposure, row);
            }
            matrix[i * count + i] += view.uncertainty;
        }
        factor(&mut matrix, count)?;
        Ok(matrix)
    }

    fn posterior_covariance(
        &self,
        assets: usize,
        spread: &[Vec<f64>],
        root: &[f64],
    ) -> Result<Vec<f64>, Refusal> {
        let mut out: Vec<f64> = self.covariance.iter().map(|value| value * (1.0 + self.tau)).collect();
        for j in 0..assets {
            let mut column: Vec<f64> = spread.iter().map(|row| row[j]).collect();
            solve(root, spread.len(), &mut column)?;
            for i in 0..assets {
                let known: f64 = spread.iter().zip(&column).map(|(row, value)| row[i] * value).sum();
                out[i * assets + j] -= known;
            }
        }
        Ok(out)
    }

    /// Computes the weights that the returns justify: (λΣ)⁻¹·E, scaled to the sum 1.
    ///
    /// # Errors
    /// [`Refusal::WrongShape`]; [`Refusal::NotPositiveDefinite`] for a covariance that cannot be
    /// inverted; [`Refusal::NotFinite`] also when the weights sum to nothing.
    ///
    /// # Examples
    /// ```
    /// use formulas::black_litterman::Market;
    /// let market = Market { covariance: &[0.04, 0.0, 0.0, 0.01], risk_aversion: 2.5, tau: 0.05 };
    /// let weights = market.weights(&[0.05, 0.0125]).unwrap();
    /// assert!((weights[0] - 0.5).abs() < 1e-12 && (weights[1] - 0.5).abs() < 1e-12);
    /// ```
    pub fn weights(&self, returns: &[f64]) -> Result<Vec<f64>, Refusal> {
        let mut root = self.covariance.to_vec();
        factor(&mut root, returns.len())?;
        let mut weights = returns.to_vec();
        solve(&root, returns.len(), &mut weights)?;
        // λ scales all weights alike and leaves with the division by the sum.
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        if all_finite(&weights) { Ok(weights) } else { Err(Refusal::NotFinite) }
    }

    fn times(&self, vector: &[f64]) -> Option<Vec<f64>> {
        let size = vector.len();
        if size == 0 || size.checked_mul(size) != Some(self.covariance.len()) {
            return None;
        }
        Some(self.covariance.chunks_exact(size).map(|row| dot(row, vector)).collect())
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: Market<'_> = Market { covariance: &[0.04, 0.01, 0.01, 0.02], risk_aversion: 2.5, tau: TAU };

    #[test]
    fn without_views_the_prior_remains() {
        let posterior = MARKET.posterior(&[0.1, 0.05], &[]);
        assert_eq!(posterior.map(|p| p.returns), Ok(vec![0.1, 0.05]));
    }

    #[test]
    fn refuses_certain_views_that_contradict_each_other() {
        let view = |expected| View { exposure: vec![1.0, 0.0], expected, uncertainty: 0.0 };
        let refused = MARKET.posterior(&[0.1, 0.05], &[view(0.1), view(0.2)]);
        assert_eq!(refused, Err(Refusal::NotPositiveDefinite(1)));
    }

    #[test]
    fn refuses_shapes_and_numbers_that_mean_nothing() {
        let short = View { exposure: vec![1.0], expected: 0.1, uncertainty: 0.1 };
        assert_eq!(MARKET.posterior(&[0.1, 0.05], &[short]), Err(Refusal::WrongShape));
        assert_eq!(MARKET.posterior(&[0.1], &[]), Err(Refusal::WrongShape));
        assert_eq!(MARKET.posterior(&[0.1, f64::NAN], &[]), Err(Refusal::NotFinite));
        assert_eq!(MARKET.prior(&[1.0]), None);
        assert_eq!(MARKET.weights(&[0.0, 0.0]), Err(Refusal::NotFinite));
    }
}
