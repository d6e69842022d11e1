//! `steward plan`: plans at once, shows a plan, lists the plans kept, compares two, approves and skips steps.
//!
//! Plans come from the view `api_plan`, names from `api_universe` of `market`; planning at once and deciding on a step need
//! the bus.

use std::time::Duration;

use bus_client::{Config, Place as At, open_for_reading};
use contracts::{ApproveStep, Body, Outcome, PlanContext, PlanNow, PlanProposed, SkipStep, TopicId, receive};
use market::Isin;
use rusqlite::Connection;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::{
    Fault,
    bus::{self, Bus, Event, Message},
    cli::{PlanOptions, PlanQuestion},
    halt::person,
    plan_text::{self, Name, Names},
    print,
};

const PLANNER: &str = "plan";
/// How long a plan may take, from the question to the answer.
const PLAN_MAX: Duration = Duration::from_secs(40);

/// Runs the command; the exit code.
///
/// # Errors
/// When nobody answers, or there is no such plan.
pub async fn run(options: &PlanOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    match &options.question {
        None => now(&config, options.json).await,
        Some(PlanQuestion::Show { plan }) => {
            let plan = find(&stored(&config)?, plan)?.clone();
            Ok(tell(&config, &plan, options.json))
        }
        Some(PlanQuestion::History { count }) => {
            let plans = stored(&config)?;
            let shown: Vec<&PlanProposed> = plans.iter().take(*count).collect();
            if options.json {
                print::json(&shown);
            } else {
                plan_text::table(&shown).iter().for_each(|line| print::data(line));
            }
            Ok(0)
        }
        Some(PlanQuestion::Diff { older, newer }) => {
            let plans = stored(&config)?;
            let (older, newer) = (find(&plans, older)?, find(&plans, newer)?);
            let lines = plan_text::difference(older, newer, &names(&config));
            if options.json {
                print::json(&json!({ "older": older, "newer": newer, "differences": lines }));
            } else {
                lines.iter().for_each(|line| print::data(line));
            }
            Ok(0)
        }
        Some(PlanQuestion::Approve(of)) => {
            let (plan_id, step) = (find(&stored(&config)?, &of.plan)?.plan_id, of.step);
            decide(&config, ApproveStep { actor: person(), plan_id, step }, options.json).await
        }
        Some(PlanQuestion::Skip(of)) => {
            let (plan_id, step) = (find(&stored(&config)?, &of.plan)?.plan_id, of.step);
            decide(&config, SkipStep { actor: person(), plan_id, step }, options.json).await
        }
    }
}

/// Asks for a decision on a step; the exit code says whether it was taken.
async fn decide<B: Body>(config: &Config, ask: B, as_json: bool) -> Result<u8, Fault> {
    let reply = bus::ask(config, PLANNER, ask).await?;
    if as_json {
        print::json(&reply);
    } else {
        print::data(&reply.text);
    }
    Ok(u8::from(reply.outcome != Outcome::Done))
}

/// Asks for a plan and follows it to its end.
async fn now(config: &Config, as_json: bool) -> Result<u8, Fault> {
    let follow = [TopicId::Reply, TopicId::PlanContext, TopicId::PlanProposed];
    let mut bus = Bus::connect(config, bus::topics(config, &follow)).await?;
    let reply = bus.ask(PLANNER, PlanNow { actor: bus::NAME.into() }).await?;
    if reply.outcome != Outcome::Done {
        bus.close().await;
        return Err(Fault::Refused(reply.text));
    }
    print::note("Looking at prices, scores, targets and holdings.");
    let plan = follow_up(&mut bus).await;
    bus.close().await;
    Ok(tell(config, &plan?, as_json))
}

