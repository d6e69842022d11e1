//! All SQL of the stage: what it starts from, and how a change of its rows is written.

use std::collections::BTreeMap;

use contracts::{FxRate, Quote, Security, Source};
use market::{Day, Isin, Timestamp};
use money::{Currency, Price, Quantity, Rate, Weight};
use rusqlite::{Connection, Row, Transaction, params};
use tradernet::commands::candles::Candle;

use crate::{history::Progress, limits::CLOSES_KEPT, quotes::Known};

/// The only source so far.
const BROKER: &str = "broker";

/// One daily bar to be written.
pub type Bar = Candle;

/// One change of the rows.
#[derive(Debug, Clone)]
pub enum Save {
    /// A security that is new to the store.
    Security(Box<Security>, Timestamp),
    /// A quote.
    Quote(Box<Quote>),
    /// Quotes before this instant go.
    QuotesBefore(Timestamp),
    /// A rate.
    Rate {
        /// Currency.
        ccy: Currency,
        /// EUR per unit.
        rate: Rate,
        /// When it was read.
        at: Timestamp,
    },
    /// Bars of a security.
    Bars {
        /// Which.
        isin: Isin,
        /// The bars.
        bars: Vec<Bar>,
        /// In place of all that was there, because the past changed.
        replace: bool,
        /// When they were read.
        at: Timestamp,
    },
}

/// Everything the stage starts from.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) universe: Vec<Security>,
    pub(crate) quotes: BTreeMap<Isin, Known>,
    pub(crate) rates: BTreeMap<Currency, FxRate>,
    pub(crate) progress: BTreeMap<Isin, Progress>,
}

/// Reads everything.
pub(crate) fn load(rows: &Connection) -> Result<Loaded, String> {
    read(rows).map_err(|error| format!("the store `market` cannot be read: {error}"))
}

fn read(rows: &Connection) -> rusqlite::Result<Loaded> {
    let mut loaded = Loaded { universe: universe(rows)?, ..Loaded::default() };
    for security in &loaded.universe {
        loaded.quotes.insert(security.isin, quotes(rows, security)?);
        loaded.progress.insert(security.isin, progress(rows, &security.isin)?);
    }
    let mut query = rows.prepare("SELECT ccy, eur_per_unit_e9, as_of FROM fx_latest ORDER BY ccy")?;
    for row in query.query_map([], |row| {
        let rate = checked(row, 1, |e9: i64| Rate::from_e9(e9))?;
        let as_of = Timestamp::from_ms(row.get(2)?);
        Ok((text(row, 0, Currency::new)?, FxRate { eur_per_unit_e9: rate, as_of, source: Source::Broker }))
    })? {
        loaded.rates.extend([row?]);
    }
    Ok(loaded)
}

fn universe(rows: &Connection) -> rusqlite::Result<Vec<Security>> {
    let mut query = rows.prepare(
        "SELECT isin, name, symbol, mic, currency, country, industries, product_type, lot, tick,
                active, allow_buy, allow_sell, max_target
         FROM api_universe ORDER BY isin",
    )?;
    let securities = query.query_map([], |row| {
        Ok(Security {
            isin: text(row, 0, str::parse)?,
            name: row.get(1)?,
            ticker: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            mic: text(row, 3, str::parse)?,
            ccy: text(row, 4, Currency::new)?,
            country: row.get(5)?,
            industry: row.get(6)?,
            product_type: row.get(7)?,
            lot_e6: checked(row, 8, |e6: i64| Quantity::from_e6(e6))?,
            tick_e6: checked(row, 9, |e6: Option<i64>| e6.map(Price::from_e6).transpose())?,
            active: row.get(10)?,
            allow_buy: row.get(11)?,
            allow_sell: row.get(12)?,
            max_weight_e6: checked(row, 13, |share: Option<f64>| share.map(Weight::from_f64).transpose())?,
        })
    })?;
    securities.collect()
}

/// The newest accepted quote, and an unconfirmed one if it is newer.
fn quotes(rows: &Connection, security: &Security) -> rusqlite::Result<Known> {
    let mut known = Known::default();
    for suspect in [false, true] {
        let mut query = rows.prepare_cached(
            "SELECT ts, price_e6, bid_e6, ask_e6 FROM quote
             WHERE security_id = (SELECT security_id FROM security WHERE isin = ?1) AND suspect = ?2
             ORDER BY ts DESC LIMIT 1",
        )?;
        let price =
            |row: &Row<'_>, place| checked(row, place, |e6: Option<i64>| e6.map(Price::from_e6).transpose());
        let found = query.query_map((security.isin.as_str(), suspect), |row| {
            Ok(Quote {
                isin: security.isin,
                mic: security.mic,
                price_e6: checked(row, 1, |e6: i64| Price::from_e6(e6))?,
                bid_e6: price(row, 2)?,
                ask_e6: price(row, 3)?,
                ccy: security.ccy,
                at: Timestamp::from_ms(row.get(0)?),
                source: Source::Broker,
                suspect,
            })
        })?;
        for quote in found {
            let quote = quote?;
            if known.newest().is_none_or(|newest| quote.at > newest) {
                known.remember(quote);
            }
        }
    }
    Ok(known)
}

fn progress(rows: &Connection, isin: &Isin) -> rusqlite::Result<Progress> {
    let bars: i64 =
        rows.query_row("SELECT count(*) FROM api_bar WHERE isin = ?1", [isin.as_str()], |row| row.get(0))?;
    let mut query =
        rows.prepare_cached("SELECT day, close FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT ?2")?;
    let kept = i64::try_from(CLOSES_KEPT).unwrap_or(i64::MAX);
    let closes = query.query_map((isin.as_str(), kept), |row| {
        Ok((text(row, 0, str::parse)?, checked(row, 1, |e6: i64| Price::from_e6(e6))?))
    })?;
    let closes: BTreeMap<Day, Price> = closes.collect::<rusqlite::Result<_>>()?;
    let complete = closes.last_key_value().map(|(day, _)| *day);
    Ok(Progress { complete, closes, bars: u64::try_from(bars).unwrap_or(0), ..Progress::default() })
}

