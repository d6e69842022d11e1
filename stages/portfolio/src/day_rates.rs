//! Rates of days gone by, from the store of `ingest`: what a late booking was worth on its own day.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Place, open_for_reading};
use market::Day;
use money::{Currency, Rate};
use rusqlite::{Connection, OptionalExtension};
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
pub(crate) fn read(market: &Place, wanted: BTreeSet<(Currency, Day)>) -> DayRates {
    if wanted.is_empty() {
        return DayRates::new();
    }
    let Ok(rows) = open_for_reading(market) else { return DayRates::new() };
    wanted
        .into_iter()
        .filter_map(|(ccy, day)| Some(((ccy, day), rate(&rows, ccy, day).ok().flatten()?)))
        .collect()
}

fn rate(rows: &Connection, ccy: Currency, day: Day) -> rusqlite::Result<Option<Rate>> {
    let found: Option<i64> = rows
        .prepare_cached(
            "SELECT eur_per_unit FROM api_fx WHERE ccy = ?1 AND day BETWEEN ?2 AND ?3
             ORDER BY day DESC, as_of DESC LIMIT 1",
        )?
        .query_row((ccy.as_str(), day.plus_days(-RATE_DAYS).to_string(), day.to_string()), |row| row.get(0))
        .optional()?;
    Ok(found.and_then(|e9| Rate::from_e9(e9).ok()))
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
            let found = read(&place, BTreeSet::from([(ccy, day(of))]));
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
}
