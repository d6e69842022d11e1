//! Why there is no answer: one list, in the order in which the causes are looked for.

use std::fmt;

/// The cause; `code` is what is stored and published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Sizes differ, a value is not a number, or a target makes no sense.
    InvalidInput,
    /// The covariance has a negative eigenvalue.
    NotPsd,
    /// No weights keep all limits.
    Infeasible,
    /// The highest return within the limits is lower than asked for.
    TargetReturnTooHigh,
    /// No portfolio at all, not even with short sales, is as calm as asked for.
    TargetVolatilityTooLow,
    /// Nothing is expected to earn more than the risk-free rate.
    NoPositiveExcessReturn,
    /// The solver did not reach the accuracy demanded.
    Numeric,
}

impl Refusal {
    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refusal::InvalidInput => "invalid_input",
            Refusal::NotPsd => "not_psd",
            Refusal::Infeasible => "infeasible",
            Refusal::TargetReturnTooHigh => "target_return_too_high",
            Refusal::TargetVolatilityTooLow => "target_volatility_too_low",
            Refusal::NoPositiveExcessReturn => "no_positive_excess_return",
            Refusal::Numeric => "numeric",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::InvalidInput => "An input is missing, not a number or of the wrong size.",
            Refusal::NotPsd => "The covariance has a negative eigenvalue: repair it first.",
            Refusal::Infeasible => "No weights keep all limits at once.",
            Refusal::TargetReturnTooHigh => "The limits do not allow a return this high.",
            Refusal::TargetVolatilityTooLow => "No portfolio is this calm.",
            Refusal::NoPositiveExcessReturn => "Nothing is expected to earn more than the risk-free rate.",
            Refusal::Numeric => "The solver did not reach the accuracy demanded.",
        })
    }
}

impl std::error::Error for Refusal {}
