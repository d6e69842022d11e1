//! All SQL of the scorer.

use contracts::{Regime, SecurityScore};
use market::Day;

/// A change of its rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// The newest score of a day.
    Score(Day, Box<SecurityScore>),
    /// The newest regime of a day.
    Regime(Day, Regime),
}

pub(crate) fn last_regime(rows: &rusqlite::Connection) -> rusqlite::Result<Option<String>> {
    let mut query = rows.prepare("SELECT label FROM regime ORDER BY day DESC LIMIT 1")?;
    query.query_map([], |row| row.get(0))?.next().transpose()
}

pub(crate) fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Score(day, score) => {
            let body = serde_json::to_string(&score)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            rows.prepare_cached(
                "INSERT INTO score (isin, day, total, coverage, body, computed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET total = ?3, coverage = ?4, body = ?5, computed = ?6",
            )?
            .execute((score.isin.as_str(), day.to_string(), score.total.map(contracts::Finite::get), score.coverage.get(), body, score.at.ms()))?;
        }
        Save::Regime(day, regime) => {
            rows.execute(
                "INSERT INTO regime (day, label, measure) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET label = ?2, measure = ?3",
                (day.to_string(), &regime.label, regime.score.map(contracts::Finite::get)),
            )?;
        }
    }
    Ok(())
}