/// Reads a text that must have the form of its type.
fn text<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    place: usize,
    read: impl Fn(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    checked(row, place, |text: String| read(&text))
}

fn checked<V: rusqlite::types::FromSql, T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    place: usize,
    read: impl Fn(V) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let failed = |error: E| {
        rusqlite::Error::FromSqlConversionFailure(place, rusqlite::types::Type::Null, Box::new(error))
    };
    read(row.get(place)?).map_err(failed)
}

/// Writes one change.
pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Security(security, at) => insert(rows, &security, at),
        Save::Quote(quote) => write_quote(rows, &quote),
        Save::QuotesBefore(then) => {
            rows.prepare_cached("DELETE FROM quote WHERE ts < ?1")?.execute([then.ms()]).map(drop)
        }
        Save::Rate { ccy, rate, at } => write_rate(rows, ccy, rate, at),
        Save::Bars { isin, bars, replace, at } => write_bars(rows, &isin, &bars, replace, at),
    }
}

fn insert(rows: &Transaction<'_>, security: &Security, at: Timestamp) -> rusqlite::Result<()> {
    let Security { isin, ccy, mic, .. } = security;
    rows.execute(
        "INSERT INTO security (isin, name, product_type, country, industry_raw, currency, lot_e6, created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            isin.as_str(), security.name, security.product_type, security.country, security.industry,
            ccy.as_str(), security.lot_e6.e6(), at.ms()
        ],
    )?;
    let id = rows.last_insert_rowid();
    rows.execute(
        "INSERT INTO security_user (security_id, active, allow_buy, allow_sell, added_by, updated)
         VALUES (?1, ?2, ?3, ?4, 'manual', ?5)",
        params![id, security.active, security.allow_buy, security.allow_sell, at.ms()],
    )?;
    rows.execute(
        "INSERT INTO listing VALUES (?1, ?2, ?3, 1, ?4)",
        params![id, mic.as_str(), ccy.as_str(), security.tick_e6.map(Price::e6)],
    )?;
    rows.execute(
        "INSERT INTO symbol_alias (source, symbol, security_id) VALUES (?1, ?2, ?3)",
        params![BROKER, security.ticker, id],
    )
    .map(drop)
}

fn write_quote(rows: &Transaction<'_>, quote: &Quote) -> rusqlite::Result<()> {
    rows.prepare_cached(
        "INSERT INTO quote SELECT security_id, ?2, ?3, ?4, ?5, ?6, ?7 FROM security WHERE isin = ?1
         ON CONFLICT DO UPDATE SET price_e6 = excluded.price_e6, bid_e6 = excluded.bid_e6,
             ask_e6 = excluded.ask_e6, suspect = excluded.suspect",
    )?
    .execute(params![
        quote.isin.as_str(),
        quote.at.ms(),
        quote.price_e6.e6(),
        quote.bid_e6.map(Price::e6),
        quote.ask_e6.map(Price::e6),
        BROKER,
        quote.suspect
    ])
    .map(drop)
}

fn write_rate(rows: &Transaction<'_>, ccy: Currency, rate: Rate, at: Timestamp) -> rusqlite::Result<()> {
    rows.prepare_cached(
        "INSERT INTO fx_rate VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET eur_per_unit_e9 = excluded.eur_per_unit_e9, as_of = excluded.as_of",
    )?
    .execute(params![ccy.as_str(), at.day_utc().to_string(), BROKER, rate.e9(), at.ms()])?;
    rows.prepare_cached(
        "INSERT INTO fx_latest VALUES (?1, ?2, ?3, ?3, ?4)
         ON CONFLICT DO UPDATE SET eur_per_unit_e9 = excluded.eur_per_unit_e9, as_of = excluded.as_of,
             fetched = excluded.fetched, source = excluded.source",
    )?
    .execute(params![ccy.as_str(), rate.e9(), at.ms(), BROKER])
    .map(drop)
}

fn write_bars(
    rows: &Transaction<'_>,
    isin: &Isin,
    bars: &[Bar],
    replace: bool,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let security: i64 =
        rows.query_row("SELECT security_id FROM security WHERE isin = ?1", [isin.as_str()], |row| {
            row.get(0)
        })?;
    let replaced = if replace {
        rows.execute(
            "DELETE FROM daily_price WHERE security_id = ?1 AND source = ?2",
            params![security, BROKER],
        )?
    } else {
        0
    };
    let quality = if replaced > 0 { "corrected" } else { "ok" };
    let mut statement = rows.prepare_cached(
        "INSERT INTO daily_price VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10)
         ON CONFLICT DO UPDATE SET open_e6 = excluded.open_e6, high_e6 = excluded.high_e6,
             low_e6 = excluded.low_e6, close_e6 = excluded.close_e6, volume = excluded.volume,
             quality = excluded.quality, is_final = 1, fetched = excluded.fetched",
    )?;
    for bar in bars {
        // Volumes are whole pieces.
        let volume = bar.volume.map(|volume| volume.e6() / Quantity::SCALE);
        statement.execute(params![
            security,
            bar.day.to_string(),
            BROKER,
            bar.open.e6(),
            bar.high.e6(),
            bar.low.e6(),
            bar.close.e6(),
            volume,
            quality,
            at.ms()
        ])?;
    }
    Ok(())
}
