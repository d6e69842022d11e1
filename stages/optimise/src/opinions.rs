//! What each security is expected to earn a year: its own growth, shrunk towards everyone's, mixed with its score.
//!
//! Growth is the score's: that of the price over five years, else over ten, without dividends, from the same series that
//! it was judged by; what is known for fewer years counts less. The published yield is added. 0.70 of that
//! and 0.30 of the target return times score/0.5, damped in a bear market; what the owner prefers adds at most 0.02. Where Black–Litterman is on, history and
//! score are not mixed: the market's own expectation is the prior and the score is an opinion with the confidence of
//! its coverage.

use contracts::SecurityScore;
use formulas::{
    black_litterman::{Market, TAU, View},
    expected_return::{
        HISTORY_SHARE, Outlook, Shifts, base, bear_damping, expected_return, preference_tilt, shrunk_growth,
    },
    median::median,
};

/// Score that counts as exactly the target return.
const NEUTRAL: f64 = 0.5;
const RISK_AVERSION: f64 = 2.5;
/// Largest share of one security in the prior.
const PRIOR_MAX: f64 = 0.15;
/// Confidence of a score that rests on everything it could.
const CONFIDENCE_MAX: f64 = 0.5;
const CONFIDENCE_MIN: f64 = 0.05;
const RETURN_MIN: f64 = -0.10;
const RETURN_MAX: f64 = 0.30;

/// What nobody prefers or dislikes.
const INDIFFERENT: f64 = 1.0;

/// What is known about one security.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Growth a year and the years it is known for.
    pub growth: (f64, f64),
    /// Dividends a year over the price.
    pub dividend_yield: f64,
    /// 0 to 1.
    pub score: f64,
    /// Share of the score's parts for which there was data.
    pub coverage: f64,
    /// How much the owner prefers it, above zero; 1 for neither more nor less.
    pub preference: f64,
}

/// What a preference adds to the expected return, at most 0.02 either way; one that makes no sense adds nothing.
fn tilt(known: &Known) -> f64 {
    preference_tilt(known.preference).unwrap_or(0.0)
}

/// The preference of an owner who said one, or none.
#[must_use]
pub fn preference(said: Option<f64>) -> f64 {
    said.filter(|number| preference_tilt(*number).is_some()).unwrap_or(INDIFFERENT)
}

/// Growth a year as the score knows it, and the years of its history; `None` when it knows none.
#[must_use]
pub fn growth(score: &SecurityScore) -> Option<(f64, f64)> {
    let known = ["cagr_5y", "cagr_10y"].into_iter().find_map(|name| score.inputs.get(name));
    Some((known?.get(), score.history_years.get().max(0.0)))
}

/// Expected returns, one per security; `None` where they are not numbers.
#[must_use]
pub fn expected(all: &[Known], target: f64, regime: Option<f64>) -> Vec<Option<f64>> {
    let mut growths: Vec<f64> = all.iter().map(|known| known.growth.0).collect();
    let median = median(&mut growths);
    let damping = bear_damping(regime);
    let one = |known: &Known| {
        let (growth, years) = known.growth;
        let outlook = Outlook {
            growth: shrunk_growth(growth, median?, years)?,
            dividend_yield: known.dividend_yield,
            score: known.score,
            target,
        };
        expected_return(
            base(&outlook, HISTORY_SHARE)?,
            &Shifts { damping: damping?, tilt: tilt(known), ..Shifts::default() },
        )
    };
    all.iter().map(one).collect()
}

/// Expected returns as the market's own, corrected by the scores; `None` when the covariance does not allow it.
#[must_use]
pub fn combined(all: &[Known], covariance: &[f64], target: f64) -> Option<Vec<f64>> {
    let n = all.len();
    let market = Market { covariance, risk_aversion: RISK_AVERSION, tau: TAU };
    let prior = market.prior(&capped_inverse_variance(covariance, n)?)?;
    let view = |(i, known): (usize, &Known)| {
        let mut exposure = vec![0.0; n];
        *exposure.get_mut(i)? = 1.0;
        let confidence = (CONFIDENCE_MAX * known.coverage).clamp(CONFIDENCE_MIN, CONFIDENCE_MAX);
        let uncertainty = market.uncertainty_at(&exposure, confidence)?;
        let expected = target * known.score.max(0.0) / NEUTRAL + tilt(known);
        Some(View { exposure, expected, uncertainty })
    };
    let views: Vec<View> = all.iter().enumerate().map(view).collect::<Option<_>>()?;
    let posterior = market.posterior(&prior, &views).ok()?;
    Some(posterior.returns.iter().map(|value| value.clamp(RETURN_MIN, RETURN_MAX)).collect())
}

