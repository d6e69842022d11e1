//! All SQL of the gate.

use contracts::{Breaker, HaltEntry, Mode, OrderApproved, Side};
use market::{Day, Isin, Timestamp};
use rusqlite::{Connection, Row, Transaction};
use serde::{Serialize, de::DeserializeOwned};

use crate::{breaker::Latch, refusals::BrokerRefusal};

/// An order that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Which order.
    pub order_id: String,
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// Live, or paper.
    pub mode: Mode,
    /// When it left.
    pub sent: Timestamp,
    /// Whether anything of it was filled.
    pub filled: bool,
}

/// A verdict as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    /// Which order.
    pub order_id: String,
    /// When.
    pub ts: Timestamp,
    /// Which checks applied.
    pub kind: String,
    /// allow, simulate, defer or block.
    pub decision: String,
    /// The check that failed first.
    pub code: Option<String>,
    /// Evidence as JSON.
    pub checks: String,
    /// Holdings it rests on.
    pub state_id: String,
    /// When a deferred one can change.
    pub earliest: Option<Timestamp>,
}

/// A change of the gate's rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// A verdict, with the approval if it is one.
    Verdict(Box<VerdictRow>, Option<Box<OrderApproved>>),
    /// An order was sent, or got its first fill.
    Activity(Activity),
    /// A halt is opened.
    Halt(HaltEntry),
    /// All halts are cleared by somebody.
    Resume(Timestamp, String),
    /// A halt ends by itself: the day of its loss is over.
    Over(HaltEntry, Timestamp),
    /// The breaker of a day.
    Breaker(Latch, Timestamp),
    /// A new highest value of a day.
    Peak(Day, i64),
    /// The broker refused an order.
    Refusal(BrokerRefusal),
}

/// What the gate knows after a start.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) decided: Vec<String>,
    pub(crate) approvals: Vec<(String, Timestamp)>,
    pub(crate) refusals: Vec<(String, Timestamp)>,
    pub(crate) activity: Vec<Activity>,
    pub(crate) halts: Vec<HaltEntry>,
    pub(crate) all_halts: Vec<String>,
    pub(crate) breaker: Option<Latch>,
    pub(crate) peaks: Vec<(Day, i64)>,
    pub(crate) refusals_by_broker: Vec<BrokerRefusal>,
}

pub(crate) fn load(rows: &Connection) -> rusqlite::Result<Rows> {
    Ok(Rows {
        decided: all(rows, "SELECT order_id FROM verdict", |row| row.get(0))?,
        approvals: all(rows, "SELECT order_id, expires FROM approval", |row| {
            Ok((row.get(0)?, Timestamp::from_ms(row.get(1)?)))
        })?,
        // Only what is still said has to be taken back one day.
        refusals: all(
            rows,
            "SELECT v.order_id, v.ts FROM verdict v
             JOIN statement s ON s.topic = 'order-refused' AND s.key = v.order_id AND length(s.body) > 0",
            |row| Ok((row.get(0)?, Timestamp::from_ms(row.get(1)?))),
        )?,
        activity: all(
            rows,
            "SELECT order_id, isin, side, mode, sent, filled FROM activity ORDER BY sent",
            activity,
        )?,
        halts: all(
            rows,
            "SELECT id, since, actor, reason, text FROM halt WHERE cleared IS NULL ORDER BY since, id",
            halt,
        )?,
        all_halts: all(rows, "SELECT id FROM halt", |row| row.get(0))?,
        breaker: all(
            rows,
            "SELECT day, state, acknowledged FROM breaker ORDER BY day DESC LIMIT 1",
            |row| {
                Ok(Latch { day: parsed(row, 0)?, state: word::<Breaker>(row, 1)?, acknowledged: row.get(2)? })
            },
        )?
        .pop(),
        peaks: all(rows, "SELECT day, index_e9 FROM peak ORDER BY day DESC LIMIT 90", |row| {
            Ok((parsed(row, 0)?, row.get(1)?))
        })?,
        refusals_by_broker: all(
            rows,
            "SELECT order_id, isin, ts, text FROM broker_refusal ORDER BY ts DESC LIMIT 100",
            |row| {
                Ok(BrokerRefusal {
                    order_id: row.get(0)?,
                    isin: parsed(row, 1)?,
                    at: Timestamp::from_ms(row.get(2)?),
                    text: row.get(3)?,
                })
            },
        )?,
    })
}

