//! From a decision to the statement everybody reads: millionths that add up, and a reason for every weight.

use std::collections::BTreeMap;

use contracts::{
    Alike, Excluded, Finite, Id, TargetChange, TargetFigures, TargetGroup, TargetStatus, TargetWeight,
    TargetWeights,
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
/// A thousandth of the fund: less is no change.
const CHANGE_MIN_E6: i64 = 1_000;
/// Statements of one kind beyond this say no more.
const LINES_MAX: usize = 60;
/// Securities without a say that are named: as many as can be scored.
const EXCLUDED_MAX: usize = 500;

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

/// The statement: every security that has a say is in it, also with nothing.
pub(crate) fn statement(ground: &Ground, decision: &Decision, now: Timestamp) -> Option<TargetWeights> {
    let question = &ground.question;
    let mut weights: Vec<TargetWeight> = Vec::new();
    for (i, e6) in millionths(&decision.weights).into_iter().enumerate() {
        let asset = &question.assets[i];
        // Whoever buys asks for an expected return: what nothing is wanted of is not to be bought for other reasons.
        let is_wanted = e6 > 0 || asset.current > 0.0;
        weights.push(TargetWeight {
            isin: asset.isin,
            weight_e6: Weight::from_e6(e6).ok()?,
            current_e6: share(asset.current)?,
            lower_e6: share(decision.bounds[i].lower)?,
            upper_e6: share(decision.bounds[i].upper)?,
            expected_return: Finite::new(asset.expected).filter(|_| is_wanted),
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
    // What the decision says comes first: notes on many old bars must not push it out.
    let mut warnings = decision.warnings.clone();
    warnings.extend(ground.notes.iter().cloned());
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
        changes: changes(&weights),
        weights,
        cash_e6: Weight::from_e6((WHOLE_E6 - invested).clamp(0, WHOLE_E6)).ok()?,
        figures: figures(decision),
        cvar_95_1d: decision.daily_tail.as_ref().and_then(|(loss, _)| Finite::new(*loss)),
        cvar_parts: tail_parts(question, decision),
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

/// What each security adds to the loss of the worst days.
fn tail_parts(question: &Question, decision: &Decision) -> BTreeMap<Isin, Finite> {
    let parts = decision.daily_tail.iter().flat_map(|(_, parts)| parts);
    let named = question.assets.iter().zip(parts).filter(|(_, part)| part.abs() > SAME);
    named.filter_map(|(asset, part)| Some((asset.isin, Finite::new(*part)?))).collect()
}

/// What differs enough to be worth a word, the largest first.
fn changes(weights: &[TargetWeight]) -> Vec<TargetChange> {
    let change = |one: &TargetWeight| TargetChange {
        isin: one.isin,
        change_e6: one.weight_e6.e6() - one.current_e6.e6(),
    };
    let mut changes: Vec<TargetChange> =
        weights.iter().map(change).filter(|one| one.change_e6.abs() > CHANGE_MIN_E6).collect();
    changes.sort_by_key(|one| (-one.change_e6.abs(), one.isin));
    changes.truncate(LINES_MAX);
    changes
}

/// The hash of everything the run decided from; the same question has the same. How old the previous targets are changes by
/// the minute and decides nothing but whether the new ones are said, so it is no part of it.
pub(crate) fn fingerprint(question: &Question) -> String {
    let Question { assets, locked, risk, groups, reserve, parameters, previous } = question;
    let before = previous.as_ref().map(|previous| &previous.weights);
    let all = format!("{assets:?} {locked:?} {risk:?} {groups:?} {reserve:?} {parameters:?} {before:?}");
    Id::derive(Timestamp::ZERO, &["question", &all]).to_string()
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
    if weight <= 0.0 && asset.current <= 0.0 {
        let why =
            if bound.upper > 0.0 { "too little of it to be worth holding" } else { "may not be bought" };
        reason.push_str(&format!("; {why}"));
    } else if bound.upper - bound.lower < SAME
        && asset.current > 0.0
        && !(asset.allow_buy && asset.allow_sell)
    {
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
    all.iter().map(one).take(EXCLUDED_MAX).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Body, Envelope};

    use super::*;
    use crate::{chain::decide, question::Locked, risk::risk, settings::Settings};

    /// A fund that watches so many securities and holds a few of them.
    fn ground(count: u32, excluded: u32) -> Ground {
        let isin = |number: u32| Isin::with_check_digit(&format!("DE{number:09}")).unwrap();
        let asset = |number: u32| Asset {
            isin: isin(number),
            current: if number <= 3 { 0.1 } else { 0.0 },
            allow_buy: !number.is_multiple_of(10),
            allow_sell: true,
            own_max: None,
            own_min: None,
            leaves: false,
            expected: 0.04 + 0.0001 * f64::from(number),
        };
        // The fifth moves so much that hardly any of it is wanted.
        let wild = |at: u32| if at % count == 4 { 20.0 } else { 1.0 };
        let wobble =
            |at: u32| (f64::from(at.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5) * 0.04 * wild(at);
        let days: Vec<f64> = (0..260 * count).map(wobble).collect();
        let assets: Vec<Asset> = (1..=count).map(asset).collect();
        let locked = vec![Locked { isin: isin(9_001), current: 0.05, reason: "kept: it has no say".into() }];
        let members =
            |part: u32| assets.iter().filter(move |one| one.isin.as_str().as_bytes()[10] % 3 == part as u8);
        let range = |kind: &'static str, part: u32| crate::groups::Range {
            kind,
            name: format!("a group of {part}"),
            target: Some(0.3),
            lower: 0.0,
            upper: 0.6,
            shares: members(part).map(|one| (one.isin, 1.0)).collect(),
        };
        let groups = (0..3).flat_map(|part| [range("country", part), range("industry", part)]).collect();
        let excluded = (1..=excluded).map(|number| {
            (isin(5_000 + number), "short history: 119 closes, 120 are needed to compare".into())
        });
        Ground {
            question: Question {
                locked,
                risk: risk(days, assets.len(), false).unwrap(),
                groups,
                reserve: 0.05,
                parameters: Settings::default().parameters(100_000.0),
                previous: None,
                assets,
            },
            excluded: excluded.collect(),
            notes: vec![],
        }
    }

    #[test]
    fn every_security_with_a_say_is_listed_also_with_nothing() {
        let ground = ground(33, 4);
        let said = statement(&ground, &decide(&ground.question).unwrap(), Timestamp::ZERO).unwrap();
        assert_eq!((said.weights.len(), said.excluded.len()), (34, 4));
        let nothing: Vec<_> = said.weights.iter().filter(|one| one.weight_e6.e6() == 0).collect();
        assert!(!nothing.is_empty() && nothing.iter().all(|one| one.expected_return.is_none()));
        for (words, buyable) in [("too little of it", true), ("may not be bought", false)] {
            let one = nothing.iter().find(|one| one.reason.contains(words)).unwrap();
            assert_eq!(one.upper_e6.e6() == 0, !buyable, "{one:?}");
        }
        let first = &said.changes[0];
        assert!(said.changes.iter().all(|one| one.change_e6.abs() <= first.change_e6.abs()));
        let of = |isin| said.weights.iter().find(|one| one.isin == isin).unwrap();
        assert_eq!(first.change_e6, of(first.isin).weight_e6.e6() - of(first.isin).current_e6.e6());
        let parts: f64 = said.cvar_parts.values().map(|part| part.get()).sum();
        assert!((parts - said.cvar_95_1d.unwrap().get()).abs() < 33.0 * SAME);
        let sum: i64 = said.weights.iter().map(|one| one.weight_e6.e6()).sum();
        assert_eq!(sum + said.cash_e6.e6(), WHOLE_E6);
    }

    #[test]
    fn the_age_of_the_targets_before_makes_no_other_question() {
        let mut ground = ground(3, 0);
        let mut of = |weight: f64, age_days: f64| {
            let weights = [(ground.question.assets[0].isin, weight)].into();
            ground.question.previous = Some(crate::question::Previous { weights, age_days });
            fingerprint(&ground.question)
        };
        assert_eq!(of(0.1, 1.0), of(0.1, 2.0));
        assert_ne!(of(0.1, 1.0), of(0.2, 1.0));
    }

    #[test]
    fn as_many_securities_as_are_scored_fit_into_a_message() {
        let ground = ground(400, 100);
        let said = statement(&ground, &decide(&ground.question).unwrap(), Timestamp::ZERO).unwrap();
        assert_eq!((said.weights.len(), said.excluded.len()), (401, 100));
        let id = said.run_id;
        let stage = "optimise".into();
        let said =
            Envelope { id, key_version: 1, at: Timestamp::ZERO, stage, trace: id, cause: None, body: said };
        let bytes = u32::try_from(said.encode().unwrap().len()).unwrap();
        assert!(bytes < TargetWeights::TOPIC.spec().max_bytes * 9 / 10, "{bytes} bytes");
    }

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
