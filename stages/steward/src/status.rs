//! `steward status`: one look at everything, and an exit code that says it too.

use std::time::Duration;

use bus_client::{Config, wall};
use contracts::HealthState;
use market::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::{
    Fault,
    bus::{self, Bus, Event},
    cli::DataOptions,
    figures,
    model::{Model, Standing, TOPICS},
    print,
};

/// How long kept statements may take to come in.
const KEPT_MAX: Duration = Duration::from_millis(400);
/// How long a stage may take to prove life; every one speaks at least every two seconds.
const LIFE_MAX: Duration = Duration::from_millis(3_000);

/// One stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageLine {
    /// Instance.
    pub stage: String,
    /// How it stands.
    pub state: Standing,
    /// Since it was last known to be alive.
    pub age_ms: Option<i64>,
    /// How long the last input took.
    pub lag_ms: u64,
    /// Messages refused since its start.
    pub refused: u64,
    /// Its version.
    pub version: String,
    /// Last thing that went wrong.
    pub last_error: Option<String>,
    /// Last decision.
    pub last_decision: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// `live` or `sim:<seed>`.
    pub environment: String,
    /// Time of the world.
    pub now: Option<String>,
    /// Nothing is wrong.
    pub healthy: bool,
    /// Trading is stopped; unknown before the gate has spoken.
    pub halted: Option<bool>,
    /// Why.
    pub halts: Vec<String>,
    /// Value of the fund.
    pub nav: Option<String>,
    /// Orders that are not final.
    pub open_orders: usize,
    /// Open alerts.
    pub alerts: Vec<String>,
    /// By name.
    pub stages: Vec<StageLine>,
}

/// Runs the command; the exit code.
///
/// # Errors
/// When the bus cannot be reached.
pub async fn run(options: &DataOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let model = listen(&config).await?;
    let status = of(&model, wall());
    if options.json {
        print::json(&status);
    } else {
        table(&status).iter().for_each(|line| print::data(line));
    }
    Ok(u8::from(!status.healthy))
}

/// Listens until everything kept has come in and every stage has proved life, or had the time to.
///
/// # Errors
/// When the bus cannot be reached.
pub async fn listen(config: &Config) -> Result<Model, Fault> {
    let mut bus = Bus::connect(config, bus::topics(config, &TOPICS)).await?;
    let mut model = Model::new(&config.environment.to_string());
    let begun = Instant::now();
    while let Ok(event) = timeout_at(deadline(begun, &model), bus.next()).await {
        if let Event::Message(message) = event
            && let Some(address) = message.address
        {
            model.hear(&address, &message.payload, wall());
        }
    }
    bus.close().await;
    Ok(model)
}

fn deadline(begun: Instant, model: &Model) -> Instant {
    begun + if model.all_ages_known() { KEPT_MAX } else { LIFE_MAX }
}

/// Judges what was heard.
#[must_use]
pub fn of(model: &Model, wall: Timestamp) -> Status {
    let stages: Vec<StageLine> = model
        .stages
        .iter()
        .map(|(name, heard)| {
            // A simulated stage that said nothing while we listened is as gone as one that was silent for long.
            let silent = model.age_ms(heard, wall).is_none() && heard.health.state != HealthState::Gone;
            StageLine {
                stage: name.clone(),
                state: if silent { Standing::Gone } else { model.standing(heard, wall) },
                age_ms: model.age_ms(heard, wall),
                lag_ms: heard.health.lag_ms,
                refused: heard.health.refused,
                version: heard.health.version.clone(),
                last_error: heard.health.last_error.clone(),
                last_decision: heard.health.last_decision.clone(),
            }
        })
        .collect();
    let halts = model.halt.iter().flat_map(|halt| &halt.halts);
    let halted = model.halt.as_ref().map(|halt| halt.halted);
    // No stage at all, or a gate that has not spoken, is not healthy: doubt means no.
    let working = !stages.is_empty() && stages.iter().all(|stage| stage.state == Standing::Healthy);
    Status {
        environment: model.environment.clone(),
        now: model.now(wall).map(|now| now.to_string()),
        healthy: working && halted == Some(false),
        halted,
        halts: halts.map(|entry| format!("{}: {}", entry.actor, entry.text)).collect(),
        nav: model.nav.as_ref().map(|nav| nav.nav.to_string()),
        open_orders: model.open_orders(),
        alerts: model.alerts.values().map(|alert| alert.text.clone()).collect(),
        stages,
    }
}

