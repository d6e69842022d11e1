//! `steward explain <ISIN>`: one security from its price over score and target to what the last plan said of it.

use bus_client::{Config, Place, open_for_reading};
use contracts::{Body, PlanProposed, Quote, SecurityScore, Side, TargetWeights, TopicId, Universe, receive};
use market::Isin;
use rusqlite::Params;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    Fault,
    bus::{self, Message},
    figures,
    lines::wrapped,
    print, score,
};

const TOPICS: [TopicId; 5] = [
    TopicId::MarketUniverse,
    TopicId::MarketQuote,
    TopicId::ScoreSecurity,
    TopicId::TargetWeights,
    TopicId::PlanProposed,
];
/// Columns for the name of a link.
const NAME: usize = 10;

/// Everything found about one security.
#[derive(Debug, Clone, Default, Serialize)]
struct Known {
    isin: String,
    name: Option<String>,
    quote: Option<Quote>,
    score: Option<SecurityScore>,
    targets: Option<TargetWeights>,
    plan: Option<PlanProposed>,
}

/// One link with what is known about it.
type Link = (&'static str, Vec<String>);

/// Runs the command; the exit code.
///
/// # Errors
/// When nothing anywhere knows the security.
pub async fn run(config: &Config, isin: Isin, as_json: bool) -> Result<u8, Fault> {
    let said = bus::kept(config, &TOPICS).await;
    if let Err(fault) = &said {
        print::note(&format!("The bus is not used: {fault}"));
    }
    let known = collect(config, isin, &said.unwrap_or_default())?;
    let links = links(&known, isin);
    if as_json {
        print::json(&json!({ "isin": known.isin, "links": links, "numbers": known }));
        return Ok(0);
    }
    print::data(&format!("{isin}  {}", known.name.clone().unwrap_or_default()));
    for (name, sentences) in &links {
        for (index, sentence) in sentences.iter().enumerate() {
            let head = if index == 0 { name.to_uppercase() } else { String::new() };
            wrapped(&format!("{head:NAME$}"), NAME, sentence).iter().for_each(|line| print::data(line));
        }
    }
    Ok(0)
}

fn collect(config: &Config, isin: Isin, said: &[Message]) -> Result<Known, Fault> {
    fn about<B: Body>(said: &[Message], key: &str) -> Option<B> {
        let is_it = |message: &&Message| {
            message.address.as_ref().is_some_and(|address| address.topic == B::TOPIC && address.key == key)
        };
        let found = said.iter().rev().find(is_it)?;
        receive::<B>(key, &found.payload).ok()?.body
    }
    let key = isin.to_string();
    let score = "SELECT body FROM api_score WHERE isin = ?1 ORDER BY day DESC LIMIT 1";
    let plan = "SELECT body FROM api_plan ORDER BY ts DESC LIMIT 1";
    let universe: Option<Universe> = about(said, "");
    let known = Known {
        name: universe.and_then(|universe| universe.find(&isin).map(|one| one.name.clone())),
        quote: about(said, &key),
        score: about(said, &key).or_else(|| stored(config, "scores", score, [&key])),
        targets: about(said, ""),
        plan: about(said, "core").or_else(|| about(said, "")).or_else(|| stored(config, "plans", plan, [])),
        isin: key,
    };
    if known.name.is_none() && known.quote.is_none() && known.score.is_none() {
        return Err(Fault::Refused(format!(
            "nothing is known of {isin}; `steward universe list` shows what is watched"
        )));
    }
    Ok(known)
}

fn stored<T: DeserializeOwned>(config: &Config, store: &str, sql: &str, values: impl Params) -> Option<T> {
    let rows = open_for_reading(&Place::File(config.store_file(store))).ok()?;
    let body: String = rows.query_row(sql, values, |row| row.get(0)).ok()?;
    serde_json::from_str(&body).ok()
}

fn links(known: &Known, isin: Isin) -> Vec<Link> {
    let unknown = |what: &str| vec![format!("Nothing is known about it: {what}.")];
    vec![
        ("price", known.quote.as_ref().map_or_else(|| unknown("no price was said"), price)),
        ("score", known.score.as_ref().map_or_else(|| unknown("it was not scored"), judged)),
        (
            "target",
            known.targets.as_ref().map_or_else(|| unknown("there are no targets"), |all| target(all, isin)),
        ),
        (
            "plan",
            known
                .plan
                .as_ref()
                .map_or_else(|| unknown("nothing was planned yet"), |plan| planned(plan, isin)),
        ),
    ]
}

fn price(quote: &Quote) -> Vec<String> {
    let doubt = if quote.suspect { " It jumped too far to be believed yet." } else { "" };
    vec![format!(
        "{} {} at {} UTC on {}.{doubt}",
        quote.price_e6,
        quote.ccy,
        figures::second(quote.at),
        quote.mic
    )]
}

fn judged(score: &SecurityScore) -> Vec<String> {
    let total = score.total.map_or_else(|| "none".to_string(), |total| format!("{:.4}", total.get()));
    let groups: Vec<String> =
        score.groups.iter().map(|(group, value)| format!("{group} {:.3}", value.get())).collect();
    let mut lines = vec![format!(
        "Total {total} at {} UTC as `{}`, from {} daily bars, {:.0} % of the data there: {}.",
        figures::second(score.at),
        score.profile.name(),
        score.bars,
        score.coverage.get() * 100.0,
        if groups.is_empty() { "no group has data".into() } else { groups.join(", ") }
    )];
    lines.extend(score::verdict(score));
    lines
}

fn target(targets: &TargetWeights, isin: Isin) -> Vec<String> {
    let when = format!("the targets of {} UTC ({})", figures::second(targets.at), targets.method);
    if let Some(own) = targets.weights.iter().find(|one| one.isin == isin) {
        let mut lines = vec![format!(
            "{} of the fund, {} now, between {} and {} in {when}: {}.",
            figures::weight(own.weight_e6),
            figures::weight(own.current_e6),
            figures::weight(own.lower_e6),
            figures::weight(own.upper_e6),
            own.reason
        )];
        let groups = targets.groups.iter().filter(|group| group.members.contains_key(&isin));
        lines.extend(groups.map(|group| {
            format!(
                "Its {} {} weighs {}, between {} and {}.",
                group.kind,
                group.name,
                figures::weight(group.value_e6),
                figures::weight(group.lower_e6),
                figures::weight(group.upper_e6)
            )
        }));
        return lines;
    }
    match targets.excluded.iter().find(|one| one.isin == isin) {
        Some(one) => vec![format!("It has no say in {when}: {}.", one.reason)],
        None => vec![format!("It is not in {when}.")],
    }
}

fn planned(plan: &PlanProposed, isin: Isin) -> Vec<String> {
    let head = format!("Plan {} of {} UTC", plan.plan_id, figures::second(plan.at));
    let steps = plan.steps.iter().filter(|step| step.candidate.isin == isin);
    let mut lines: Vec<String> = steps
        .map(|step| {
            let side = if step.candidate.side == Side::Buy { "buys" } else { "sells" };
            let waits =
                step.waits_for.as_ref().map_or_else(String::new, |what| format!("; it waits: {what}"));
            format!(
                "{head} {side} {} in step {}: {}{waits}.",
                figures::quantity(step.candidate.qty_e6),
                step.step,
                step.candidate.reason.trim_end_matches('.')
            )
        })
        .collect();
    let left_out = plan.left_out.iter().filter(|one| one.isin == isin);
    lines.extend(left_out.map(|one| format!("{head} leaves it out ({}): {}", one.code, one.text)));
    if lines.is_empty() {
        lines.push(format!("{head} says nothing of it: {}", plan.why));
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{LeftOut, Sample};

    use super::*;

    fn everything() -> (Known, Isin) {
        let isin = SecurityScore::sample().isin;
        let left = LeftOut { isin, code: "score_low".into(), text: "Its score is below 0.5.".into() };
        let known = Known {
            isin: isin.to_string(),
            name: Some("A name".into()),
            quote: Some(Quote { isin, ..Quote::sample() }),
            score: Some(SecurityScore::sample()),
            targets: Some(TargetWeights::sample()),
            plan: Some(PlanProposed { steps: vec![], left_out: vec![left], ..PlanProposed::sample() }),
        };
        (known, isin)
    }

    fn text(known: &Known, isin: Isin) -> String {
        links(known, isin).into_iter().flat_map(|(_, sentences)| sentences).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_whole_chain_from_price_to_plan_is_told() {
        let (known, isin) = everything();
        let text = text(&known, isin);
        for part in
            ["Total 0.6200", "expected 8.0 % a year", "Its country EU weighs", "leaves it out (score_low)"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn what_is_not_known_or_has_no_say_is_said() {
        let (known, isin) = everything();
        let without = TargetWeights { weights: vec![], ..TargetWeights::sample() };
        assert!(text(&Known { targets: Some(without), ..known }, isin).contains("It has no say in"));
        let nothing = text(&Known::default(), isin);
        assert_eq!(nothing.matches("Nothing is known about it").count(), 4, "{nothing}");
    }

    #[test]
    fn a_security_that_nobody_knows_is_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::parse("environment = \"sim:1\"", &dir.path().join("steward.toml")).unwrap();
        let isin = SecurityScore::sample().isin;
        assert!(collect(&config, isin, &[]).unwrap_err().to_string().contains("universe list"));
    }
}
