//! Reads what is known of securities and indices from the store of `ingest`, and what the fund did with them from the
//! store of `portfolio`, through their published views only.
//!
//! A store or a view that is not there yet says nothing: fundamentals, actions and fills are then unknown, which is a flag on
//! the score and no trouble.

use std::{collections::BTreeMap, path::PathBuf};

use bus_client::{Config, Edge, Place, open_for_reading};
use formulas::lots::Fill;
use market::{Day, Isin, Timestamp};
use rusqlite::Connection;

use crate::{
    Score,
    limits::{BARS_MAX, INDEX_BARS_MAX},
};

/// One trading day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Which.
    pub day: Day,
    /// Last price.
    pub close: f64,
    /// Highest price.
    pub high: f64,
}

/// A division of shares that the bars do not contain yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// First day at the new price.
    pub ex_day: Day,
    /// New shares for one old.
    pub ratio: f64,
}

/// What is known of one security.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Oldest first.
    pub bars: Vec<Bar>,
    /// Not yet in the bars.
    pub splits: Vec<Split>,
    /// Dividends per share in the security's currency, oldest first.
    pub dividends: Vec<(Day, f64)>,
    /// By name, as `ingest` names them, with the day they speak of.
    pub figures: BTreeMap<String, (Day, f64)>,
    /// What the core bought and sold of it, oldest first.
    pub fills: Vec<Fill>,
    /// Dividends the core received of it, after tax, in the security's currency; `None` where one was paid in another.
    pub received: Option<Vec<(Day, f64)>>,
}

/// Closes of an index, oldest first.
pub type Closes = Vec<(Day, f64)>;

/// What the scorer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// What is known of these securities.
    ReadFacts {
        /// Which.
        isins: Vec<Isin>,
    },
    /// The closes of the indices of each region.
    ReadIndices {
        /// Name or ISIN by region.
        indices: BTreeMap<String, String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// What is known, by security.
    Facts(BTreeMap<Isin, Facts>),
    /// Closes by region; what is missing is empty.
    Indices(BTreeMap<String, Closes>),
    /// The store could not be read.
    Failed {
        /// Which securities were asked for.
        isins: Vec<Isin>,
        /// One sentence.
        why: String,
    },
}

/// The reader of the market store.
#[derive(Debug, Clone)]
pub struct Market {
    file: PathBuf,
    ledger: PathBuf,
}

impl Market {
    /// Reads the market store of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Market {
        Market { file: config.store_file("market"), ledger: config.store_file("ledger") }
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, String> {
        let rows = open_for_reading(&Place::File(self.file.clone())).map_err(|error| error.to_string())?;
        read(&rows).map_err(|error| format!("{} cannot be read: {error}", self.file.display()))
    }
}

impl Market {
    /// Adds what the ledger knows; without one nothing is known, which scores can live with.
    fn add_fills(&self, all: &mut BTreeMap<Isin, Facts>) {
        let Ok(rows) = open_for_reading(&Place::File(self.ledger.clone())) else { return };
        for (isin, facts) in all {
            if let (Ok(fills), Ok(received)) = (fills(&rows, isin), received(&rows, isin)) {
                (facts.fills, facts.received) = (fills, received);
            }
        }
    }
}

impl Edge<Score> for Market {
    async fn perform(&self, call: Call) -> Reply {
        match call {
            Call::ReadFacts { isins } => match self.with(|rows| facts(rows, &isins)) {
                Ok(mut facts) => {
                    self.add_fills(&mut facts);
                    Reply::Facts(facts)
                }
                Err(why) => Reply::Failed { isins, why },
            },
            Call::ReadIndices { indices } => match self.with(|rows| closes_of(rows, &indices)) {
                Ok(closes) => Reply::Indices(closes),
                Err(why) => Reply::Failed { isins: Vec::new(), why },
            },
        }
    }
}

fn has(rows: &Connection, view: &str) -> rusqlite::Result<bool> {
    rows.query_row("SELECT count(*) FROM sqlite_master WHERE name = ?1", [view], |row| row.get::<_, i64>(0))
        .map(|count| count > 0)
}

