//! Which mean-variance answer to take when the one asked for is impossible: the nearest question first.
//!
//! Order: `efficient_return(ρ)` → `efficient_risk(σ)` → `max_sharpe(rf)` → `min_volatility`. A target that is out of
//! reach is nearest to "the best return at an acceptable risk", not to "the least risk". Every kind of refusal
//! moves on; the first success wins and says which it was and why the ones before it were not.

use crate::frontier::Frontier;
use crate::refusal::Refusal;

/// One of the four questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Least risk for the return asked for.
    EfficientReturn,
    /// Highest return for an acceptable risk.
    EfficientRisk,
    /// Highest return above the risk-free rate per unit of risk.
    MaxSharpe,
    /// Least risk.
    MinVolatility,
}

impl Strategy {
    /// In the order in which they are tried.
    pub const ALL: [Strategy; 4] =
        [Strategy::EfficientReturn, Strategy::EfficientRisk, Strategy::MaxSharpe, Strategy::MinVolatility];

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Strategy::EfficientReturn => "efficient_return",
            Strategy::EfficientRisk => "efficient_risk",
            Strategy::MaxSharpe => "max_sharpe",
            Strategy::MinVolatility => "min_volatility",
        }
    }
}

/// What is asked for, all for the money that is shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets {
    /// Return a year, ρ.
    pub annual_return: f64,
    /// Volatility a year that is acceptable instead.
    pub volatility: f64,
    /// Risk-free rate a year.
    pub risk_free: f64,
}

/// The first answer there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Which question it answers.
    pub strategy: Strategy,
    /// One per asset.
    pub weights: Vec<f64>,
    /// Why the questions before it have no answer.
    pub refused: Vec<(Strategy, Refusal)>,
}

/// Takes the first strategy that has an answer.
///
/// # Errors
/// Each strategy with its refusal, when none has one.
///
/// # Examples
/// ```
/// use allocation::{Bound, Limits, Refusal, frontier::Frontier, ladder::{Strategy, Targets, climb}};
/// let limits = Limits { bounds: vec![Bound { lower: 0.0, upper: 1.0 }; 2], groups: vec![], budget: 1.0 };
/// let frontier = Frontier::new(&[0.05, 0.08], &[0.01, 0.0, 0.0, 0.04], &limits).unwrap();
/// let chosen = climb(&frontier, &Targets { annual_return: 0.28, volatility: 0.15, risk_free: 0.02 }).unwrap();
/// assert_eq!(chosen.strategy, Strategy::EfficientRisk);
/// assert_eq!(chosen.refused, [(Strategy::EfficientReturn, Refusal::TargetReturnTooHigh)]);
/// ```
pub fn climb(frontier: &Frontier<'_>, targets: &Targets) -> Result<Chosen, Vec<(Strategy, Refusal)>> {
    let mut refused = Vec::new();
    for strategy in Strategy::ALL {
        let answer = match strategy {
            Strategy::EfficientReturn => frontier.efficient_return(targets.annual_return),
            Strategy::EfficientRisk => frontier.efficient_risk(targets.volatility),
            Strategy::MaxSharpe => frontier.max_sharpe(targets.risk_free),
            Strategy::MinVolatility => frontier.min_volatility(),
        };
        match answer {
            Ok(weights) => return Ok(Chosen { strategy, weights, refused }),
            Err(refusal) => refused.push((strategy, refusal)),
        }
    }
    Err(refused)
}
