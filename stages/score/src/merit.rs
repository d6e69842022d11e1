//! Merit: the total of a security's groups, how much of it is known, and what speaks against buying it.
//!
//! raw = Σ weight·group/Σ weight over the groups present; coverage = share of the profile's weight (group × part) that
//! had data; total = 0.5 + (raw − 0.5)·min(1, coverage/0.8). Without 50 closes and 12 month-ends, or with a doubted
//! series, there is no total.

use contracts::Profile;
use formulas::quality_gate::{self, Evidence};

use crate::{
    groups::{
        Group, View, dividends, fundamentals, long_term, opinion, opportunity, short_term, stability,
        technicals,
    },
    limits::{COVERAGE_FULL, COVERAGE_MIN},
    profile::{GROUPS, Kind, profile, weights},
};

const NEUTRAL: f64 = 0.5;

/// The judgement of one security.
#[derive(Debug, Clone, PartialEq)]
pub struct Merit {
    /// Which groups count.
    pub profile: Profile,
    /// In the order of [`GROUPS`], the quality gate's factor applied.
    pub groups: [Group; 7],
    /// Timing, the factor applied.
    pub technicals: Group,
    /// Before it is drawn towards neutral.
    pub raw: Option<f64>,
    /// Drawn towards neutral.
    pub total: Option<f64>,
    /// Share of the weight that had data.
    pub coverage: f64,
    /// Mean of long-term growth and business or stability.
    pub quality: Option<f64>,
    /// Result of the quality gate.
    pub passes_gate: Option<bool>,
}

impl Merit {
    /// A group by its name.
    #[must_use]
    pub fn group(&self, name: &str) -> &Group {
        self.groups.iter().find(|group| group.name == name).unwrap_or(&self.technicals)
    }
}

/// Judges a security.
#[must_use]
pub fn judge(view: &View, kind: Kind) -> Merit {
    let (growth, business, calm) =
        (long_term::group(view), fundamentals::group(view), stability::group(view));
    let strength = business.part("financial_strength");
    let profile = profile(kind, strength.is_some());
    let with_earnings = matches!(profile, Profile::Full | Profile::Price);
    let mut cheap = opportunity::group(view, with_earnings);
    let mut technicals = technicals::group(view);
    for group in [&mut cheap, &mut technicals] {
        group.value = group.value.map(|value| value * quality_gate::factor(value, calm.value, growth.value));
    }
    let groups = [
        growth,
        business,
        calm,
        cheap,
        dividends::group(view),
        short_term::group(view),
        opinion::group(view),
    ];
    let weights = weights(profile);
    let (raw, coverage) = total(&groups, &weights);
    let second = business.value.filter(|_| strength.is_some()).or(calm.value);
    let quality = growth.value.zip(second).map(|(one, other)| f64::midpoint(one, other));
    let passes_gate = quality_gate::passes(&Evidence {
        stability: calm.value,
        long_term: growth.value,
        dividends: groups[4].value,
        dividend_yield: view.business().dividend_yield,
        sharpe: view.measures.sharpe,
        sortino: view.measures.sortino,
        volatility: view.measures.volatility,
    });
    let total = raw.map(|raw| shrunk(raw, coverage));
    Merit { profile, groups, technicals, raw, total, coverage, quality, passes_gate }
}

/// The weighted mean of the groups present, and the share of the weight that had data.
fn total(groups: &[Group; 7], weights: &[f64; 7]) -> (Option<f64>, f64) {
    let counted = || groups.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let all: f64 = counted().map(|(_, weight)| weight).sum();
    let known: f64 = counted().map(|(group, weight)| weight * group.known()).sum();
    let present = || counted().filter_map(|(group, weight)| Some((group.value?, weight)));
    let sum: f64 = present().map(|(value, weight)| value * weight).sum();
    let weight: f64 = present().map(|(_, weight)| weight).sum();
    ((weight > 0.0).then(|| sum / weight), known / all)
}

fn shrunk(raw: f64, coverage: f64) -> f64 {
    NEUTRAL + (raw - NEUTRAL) * (coverage / COVERAGE_FULL).min(1.0)
}

/// What speaks against buying, by name.
#[must_use]
pub fn objections(merit: &Merit, kind: Kind, total: Option<f64>, total_min: f64) -> Vec<&'static str> {
    let has_growth = merit.group(GROUPS[0]).value.is_some();
    [
        ("unknown_product_type", kind == Kind::Unknown),
        ("little_known", merit.coverage < COVERAGE_MIN),
        ("no_long_term", !has_growth),
        ("no_total", total.is_none()),
        ("total_too_low", total.is_some_and(|total| total < total_min)),
        ("quality-gate-fail", merit.passes_gate == Some(false)),
    ]
    .into_iter()
    .filter_map(|(name, applies)| applies.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Rules;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn a_little_known_total_is_drawn_towards_the_middle() {
        assert!((shrunk(0.9, 0.4) - 0.7).abs() < 1e-12);
        assert!((shrunk(0.9, 0.8) - 0.9).abs() < 1e-12 && (shrunk(0.9, 1.0) - 0.9).abs() < 1e-12);
        assert!((shrunk(0.1, 0.0) - 0.5).abs() < 1e-12);
    }

    fn with(values: [Option<f64>; 7]) -> [Group; 7] {
        std::array::from_fn(|i| Group::new(GROUPS[i], Rules::Decided, [("a", 1.0, values[i])]))
    }

    /// One worked example for each profile: long_term 0.8, all other groups 0.5.
    #[test]
    fn each_profile_weighs_its_own_groups() {
        let groups = with([Some(0.8), Some(0.5), Some(0.5), Some(0.5), Some(0.5), Some(0.5), Some(0.5)]);
        for (profile, share) in [
            (Profile::Full, 0.20 / 0.82),
            (Profile::Price, 0.30 / 0.93),
            (Profile::Fund, 0.35 / 0.90),
            (Profile::Commodity, 0.35 / 0.60),
        ] {
            let (raw, coverage) = total(&groups, &weights(profile));
            assert!(near(raw, 0.5 + 0.3 * share), "{profile:?}");
            assert!((coverage - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn an_absent_group_takes_its_weight_with_it() {
        let groups = with([Some(0.8), None, Some(0.6), None, None, None, None]);
        let (raw, coverage) = total(&groups, &weights(Profile::Price));
        assert!(near(raw, (0.30 * 0.8 + 0.20 * 0.6) / 0.50));
        assert!((coverage - 0.50 / 0.93).abs() < 1e-12);
        assert_eq!(total(&with([None; 7]), &weights(Profile::Full)), (None, 0.0));
    }
}