fn table(status: &Status) -> Vec<String> {
    let time = status.now.as_deref().and_then(|now| now.parse().ok()).map(figures::second);
    let nav = status.nav.as_deref().and_then(|nav| nav.parse().ok());
    let mut lines = vec![
        format!("World    {}  {}", status.environment, time.unwrap_or_else(|| "no clock yet".into())),
        format!("Value    {}", nav.as_ref().map_or_else(|| "unknown".into(), figures::money)),
        format!("Trading  {}", trading(status)),
        format!("Orders   {} open", status.open_orders),
    ];
    lines.extend(status.alerts.iter().map(|alert| format!("Alert    {alert}")));
    lines.push(String::new());
    lines.push(format!(
        "{:11} {:9} {:>7} {:>7} {:>7}  last decision or trouble",
        "Stage", "State", "Age", "Lag", "Refused"
    ));
    for stage in &status.stages {
        let age = stage.age_ms.map_or_else(|| "?".to_string(), figures::duration);
        let lag = figures::duration(i64::try_from(stage.lag_ms).unwrap_or(i64::MAX));
        let said = if stage.state == Standing::Healthy { &stage.last_decision } else { &stage.last_error };
        lines.push(format!(
            "{:11} {:9} {:>7} {:>7} {:>7}  {}",
            stage.stage,
            stage.state.word(),
            age,
            lag,
            stage.refused,
            said.as_deref().unwrap_or("")
        ));
    }
    if status.stages.is_empty() {
        lines.push("No stage has said anything; start them with `steward demo` or `steward up`.".into());
    }
    lines
}

fn trading(status: &Status) -> String {
    match status.halted {
        None => "unknown: the gate has not spoken, so nothing is traded".into(),
        Some(false) => "not halted".into(),
        Some(true) => format!("HALTED by {}; `steward resume` when it is safe", status.halts.join("; ")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Health, RiskHalt, Sample};

    use super::*;
    use crate::model::tests::hear;

    const WALL: Timestamp = Timestamp::from_ms(1_772_461_900_000);

    fn model(halted: bool, state: HealthState) -> Model {
        let mut model = Model::new("live");
        hear(&mut model, 1, WALL, WALL, Health { state, ..Health::sample() });
        let halts = if halted { RiskHalt::sample().halts } else { vec![] };
        hear(&mut model, 1, WALL, WALL, RiskHalt { halted, halts, ..RiskHalt::sample() });
        model
    }

    #[test]
    fn all_well_is_healthy() {
        let status = of(&model(false, HealthState::Healthy), WALL);
        assert!(status.healthy);
        assert!(table(&status).iter().any(|line| line.starts_with("ingest")));
    }

    #[test]
    fn doubt_is_not_healthy() {
        let late = WALL.saturating_plus_ms(10_001);
        let unspoken = {
            let mut model = Model::new("live");
            hear(&mut model, 1, WALL, WALL, Health::sample());
            model
        };
        let only_kept = {
            let mut model = Model::new("sim:1");
            hear(&mut model, 1, WALL, WALL, Health::sample());
            hear(&mut model, 1, WALL, WALL, RiskHalt { halted: false, halts: vec![], ..RiskHalt::sample() });
            model
        };
        let table = [
            ("halted", of(&model(true, HealthState::Healthy), WALL)),
            ("degraded", of(&model(false, HealthState::Degraded), WALL)),
            ("starting", of(&model(false, HealthState::Starting), WALL)),
            ("gone", of(&model(false, HealthState::Gone), WALL)),
            ("silent", of(&model(false, HealthState::Healthy), late)),
            ("nobody", of(&Model::new("live"), WALL)),
            ("the gate has not spoken", of(&unspoken, WALL)),
            ("only an old word", of(&only_kept, WALL)),
        ];
        for (why, status) in table {
            assert!(!status.healthy, "{why}");
        }
    }

    #[test]
    fn a_halt_names_who_and_the_way_back() {
        let lines = table(&of(&model(true, HealthState::Healthy), WALL)).join("\n");
        assert!(
            lines.contains("HALTED by steward: Before the holidays.") && lines.contains("steward resume"),
            "{lines}"
        );
    }
}
