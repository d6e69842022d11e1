//! The state machine: settings are changed at once, samples and runs are kept, repeats are asked for.

use std::collections::BTreeMap;

use bus_client::{Input, NoCall, Out, Stage, Start};
use contracts::{
    Health, JobRun, Meta, Outcome, Received, RepeatWanted, SetSetting, SettingsSnapshot,
    stage::keeper as contract,
};
use market::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    audit::AuditRow,
    history::{JOB_RUNS_KEPT_MS, PRUNE_EVERY_MS, SAMPLES_KEPT_MS, Samples},
    registry::{self, Known},
    repeat::Fingerprints,
    set::{decide, wanted},
    store,
};

/// Longest name of an actor that is kept.
const ACTOR_MAX: usize = 100;

/// Nothing to configure yet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {}

/// The keeper.
#[derive(Debug)]
pub struct Keeper {
    /// Those that differ from their default.
    set: BTreeMap<String, Value>,
    revision: u64,
    /// The snapshot that `revision` names.
    published: BTreeMap<String, Value>,
    last_hash: String,
    broken_audit: Option<String>,
    asked: BTreeMap<String, u64>,
    samples: Samples,
    prints: Fingerprints,
    pruned: Option<Timestamp>,
    wake_at: Option<Timestamp>,
}

/// A change of the rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// A setting got a value, or lost it.
    Setting {
        /// Which.
        key: &'static str,
        /// New value; none for the default.
        value: Option<Value>,
        /// Who and when; closes the chain.
        audit: AuditRow,
    },
    /// What is published from now on.
    Revision {
        /// Its number.
        number: u64,
        /// All values in force.
        snapshot: BTreeMap<String, Value>,
    },
    /// A run as it is now.
    JobRun(JobRun),
    /// A stage's health.
    Sample {
        /// When.
        at: Timestamp,
        /// Whose.
        stage: String,
        /// As JSON.
        sample: String,
    },
    /// An owner is asked to say everything again.
    RepeatAsked {
        /// Who.
        owner: String,
        /// How often so far.
        number: u64,
    },
    /// Old rows go.
    Prune {
        /// Samples before this.
        samples_before: Timestamp,
        /// Runs before this.
        runs_before: Timestamp,
    },
}

/// A change that no rule forbids.
struct Change<'a> {
    known: &'static Known,
    value: Option<Value>,
    actor: String,
    meta: &'a Meta,
}

impl Stage for Keeper {
    type Contract = contract::Keeper;
    type Settings = Settings;
    type Save = Save;
    type Call = NoCall;
    type Reply = ();