async fn follow_up(bus: &mut Bus) -> Result<PlanProposed, Fault> {
    let deadline = Instant::now() + PLAN_MAX;
    while let Ok(event) = timeout_at(deadline, bus.next()).await {
        let Event::Message(Message { address: Some(address), payload, .. }) = event else { continue };
        match address.topic {
            TopicId::PlanContext => {
                if let Ok(Some(context)) =
                    receive::<PlanContext>(&address.key, &payload).map(|heard| heard.body)
                {
                    print::note(&format!(
                        "Found {} possible trades; every combination of {} of them is being scored.",
                        context.candidates.len(),
                        context.pool.len()
                    ));
                }
            }
            TopicId::PlanProposed => {
                return match receive::<PlanProposed>(&address.key, &payload).map(|heard| heard.body) {
                    Ok(Some(plan)) => Ok(plan),
                    _ => Err(Fault::Refused(
                        "Nothing can be planned now; `steward status` says what is missing.".into(),
                    )),
                };
            }
            _ => {}
        }
    }
    Err(Fault::NoAnswer { stage: PLANNER.into(), seconds: PLAN_MAX.as_secs() })
}

fn tell(config: &Config, plan: &PlanProposed, as_json: bool) -> u8 {
    if as_json {
        print::json(plan);
    } else {
        plan_text::lines(plan, &names(config)).iter().for_each(|line| print::data(line));
    }
    0
}

/// What securities are called; a plan is shown without it too.
fn names(config: &Config) -> Names {
    let read = |store: &Connection| -> rusqlite::Result<Names> {
        let mut query =
            store.prepare("SELECT isin, symbol, name FROM api_universe WHERE symbol IS NOT NULL")?;
        let found = query.query_map([], |row| {
            let [isin, ticker, name]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((isin.parse::<Isin>(), Name { ticker, name }))
        })?;
        let known = found.filter_map(|row| row.map(|(isin, name)| Some((isin.ok()?, name))).transpose());
        known.collect::<rusqlite::Result<_>>().map(Names)
    };
    let store = open_for_reading(&At::File(config.store_file("market"))).ok();
    store.and_then(|store| read(&store).ok()).unwrap_or_default()
}

/// The plans kept, newest first.
fn stored(config: &Config) -> Result<Vec<PlanProposed>, Fault> {
    let file = config.store_file("plans");
    if !file.exists() {
        return Err(Fault::Refused(format!(
            "{} does not exist, so nothing was planned yet; start with `steward demo` or `steward up`",
            file.display()
        )));
    }
    let rows = open_for_reading(&At::File(file))?;
    let unreadable = |error: String| Fault::System(format!("the plans cannot be read: {error}"));
    let mut query = rows
        .prepare("SELECT body FROM api_plan ORDER BY ts DESC, plan_id DESC LIMIT 1000")
        .map_err(|error| unreadable(error.to_string()))?;
    let bodies =
        query.query_map([], |row| row.get::<_, String>(0)).map_err(|error| unreadable(error.to_string()))?;
    // A plan of an older version that lacks what is shown today is left out.
    Ok(bodies.filter_map(|body| serde_json::from_str(&body.ok()?).ok()).collect())
}

/// The plan of this id, or the latest, or the one before it.
fn find<'a>(plans: &'a [PlanProposed], wanted: &str) -> Result<&'a PlanProposed, Fault> {
    let found = match wanted {
        "latest" => plans.first(),
        "previous" => plans.get(1),
        id => plans.iter().find(|plan| plan.plan_id.to_string() == id),
    };
    found.ok_or_else(|| {
        Fault::Refused(format!(
            "no plan {wanted} is kept; `steward plan history` lists them, `latest` and `previous` name the last two"
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn plans_are_found_by_place_and_by_id() {
        let plans =
            [PlanProposed::sample(), PlanProposed { bucket_id: "older".into(), ..PlanProposed::sample() }];
        assert_eq!(find(&plans, "latest").unwrap().bucket_id, "core");
        assert_eq!(find(&plans, "previous").unwrap().bucket_id, "older");
        assert_eq!(find(&plans, &plans[0].plan_id.to_string()).unwrap().bucket_id, "core");
        assert!(find(&plans[..1], "previous").unwrap_err().to_string().contains("steward plan history"));
    }
}
