//! All SQL of the scorer.

use contracts::{Finite, Regime, SecurityScore};
use market::Day;

use crate::limits::KEPT_DAYS;

/// A change of its rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// The newest score of a day.
    Score(Day, Box<SecurityScore>),
    /// The regime of a day, with the distance of that day.
    Regime(Day, Box<Regime>, Option<f64>),
}

pub(crate) fn last_regime(rows: &rusqlite::Connection) -> rusqlite::Result<Option<String>> {
    let mut query = rows.prepare("SELECT label FROM regime ORDER BY day DESC LIMIT 1")?;
    query.query_map([], |row| row.get(0))?.next().transpose()
}

pub(crate) fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Score(day, score) => {
            rows.prepare_cached(
                "INSERT INTO score (isin, day, total, coverage, body, computed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET total = ?3, coverage = ?4, body = ?5, computed = ?6",
            )?
            .execute((
                score.isin.as_str(),
                day.to_string(),
                score.total.map(Finite::get),
                score.coverage.get(),
                json(&score)?,
                score.at.ms(),
            ))?;
            rows.prepare_cached("DELETE FROM score WHERE isin = ?1 AND day < ?2")?
                .execute((score.isin.as_str(), day.plus_days(-KEPT_DAYS).to_string()))?;
        }
        Save::Regime(day, regime, distance) => {
            rows.execute(
                "INSERT INTO regime (day, label, measure, distance, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET label = ?2, measure = ?3, distance = ?4, body = ?5",
                (day.to_string(), &regime.label, regime.score.map(Finite::get), distance, json(&regime)?),
            )?;
        }
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