// A price in millionths fits a double exactly up to nine thousand million.
#[allow(clippy::cast_precision_loss)]
fn price(e6: i64) -> f64 {
    e6 as f64 / 1e6
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn facts(rows: &Connection, isins: &[Isin]) -> rusqlite::Result<BTreeMap<Isin, Facts>> {
    let (actions, fundamentals) = (has(rows, "api_action")?, has(rows, "api_fundamental")?);
    let mut found = BTreeMap::new();
    for isin in isins {
        let mut facts = Facts { bars: bars(rows, isin)?, ..Facts::default() };
        if actions {
            (facts.splits, facts.dividends) = actions_of(rows, isin)?;
        }
        if fundamentals {
            facts.figures = figures(rows, isin)?;
        }
        found.insert(*isin, facts);
    }
    Ok(found)
}

fn bars(rows: &Connection, isin: &Isin) -> rusqlite::Result<Vec<Bar>> {
    // The newest bars first, so that the limit cuts off the oldest.
    let mut query = rows.prepare_cached(
        "SELECT day, close, high FROM api_bar WHERE isin = ?1 AND quality <> 'suspect' ORDER BY day DESC LIMIT ?2",
    )?;
    let found = query.query_map((isin.as_str(), limit(BARS_MAX)), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut bars = Vec::new();
    for row in found {
        let (day, close, high) = row?;
        if let Ok(day) = day.parse() {
            bars.push(Bar { day, close: price(close), high: price(high) });
        }
    }
    bars.reverse();
    Ok(bars)
}

type Actions = (Vec<Split>, Vec<(Day, f64)>);

// Shares per share are small numbers.
#[allow(clippy::cast_precision_loss)]
fn actions_of(rows: &Connection, isin: &Isin) -> rusqlite::Result<Actions> {
    let mut query = rows.prepare_cached(
        "SELECT kind, ex_day, ratio_num, ratio_den, amount, applied FROM api_action
         WHERE isin = ?1 AND kind IN ('split', 'dividend') ORDER BY ex_day",
    )?;
    let mut found = query.query([isin.as_str()])?;
    let (mut splits, mut dividends) = (Vec::new(), Vec::new());
    while let Some(row) = found.next()? {
        let Ok(ex_day) = row.get::<_, String>(1)?.parse::<Day>() else { continue };
        if row.get_ref(0)?.as_str()? == "dividend" {
            if let Some(amount) = row.get::<_, Option<i64>>(4)? {
                dividends.push((ex_day, price(amount)));
            }
        } else if let (Some(new), Some(old), 0) =
            (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<i64>>(3)?, row.get::<_, i64>(5)?)
        {
            splits.push(Split { ex_day, ratio: new as f64 / old as f64 });
        }
    }
    Ok((splits, dividends))
}

fn figures(rows: &Connection, isin: &Isin) -> rusqlite::Result<BTreeMap<String, (Day, f64)>> {
    let mut query = rows.prepare_cached("SELECT field, value, as_of FROM api_fundamental WHERE isin = ?1")?;
    let mut found = query.query([isin.as_str()])?;
    let mut figures = BTreeMap::new();
    while let Some(row) = found.next()? {
        if let Some(value) = row.get::<_, Option<f64>>(1)? {
            figures.insert(row.get(0)?, (Timestamp::from_ms(row.get(2)?).day_utc(), value));
        }
    }
    Ok(figures)
}

// Quantities and prices in millionths fit a double exactly up to nine thousand million.
#[allow(clippy::cast_precision_loss)]
fn fills(rows: &Connection, isin: &Isin) -> rusqlite::Result<Vec<Fill>> {
    let mut query = rows.prepare_cached(
        "SELECT executed, side, qty, price FROM api_fill
         WHERE isin = ?1 AND bucket_id = 'core' AND mode = 'live' ORDER BY executed, fill_id",
    )?;
    let found = query.query_map([isin.as_str()], |row| {
        let day = Timestamp::from_ms(row.get(0)?).day_utc();
        let sign = if row.get_ref(1)?.as_str()?.eq_ignore_ascii_case("sell") { -1.0 } else { 1.0 };
        let (quantity, price): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(Fill {
            day: Timestamp::ZERO.day_utc().days_until(day),
            quantity: sign * quantity as f64 / 1e6,
            price: price as f64 / 1e6,
        })
    })?;
    found.collect()
}

#[allow(clippy::cast_precision_loss)]
fn received(rows: &Connection, isin: &Isin) -> rusqlite::Result<Option<Vec<(Day, f64)>>> {
    let mut query = rows.prepare_cached(
        "SELECT d.pay_day, d.net, d.ccy = (SELECT f.ccy FROM api_fill f WHERE f.isin = d.isin LIMIT 1)
         FROM api_dividend d WHERE d.isin = ?1 AND d.bucket_id = 'core' ORDER BY d.pay_day",
    )?;
    let mut found = query.query([isin.as_str()])?;
    let mut dividends = Vec::new();
    while let Some(row) = found.next()? {
        let Ok(day) = row.get::<_, String>(0)?.parse::<Day>() else { return Ok(None) };
        if row.get::<_, Option<bool>>(2)? != Some(true) {
            return Ok(None);
        }
        dividends.push((day, row.get::<_, i64>(1)? as f64 / 1e4));
    }
    Ok(Some(dividends))
}

fn closes_of(
    rows: &Connection,
    indices: &BTreeMap<String, String>,
) -> rusqlite::Result<BTreeMap<String, Closes>> {
    let indexed = has(rows, "api_index")?;
    let mut all = BTreeMap::new();
    for (region, name) in indices {
        let mut closes: Closes = if let Ok(isin) = name.parse::<Isin>() {
            bars(rows, &isin)?.iter().map(|bar| (bar.day, bar.close)).collect()
        } else if indexed {
            index(rows, name)?
        } else {
            Vec::new()
        };
        closes.drain(..closes.len().saturating_sub(INDEX_BARS_MAX));
        all.insert(region.clone(), closes);
    }
    Ok(all)
}

fn index(rows: &Connection, name: &str) -> rusqlite::Result<Closes> {
    let mut query = rows
        .prepare_cached("SELECT day, close FROM api_index WHERE \"index\" = ?1 ORDER BY day DESC LIMIT ?2")?;
    let found = query.query_map((name, limit(INDEX_BARS_MAX)), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
    })?;
    let mut closes = Vec::new();
    for row in found {
        let (day, close) = row?;
        if let Ok(day) = day.parse() {
            closes.push((day, close));
        }
    }
    closes.reverse();
    Ok(closes)
}
