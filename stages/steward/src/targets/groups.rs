//! `steward targets run|groups|group|drop|set`: requests to the optimiser, and the groups as they were set.

use std::{collections::BTreeMap, time::Duration};

use bus_client::{Config, Place, open_for_reading};
use contracts::{Body, GroupDelete, GroupPut, OptimiseNow, Reply, TargetsPut};
use money::Weight;
use serde_json::{Value, json};

use super::words::Question;
use crate::{Fault, bus, print};

const OPTIMISER: &str = "optimise";
/// How long a run may take, reading of bars included.
const RUN_MAX: Duration = Duration::from_secs(40);

/// Runs the command; the exit code.
///
/// # Errors
/// When nobody answers, or the store cannot be read.
pub(super) async fn run(config: &Config, question: &Question, as_json: bool) -> Result<u8, Fault> {
    let actor = || bus::NAME.to_string();
    let reply = match question {
        Question::Groups => return shown(config, as_json),
        Question::Run => ask(config, OptimiseNow { actor: actor() }).await?,
        Question::Group { kind, name, members } => {
            let put = GroupPut {
                actor: actor(),
                kind: kind.of(),
                name: name.clone(),
                members: members.iter().flat_map(|text| text.split(',')).map(Into::into).collect(),
            };
            ask(config, put).await?
        }
        Question::Drop { kind, name } => {
            ask(config, GroupDelete { actor: actor(), kind: kind.of(), name: name.clone() }).await?
        }
        Question::Set { kind, targets } => {
            let share = |(name, percent): &(String, f64)| {
                let share = Weight::from_f64(percent / 100.0);
                Ok((name.clone(), share.map_err(|_| Fault::Refused(format!("{name} must be a percentage")))?))
            };
            let targets = targets.iter().map(share).collect::<Result<BTreeMap<_, _>, Fault>>()?;
            ask(config, TargetsPut { actor: actor(), kind: kind.of(), targets }).await?
        }
    };
    Ok(print::answer(&reply, as_json))
}

async fn ask<B: Body>(config: &Config, body: B) -> Result<Reply, Fault> {
    bus::ask_within(config, OPTIMISER, body, RUN_MAX, |_| ()).await
}

const TABLE: &str = r#"SELECT kind, "group", coalesce(group_concat(member, ', '), ''), target
    FROM (SELECT * FROM api_group_table ORDER BY kind, "group", member) GROUP BY kind, "group" ORDER BY kind, "group""#;

/// The groups the owner changed; those of the configuration are in its file.
fn shown(config: &Config, as_json: bool) -> Result<u8, Fault> {
    let unreadable =
        |error: rusqlite::Error| Fault::System(format!("the store `targets` cannot be read: {error}"));
    let store = open_for_reading(&Place::File(config.store_file("targets")))
        .map_err(|error| Fault::System(error.to_string()))?;
    let mut query = store.prepare(TABLE).map_err(unreadable)?;
    type Line = (String, String, String, Option<f64>);
    let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let lines: Vec<Line> = found.and_then(Iterator::collect).map_err(unreadable)?;
    if as_json {
        let line = |(kind, name, members, target): &Line| {
            let members: Vec<&str> = members.split(", ").filter(|member| !member.is_empty()).collect();
            json!({ "kind": kind, "name": name, "members": members, "target": target })
        };
        print::json(&lines.iter().map(line).collect::<Vec<Value>>());
        return Ok(0);
    }
    for (kind, name, members, target) in &lines {
        let target = target.map_or("-".into(), |target| format!("{:.1} %", target * 100.0));
        print::data(&format!("{kind:<8} {name:<16} {target:>7}  {members}"));
    }
    if lines.is_empty() {
        print::note(
            "No group was changed yet: those of the configuration count. `steward targets` shows them.",
        );
    }
    Ok(0)
}
