//! The choice: the best sequence, unless doing nothing is as good; with everything that explains it.

use std::collections::BTreeMap;

use contracts::{
    Candidate, ConfigUsed, Evaluated, Finite, Id, LeftOut, PlanContext, PlanKind, PlanProposed, PlanStep,
    Rival, Side, TargetWeights, TargetsUsed,
};
use market::Isin;
use money::{Currency, Money};

use crate::{
    limits::{LEFT_OUT_SHOWN, PLAN_LIFE_MS, RIVALS_SHOWN},
    round::{Merged, Round},
    terms::Terms,
};

/// Two scores closer than this are equal: sums of doubles carry that much dust.
const DUST: f64 = 1e-12;

/// The plan that a finished round makes; `None` if nobody has said what doing nothing is worth.
#[must_use]
pub fn propose(
    round: &Round,
    terms: &Terms,
    targets: Option<&TargetWeights>,
    names: &BTreeMap<Isin, String>,
) -> Option<PlanProposed> {
    let (context, merged) = (&round.context, round.merged());
    let unchanged = merged.unchanged?;
    let min_improvement = terms.min_improvement;
    let gain = |evaluated: &Evaluated| evaluated.score.get() - unchanged.get();
    let chosen = merged.best.first().filter(|best| gain(best) + DUST >= min_improvement);
    let rivals = merged.best.iter().skip(usize::from(chosen.is_some())).take(RIVALS_SHOWN);
    let rivals = rivals
        .map(|rival| Rival {
            actions: words(context, &rival.actions, names),
            score: rival.score,
            cost_eur: rival.cost_eur,
            reason: rejected(rival, chosen, gain(rival), min_improvement),
        })
        .collect();
    let why = match (chosen, merged.best.first()) {
        (Some(best), _) => because(context, best, gain(best), names),
        (None, Some(best)) => format!(
            "Nothing is to be done: the best of {} sequences would gain {:.4}, a plan must gain {min_improvement:.4}. Waits for other prices, scores or targets.",
            merged.evaluated,
            gain(best)
        ),
        (None, None) => {
            "Nothing is to be done: no trade is possible now. Waits for what the securities left out lack."
                .into()
        }
    };
    let mut left_out = round.left_out.clone();
    left_out.extend(not_chosen(context, merged, chosen));
    left_out.truncate(LEFT_OUT_SHOWN);
    let nothing = Money::zero(Currency::EUR);
    let cash =
        Money::checked_sum(Currency::EUR, context.cash.iter().map(|one| one.value_eur)).unwrap_or(nothing);
    Some(PlanProposed {
        plan_id: plan_id(context),
        kind: PlanKind::Normal,
        context_id: context.context_id.clone(),
        state_id: context.state_id.clone(),
        bucket_id: context.bucket_id.clone(),
        at: context.at,
        expires: context.at.saturating_plus_ms(PLAN_LIFE_MS),
        steps: chosen.map_or_else(Vec::new, |best| steps(context, &best.actions)),
        score_unchanged: unchanged,
        score_before_costs: chosen.map_or(unchanged, |best| best.before_costs),
        score_after: chosen.map_or(unchanged, |best| best.score),
        min_improvement: Finite::new(min_improvement)?,
        parts_unchanged: merged.unchanged_parts,
        parts_after: chosen.map_or(merged.unchanged_parts, |best| best.parts),
        cost_eur: chosen.map_or(nothing, |best| best.cost_eur),
        impact_eur: chosen.map_or(nothing, |best| best.impact_eur),
        cash_before_eur: cash,
        cash_after_eur: chosen.map_or(cash, |best| best.cash_eur),
        targets: targets.map(|targets| TargetsUsed {
            run_id: targets.run_id,
            at: targets.at,
            method: targets.method.clone(),
        }),
        config: ConfigUsed { name: terms.name.clone(), hash: terms.hash.clone() },
        cause: round.cause.clone(),
        why,
        rivals,
        left_out,
        evaluated: merged.evaluated,
        infeasible: merged.infeasible.clone(),
    })
}

