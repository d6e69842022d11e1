//! From a decision to the statement everybody reads: millionths that add up, and a reason for every weight.

use std::collections::BTreeMap;

use contracts::{
    Alike, Excluded, Finite, Id, TargetFigures, TargetGroup, TargetStatus, TargetWeight, TargetWeights,
};
use market::{Isin, Timestamp};
use money::Weight;

use crate::{
    chain::Decision,
    ground::Ground,
    question::{Asset, Question},
};

const WHOLE_E6: i64 = 1_000_000;
/// Weights nearer than this are the same.
const SAME: f64 = 1e-6;
/// Statements of one kind beyond this say no more.
const LINES_MAX: usize = 60;

/// Millionths of each asset: rounded so that together they are what the weights are together.
pub(crate) fn millionths(weights: &[f64]) -> Vec<i64> {
    #[allow(clippy::cast_possible_truncation)]
    let round = |share: f64| (share * 1e6).round().clamp(0.0, 1e6) as i64;
    let mut rounded: Vec<i64> = weights.iter().map(|weight| round(*weight)).collect();
    let rounded_once = rounded.clone();
    let mut over = rounded.iter().sum::<i64>() - round(weights.iter().sum());
    // What was rounded furthest gives or takes first; what is exact in millionths, as every share that is kept, never.
    let side = over.signum();
    let excess = |i: usize| (rounded_once[i] as f64 - weights[i] * 1e6) * side as f64;
    let mut order: Vec<usize> = (0..weights.len()).filter(|i| excess(*i) > SAME).collect();
    order.sort_by(|a, b| excess(*b).total_cmp(&excess(*a)).then(a.cmp(b)));
    for i in order {
        if over == 0 {
            break;
        }
        rounded[i] -= side;
        over -= side;
    }
    rounded
}

/// The statement.
pub(crate) fn statement(ground: &Ground, decision: &Decision, now: Timestamp) -> Option<TargetWeights> {
    let question = &ground.question;
    let mut weights: Vec<TargetWeight> = Vec::new();
    for (i, e6) in millionths(&decision.weights).into_iter().enumerate() {
        let asset = &question.assets[i];
        if e6 == 0 && asset.current <= 0.0 {
            continue;
        }
        weights.push(TargetWeight {
            isin: asset.isin,
            weight_e6: Weight::from_e6(e6).ok()?,
            current_e6: share(asset.current)?,
            lower_e6: share(decision.bounds[i].lower)?,
            upper_e6: share(decision.bounds[i].upper)?,
            expected_return: Finite::new(asset.expected),
            reason: reason(asset, decision, i),
        });
    }
    for locked in &question.locked {
        let current = share(locked.current)?;
        weights.push(TargetWeight {
            isin: locked.isin,
            weight_e6: current,
            current_e6: current,
            lower_e6: current,
            upper_e6: current,
            expected_return: None,
            reason: locked.reason.clone(),
        });
    }
    weights.sort_by_key(|weight| weight.isin);
    let invested: i64 = weights.iter().map(|weight| weight.weight_e6.e6()).sum();
    let content: Vec<String> =
        weights.iter().map(|weight| format!("{} {}", weight.isin, weight.weight_e6.e6())).collect();
    let mut warnings = ground.notes.clone();
    warnings.extend(decision.warnings.iter().cloned());
    warnings.truncate(LINES_MAX);
    let whole = decision.level == "full" && decision.strategy.is_some() && decision.parity.is_some();
    Some(TargetWeights {
        run_id: Id::derive(now, &["optimise", &content.join(",")]),
        at: now,
        snapshot: fingerprint(question),
        status: if whole { TargetStatus::Ok } else { TargetStatus::Degraded },
        method: method(decision),
        why: why(question, decision),
        level: decision.level.into(),
        blend: Finite::new(decision.blend)?,
        weights,
        cash_e6: Weight::from_e6((WHOLE_E6 - invested).clamp(0, WHOLE_E6)).ok()?,
        figures: figures(decision),
        cvar_95_20d: decision.tail.and_then(Finite::new),
        groups: groups(decision)?,
        alike: alike(question),
        excluded: excluded(&ground.excluded),
        binding: decision.binding.iter().take(LINES_MAX).cloned().collect(),
        relaxed: decision.relaxed.clone(),
        clash: decision.clash.clone(),
        warnings,
    })
}

/// The hash of everything the run decided from; the same question has the same.
pub(crate) fn fingerprint(question: &Question) -> String {
    Id::derive(Timestamp::ZERO, &["question", &format!("{question:?}")]).to_string()
}

fn share(value: f64) -> Option<Weight> {
    Weight::from_f64(value.clamp(0.0, 1.0)).ok()
}

