//! Rates of days gone by, from the store of `ingest`: what a late booking was worth on its own day.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Place, open_for_reading};
use market::Day;
use money::{Currency, Rate};
use rusqlite::Connection;
use tradernet::commands::{cash_flows::CashFlow, trades::TradeRow};

use crate::limits::RATE_DAYS;

/// EUR per unit, by currency and day.
pub type DayRates = BTreeMap<(Currency, Day), Rate>;

/// The currencies and days of what was read.
pub(crate) fn wanted(flows: &[CashFlow], trades: &[TradeRow]) -> BTreeSet<(Currency, Day)> {
    let flows = flows.iter().map(|flow| (flow.amount.currency(), flow.day));
    let trades = trades.iter().filter_map(|trade| Some((trade.currency?, trade.exchange_at?.day())));
    flows.chain(trades).filter(|(ccy, _)| *ccy != Currency::EUR).collect()
}

/// Reads the rates of these days: of each the last one that was made on it, or in the week before. A store that is not
/// there yet knows none.
///
/// # Errors
/// When there is one and it cannot be read.
pub(crate) fn read(market: &Place, wanted: BTreeSet<(Currency, Day)>) -> Result<DayRates, String> {
    let is_there = matches!(market, Place::File(file) if file.exists());
    if wanted.is_empty() || !is_there {
        return Ok(DayRates::new());
    }
    let rows = open_for_reading(market).map_err(|error| error.to_string())?;
    let mut days: BTreeMap<Currency, BTreeSet<Day>> = BTreeMap::new();
    for (ccy, day) in wanted {
        days.entry(ccy).or_default().insert(day);
    }
    let mut found = DayRates::new();
    for (ccy, days) in days {
        let known = rates(&rows, ccy, &days).map_err(|error| error.to_string())?;
        let rate_of = |day: Day| known.range(day.plus_days(-RATE_DAYS)..=day).next_back();
        found.extend(days.into_iter().filter_map(|day| Some(((ccy, day), *rate_of(day)?.1))));
    }
    Ok(found)
}

/// The last rates made on each day from the week before these on.
fn rates(rows: &Connection, ccy: Currency, days: &BTreeSet<Day>) -> rusqlite::Result<BTreeMap<Day, Rate>> {
    let is_new = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'api_fx')";
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(BTreeMap::new()) };
    if rows.query_row(is_new, [], |row| row.get(0))? {
        return Ok(BTreeMap::new());
    }
    let mut query = rows.prepare_cached(
        "SELECT day, eur_per_unit FROM api_fx WHERE ccy = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day, as_of",
    )?;
    let span = (ccy.as_str(), first.plus_days(-RATE_DAYS).to_string(), last.to_string());
    let found = query.query_map(span, |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut rates = BTreeMap::new();
    for row in found {
        let (day, e9) = row?;
        if let (Ok(day), Ok(rate)) = (day.parse(), Rate::from_e9(e9)) {
            rates.insert(day, rate);
        }
    }
    Ok(rates)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_a_day_is_the_last_one_made_until_then_and_at_most_a_week_old() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("market.db"));
        let (usd, gbp) = (Currency::USD, Currency::GBP);
        let day = |text: &str| text.parse::<Day>().unwrap();
        let read = |ccy, of: &str| {
            let found = read(&place, BTreeSet::from([(ccy, day(of))])).unwrap();
            found.get(&(ccy, day(of))).map(|rate| rate.e9())
        };
        assert_eq!(read(usd, "2026-03-02"), None, "no store yet");
        let mut store = bus_client::Store::open("market", &place, "sim:1").unwrap();
        store
            .write(|rows| {
                rows.execute_batch(
                    "INSERT INTO fx_rate VALUES ('USD', '2026-02-27', 'ecb', 850000000, 1),
                     ('USD', '2026-03-02', 'ecb', 860000000, 2), ('USD', '2026-03-02', 'broker', 870000000, 3),
                     ('USD', '2026-03-04', 'ecb', 880000000, 4)",
                )
            })
            .unwrap();
        for (of, expected) in [
            ("2026-02-26", None),
            ("2026-02-27", Some(850_000_000)),
            ("2026-03-01", Some(850_000_000)),
            ("2026-03-02", Some(870_000_000)),
            ("2026-03-03", Some(870_000_000)),
            ("2026-03-11", Some(880_000_000)),
            ("2026-03-12", None),
        ] {
            assert_eq!(read(usd, of), expected, "{of}");
        }
        assert_eq!(read(gbp, "2026-03-02"), None);
    }

    #[test]
    fn a_store_that_cannot_be_read_is_no_store_without_rates() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("market.db");
        std::fs::write(&file, "no database at all, but long enough to be asked for its header").unwrap();
        let wanted = BTreeSet::from([(Currency::USD, "2026-03-02".parse().unwrap())]);
        assert!(read(&Place::File(file), wanted).is_err());
    }
}