/// Why a sequence is not the plan.
fn rejected(rival: &Evaluated, chosen: Option<&Evaluated>, gain: f64, min_improvement: f64) -> String {
    match chosen {
        Some(best) if best.score.get() - rival.score.get() > DUST => {
            format!("It scores {:.4} less.", best.score.get() - rival.score.get())
        }
        Some(_) => "It scores the same with more trades, higher costs or a later place.".to_string(),
        None => format!("It would gain {gain:.4}; a plan must gain {min_improvement:.4}."),
    }
}

/// The candidates that are not in the plan, with what the best sequences made of them.
fn not_chosen(context: &PlanContext, merged: &Merged, chosen: Option<&Evaluated>) -> Vec<LeftOut> {
    let planned = chosen.iter().flat_map(|best| &best.actions);
    let planned = planned.filter_map(|index| context.candidates.get(usize::from(*index)));
    let planned: Vec<&Candidate> = planned.collect();
    let in_plan = |one: &Candidate| planned.iter().any(|step| (step.isin, step.side) == (one.isin, one.side));
    (0_u16..)
        .zip(&context.candidates)
        .filter(|(_, candidate)| !in_plan(candidate))
        .map(|(index, candidate)| {
            let verb = if candidate.side == Side::Buy { "Buying" } else { "Selling" };
            let count = merged.best.iter().filter(|best| best.actions.contains(&index)).count();
            let (code, text) = match (count, merged.best.len()) {
                (0, _) => ("in_no_good_sequence", format!("{verb} it is in none of the best sequences.")),
                (_, all) => ("in_a_rival", format!("{verb} it is in {count} of the {all} best sequences.")),
            };
            LeftOut { isin: candidate.isin, code: code.into(), text }
        })
        .collect()
}

/// The same context is the same plan.
#[must_use]
pub fn plan_id(context: &PlanContext) -> Id {
    Id::derive(context.at, &["plan", &context.context_id])
}

/// The same step of the same plan is the same order.
#[must_use]
pub fn order_id(plan: &PlanProposed, step: u16) -> Id {
    Id::derive(plan.at, &["order", &plan.plan_id.to_string(), &plan.bucket_id, &step.to_string()])
}

fn steps(context: &PlanContext, actions: &[u16]) -> Vec<PlanStep> {
    let candidates = actions.iter().filter_map(|index| context.candidates.get(usize::from(*index)));
    (1_u16..)
        .zip(candidates)
        .map(|(step, candidate)| PlanStep {
            step,
            order_id: None,
            candidate: candidate.clone(),
            waits_for: (step > 1).then(|| "The steps before it; then everything is planned afresh.".into()),
        })
        .collect()
}

fn because(context: &PlanContext, best: &Evaluated, gain: f64, names: &BTreeMap<Isin, String>) -> String {
    let first = best.actions.first().and_then(|index| context.candidates.get(usize::from(*index)));
    let reason = first.map_or("", |candidate| candidate.reason.as_str());
    let trades = words(context, &best.actions, names).join(", then ");
    format!("To {trades} gains {gain:.4}. {reason}")
}

fn words(context: &PlanContext, actions: &[u16], names: &BTreeMap<Isin, String>) -> Vec<String> {
    let candidates = actions.iter().filter_map(|index| context.candidates.get(usize::from(*index)));
    candidates.map(|candidate| in_words(candidate, names)).collect()
}

/// One trade in words, for example `buy 12 RHNA.EU`.
#[must_use]
pub fn in_words(candidate: &Candidate, names: &BTreeMap<Isin, String>) -> String {
    let verb = if candidate.side == Side::Buy { "buy" } else { "sell" };
    let name = names.get(&candidate.isin).cloned().unwrap_or_else(|| candidate.isin.to_string());
    format!("{verb} {} {name}", candidate.qty_e6)
}