fn method(decision: &Decision) -> String {
    match (decision.strategy, &decision.parity) {
        (Some(strategy), Some(_)) => format!("blend of {} and risk parity", strategy.code()),
        (Some(strategy), None) => strategy.code().into(),
        (None, _) => "risk parity".into(),
    }
}

fn why(question: &Question, decision: &Decision) -> String {
    let days = question.risk.days.len() / question.risk.count.max(1);
    let last = decision.figures[3].unwrap_or_default();
    format!(
        "{} securities compared over {days} days; {:.1} % of the core to invest, {:.1} % keeps its place; aims at {:.1} % a year, expects {:.1} % at a volatility of {:.1} %.",
        question.assets.len(),
        decision.budget * 100.0,
        question.locked_sum() * 100.0,
        question.parameters.target_return * 100.0,
        last.expected * 100.0,
        last.volatility * 100.0
    )
}

fn reason(asset: &Asset, decision: &Decision, i: usize) -> String {
    let (weight, bound) = (decision.weights[i], decision.bounds[i]);
    let of = |name: &str, weights: &Option<Vec<f64>>| {
        weights.as_ref().map_or(String::new(), |weights| format!("; {name} {:.1} %", weights[i] * 100.0))
    };
    let mut reason = format!(
        "expected {:.1} % a year{}{}",
        asset.expected * 100.0,
        of("mean-variance", &decision.mean_variance),
        of("risk parity", &decision.parity)
    );
    if bound.upper - bound.lower < SAME && asset.current > 0.0 && !(asset.allow_buy && asset.allow_sell) {
        reason.push_str("; may be neither bought nor sold");
    } else if weight > 0.0 && bound.upper - weight < SAME {
        reason.push_str(&format!("; at its limit of {:.1} %", bound.upper * 100.0));
    } else if bound.lower > 0.0 && weight - bound.lower < SAME {
        reason.push_str("; must not be sold");
    } else if asset.current > 0.0 && (weight - asset.current).abs() < SAME {
        reason.push_str("; stays: the difference is not worth a trade");
    }
    reason
}

fn figures(decision: &Decision) -> Vec<TargetFigures> {
    let names = ["mean_variance", "risk_parity", "blend", "final"];
    let named = names.into_iter().zip(decision.figures);
    named
        .filter_map(|(of, figures)| {
            Some(TargetFigures {
                of: of.into(),
                expected_return: Finite::new(figures?.expected)?,
                volatility: Finite::new(figures?.volatility)?,
            })
        })
        .collect()
}

fn groups(decision: &Decision) -> Option<Vec<TargetGroup>> {
    let group = |outcome: &crate::chain::GroupOutcome| {
        let members: BTreeMap<Isin, Finite> = outcome
            .range
            .shares
            .iter()
            .filter_map(|(isin, part)| Some((*isin, Finite::new(*part)?)))
            .collect();
        Some(TargetGroup {
            kind: outcome.range.kind.into(),
            name: outcome.range.name.clone(),
            members,
            target_e6: outcome.range.target.and_then(share),
            lower_e6: share(outcome.lower)?,
            upper_e6: share(outcome.upper)?,
            value_e6: share(outcome.value)?,
            binding: outcome.binding.map(Into::into),
        })
    };
    decision.groups.iter().map(group).collect()
}

fn alike(question: &Question) -> Vec<Alike> {
    let pair = |pair: &formulas::correlation::Pair| {
        Some(Alike {
            first: question.assets.get(pair.first)?.isin,
            second: question.assets.get(pair.second)?.isin,
            correlation: Finite::new(pair.correlation)?,
        })
    };
    question.risk.alike.iter().filter_map(pair).collect()
}

fn excluded(all: &BTreeMap<Isin, String>) -> Vec<Excluded> {
    let one = |(isin, reason): (&Isin, &String)| Excluded { isin: *isin, reason: reason.clone() };
    all.iter().map(one).take(2 * LINES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millionths_add_up_to_what_the_weights_do() {
        assert_eq!(millionths(&[0.1, 0.25]), [100_000, 250_000]);
        let thirds = millionths(&[0.333_333_6, 0.333_333_6, 0.333_332_8]);
        assert_eq!(thirds.iter().sum::<i64>(), 1_000_000, "{thirds:?}");
        let down = millionths(&[0.100_000_4, 0.100_000_4, 0.100_000_4, 0.2]);
        assert_eq!((down[3], down.iter().sum::<i64>()), (200_000, 500_001));
        let kept = millionths(&[0.100_000_6, 0.100_000_6, 0.2]);
        assert_eq!(kept[2], 200_000, "what is exact is kept exactly");
        assert_eq!(kept.iter().sum::<i64>(), 400_001);
    }
}
