//! Reads daily closes and currency rates from the store of `ingest`, through its published views only.
//!
//! What was read once is kept; a later reading fetches the last days again and only when those differ, as after a split
//! or a correction, everything: years of thirty securities every day would cost more than the decision itself. Splits that
//! are recorded and not yet in the bars are divided out of what is handed on, as the score does.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

use bus_client::{Config, Edge, Place, open_for_reading};
use market::{Day, Isin};
use money::Currency;
use rusqlite::Connection;

use crate::{Optimise, history::Series};

/// Bars per security: two years of returns, and half again for days on which others did not trade.
const BARS_MAX: usize = 760;
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
        let mut actions = actions(&rows).map_err(failed)?;
        for (isin, ccy) in securities {
            let closes = kept.closes.entry(*isin).or_default();
            refresh(&rows, isin, closes).map_err(failed)?;
            let mut closes = closes.clone();
            let actions = actions.remove(isin).unwrap_or_default();
            actions.iter().for_each(|action| action.divide_out_of(&mut closes));
            let actions = actions.into_iter().map(|action| action.day).collect();
            let rates = match *ccy {
                Currency::EUR => None,
                ccy => match rates.get(&ccy) {
                    Some(known) => Some(known.clone()),
                    None => {
                        Some(rates.entry(ccy).or_insert(daily_rates(&rows, ccy).map_err(failed)?).clone())
                    }
                },
            };
            found.insert(*isin, Series { closes, rates, actions });
        }
        Ok(found)
    }
}

/// Something a company did to its shares.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Action {
    day: Day,
    /// New shares for one old, where the bars do not contain it yet.
    ratio: Option<f64>,
}

impl Action {
    fn divide_out_of(&self, closes: &mut [(Day, f64)]) {
        let Some(ratio) = self.ratio else { return };
        let before = closes.partition_point(|(day, _)| *day < self.day);
        closes[..before].iter_mut().for_each(|(_, close)| *close /= ratio);
    }
}

/// What is recorded that moves a price at once, by security, oldest first; none where the store has no such view yet.
fn actions(rows: &Connection) -> rusqlite::Result<BTreeMap<Isin, Vec<Action>>> {
    let known: i64 =
        rows.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'api_action'", [], |row| row.get(0))?;
    if known == 0 {
        return Ok(BTreeMap::new());
    }
    // A dividend explains no jump by half, and a new name or the end of a listing explains none at all.
    let mut query = rows.prepare_cached(
        "SELECT ex_day, iif(kind = 'split', ratio_num, NULL), ratio_den, applied, isin FROM api_action
         WHERE kind IN ('split', 'merger') ORDER BY ex_day",
    )?;
    let mut found = query.query([])?;
    let mut actions: BTreeMap<Isin, Vec<Action>> = BTreeMap::new();
    while let Some(row) = found.next()? {
        let (Ok(day), Ok(isin)) = (row.get::<_, String>(0)?.parse(), row.get::<_, String>(4)?.parse()) else {
            continue;
        };
        // Shares per share are small numbers.
        #[allow(clippy::cast_precision_loss)]
        let ratio =
            match (row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?, row.get::<_, i64>(3)?) {
                (Some(new @ 1..), Some(old @ 1..), 0) => Some(new as f64 / old as f64),
                _ => None,
            };
        actions.entry(isin).or_default().push(Action { day, ratio });
    }
    Ok(actions)
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
    fn a_split_that_the_bars_do_not_contain_is_divided_out_and_one_they_contain_is_not() {
        let rows = Connection::open_in_memory().unwrap();
        assert_eq!(actions(&rows).unwrap(), BTreeMap::new(), "a store without the view");
        rows.execute_batch(&format!(
            "CREATE TABLE api_action (isin, kind, ex_day, ratio_num, ratio_den, amount, applied);
             INSERT INTO api_action VALUES ('{0}', 'split', '2024-01-03', 2, 1, NULL, 0),
                 ('{0}', 'split', '2023-01-03', 3, 1, NULL, 1), ('{0}', 'split', '2023-02-03', 0, 1, NULL, 0),
                 ('{0}', 'dividend', '2024-01-02', NULL, NULL, 5, 1), ('{0}', 'merger', '2024-01-05', NULL, NULL, NULL, 1);",
            isin()
        ))
        .unwrap();
        let found = actions(&rows).unwrap().remove(&isin()).unwrap();
        let days: Vec<String> = found.iter().map(|action| action.day.to_string()).collect();
        assert_eq!(days, ["2023-01-03", "2023-02-03", "2024-01-03", "2024-01-05"]);
        let mut closes: Vec<(Day, f64)> =
            [100.0, 102.0, 51.0, 52.0].into_iter().zip(0..).map(|(close, at)| (day(at), close)).collect();
        found.iter().for_each(|action| action.divide_out_of(&mut closes));
        assert_eq!(closes.iter().map(|(_, close)| *close).collect::<Vec<_>>(), [50.0, 51.0, 51.0, 52.0]);
    }

    #[test]
    fn no_bars_are_no_trouble() {
        let mut kept = Vec::new();
        refresh(&store(std::iter::empty()), &isin(), &mut kept).unwrap();
        assert!(kept.is_empty());
    }
}