fn all<T>(
    rows: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    rows.prepare(sql)?.query_map([], read)?.collect()
}

fn activity(row: &Row<'_>) -> rusqlite::Result<Activity> {
    Ok(Activity {
        order_id: row.get(0)?,
        isin: parsed(row, 1)?,
        side: word(row, 2)?,
        mode: word(row, 3)?,
        sent: Timestamp::from_ms(row.get(4)?),
        filled: row.get(5)?,
    })
}

fn halt(row: &Row<'_>) -> rusqlite::Result<HaltEntry> {
    Ok(HaltEntry {
        id: parsed(row, 0)?,
        since: Timestamp::from_ms(row.get(1)?),
        actor: row.get(2)?,
        reason: row.get(3)?,
        text: row.get(4)?,
    })
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|_| rusqlite::Error::InvalidColumnType(column, text.clone(), rusqlite::types::Type::Text))
}

/// A word of an enum, as it stands in messages.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text.clone()))
        .map_err(|_| rusqlite::Error::InvalidColumnType(column, text, rusqlite::types::Type::Text))
}

/// The word of an enum, as it stands in messages.
pub(crate) fn spelled<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_string)).unwrap_or_default()
}

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Verdict(verdict, approval) => {
            rows.execute(
                "INSERT INTO verdict (order_id, ts, kind, decision, code, checks, state_id, earliest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    &verdict.order_id,
                    verdict.ts.ms(),
                    &verdict.kind,
                    &verdict.decision,
                    &verdict.code,
                    &verdict.checks,
                    &verdict.state_id,
                    verdict.earliest.map(Timestamp::ms),
                ),
            )?;
            if let Some(approval) = approval {
                let terms = serde_json::to_string(&approval)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                rows.execute(
                    "INSERT INTO approval (order_id, mode, terms, issued, expires, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    (&verdict.order_id, spelled(&approval.mode), terms, approval.issued.ms(), approval.expires.ms(), &approval.mac),
                )?;
            }
        }
        Save::Activity(one) => {
            rows.execute(
                "INSERT INTO activity (order_id, isin, side, mode, sent, filled) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET filled = max(filled, excluded.filled)",
                (&one.order_id, one.isin.as_str(), spelled(&one.side), spelled(&one.mode), one.sent.ms(), one.filled),
            )?;
        }
        Save::Halt(halt) => {
            rows.execute(
                "INSERT OR IGNORE INTO halt (id, since, actor, reason, text) VALUES (?1, ?2, ?3, ?4, ?5)",
                (halt.id.to_string(), halt.since.ms(), &halt.actor, &halt.reason, &halt.text),
            )?;
        }
        Save::Resume(when, actor) => {
            rows.execute(
                "UPDATE halt SET cleared = ?1, cleared_by = ?2 WHERE cleared IS NULL",
                (when.ms(), actor),
            )?;
        }
        Save::Over(halt, when) => {
            rows.execute(
                "UPDATE halt SET cleared = ?2, cleared_by = ?3 WHERE id = ?1 AND cleared IS NULL",
                (halt.id.to_string(), when.ms(), &halt.actor),
            )?;
        }
        Save::Breaker(latch, since) => {
            rows.execute(
                "INSERT INTO breaker (day, state, since, acknowledged) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET state = ?2, since = ?3, acknowledged = ?4",
                (latch.day.to_string(), spelled(&latch.state), since.ms(), latch.acknowledged),
            )?;
        }
        Save::Peak(day, index) => {
            rows.execute(
                "INSERT INTO peak (day, index_e9) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET index_e9 = max(index_e9, ?2)",
                (day.to_string(), index),
            )?;
        }
        Save::Refusal(one) => {
            rows.execute(
                "INSERT OR IGNORE INTO broker_refusal (order_id, isin, ts, text) VALUES (?1, ?2, ?3, ?4)",
                (&one.order_id, one.isin.as_str(), one.at.ms(), &one.text),
            )?;
        }
    }
    Ok(())
}
