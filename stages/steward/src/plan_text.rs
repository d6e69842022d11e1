//! A plan in words and tables: what is to be done, what it gains and costs, and what was rejected.

use std::{cmp::Reverse, collections::BTreeMap};

use contracts::{LeftOut, PlanKind, PlanProposed, PlanStep, ScoreParts, Side, pair_of, pair_ticker};
use market::Isin;

/// Rivals shown to a person; all of them are in the data.
const RIVALS_SHOWN: usize = 5;
/// Twelve characters each and a space: within 80 columns.
const ISINS_PER_LINE: usize = 5;

/// What is said of a rescue instead of scores.
pub const FROM_THE_DEBT: &str = "It follows from the debt: nothing else was compared.";

/// What securities are called, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Names(pub BTreeMap<Isin, Name>);

/// What one security is called.
#[derive(Debug, Clone)]
pub struct Name {
    /// The broker's ticker.
    pub ticker: String,
    /// Its name.
    pub name: String,
}

impl Names {
    /// The ticker with the name, else the ISIN.
    fn full(&self, isin: &Isin) -> String {
        self.0.get(isin).map_or_else(|| isin.to_string(), |one| format!("{} ({})", one.ticker, one.name))
    }

    /// The ticker, else the ISIN.
    fn short(&self, isin: &Isin) -> String {
        self.0.get(isin).map_or_else(|| isin.to_string(), |one| one.ticker.clone())
    }
}

/// Everything about one plan.
#[must_use]
pub fn lines(plan: &PlanProposed, names: &Names) -> Vec<String> {
    let mut lines = vec![
        format!("Plan {} of {}, made {}", plan.plan_id, plan.bucket_id, plan.at),
        plan.why.clone(),
        String::new(),
    ];
    for step in &plan.steps {
        lines.push(format!("{}. {}", step.step, step_in_words(step, names)));
        lines.push(format!("   {}", step.candidate.reason));
        if let Some(wait) = &step.waits_for {
            lines.push(format!("   Waits for: {wait}"));
        }
    }
    if plan.kind == PlanKind::Rescue {
        lines.push(String::new());
        lines.push(format!("Costs {}. {FROM_THE_DEBT}", plan.cost_eur));
        return lines;
    }
    if !plan.steps.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            "Costs {} and an estimated {} of spread; cash goes from {} to {}.",
            plan.cost_eur, plan.impact_eur, plan.cash_before_eur, plan.cash_after_eur
        ));
    }
    lines.push(format!(
        "Score {:.4} unchanged, {:.4} with the plan ({:.4} before costs); a plan must gain {:.4}.",
        plan.score_unchanged.get(),
        plan.score_after.get(),
        plan.score_before_costs.get(),
        plan.min_improvement.get()
    ));
    lines.extend(parts(&plan.parts_unchanged, &plan.parts_after));
    lines.push(format!("Tried {} sequences{}.", plan.evaluated, infeasible(plan)));
    if !plan.rivals.is_empty() {
        lines.push(String::new());
        lines.push("Best rejected:".into());
    }
    for rival in plan.rivals.iter().take(RIVALS_SHOWN) {
        lines.push(format!("  {:.4}  {}  {}", rival.score.get(), rival.actions.join(", "), rival.reason));
    }
    lines.extend(left_out(&plan.left_out, names));
    lines
}

/// Why securities are not in the plan: one block per reason, most securities first.
fn left_out(list: &[LeftOut], names: &Names) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in list {
        by_reason.entry(&one.text).or_default().push(names.short(&one.isin));
    }
    let mut blocks: Vec<_> = by_reason.into_iter().collect();
    blocks.sort_by_key(|(_, isins)| Reverse(isins.len()));
    let mut lines = Vec::new();
    if !blocks.is_empty() {
        lines.extend([String::new(), "Left out:".into()]);
    }
    for (reason, isins) in blocks {
        lines.push(format!("  {reason}"));
        lines.extend(isins.chunks(ISINS_PER_LINE).map(|some| format!("    {}", some.join(" "))));
    }
    lines
}

/// One line per plan, newest first.
#[must_use]
pub fn table(plans: &[&PlanProposed]) -> Vec<String> {
    let mut lines = vec![format!("{:<26}  {:<24}  {:>5}  {:>8}  {}", "plan", "made", "steps", "gain", "why")];
    for plan in plans {
        let gain = match plan.kind {
            PlanKind::Normal => format!("{:.4}", plan.score_after.get() - plan.score_unchanged.get()),
            PlanKind::Rescue => "rescue".into(),
        };
        lines.push(format!(
            "{:<26}  {:<24}  {:>5}  {gain:>8}  {}",
            plan.plan_id.to_string(),
            plan.at.to_string(),
            plan.steps.len(),
            plan.why
        ));
    }
    lines
}

/// What a newer plan does differently, in sentences.
#[must_use]
pub fn difference(older: &PlanProposed, newer: &PlanProposed, names: &Names) -> Vec<String> {
    let words =
        |plan: &PlanProposed| plan.steps.iter().map(|step| step_in_words(step, names)).collect::<Vec<_>>();
    let (before, after) = (words(older), words(newer));
    let mut lines = Vec::new();
    lines.extend(before.iter().filter(|step| !after.contains(step)).map(|step| format!("- {step}")));
    lines.extend(after.iter().filter(|step| !before.contains(step)).map(|step| format!("+ {step}")));
    if lines.is_empty() {
        lines.push("The same steps.".into());
    }
    if older.state_id != newer.state_id {
        lines.push("The holdings changed in between.".into());
    }
    if older.config != newer.config {
        lines.push(format!("The configuration changed from {} to {}.", older.config.name, newer.config.name));
    }
    if older.kind != newer.kind {
        lines.push(
            "One of them is a rescue, which follows from a debt and is not compared by its gain.".into(),
        );
        return lines;
    }
    let gain = |plan: &PlanProposed| plan.score_after.get() - plan.score_unchanged.get();
    lines.push(format!("The gain goes from {:.4} to {:.4}.", gain(older), gain(newer)));
    lines
}

