//! By what sequences are judged: the weights of the score, what costs count, and the hurdle.

use contracts::{Finite, PlanCosts, ScoreWeights};
use money::Weight;

use crate::settings::Rules;

/// How the parts of the score are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RiskProfile {
    /// Dividends and stability count more.
    Conservative,
    /// The usual weights.
    #[default]
    Balanced,
    /// Growth counts more.
    Aggressive,
}

impl RiskProfile {
    /// The profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<RiskProfile> {
        match name {
            "conservative" => Some(RiskProfile::Conservative),
            "balanced" => Some(RiskProfile::Balanced),
            "aggressive" => Some(RiskProfile::Aggressive),
            _ => None,
        }
    }

    /// Its weights: total return, portfolio, promise, stability, opinion.
    #[must_use]
    pub fn weights(self) -> ScoreWeights {
        let [total_return, portfolio, promise, stability, opinion] = match self {
            RiskProfile::Conservative => [0.25, 0.30, 0.20, 0.20, 0.05],
            RiskProfile::Balanced => [0.35, 0.25, 0.20, 0.15, 0.05],
            RiskProfile::Aggressive => [0.45, 0.20, 0.25, 0.05, 0.05],
        }
        .map(|weight| Finite::new(weight).unwrap_or(Finite::ZERO));
        ScoreWeights { total_return, portfolio, promise, stability, opinion }
    }
}

/// How a bucket's sequences are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Name of the configuration in force.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// Weights of the score's parts.
    pub profile: RiskProfile,
    /// Costs and how much they count.
    pub costs: PlanCosts,
    /// By how much a plan must beat doing nothing.
    pub min_improvement: f64,
    /// The most of the whole fund in one country.
    pub country_max: Weight,
    /// The most of the whole fund in one industry.
    pub industry_max: Weight,
}

/// Spread and slippage where nothing else is said.
const IMPACT_E6: i64 = 2_500;

impl Terms {
    /// The terms of a fund without a configuration of its own.
    #[must_use]
    pub fn of(rules: &Rules) -> Terms {
        let share = |e6| Weight::from_e6(e6).unwrap_or(Weight::ZERO);
        Terms {
            name: "default".into(),
            hash: String::new(),
            profile: RiskProfile::Balanced,
            costs: PlanCosts {
                fixed_eur: rules.costs.fixed_eur,
                percent_e6: rules.costs.percent,
                impact_e6: share(IMPACT_E6),
                factor: Finite::new(1.0).unwrap_or(Finite::ZERO),
            },
            min_improvement: rules.min_improvement,
            country_max: rules.max_country,
            industry_max: rules.max_industry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_every_profile_are_one_together() {
        for profile in [RiskProfile::Conservative, RiskProfile::Balanced, RiskProfile::Aggressive] {
            let weights = profile.weights();
            let parts = [
                weights.total_return,
                weights.portfolio,
                weights.promise,
                weights.stability,
                weights.opinion,
            ];
            let sum: f64 = parts.iter().map(|part| part.get()).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{profile:?}");
        }
    }
}
