//! Reads daily closes and currency rates from the store of `ingest`, through its published views only.
//!
//! What was read once is kept; a later reading fetches the last days again and only when those differ, as after a split
//! or a correction, everything. Five years of thirty securities every day would cost more than the decision itself.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

use bus_client::{Config, Edge, Place, open_for_reading};
use market::{Day, Isin};
use money::Currency;
use rusqlite::Connection;

use crate::{Optimise, history::Series};

/// Bars per security: five years of growth and some room.
const BARS_MAX: usize = 1_320;
/// Days that are read again to see whether the past has changed.
const AGAIN_DAYS: i32 = 10;
/// Readings after which everything is read anew, so that no correction further back is missed for long.
const READINGS_MAX: u32 = 20;

/// What the optimiser asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The closes of these securities, with the rates of their currencies.
    ReadBars {
        /// Which, and what they are priced in.
        securities: BTreeMap<Isin, Currency>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Series per security.
    Bars(BTreeMap<Isin, Series>),
    /// The store could not be read; one sentence.
    Failed(String),
}

/// The reader of bars.
#[derive(Debug, Clone)]
pub struct Bars {
    market: PathBuf,
    kept: RefCell<Kept>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    closes: BTreeMap<Isin, Vec<(Day, f64)>>,
    readings: u32,
}

impl Bars {
    /// Reads the market store of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Bars {
        Bars { market: config.store_file("market"), kept: RefCell::default() }
    }

    fn read(&self, securities: &BTreeMap<Isin, Currency>) -> Result<BTreeMap<Isin, Series>, String> {
        let rows = open_for_reading(&Place::File(self.market.clone())).map_err(|error| error.to_string())?;
        let failed =
            |error: rusqlite::Error| format!("bars cannot be read from {}: {error}", self.market.display());
        let mut rates: BTreeMap<Currency, Vec<(Day, f64)>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        let mut kept = self.kept.borrow_mut();
        kept.readings += 1;
        if kept.readings > READINGS_MAX {
            *kept = Kept::default();
        }
        kept.closes.retain(|isin, _| securities.contains_key(isin));
        for (isin, ccy) in securities {
            let closes = kept.closes.entry(*isin).or_default();
            refresh(&rows, isin, closes).map_err(failed)?;
            let closes = closes.clone();
            let rates = match *ccy {
                Currency::EUR => None,
                ccy => match rates.get(&ccy) {
                    Some(known) => Some(known.clone()),
                    None => {
                        Some(rates.entry(ccy).or_insert(daily_rates(&rows, ccy).map_err(failed)?).clone())
                    }
                },
            };
            found.insert(*isin, Series { closes, rates });
        }
        Ok(found)
    }
}

/// Brings the closes of a security up to date.
fn refresh(rows: &Connection, isin: &Isin, closes: &mut Vec<(Day, f64)>) -> rusqlite::Result<()> {
    let since = closes.last().map(|(day, _)| day.plus_days(-AGAIN_DAYS));
    if let Some(since) = since {
        let newest = closes_since(rows, isin, &since.to_string())?;
        let from = closes.partition_point(|(day, _)| *day < since);
        let again = closes.get(from..).unwrap_or_default();
        if !again.is_empty() && newest.get(..again.len()).is_some_and(|same| same == again) {
            closes.extend(newest.get(again.len()..).unwrap_or_default());
            let old = closes.len().saturating_sub(BARS_MAX);
            closes.drain(..old);
            return Ok(());
        }
    }
    *closes = closes_since(rows, isin, "")?;
    Ok(())
}

fn closes_since(rows: &Connection, isin: &Isin, since: &str) -> rusqlite::Result<Vec<(Day, f64)>> {
    // The newest bars first, so that the limit cuts off the oldest.
    let mut query = rows.prepare_cached(
        "SELECT day, close FROM api_bar WHERE isin = ?1 AND day >= ?2 AND quality <> 'suspect' ORDER BY day DESC LIMIT ?3",
    )?;
    let bars = query.query_map((isin.as_str(), since, BARS_MAX as i64), dated)?;
    series(bars, 1e6)
}

fn daily_rates(rows: &Connection, ccy: Currency) -> rusqlite::Result<Vec<(Day, f64)>> {
    let mut query = rows.prepare_cached(
        "SELECT day, eur_per_unit, max(as_of) FROM api_fx WHERE ccy = ?1 GROUP BY day ORDER BY day DESC LIMIT ?2",
    )?;
    let rates = query.query_map((ccy.to_string(), BARS_MAX as i64), dated)?;
    series(rates, 1e9)
}

fn dated(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// Oldest first; what is not above zero or has no day is left out.
fn series(
    rows: impl Iterator<Item = rusqlite::Result<(String, i64)>>,
    scale: f64,
) -> rusqlite::Result<Vec<(Day, f64)>> {
    let mut found = Vec::new();
    for row in rows {
        let (day, value) = row?;
        // Exact up to nine thousand million units of a price.
        #[allow(clippy::cast_precision_loss)]
        let value = value as f64 / scale;
        if let (Ok(day), true) = (day.parse(), value > 0.0) {
            found.push((day, value));
        }
    }
    found.reverse();
    Ok(found)
}

impl Edge<Optimise> for Bars {
    async fn perform(&self, call: Call) -> Reply {
        let Call::ReadBars { securities } = call;
        match self.read(&securities) {
            Ok(bars) => Reply::Bars(bars),
            Err(why) => Reply::Failed(why),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn isin() -> Isin {
        "DE000SMX0015".parse().unwrap()
    }

    fn day(number: i32) -> Day {
        Day::from_ymd(2024, 1, 1).unwrap().plus_days(number)
    }

    fn store(closes: impl Iterator<Item = (i32, i64)>) -> Connection {
        let rows = Connection::open_in_memory().unwrap();
        rows.execute_batch("CREATE TABLE api_bar (isin, day, close, quality)").unwrap();
        for (number, close) in closes {
            rows.execute(
                "INSERT INTO api_bar VALUES (?1, ?2, ?3, 'ok')",
                (isin().as_str(), day(number).to_string(), close),
            )
            .unwrap();
        }
        rows
    }

    #[test]
    fn new_bars_are_added_to_what_is_kept() {
        let mut kept = Vec::new();
        refresh(&store((0..50).map(|day| (day, 1_000_000 + i64::from(day)))), &isin(), &mut kept).unwrap();
        assert_eq!(kept.len(), 50);
        let longer = store((0..60).map(|day| (day, 1_000_000 + i64::from(day))));
        refresh(&longer, &isin(), &mut kept).unwrap();
        let mut anew = Vec::new();
        refresh(&longer, &isin(), &mut anew).unwrap();
        assert_eq!(kept, anew);
    }

    #[test]
    fn a_past_that_has_changed_is_read_anew() {
        let mut kept = Vec::new();
        refresh(&store((0..50).map(|day| (day, 2_000_000))), &isin(), &mut kept).unwrap();
        refresh(&store((0..51).map(|day| (day, 1_000_000))), &isin(), &mut kept).unwrap();
        assert_eq!(kept.len(), 51);
        assert!(kept.iter().all(|(_, close)| (close - 1.0).abs() < 1e-12), "a split changes every close");
    }

    #[test]
    fn no_bars_are_no_trouble() {
        let mut kept = Vec::new();
        refresh(&store(std::iter::empty()), &isin(), &mut kept).unwrap();
        assert!(kept.is_empty());
    }
}
