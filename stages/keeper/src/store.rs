//! All SQL of the keeper.

use std::collections::BTreeMap;

use contracts::{JobOutcome, JobRun};
use market::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde_json::Value;

use crate::{
    Save,
    audit::{self, AuditRow, first_broken},
};

/// What the rows say at a start.
pub(crate) struct Kept {
    pub(crate) set: BTreeMap<String, Value>,
    pub(crate) revision: u64,
    pub(crate) published: BTreeMap<String, Value>,
    pub(crate) last_hash: String,
    pub(crate) broken_audit: Option<String>,
    pub(crate) asked: BTreeMap<String, u64>,
}

pub(crate) fn load(rows: &Connection) -> Result<Kept, String> {
    let fault = |error: rusqlite::Error| format!("the store of the keeper cannot be read: {error}");
    let mut set = BTreeMap::new();
    for (key, text) in pairs(rows, "SELECT key, value FROM setting").map_err(fault)? {
        let value = serde_json::from_str(&text)
            .map_err(|error| format!("the stored value of setting `{key}` is no JSON: {error}"))?;
        // A setting that this program no longer knows stays in its row, unsaid.
        set.insert(key, value);
    }
    let revision = rows
        .query_row("SELECT number, snapshot FROM revision", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()
        .map_err(fault)?;
    let (number, snapshot) = revision.unwrap_or((0, "{}".into()));
    let published = serde_json::from_str(&snapshot)
        .map_err(|error| format!("the stored snapshot of settings is no JSON: {error}"))?;
    let chain = chain(rows).map_err(fault)?;
    Ok(Kept {
        set,
        revision: u64::try_from(number)
            .map_err(|_| format!("revision {number} of the settings is negative"))?,
        published,
        last_hash: chain.last().map_or(audit::START.to_string(), |row| row.hash.clone()),
        broken_audit: first_broken(&chain).map(|place| {
            format!(
                "row {} of the audit was changed or removed behind the keeper's back; compare with a backup",
                place + 1
            )
        }),
        asked: pairs(rows, "SELECT owner, CAST(number AS TEXT) FROM repeat_asked")
            .map_err(fault)?
            .into_iter()
            .map(|(owner, number)| (owner, number.parse().unwrap_or(0)))
            .collect(),
    })
}

fn pairs(rows: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = rows.prepare(sql)?;
    let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.collect()
}

fn chain(rows: &Connection) -> rusqlite::Result<Vec<AuditRow>> {
    let mut query = rows.prepare(
        "SELECT id, ts, actor, entity, entity_id, field, old, new, previous_hash, hash FROM audit ORDER BY number",
    )?;
    let found = query.query_map([], audit_row)?;
    found.collect()
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        id: row.get(0)?,
        ts: Timestamp::from_ms(row.get(1)?),
        actor: row.get(2)?,
        entity: row.get(3)?,
        entity_id: row.get(4)?,
        field: row.get(5)?,
        old: row.get(6)?,
        new: row.get(7)?,
        previous_hash: row.get(8)?,
        hash: row.get(9)?,
    })
}

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Setting { key, value, audit } => {
            match value {
                Some(value) => rows.execute(
                    "INSERT INTO setting VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
                     SET value = excluded.value, updated = excluded.updated, updated_by = excluded.updated_by",
                    (key, value.to_string(), audit.ts.ms(), &audit.actor),
                )?,
                None => rows.execute("DELETE FROM setting WHERE key = ?1", [key])?,
            };
            insert_audit(rows, &audit)
        }
        Save::Revision { number, snapshot } => {
            let text = Value::from_iter(snapshot).to_string();
            rows.execute(
                "INSERT INTO revision VALUES (1, ?1, ?2)
                 ON CONFLICT DO UPDATE SET number = excluded.number, snapshot = excluded.snapshot",
                (whole(number), text),
            )
            .map(drop)
        }
        Save::JobRun(run) => upsert_run(rows, &run),
        Save::Sample { at, stage, sample } => rows
            .execute("INSERT OR REPLACE INTO health_sample VALUES (?1, ?2, ?3)", (at.ms(), stage, sample))
            .map(drop),
        Save::RepeatAsked { owner, number } => rows
            .execute(
                "INSERT INTO repeat_asked VALUES (?1, ?2) ON CONFLICT DO UPDATE SET number = excluded.number",
                (owner, whole(number)),
            )
            .map(drop),
        Save::Prune { samples_before, runs_before } => {
            rows.execute("DELETE FROM health_sample WHERE ts < ?1", [samples_before.ms()])?;
            rows.execute("DELETE FROM job_run WHERE started < ?1", [runs_before.ms()]).map(drop)
        }
    }
}

fn insert_audit(rows: &Transaction<'_>, row: &AuditRow) -> rusqlite::Result<()> {
    rows.execute(
        "INSERT INTO audit (id, ts, actor, entity, entity_id, field, old, new, previous_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        (
            &row.id,
            row.ts.ms(),
            &row.actor,
            &row.entity,
            &row.entity_id,
            &row.field,
            &row.old,
            &row.new,
            &row.previous_hash,
            &row.hash,
        ),
    )
    .map(drop)
}

fn upsert_run(rows: &Transaction<'_>, run: &JobRun) -> rusqlite::Result<()> {
    let state = match run.outcome {
        JobOutcome::Running => "running",
        JobOutcome::Done => "done",
        JobOutcome::Failed => "failed",
    };
    rows.execute(
        "INSERT INTO job_run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE
         SET ended = excluded.ended, state = excluded.state, message = excluded.message,
             items_done = excluded.items_done, items_total = excluded.items_total",
        (
            run.run_id.to_string(),
            &run.stage,
            &run.job,
            &run.trigger,
            run.started.ms(),
            run.ended.map(Timestamp::ms),
            state,
            &run.text,
            whole(run.done),
            whole(run.total),
        ),
    )
    .map(drop)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