fn step_in_words(step: &PlanStep, names: &Names) -> String {
    let one = &step.candidate;
    let verb = if one.side == Side::Buy { "Buy" } else { "Sell" };
    let pair = pair_of(&one.isin).map(|(base, quote)| pair_ticker(base, quote));
    let name = pair.unwrap_or_else(|| names.full(&one.isin));
    format!("{verb} {} {name} at {} {}, worth {}", one.qty_e6, one.price_e6, one.ccy, one.value_eur)
}

fn parts(before: &ScoreParts, after: &ScoreParts) -> Vec<String> {
    let rows = [
        ("total return", before.total_return, after.total_return),
        ("promise", before.promise, after.promise),
        ("stability", before.stability, after.stability),
        ("diversification", before.diversification, after.diversification),
        ("dividends", before.dividend, after.dividend),
        ("quality", before.quality, after.quality),
    ];
    rows.map(|(name, before, after)| format!("  {name:<16} {:.4} -> {:.4}", before.get(), after.get())).into()
}

fn infeasible(plan: &PlanProposed) -> String {
    let counts: Vec<String> =
        plan.infeasible.iter().map(|(why, count)| format!("{count} for {}", why.replace('_', " "))).collect();
    if counts.is_empty() { String::new() } else { format!("; not possible: {}", counts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn a_rescue_says_what_it_follows_from_and_compares_nothing() {
        let mut rescue = PlanProposed { kind: PlanKind::Rescue, ..PlanProposed::sample() };
        rescue.steps[0].candidate.isin =
            contracts::pair_isin(money::Currency::EUR, money::Currency::USD).unwrap();
        let text = lines(&rescue, &Names::default()).join("\n");
        assert!(text.contains("EUR/USD at") && text.contains("follows from the debt"), "{text}");
        assert!(!text.contains("Score") && !text.contains("sequences"), "{text}");
        assert!(table(&[&rescue])[1].contains("  rescue  "), "{:?}", table(&[&rescue]));
        let text = difference(&rescue, &PlanProposed::sample(), &Names::default()).join("\n");
        assert!(text.contains("One of them is a rescue") && !text.contains("The gain"), "{text}");
    }

    #[test]
    fn a_plan_shows_its_steps_its_gain_and_its_rivals() {
        let text = lines(&PlanProposed::sample(), &Names::default()).join("\n");
        for expected in
            ["1. Buy 1 DE000SMX0015", "0.5100 unchanged, 0.5500 with the plan", "Tried 12", "buy 3 ALPB"]
        {
            assert!(text.contains(expected), "{expected} in:\n{text}");
        }
    }

    #[test]
    fn securities_are_called_by_ticker_and_name_where_they_are_known() {
        let plan = PlanProposed::sample();
        let name = Name { ticker: "RHNA.EU".into(), name: "Rhein".into() };
        let all =
            plan.steps.iter().map(|step| step.candidate.isin).chain(plan.left_out.iter().map(|one| one.isin));
        let names = Names(all.map(|isin| (isin, name.clone())).collect());
        let text = lines(&plan, &names).join("\n");
        assert!(text.contains("1. Buy 1 RHNA.EU (Rhein) at"), "{text}");
        assert!(text.contains("\n    RHNA.EU"), "{text}");
    }

    #[test]
    fn a_plan_without_steps_says_why_and_no_costs() {
        let plan =
            PlanProposed { steps: vec![], why: "Nothing is to be done.".into(), ..PlanProposed::sample() };
        let text = lines(&plan, &Names::default()).join("\n");
        assert!(text.contains("Nothing is to be done.") && !text.contains("Costs "), "{text}");
    }

    #[test]
    fn securities_left_out_for_the_same_reason_stand_together() {
        let sample = PlanProposed::sample();
        let mut one = sample.left_out[0].clone();
        one.text = "Its venue is closed.".into();
        let other = LeftOut { text: "It is on target.".into(), ..one.clone() };
        let text =
            lines(&PlanProposed { left_out: vec![other, one.clone(), one], ..sample }, &Names::default())
                .join("\n");
        let blocks = text.split_once("Left out:").unwrap().1;
        assert_eq!(blocks.matches("Its venue is closed.").count(), 1, "{text}");
        assert!(blocks.find("closed").unwrap() < blocks.find("on target").unwrap(), "{text}");
    }

    #[test]
    fn a_difference_names_what_came_and_what_went() {
        let older = PlanProposed::sample();
        let newer = PlanProposed { steps: vec![], state_id: "other".into(), ..PlanProposed::sample() };
        let text = difference(&older, &newer, &Names::default()).join("\n");
        assert!(text.contains("- Buy 1 DE000SMX0015") && text.contains("holdings changed"), "{text}");
        assert_eq!(difference(&older, &older, &Names::default())[0], "The same steps.");
    }
}
