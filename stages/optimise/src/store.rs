//! All SQL of the optimiser.

use contracts::TargetWeights;
use market::Timestamp;
use rusqlite::{Connection, Transaction};

/// Runs older than this are forgotten.
const KEPT_MS: i64 = 90 * 86_400_000;

/// The last weights said, if any.
pub(crate) fn last_weights(rows: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut query = rows.prepare("SELECT isin, weight FROM api_target ORDER BY isin")?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// When the last run was made, if there was one; it may have wanted nothing.
pub(crate) fn last_run(rows: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let newest: Option<i64> = rows.query_row("SELECT max(ts) FROM optimiser_run", [], |row| row.get(0))?;
    Ok(newest.map(Timestamp::from_ms))
}

pub(crate) fn save(rows: &Transaction<'_>, run: &TargetWeights) -> rusqlite::Result<()> {
    let old = run.at.ms() - KEPT_MS;
    rows.execute(
        "DELETE FROM target_weight WHERE run_id IN (SELECT id FROM optimiser_run WHERE ts < ?1)",
        [old],
    )?;
    rows.execute("DELETE FROM optimiser_run WHERE ts < ?1", [old])?;
    let diagnostics = serde_json::json!({ "binding": run.binding, "relaxed": run.relaxed }).to_string();
    rows.execute(
        "INSERT OR IGNORE INTO optimiser_run (id, ts, method, why, diagnostics) VALUES (?1, ?2, ?3, ?4, ?5)",
        (run.run_id.to_string(), run.at.ms(), &run.method, &run.why, diagnostics),
    )?;
    let mut insert = rows.prepare_cached("INSERT OR IGNORE INTO target_weight (run_id, isin, weight_e6, current_e6, reason) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for weight in &run.weights {
        insert.execute((
            run.run_id.to_string(),
            weight.isin.as_str(),
            weight.weight_e6.e6(),
            weight.current_e6.e6(),
            &weight.reason,
        ))?;
    }
    Ok(())
}
