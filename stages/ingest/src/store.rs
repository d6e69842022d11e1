//! The stage's rows: what it starts from, and how a change of them is written. What is not a price: `beside`.

mod beside;

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Corrected, FxRate, Quote, Security, Source};
use market::{Day, Fundamental, Isin, Mic, Timestamp};
use money::{Currency, Price, Quantity, Rate, Weight};
use providers::{Dividend, EcbRates, Split};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tradernet::commands::candles::Candle;

use crate::owner::preference;
use crate::{
    history::{BarSource, Progress, still_after},
    limits::{CLOSES_KEPT, HALTED_SESSIONS},
    quotes::Known,
};

const BROKER: &str = "broker";
const YAHOO: &str = "yahoo";
const ECB: &str = "ecb";
/// Rows of `response` that hold no body: until when a question is answered.
const ANSWERED: &str = "answered";

/// One daily bar to be written.
pub type Bar = Candle;

/// One change of the rows.
#[derive(Debug, Clone)]
pub enum Save {
    /// A security that is new to the store.
    Security(Box<Security>, Timestamp),
    /// A quote.
    Quote(Box<Quote>),
    /// Quotes before this instant go, except the newest of each security: its age is known by it.
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
        /// Whose bars.
        source: BarSource,
        /// The bars.
        bars: Vec<Bar>,
        /// In place of all that was there, because the past changed.
        replace: bool,
        /// When they were read.
        at: Timestamp,
    },
    /// Bars that may not be used.
    Quarantine {
        /// Of which security.
        isin: Isin,
        /// Whose bars.
        source: BarSource,
        /// The bars, each with the reason.
        bars: Vec<(Bar, &'static str)>,
        /// When they were read.
        at: Timestamp,
    },
    /// A split that the source did not work into its past.
    Divide {
        /// Of which security.
        isin: Isin,
        /// Whose bars.
        source: BarSource,
        /// Bars before this day.
        before: Day,
        /// New shares.
        after: u32,
        /// Old shares.
        old: u32,
    },
    /// From now on the series of a security is of this source.
    Series {
        /// Of which security.
        isin: Isin,
        /// Whose bars it is.
        source: BarSource,
        /// When it changed.
        at: Timestamp,
    },
    /// Dividends and splits.
    Actions {
        /// Of which security.
        isin: Isin,
        /// Dividends.
        dividends: Vec<Dividend>,
        /// Splits.
        splits: Vec<Split>,
        /// Who says so.
        source: &'static str,
        /// When.
        at: Timestamp,
    },
    /// What is known beside prices.
    Figures {
        /// Of which security.
        isin: Isin,
        /// The figures; nothing for those that are not known.
        figures: Vec<(Fundamental, Option<f64>)>,
        /// Words: country, sector and so on.
        words: Vec<(&'static str, String)>,
        /// When.
        at: Timestamp,
    },
    /// A symbol of Yahoo, and when it was found to be right, if it was.
    Symbol {
        /// Of which security.
        isin: Isin,
        /// The symbol.
        symbol: String,
        /// When it was verified.
        verified: Option<Timestamp>,
        /// How it was found.
        method: &'static str,
    },
    /// Reference rates of some currencies.
    BankRates {
        /// The rates.
        rates: Box<EcbRates>,
        /// When they were read.
        at: Timestamp,
    },
    /// The bank's newest rate stands in for the broker's.
    BankRate {
        /// Currency.
        ccy: Currency,
        /// EUR per unit.
        rate: Rate,
        /// When it was made.
        as_of: Timestamp,
        /// When it was read.
        at: Timestamp,
    },
    /// Closes of an index.
    Index {
        /// Its name.
        name: String,
        /// The closes.
        closes: BTreeMap<Day, Price>,
        /// When they were read.
        at: Timestamp,
    },
    /// A question is answered until an instant.
    Answered {
        /// The task.
        key: String,
        /// When.
        at: Timestamp,
        /// Until when the answer holds.
        until: Timestamp,
    },
    /// What the owner says of a security.
    Owner {
        /// As it is now.
        security: Box<Security>,
        /// Conviction, if it changed.
        priority: Option<f64>,
        /// Corrections, if any changed.
        corrections: BTreeMap<Corrected, Option<String>>,
        /// Why it is not active.
        reason: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A security goes on under another ISIN.
    Renamed {
        /// What it was.
        from: Isin,
        /// What it is.
        to: Isin,
        /// When that was noticed.
        at: Timestamp,
    },
    /// Days of a venue.
    Calendar {
        /// Which venue.
        mic: Mic,
        /// Its days with their open intervals, as JSON.
        days: Vec<(Day, String)>,
        /// Last day that is known.
        valid_until: Day,
    },
}

/// Everything the stage starts from.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) universe: Vec<Security>,
    pub(crate) quotes: BTreeMap<Isin, Known>,
    pub(crate) rates: BTreeMap<Currency, FxRate>,
    pub(crate) progress: BTreeMap<Isin, Progress>,
    /// What is said of each security without the owner's corrections.
    pub(crate) told: BTreeMap<Isin, Security>,
    /// Yahoo's symbols.
    pub(crate) symbols: BTreeMap<Isin, String>,
    /// Splits by security and day.
    pub(crate) splits: BTreeMap<Isin, BTreeMap<Day, (u32, u32)>>,
    /// Until when questions are answered.
    pub(crate) answered: BTreeMap<String, Timestamp>,
    /// Currencies with rates of the bank from years before its short file begins.
    pub(crate) whole: BTreeSet<Currency>,
}

/// Reads everything.
pub(crate) fn load(rows: &Connection) -> Result<Loaded, String> {
    read(rows).map_err(|error| format!("the store `market` cannot be read: {error}"))
}

fn read(rows: &Connection) -> rusqlite::Result<Loaded> {
    let mut loaded = Loaded { universe: universe(rows)?, ..Loaded::default() };
    beside_prices(rows, &mut loaded)?;
    for security in &loaded.universe {
        loaded.quotes.insert(security.isin, quotes(rows, security)?);
        loaded.progress.insert(security.isin, progress(rows, &security.isin)?);
    }
    let mut query = rows.prepare("SELECT ccy, eur_per_unit_e9, as_of, source FROM fx_latest ORDER BY ccy")?;
    for row in query.query_map([], |row| {
        let rate = checked(row, 1, |e9: i64| Rate::from_e9(e9))?;
        let as_of = Timestamp::from_ms(row.get(2)?);
        let source = if row.get_ref(3)?.as_str()? == ECB { Source::Ecb } else { Source::Broker };
        Ok((text(row, 0, Currency::new)?, FxRate { eur_per_unit_e9: rate, as_of, source }))
    })? {
        loaded.rates.extend([row?]);
    }
    Ok(loaded)
}

fn beside_prices(rows: &Connection, loaded: &mut Loaded) -> rusqlite::Result<()> {
    let mut query = rows.prepare("SELECT isin, name, product_type, country, industry_raw FROM security")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let isin: Isin = text(row, 0, str::parse)?;
        if let Some(security) = loaded.universe.iter().find(|security| security.isin == isin) {
            let (name, product_type) = (row.get(1)?, row.get(2)?);
            let (country, industry) = (row.get(3)?, row.get(4)?);
            loaded.told.insert(isin, Security { name, product_type, country, industry, ..security.clone() });
        }
    }
    let mut query = rows.prepare(
        "SELECT isin, a.symbol FROM symbol_alias a JOIN security USING (security_id)
         WHERE a.source = 'yahoo' AND a.valid_to IS NULL
         UNION ALL
         SELECT isin, o.value FROM security_override o JOIN security USING (security_id)
         WHERE o.field = 'yahoo_symbol'",
    )?;
    for row in query.query_map([], |row| Ok((text(row, 0, str::parse)?, row.get(1)?)))? {
        loaded.symbols.extend([row?]);
    }
    let mut query = rows.prepare(
        "SELECT isin, ex_day, ratio_num, ratio_den FROM api_action WHERE kind = 'split' ORDER BY ex_day",
    )?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let ratio = (row.get(2)?, row.get(3)?);
        let splits = loaded.splits.entry(text(row, 0, str::parse)?).or_default();
        splits.insert(text(row, 1, str::parse)?, ratio);
    }
    let mut query = rows.prepare(
        "SELECT ccy FROM fx_rate WHERE source = ?1
         GROUP BY ccy HAVING julianday(max(day)) - julianday(min(day)) > 1000",
    )?;
    for row in query.query_map([ECB], |row| text(row, 0, Currency::new))? {
        loaded.whole.extend([row?]);
    }
    let mut query = rows.prepare("SELECT key, expires FROM response WHERE source = ?1")?;
    for row in query.query_map([ANSWERED], |row| Ok((row.get(0)?, Timestamp::from_ms(row.get(1)?))))? {
        loaded.answered.extend([row?]);
    }
    Ok(())
}

