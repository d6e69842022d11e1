//! All SQL of the bridge.

use rusqlite::Transaction;

use crate::Save;

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Outcome(outcome, now) => rows
            .execute(
                "INSERT INTO command_outcome (command_id, actor, stage, name, trace, state, code, answer, created, updated)
                 VALUES (?1, 'http', ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?7) ON CONFLICT DO UPDATE
                 SET state = excluded.state, code = excluded.code, answer = excluded.answer, updated = excluded.updated",
                (
                    outcome.id.to_string(),
                    outcome.stage,
                    outcome.name,
                    outcome.state,
                    outcome.code,
                    outcome.answer,
                    now.ms(),
                ),
            )
            .map(drop),
        Save::Prune(before) => {
            rows.execute("DELETE FROM command_outcome WHERE created < ?1", [before.ms()]).map(drop)
        }
    }
}
