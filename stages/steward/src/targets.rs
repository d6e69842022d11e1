//! `steward targets`: how much of the fund each security should be, with the way its price went, and why; and the
//! requests that change what the groups should have.

use std::{collections::BTreeMap, time::Duration};

use bus_client::{Config, Place, open_for_reading};
use contracts::{Finite, Security, TargetGroup, TargetWeights, TopicId, Universe, receive};
use market::Isin;
use tokio::time::{Instant, timeout_at};

use crate::{
    Fault,
    bus::{self, Bus, Event},
    figures,
    lines::{sparkline, wrapped},
    print,
};

mod groups;
mod words;

pub use words::TargetsOptions;

const TOPICS: [TopicId; 2] = [TopicId::TargetWeights, TopicId::MarketUniverse];
/// How long kept statements may take to come in.
const KEPT_MAX: Duration = Duration::from_millis(1_500);
/// Closes of a sparkline, and how wide it is.
const CLOSES: usize = 120;
const WIDTH: usize = 12;
const NAME_MAX: usize = 28;
/// Nearer to a limit than a tenth of a point is at it.
const NEAR_E6: i64 = 1_000;

/// Runs the command; the exit code.
///
/// # Errors
/// When the bus cannot be reached, or nobody answers.
pub async fn run(options: &TargetsOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    if let Some(question) = &options.question {
        return groups::run(&config, question, options.json).await;
    }
    let (targets, universe) = listen(&config).await?;
    let Some(targets) = targets else {
        print::note("There are no targets yet: `steward status` says what the optimiser waits for.");
        return Ok(1);
    };
    if options.json {
        print::json(&targets);
        return Ok(0);
    }
    let closes = closes(&config, &targets);
    lines(&targets, universe.as_ref(), &closes).iter().for_each(|line| print::data(line));
    Ok(0)
}

async fn listen(config: &Config) -> Result<(Option<TargetWeights>, Option<Universe>), Fault> {
    let mut bus = Bus::connect(config, bus::topics(config, &TOPICS)).await?;
    let (mut targets, mut universe) = (None, None);
    let deadline = Instant::now() + KEPT_MAX;
    while targets.is_none() || universe.is_none() {
        let Ok(event) = timeout_at(deadline, bus.next()).await else { break };
        let Event::Message(message) = event else { continue };
        match message.address.as_ref().map(|address| (address.topic, address.key.as_str())) {
            Some((TopicId::TargetWeights, key)) => {
                targets = receive::<TargetWeights>(key, &message.payload).ok().and_then(|said| said.body);
            }
            Some((TopicId::MarketUniverse, key)) => {
                universe = receive::<Universe>(key, &message.payload).ok().and_then(|said| said.body);
            }
            _ => {}
        }
    }
    bus.close().await;
    Ok((targets, universe))
}

/// The newest closes of each target, oldest first; nothing where the store is elsewhere.
fn closes(config: &Config, targets: &TargetWeights) -> BTreeMap<Isin, Vec<f64>> {
    let Ok(rows) = open_for_reading(&Place::File(config.store_file("market"))) else {
        return BTreeMap::new();
    };
    let read = |isin: &Isin| -> Option<Vec<f64>> {
        let mut query = rows
            .prepare_cached("SELECT close FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT ?2")
            .ok()?;
        let found = query.query_map((isin.as_str(), i64::try_from(CLOSES).ok()?), |row| row.get::<_, f64>(0));
        let mut closes: Vec<f64> = found.ok()?.collect::<Result<_, _>>().ok()?;
        closes.reverse();
        Some(closes)
    };
    targets.weights.iter().filter_map(|weight| Some((weight.isin, read(&weight.isin)?))).collect()
}