fn universe(rows: &Connection) -> rusqlite::Result<Vec<Security>> {
    let mut query = rows.prepare(
        "SELECT isin, name, symbol, mic, currency, country, industries, product_type, lot, tick,
                active, allow_buy, allow_sell, max_target, min_target, marked_for_exit, previous_isin,
                priority_multiplier
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
            min_weight_e6: checked(row, 14, |share: Option<f64>| share.map(Weight::from_f64).transpose())?,
            marked_for_exit: row.get(15)?,
            priority_multiplier: row.get::<_, Option<f64>>(17)?.and_then(preference),
            previous_isin: checked(row, 16, |isin: Option<String>| {
                isin.map(|isin| isin.parse()).transpose()
            })?,
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
    let (bars, first): (i64, Option<String>) =
        rows.query_row("SELECT count(*), min(day) FROM api_bar WHERE isin = ?1", [isin.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let first = first.and_then(|day| day.parse().ok());
    let mut query =
        rows.prepare_cached("SELECT day, close FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT ?2")?;
    let kept = i64::try_from(CLOSES_KEPT).unwrap_or(i64::MAX);
    let closes = query.query_map((isin.as_str(), kept), |row| {
        Ok((text(row, 0, str::parse)?, checked(row, 1, |e6: i64| Price::from_e6(e6))?))
    })?;
    let closes: BTreeMap<Day, Price> = closes.collect::<rusqlite::Result<_>>()?;
    let complete = closes.last_key_value().map(|(day, _)| *day);
    let still = still(rows, isin)?;
    let word: Option<String> = rows
        .query_row(
            "SELECT source FROM price_series JOIN security USING (security_id) WHERE isin = ?1",
            [isin.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    let source = if word.as_deref() == Some(YAHOO) { BarSource::Yahoo } else { BarSource::Broker };
    Ok(Progress {
        source,
        first,
        complete,
        closes,
        still,
        bars: u64::try_from(bars).unwrap_or(0),
        ..Progress::default()
    })
}

/// How many of the newest sessions passed without a trade.
fn still(rows: &Connection, isin: &Isin) -> rusqlite::Result<usize> {
    let mut query = rows.prepare_cached(
        "SELECT close, volume FROM (SELECT day, close, volume FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT ?2)
         ORDER BY day",
    )?;
    let looked_at = i64::try_from(HALTED_SESSIONS + 1).unwrap_or(i64::MAX);
    let bars = query.query_map((isin.as_str(), looked_at), |row| {
        Ok((checked(row, 0, |e6: i64| Price::from_e6(e6))?, row.get::<_, Option<i64>>(1)?))
    })?;
    let (mut still, mut before) = (0, None);
    for bar in bars {
        let (close, volume) = bar?;
        still = still_after(still, before, close, volume.map(|volume| volume == 0));
        before = Some(close);
    }
    Ok(still)
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
            let sql = "DELETE FROM quote WHERE ts < ?1
                       AND ts < (SELECT max(ts) FROM quote other WHERE other.security_id = quote.security_id)";
            rows.prepare_cached(sql)?.execute([then.ms()]).map(drop)
        }
        Save::Rate { ccy, rate, at } => write_rate(rows, ccy, rate, at),
        Save::Bars { isin, source, bars, replace, at } => write_bars(rows, &isin, source, &bars, replace, at),
        Save::Owner { security, priority, corrections, reason, at } => {
            write_owner(rows, &security, priority, &corrections, reason, at)
        }
        other => beside::apply(rows, other),
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
    source: BarSource,
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
            params![security, source.name()],
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
    let mut believed = rows
        .prepare_cached("DELETE FROM price_quarantine WHERE security_id = ?1 AND day = ?2 AND source = ?3")?;
    for bar in bars {
        believed.execute(params![security, bar.day.to_string(), source.name()])?;
        // Volumes are whole pieces.
        let volume = bar.volume.map(|volume| volume.e6() / Quantity::SCALE);
        statement.execute(params![
            security,
            bar.day.to_string(),
            source.name(),
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

fn write_owner(
    rows: &Transaction<'_>,
    security: &Security,
    priority: Option<f64>,
    corrections: &BTreeMap<Corrected, Option<String>>,
    reason: Option<String>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let id: i64 = rows.query_row(
        "SELECT security_id FROM security WHERE isin = ?1",
        [security.isin.as_str()],
        |row| row.get(0),
    )?;
    rows.execute(
        "UPDATE security_user SET active = ?2, allow_buy = ?3, allow_sell = ?4, min_target = ?5, max_target = ?6,
             marked_for_exit = ?7, deactivated_reason = ?8, priority_multiplier = coalesce(?9, priority_multiplier),
             updated = ?10
         WHERE security_id = ?1",
        params![
            id,
            security.active,
            security.allow_buy,
            security.allow_sell,
            security.min_weight_e6.map(Weight::to_f64),
            security.max_weight_e6.map(Weight::to_f64),
            security.marked_for_exit,
            reason,
            priority,
            at.ms()
        ],
    )?;
    for (field, value) in corrections {
        rows.execute(
            "DELETE FROM security_override WHERE security_id = ?1 AND field = ?2",
            params![id, field.name()],
        )?;
        if let Some(value) = value {
            rows.execute(
                "INSERT INTO security_override VALUES (?1, ?2, ?3, ?4)",
                params![id, field.name(), value.trim(), at.ms()],
            )?;
        }
    }
    Ok(())
}