    fn load(_: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let rows = rows.ok_or("the keeper needs its store")?;
        let kept = store::load(rows)?;
        Ok(Keeper {
            set: kept.set,
            revision: kept.revision,
            published: kept.published,
            last_hash: kept.last_hash,
            broken_audit: kept.broken_audit,
            asked: kept.asked,
            samples: Samples::default(),
            prints: Fingerprints::default(),
            pruned: None,
            wake_at: Some(Timestamp::ZERO),
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::CommandKeeperSet(command)) => self.command(command, now, out),
            Input::Heard(contract::Input::CommandKeeperDescribe(command)) => {
                self.describe(command.meta.as_ref(), out);
            }
            Input::Heard(contract::Input::SystemHealth(Received { body: Some(health), .. })) => {
                self.health(&health, now, out);
            }
            Input::Heard(contract::Input::SystemJob(Received { body: Some(run), .. })) => {
                out.save(Save::JobRun(run));
            }
            Input::Tick => self.start(out),
            Input::Heard(_)
            | Input::Answered(_)
            | Input::Settings(_)
            | Input::Refused(_)
            | Input::Replied(()) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Keeper {
    /// Once after every start: says all settings, whether they changed or not.
    fn start(&mut self, out: &mut Out<Self>) {
        self.wake_at = None;
        if let Some(broken) = &self.broken_audit {
            out.trouble(broken.clone());
        }
        self.publish(out);
        out.say(RepeatWanted { asked: self.asked.clone() });
    }

    fn publish(&mut self, out: &mut Out<Self>) {
        let values = self.in_force();
        if self.revision == 0 || values != self.published {
            self.revision += 1;
            self.published.clone_from(&values);
            out.save(Save::Revision { number: self.revision, snapshot: values.clone() });
        }
        out.say(SettingsSnapshot { revision: self.revision, values });
    }

    fn in_force(&self) -> BTreeMap<String, Value> {
        registry::ALL.iter().map(|known| (known.key.to_string(), self.value_of(known))).collect()
    }

    fn value_of(&self, known: &Known) -> Value {
        self.set.get(known.key).cloned().unwrap_or_else(|| known.default.value())
    }

    fn command(&mut self, command: Received<SetSetting>, now: Timestamp, out: &mut Out<Self>) {
        let (Some(meta), Some(asked)) = (command.meta, command.body) else { return };
        let actor = asked.actor.chars().take(ACTOR_MAX).collect();
        match decide(&asked.setting, &asked.value, asked.confirm.as_deref()) {
            Ok((known, value)) => self.change(Change { known, value, actor, meta: &meta }, now, out),
            Err(refusal) => {
                out.decided(format!("Refused: {refusal}."));
                out.answer(
                    Some(&meta),
                    Outcome::Refused,
                    Some(refusal.code()),
                    refusal.to_string(),
                    Value::Null,
                );
            }
        }
    }

    fn change(&mut self, change: Change<'_>, now: Timestamp, out: &mut Out<Self>) {
        let Change { known, value, actor, meta } = change;
        let before = self.value_of(known);
        let old = self.set.get(known.key).cloned();
        if old == value {
            let text = format!("{} is {before} already.", known.key);
            out.answer(Some(meta), Outcome::Done, None, text, json!({ "revision": self.revision }));
            return;
        }
        let audit = AuditRow {
            id: meta.id.to_string(),
            ts: now,
            actor: actor.clone(),
            entity: "setting".into(),
            entity_id: known.key.into(),
            field: "value".into(),
            old: old.map(|value| value.to_string()),
            new: value.as_ref().map(Value::to_string),
            previous_hash: String::new(),
            hash: String::new(),
        }
        .closed(&self.last_hash);
        self.last_hash.clone_from(&audit.hash);
        match &value {
            Some(value) => self.set.insert(known.key.into(), value.clone()),
            None => self.set.remove(known.key),
        };
        out.save(Save::Setting { key: known.key, value, audit });
        self.publish(out);
        let text = format!("{} is now {}, it was {before}.", known.key, self.value_of(known));
        out.decided(format!("{text} Asked by {actor}."));
        out.answer(Some(meta), Outcome::Done, None, text, json!({ "revision": self.revision }));
    }

    /// Every setting with what there is to know of it.
    fn describe(&self, command: Option<&Meta>, out: &mut Out<Self>) {
        let line = |known: &&'static Known| {
            json!({
                "key": known.key, "value": self.value_of(known), "default": known.default.value(),
                "set": self.set.contains_key(known.key), "class": known.class, "unit": known.unit,
                "allowed": wanted(known), "says": known.doc, "readers": known.readers,
            })
        };
        let all: Vec<Value> = registry::ALL.iter().map(|known| line(&known)).collect();
        let text = format!("{} settings, revision {}.", all.len(), self.revision);
        out.answer(command, Outcome::Done, None, text, json!(all));
    }

    fn health(&mut self, health: &Health, now: Timestamp, out: &mut Out<Self>) {
        if let Some(sample) = self.samples.note(health, now) {
            out.save(Save::Sample { at: now, stage: health.stage.clone(), sample });
        }
        self.prune(now, out);
        let owners = self.prints.note(health);
        if owners.is_empty() {
            return;
        }
        for owner in &owners {
            let number = self.asked.entry(owner.clone()).or_insert(0);
            *number += 1;
            out.save(Save::RepeatAsked { owner: owner.clone(), number: *number });
        }
        out.say(RepeatWanted { asked: self.asked.clone() });
        out.decided(format!("{} has missed something: {} repeats.", health.stage, owners.join(", ")));
    }

    fn prune(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if self.pruned.is_some_and(|last| now.since(last) < PRUNE_EVERY_MS) {
            return;
        }
        self.pruned = Some(now);
        out.save(Save::Prune {
            samples_before: now.saturating_minus_ms(SAMPLES_KEPT_MS),
            runs_before: now.saturating_minus_ms(JOB_RUNS_KEPT_MS),
        });
    }
}