/// What a person reads.
fn lines(
    targets: &TargetWeights,
    universe: Option<&Universe>,
    closes: &BTreeMap<Isin, Vec<f64>>,
) -> Vec<String> {
    let mut lines = vec![format!("Targets of {}: {}", figures::minute(targets.at), targets.method)];
    lines.extend(wrapped("  ", 2, &targets.why));
    lines.push(String::new());
    lines.push(format!("  {:<NAME_MAX$} {:>8} {:>8}  {:<WIDTH$}", "security", "target", "now", "price"));
    let mut weights: Vec<_> = targets.weights.iter().collect();
    weights.sort_by(|a, b| b.weight_e6.cmp(&a.weight_e6).then(a.isin.cmp(&b.isin)));
    for weight in weights {
        let known = universe.and_then(|universe| universe.find(&weight.isin));
        let spark = closes.get(&weight.isin).map_or(String::new(), |closes| sparkline(closes, WIDTH));
        lines.push(format!(
            "  {:<NAME_MAX$} {:>8} {:>8}  {spark}",
            name(&weight.isin, known),
            figures::weight(weight.weight_e6),
            figures::weight(weight.current_e6),
        ));
        lines.extend(wrapped("      ", 6, &weight.reason));
    }
    lines.push(format!("  {:<NAME_MAX$} {:>8}", "cash", figures::weight(targets.cash_e6)));
    lines.push(String::new());
    for group in &targets.groups {
        lines.extend(wrapped("  ", 4, &group_line(group)));
    }
    for figures in &targets.figures {
        lines.push(format!(
            "  {:<14} expects {} a year at a volatility of {}",
            figures.of.replace('_', " "),
            percent(figures.expected_return),
            percent(figures.volatility)
        ));
    }
    if let Some(loss) = targets.cvar_95_1d {
        lines.push(format!("  the worst twentieth of all days: {} on average", percent(loss)));
    }
    if let Some(loss) = targets.cvar_95_20d {
        lines.push(format!(
            "  the worst twentieth of all stretches of twenty days: {} on average",
            percent(loss)
        ));
    }
    let lists = [
        ("decided by", &targets.binding),
        ("gave way", &targets.relaxed),
        ("cannot be kept together", &targets.clash),
        ("note", &targets.warnings),
    ];
    for (title, all) in lists {
        lines.extend(all.iter().flat_map(|one| wrapped("  ", 4, &format!("{title}: {one}"))));
    }
    let excluded = targets.excluded.iter();
    lines.extend(excluded.flat_map(|one| {
        let known = universe.and_then(|universe| universe.find(&one.isin));
        wrapped("  ", 4, &format!("no say: {} ({})", name(&one.isin, known), one.reason))
    }));
    lines
}

fn name(isin: &Isin, known: Option<&Security>) -> String {
    let name = known.map_or_else(|| isin.to_string(), |security| security.name.clone());
    name.chars().take(NAME_MAX).collect()
}

fn group_line(group: &TargetGroup) -> String {
    let wish =
        group.target_e6.map_or(String::new(), |target| format!(", wanted {}", figures::weight(target)));
    let limit = match &group.binding {
        // Small differences that are not worth a trade, and what may not be sold, can leave a group outside.
        Some(_) if group.value_e6.e6() > group.upper_e6.e6() + NEAR_E6 => ", above its upper limit".into(),
        Some(_) if group.value_e6.e6() < group.lower_e6.e6() - NEAR_E6 => ", below its lower limit".into(),
        Some(side) => format!(", at its {side} limit"),
        None => String::new(),
    };
    format!(
        "{} {}: {} of {} to {}{wish}{limit}",
        group.kind,
        group.name,
        figures::weight(group.value_e6),
        figures::weight(group.lower_e6),
        figures::weight(group.upper_e6)
    )
}

fn percent(share: Finite) -> String {
    format!("{:.1} %", share.get() * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn a_group_outside_its_limits_is_not_said_to_be_at_them() {
        let weight = |e6: i64| money::Weight::from_e6(e6).unwrap();
        let group = |value: i64, side: &str| TargetGroup {
            lower_e6: weight(100_000),
            upper_e6: weight(350_000),
            value_e6: weight(value),
            binding: Some(side.into()),
            ..TargetWeights::sample().groups[0].clone()
        };
        for (value, side, said) in [
            (350_400, "upper", "at its upper limit"),
            (381_000, "upper", "above its upper limit"),
            (100_000, "lower", "at its lower limit"),
            (90_000, "lower", "below its lower limit"),
        ] {
            assert!(group_line(&group(value, side)).ends_with(said), "{value}");
        }
    }

    #[test]
    fn a_person_reads_weights_groups_and_what_gave_way() {
        let targets = TargetWeights::sample();
        let isin = targets.weights[0].isin;
        let closes = BTreeMap::from([(isin, vec![1.0, 2.0])]);
        let text = lines(&targets, Some(&Universe::sample()), &closes).join("\n");
        for part in [
            "Rheinau Automation SE",
            "▁█",
            "country EU",
            "gave way:",
            "no say:",
            "cash",
            "expected 8.0 % a year",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= crate::lines::COLUMNS), "{text}");
        let bare = lines(&targets, None, &BTreeMap::new()).join("\n");
        assert!(bare.contains(isin.as_str()));
    }
}