/// Shares in inverse proportion to the variances, none above its cap when there are enough securities for that.
fn capped_inverse_variance(covariance: &[f64], n: usize) -> Option<Vec<f64>> {
    let inverse: Vec<f64> = covariance.iter().step_by(n + 1).map(|variance| 1.0 / variance).collect();
    let sum: f64 = inverse.iter().sum();
    if !(sum.is_finite() && sum > 0.0) {
        return None;
    }
    let wanted: Vec<f64> = inverse.iter().map(|value| value / sum).collect();
    let upper = PRIOR_MAX.max(1.0 / n as f64);
    let bounds = vec![allocation::Bound { lower: 0.0, upper }; n];
    allocation::project::project_box_sum(&wanted, &bounds, 1.0).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Finite, Sample};

    use super::*;

    fn known(growth: f64, score: f64) -> Known {
        Known { growth: (growth, 5.0), dividend_yield: 0.0, score, coverage: 1.0, preference: 1.0 }
    }

    #[test]
    fn growth_is_the_scores_of_five_years_else_of_ten_and_nothing_is_a_value() {
        let of = |inputs: &[(&str, f64)]| {
            let inputs =
                inputs.iter().map(|(name, value)| ((*name).to_string(), Finite::new(*value).unwrap()));
            let history_years = Finite::new(7.5).unwrap();
            growth(&SecurityScore { inputs: inputs.collect(), history_years, ..SecurityScore::sample() })
        };
        assert_eq!(of(&[("cagr_5y", 0.08), ("cagr_10y", 0.03)]), Some((0.08, 7.5)));
        assert_eq!(of(&[("cagr_5y", 0.0), ("cagr_10y", 0.03)]), Some((0.0, 7.5)));
        assert_eq!(of(&[("cagr_10y", 0.03)]), Some((0.03, 7.5)));
        assert_eq!(of(&[("momentum", 0.03)]), None);
    }

    #[test]
    fn history_is_shrunk_and_the_score_added() {
        // Median 0.10; growth 0.20 over five years counts half: 0.15. 0.7·0.15 + 0.3·0.11·0.6/0.5.
        let returns = expected(&[known(0.0, 0.5), known(0.10, 0.5), known(0.20, 0.6)], 0.11, None);
        assert!((returns[2].unwrap() - (0.105 + 0.0396)).abs() < 1e-12, "{returns:?}");
        assert!(expected(&[], 0.11, None).is_empty());
    }

    #[test]
    fn a_preference_adds_at_most_two_points_and_nonsense_nothing() {
        let of = |preference: f64| {
            let favoured = Known { preference, ..known(0.10, 0.5) };
            let all = [favoured, known(0.10, 0.5)];
            let returns = expected(&all, 0.11, None);
            returns[0].unwrap() - returns[1].unwrap()
        };
        for (said, adds) in
            [(1.0, 0.0), (2.0, 0.02), (3.0, 0.02), (0.5, -0.02), (0.1, -0.02), (0.0, 0.0), (f64::NAN, 0.0)]
        {
            assert!((of(said) - adds).abs() < 1e-12, "{said} {}", of(said));
        }
        assert_eq!((preference(None), preference(Some(-1.0)), preference(Some(2.0))), (1.0, 1.0, 2.0));
    }

    #[test]
    fn a_bear_market_never_makes_a_bad_expectation_better() {
        let all = [known(-0.3, 0.1), known(-0.3, 0.9)];
        let (calm, bear) = (expected(&all, 0.11, Some(0.5)), expected(&all, 0.11, Some(-1.0)));
        assert!(calm.iter().zip(&bear).all(|(calm, bear)| bear <= calm), "{calm:?} {bear:?}");
    }

    #[test]
    fn not_a_number_is_no_expectation() {
        let returns = expected(&[known(f64::NAN, 0.5), known(0.1, f64::NAN)], 0.11, None);
        assert_eq!(returns[0], None);
        assert_eq!(returns[1], None);
    }

    #[test]
    fn opinions_pull_the_markets_expectation_towards_the_score() {
        let covariance = [0.04, 0.0, 0.0, 0.04];
        let returns = combined(&[known(0.0, 0.9), known(0.0, 0.1)], &covariance, 0.11).unwrap();
        // Prior 2.5·0.04·0.5 = 0.05 each; a confidence of a half goes half the way to 0.198 and 0.022.
        assert!((returns[0] - 0.124).abs() < 1e-9 && (returns[1] - 0.036).abs() < 1e-9, "{returns:?}");
        assert_eq!(combined(&[known(0.0, 0.5)], &[0.0], 0.11), None);
    }
}
