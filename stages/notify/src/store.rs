//! All SQL of notify.

use contracts::Severity;
use market::Timestamp;
use rusqlite::{Connection, Row, Transaction};

use crate::{AlertRow, Save};

const SEVERITIES: [(&str, Severity); 3] =
    [("info", Severity::Info), ("warning", Severity::Warning), ("alarm", Severity::Alarm)];

pub(crate) fn load(rows: &Connection) -> Result<Vec<AlertRow>, String> {
    let read = || -> rusqlite::Result<Vec<AlertRow>> {
        let mut query = rows.prepare(
            "SELECT id, code, subject, severity, text, first, last, count, cleared FROM alert ORDER BY id",
        )?;
        let found = query.query_map([], alert)?;
        found.collect()
    };
    read().map_err(|error| format!("the kept alerts cannot be read: {error}"))
}

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    let text: String = row.get(0)?;
    let id = text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    let severity: String = row.get(3)?;
    // The table's check allows only these three; a word from a later program counts as most urgent.
    let severity =
        SEVERITIES.iter().find(|(word, _)| *word == severity).map_or(Severity::Alarm, |(_, known)| *known);
    Ok(AlertRow {
        id,
        code: row.get(1)?,
        subject: row.get(2)?,
        severity,
        text: row.get(4)?,
        first: Timestamp::from_ms(row.get(5)?),
        last: Timestamp::from_ms(row.get(6)?),
        count: row.get(7)?,
        cleared: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_ms),
    })
}

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Alert(row) => upsert(rows, &row),
        Save::Prune(before) => rows.execute("DELETE FROM alert WHERE cleared < ?1", [before.ms()]).map(drop),
    }
}

fn upsert(rows: &Transaction<'_>, row: &AlertRow) -> rusqlite::Result<()> {
    let severity = SEVERITIES.iter().find(|(_, known)| *known == row.severity).map(|(word, _)| *word);
    rows.execute(
        "INSERT INTO alert (id, code, subject, severity, text, first, last, count, cleared)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE
         SET severity = excluded.severity, text = excluded.text, first = excluded.first, last = excluded.last,
             count = excluded.count, cleared = excluded.cleared",
        (
            row.id.to_string(),
            &row.code,
            &row.subject,
            severity,
            &row.text,
            row.first.ms(),
            row.last.ms(),
            row.count,
            row.cleared.map(Timestamp::ms),
        ),
    )
    .map(drop)
}
