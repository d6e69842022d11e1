//! All SQL of the stage: what it starts from, and how a change of its rows is written.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Flow, FlowKind, Id, Mode, Side};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::FromSql};

use crate::actions::{Action, Change};
use crate::analytics::Figure;
use crate::books::{Books, Fill, Held, Origin};
use crate::cash_book::Purse;
use crate::day_store::{self, ACCOUNT};
use crate::dividends::Dividend;
use crate::flows::Booked;
use crate::limits::CORE;
use crate::nav::DayEnd;
use crate::paper::{Paper, PaperSave};
use crate::paper_store;
use crate::prices::Rebase;
use crate::reconcile::{Account, Reported};
use crate::unbooked::Unbooked;

/// One change of the rows.
#[derive(Debug, Clone)]
pub enum Save {
    /// A fill, once.
    Fill(Box<Fill>),
    /// Our order behind a booked trade.
    OrderOf {
        /// The broker's trade.
        trade_id: String,
        /// Our order.
        order_id: Id,
    },
    /// A trade from before the books.
    Before(String),
    /// A trade that cannot be booked yet, or for another reason than before.
    Unbooked(Unbooked),
    /// It was booked after all.
    NoLongerUnbooked(String),
    /// A holding as derived from the fills.
    Position(Isin, Held),
    /// A security is frozen, or no longer.
    Frozen(Isin, Option<(Timestamp, String)>),
    /// What the broker reported, and which of its holdings nobody can name.
    Account(Account, Timestamp, Vec<String>),
    /// A cash flow, once; its worth may be added later.
    Flow(Box<Booked>),
    /// The end of a day.
    DayEnd(DayEnd),
    /// Figures of the account or of the paper ledger, in the place of the last ones.
    Figures(Mode, Vec<Figure>),
    /// The books begin.
    Begun(Timestamp),
    /// Cash of one currency with which the books begin.
    CashOpening(Money, Timestamp),
    /// A fee that came later than its fill, in one row of the statement or in several.
    Fee {
        /// Which fill.
        fill_id: Id,
        /// The fee.
        fee: Money,
    },
    /// A holding of the beginning that an imported ledger explains.
    OpeningGone(Isin),
    /// A corporate action, once.
    Action(Action),
    /// A dividend as far as it is known.
    Dividend(Dividend),
    /// A change of the paper ledger.
    Paper(PaperSave),
}

/// Everything the stage starts from.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) books: Books,
    pub(crate) fills: BTreeMap<String, Fill>,
    pub(crate) before: BTreeSet<String>,
    pub(crate) unbooked: BTreeMap<String, Unbooked>,
    pub(crate) frozen: BTreeMap<Isin, (Timestamp, String)>,
    pub(crate) account: Option<(Account, Timestamp, Vec<String>)>,
    pub(crate) flows: BTreeMap<String, Booked>,
    /// The ends of days, oldest first.
    pub(crate) days: Vec<DayEnd>,
    pub(crate) actions: Vec<Action>,
    pub(crate) cash_opening: Purse,
    pub(crate) splits: Vec<(Isin, Rebase)>,
    pub(crate) begun: Option<Timestamp>,
    pub(crate) openings: Books,
    pub(crate) csv_fills: BTreeSet<Id>,
    pub(crate) csv_isins: BTreeSet<Isin>,
    pub(crate) paper: Paper,
}

/// Reads everything.
pub(crate) fn load(rows: &Connection) -> Result<Loaded, String> {
    let loaded = read(rows).map_err(|error| format!("the store `ledger` cannot be read: {error}"))?;
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let failed = |error: rusqlite::Error| format!("the store `ledger` cannot be read: {error}");
    let mut query = rows
        .prepare(
            "SELECT isin, sum(qty) FROM (
                 SELECT isin, CASE side WHEN 'buy' THEN qty_e6 ELSE -qty_e6 END AS qty FROM fill WHERE isin IS NOT NULL
                 UNION ALL SELECT isin, CASE kind WHEN 'renamed' THEN -held_e6 ELSE left_e6 - held_e6 END
                 FROM corporate_action
                 UNION ALL SELECT to_isin, left_e6 FROM corporate_action WHERE kind = 'renamed'
             ) GROUP BY isin",
        )
        .map_err(failed)?;
    let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    for row in found {
        let (isin, sum) = row.map_err(failed)?;
        sums.insert(isin, sum);
    }
    for (isin, held) in &loaded.books {
        let sum = sums.get(isin.as_str()).copied().unwrap_or(0);
        if sum != held.qty.e6() {
            return Err(format!(
                "the books contradict themselves: {isin} has {} but its fills and corporate actions sum up to {sum} millionths; restore the store `ledger`",
                held.qty
            ));
        }
    }
    Ok(loaded)
}

fn read(rows: &Connection) -> rusqlite::Result<Loaded> {
    Ok(Loaded {
        books: all(
            rows,
            "SELECT isin, ticker, qty_e6, avg_price_e6, ccy, opened, last_buy, last_sell, predates_ledger, cost_eur_e4 FROM position",
            held,
        )?,
        fills: all(
            rows,
            "SELECT broker_trade_id, broker_order_id, order_id, isin, ticker, side, qty_e6, price_e6, ccy, executed, fill_id, amount_e4, fee_e4, fee_ccy, settle_day, in_opening, rate_e9, value_eur_e4, coalesce(booked, executed) FROM fill WHERE source = 'broker'",
            fill,
        )?,
        before: all(rows, "SELECT broker_trade_id FROM trade_before", |row| row.get(0))?,
        unbooked: all(rows, "SELECT broker_trade_id, day, what, why, seen FROM trade_unbooked", |row| {
            let (trade_id, seen): (String, i64) = (row.get(0)?, row.get(4)?);
            let (day, what, why) = (parsed(row, 1)?, row.get(2)?, row.get(3)?);
            let seen = Timestamp::from_ms(seen);
            Ok((trade_id.clone(), Unbooked { trade_id, day, what, why, seen }))
        })?,
        frozen: all(rows, "SELECT isin, since, reason FROM frozen", |row| {
            Ok((parsed(row, 0)?, (Timestamp::from_ms(row.get(1)?), row.get(2)?)))
        })?,
        account: account(rows)?,
        flows: all(
            rows,
            "SELECT broker_txn_id, id, kind, external, raw_type, day, amount_e4, ccy, amount_eur_e4, description, seen, isin FROM cash_flow",
            flow,
        )?,
        days: day_store::days(rows, ACCOUNT)?,
        actions: all(
            rows,
            "SELECT id, isin, kind, at, held_e6, left_e6, units_before, units_after, to_isin, price_e6
             FROM corporate_action ORDER BY at",
            action,
        )?,
        cash_opening: all(rows, "SELECT ccy, amount_e4 FROM cash_opening", |row| {
            let ccy = checked(row, 0, |text: String| Currency::new(&text))?;
            Ok((ccy, Money::from_e4(row.get(1)?, ccy)))
        })?,
        begun: rows
            .query_row("SELECT at FROM begun", [], |row| Ok(Timestamp::from_ms(row.get(0)?)))
            .optional()?,
        openings: all(
            rows,
            "SELECT isin, ticker, CASE side WHEN 'buy' THEN qty_e6 ELSE -qty_e6 END, price_e6, ccy
             FROM fill WHERE source = 'import' AND csv = 0 AND ccy IS NOT NULL",
            |row| {
                let ccy = checked(row, 4, |text: String| Currency::new(&text))?;
                let nothing = Held::nothing(&row.get::<_, String>(1)?, ccy);
                let qty = checked(row, 2, |e6: i64| Quantity::from_e6(e6))?;
                Ok((parsed(row, 0)?, Held { qty, avg: checked(row, 3, price)?, ..nothing }))
            },
        )?,
        paper: paper_store::load(rows)?,
        csv_fills: all(rows, "SELECT fill_id FROM fill WHERE csv = 1", |row| parsed(row, 0))?,
        csv_isins: all(rows, "SELECT DISTINCT isin FROM fill WHERE csv = 1", |row| parsed(row, 0))?,
        splits: all(
            rows,
            "SELECT isin, at, units_before, units_after, price_e6 FROM corporate_action WHERE kind = 'split' ORDER BY at",
            |row| {
                let day = Timestamp::from_ms(row.get(1)?).day_utc();
                let price = checked(row, 4, price)?;
                Ok((parsed(row, 0)?, Rebase { day, before: row.get(2)?, after: row.get(3)?, price }))
            },
        )?,
    })
}

/// An amount whose currency stands in another column; without one it is unknown.
fn money_at(row: &Row<'_>, amount: usize, ccy: usize) -> rusqlite::Result<Option<Money>> {
    let e4: Option<i64> = row.get(amount)?;
    let ccy = checked(row, ccy, |text: Option<String>| text.map(|text| Currency::new(&text)).transpose())?;
    Ok(e4.zip(ccy).map(|(e4, ccy)| Money::from_e4(e4, ccy)))
}

pub(crate) fn all<T, C: FromIterator<T>>(
    rows: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<C> {
    rows.prepare(sql)?.query_map([], read)?.collect()
}

pub(crate) fn held(row: &Row<'_>) -> rusqlite::Result<(Isin, Held)> {
    let held = Held {
        ticker: row.get(1)?,
        qty: checked(row, 2, |e6: i64| Quantity::from_e6(e6))?,
        avg: checked(row, 3, price)?,
        ccy: checked(row, 4, |text: String| Currency::new(&text))?,
        opened: time(row, 5)?,
        last_buy: time(row, 6)?,
        last_sell: time(row, 7)?,
        predates: row.get(8)?,
        cost_eur: row.get::<_, Option<i64>>(9)?.map(|e4| Money::from_e4(e4, Currency::EUR)),
    };
    Ok((parsed(row, 0)?, held))
}

fn fill(row: &Row<'_>) -> rusqlite::Result<(String, Fill)> {
    let trade_id: String = row.get(0)?;
    let fill = Fill {
        fill_id: parsed(row, 10)?,
        trade_id: Some(trade_id.clone()),
        broker_order_id: row.get(1)?,
        order_id: checked(row, 2, |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        isin: checked(row, 3, |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        ticker: row.get(4)?,
        side: if row.get::<_, String>(5)? == "buy" { Side::Buy } else { Side::Sell },
        qty: checked(row, 6, |e6: i64| Quantity::from_e6(e6))?,
        price: checked(row, 7, price)?,
        ccy: checked(row, 8, |text: Option<String>| text.map(|text| Currency::new(&text)).transpose())?,
        amount: money_at(row, 11, 8)?,
        fee: money_at(row, 12, 13)?,
        rate: checked(row, 16, |e9: Option<i64>| e9.map(Rate::from_e9).transpose())?,
        value_eur: row.get::<_, Option<i64>>(17)?.map(|e4| Money::from_e4(e4, Currency::EUR)),
        executed: Timestamp::from_ms(row.get(9)?),
        booked: Timestamp::from_ms(row.get(18)?),
        settle_day: checked(row, 14, |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        origin: Origin::Broker,
        in_opening: row.get(15)?,
    };
    Ok((trade_id, fill))
}

fn account(rows: &Connection) -> rusqlite::Result<Option<(Account, Timestamp, Vec<String>)>> {
    let last = rows
        .query_row("SELECT at, nameless FROM sync", [], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((at, nameless)) = last else { return Ok(None) };
    let held = all(rows, "SELECT isin, ticker, qty_e6, avg_price_e6, ccy FROM broker_position", |row| {
        let reported = Reported {
            ticker: row.get(1)?,
            qty: checked(row, 2, |e6: i64| Quantity::from_e6(e6))?,
            avg: checked(row, 3, price)?,
            ccy: checked(row, 4, |text: String| Currency::new(&text))?,
        };
        Ok((parsed(row, 0)?, reported))
    })?;
    let cash = all(rows, "SELECT ccy, amount_e4 FROM broker_cash", |row| {
        let ccy = checked(row, 0, |text: String| Currency::new(&text))?;
        Ok((ccy, Money::from_e4(row.get(1)?, ccy)))
    })?;
    let spendable = all(rows, "SELECT ccy, coalesce(spendable_e4, amount_e4) FROM broker_cash", |row| {
        let ccy = checked(row, 0, |text: String| Currency::new(&text))?;
        Ok((ccy, Money::from_e4(row.get(1)?, ccy)))
    })?;
    let nameless = nameless.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let account = Account { held, cash, spendable, ..Account::default() };
    Ok(Some((account, Timestamp::from_ms(at), nameless)))
}

fn flow(row: &Row<'_>) -> rusqlite::Result<(String, Booked)> {
    let key: String = row.get(0)?;
    let ccy = checked(row, 7, |text: String| Currency::new(&text))?;
    let eur: Option<i64> = row.get(8)?;
    let flow = Flow {
        id: parsed(row, 1)?,
        kind: kind_of(&row.get::<_, String>(2)?),
        day: parsed(row, 5)?,
        amount: Money::from_e4(row.get(6)?, ccy),
        amount_eur: eur.map(|e4| Money::from_e4(e4, Currency::EUR)),
        isin: checked(row, 11, |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        text: row.get(9)?,
    };
    let seen = Timestamp::from_ms(row.get(10)?);
    Ok((key.clone(), Booked { key, flow, raw_type: row.get(4)?, external: row.get(3)?, seen }))
}

fn action(row: &Row<'_>) -> rusqlite::Result<Action> {
    let change = match row.get::<_, String>(2)?.as_str() {
        "split" => Change::Split { before: row.get(6)?, after: row.get(7)? },
        "renamed" => Change::Renamed { to: parsed(row, 8)? },
        _ => Change::Removed,
    };
    Ok(Action {
        id: parsed(row, 0)?,
        isin: parsed(row, 1)?,
        change,
        at: Timestamp::from_ms(row.get(3)?),
        held: checked(row, 4, |e6: i64| Quantity::from_e6(e6))?,
        left: checked(row, 5, |e6: i64| Quantity::from_e6(e6))?,
        price: checked(row, 9, price)?,
    })
}

fn price(e6: Option<i64>) -> money_result::Of<Option<Price>> {
    e6.map(Price::from_e6).transpose()
}

/// The result type of the money crate, named.
mod money_result {
    pub(super) type Of<T> = Result<T, money::MoneyError>;
}

fn time(row: &Row<'_>, place: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(place)?.map(Timestamp::from_ms))
}

pub(crate) fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    place: usize,
) -> rusqlite::Result<T> {
    checked(row, place, |text: String| text.parse())
}

pub(crate) fn checked<V: FromSql, T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    place: usize,
    read: impl Fn(V) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let failed = |error: E| {
        rusqlite::Error::FromSqlConversionFailure(place, rusqlite::types::Type::Null, Box::new(error))
    };
    read(row.get(place)?).map_err(failed)
}

const KINDS: [(FlowKind, &str); 8] = [
    (FlowKind::CorporateAction, "corporate_action"),
    (FlowKind::Deposit, "deposit"),
    (FlowKind::Withdrawal, "withdrawal"),
    (FlowKind::Dividend, "dividend"),
    (FlowKind::Tax, "tax"),
    (FlowKind::Fee, "fee"),
    (FlowKind::Interest, "interest"),
    (FlowKind::Other, "other"),
];

fn kind_of(text: &str) -> FlowKind {
    KINDS.iter().find(|(_, name)| *name == text).map_or(FlowKind::Other, |(kind, _)| *kind)
}

fn name_of(kind: FlowKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("other", |(_, name)| name)
}

pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// Writes one change.
pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Fill(fill) => write_fill(rows, &fill),
        Save::OrderOf { trade_id, order_id } => rows
            .prepare_cached("UPDATE fill SET order_id = ?2 WHERE broker_trade_id = ?1 AND order_id IS NULL")?
            .execute((trade_id, order_id.to_string()))
            .map(drop),
        Save::Before(trade_id) => rows
            .prepare_cached("INSERT OR IGNORE INTO trade_before VALUES (?1)")?
            .execute([trade_id])
            .map(drop),
        Save::Unbooked(trade) => rows
            .prepare_cached(
                "INSERT INTO trade_unbooked VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET why = excluded.why",
            )?
            .execute((trade.trade_id, trade.day.to_string(), trade.what, trade.why, trade.seen.ms()))
            .map(drop),
        Save::NoLongerUnbooked(trade_id) => rows
            .execute("DELETE FROM trade_unbooked WHERE broker_trade_id = ?1", [trade_id])
            .map(drop),
        Save::Position(isin, held) => write_position(rows, "position", &isin, &held),
        Save::Frozen(isin, None) => {
            rows.execute("DELETE FROM frozen WHERE isin = ?1", [isin.as_str()]).map(drop)
        }
        Save::Frozen(isin, Some((since, reason))) => rows
            .execute(
                "INSERT INTO frozen VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET since = excluded.since, reason = excluded.reason",
                (isin.as_str(), since.ms(), reason),
            )
            .map(drop),
        Save::Account(account, at, nameless) => write_account(rows, &account, at, &nameless),
        Save::Flow(booked) => write_flow(rows, &booked),
        Save::DayEnd(end) => write_day_end(rows, &end),
        Save::Figures(Mode::Live, figures) => day_store::write_figures(rows, "live", &figures),
        Save::Figures(Mode::Research, figures) => day_store::write_figures(rows, "research", &figures),
        Save::Begun(at) => rows.execute("INSERT OR IGNORE INTO begun VALUES (1, ?1)", [at.ms()]).map(drop),
        Save::CashOpening(amount, at) => rows
            .execute(
                "INSERT OR IGNORE INTO cash_opening VALUES (?1, ?2, ?3)",
                (amount.currency().as_str(), at.ms(), amount.e4()),
            )
            .map(drop),
        Save::Fee { fill_id, fee } => rows
            .prepare_cached(
                "UPDATE fill SET fee_e4 = ?2, fee_ccy = ?3 WHERE fill_id = ?1",
            )?
            .execute((fill_id.to_string(), fee.e4(), fee.currency().as_str()))
            .map(drop),
        Save::OpeningGone(isin) => rows
            .execute("DELETE FROM fill WHERE source = 'import' AND csv = 0 AND isin = ?1", [isin.as_str()])
            .map(drop),
        Save::Action(action) => write_action(rows, &action),
        Save::Dividend(dividend) => write_dividend(rows, &dividend),
        Save::Paper(save) => paper_store::apply(rows, save),
    }
}

fn write_fill(rows: &Transaction<'_>, fill: &Fill) -> rusqlite::Result<()> {
    let source = match fill.origin {
        Origin::Broker => "broker",
        Origin::Import | Origin::Csv => "import",
    };
    rows.prepare_cached(
        "INSERT INTO fill VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        fill.fill_id.to_string(),
        fill.trade_id,
        fill.broker_order_id,
        fill.order_id.map(|id| id.to_string()),
        fill.isin.map(|isin| isin.to_string()),
        fill.ticker,
        side_name(fill.side),
        fill.qty.e6(),
        fill.price.map(Price::e6),
        fill.ccy.map(|ccy| ccy.to_string()),
        fill.fee.map(Money::e4),
        fill.fee.map(|fee| fee.currency().to_string()),
        fill.rate.map(Rate::e9),
        fill.value_eur.map(Money::e4),
        fill.executed.ms(),
        fill.settle_day.map(|day| day.to_string()),
        CORE,
        source,
        fill.amount.map(Money::e4),
        fill.origin == Origin::Csv,
        fill.in_opening,
        fill.booked.ms(),
    ])
    .map(drop)
}

/// Writes a holding into the account's table or into that of the paper ledger, which have the same columns.
pub(crate) fn write_position(
    rows: &Transaction<'_>,
    table: &'static str,
    isin: &Isin,
    held: &Held,
) -> rusqlite::Result<()> {
    rows.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    ))?
    .execute(params![
        isin.as_str(),
        CORE,
        held.ticker,
        held.qty.e6(),
        held.avg.map(Price::e6),
        held.ccy.as_str(),
        held.opened.map(Timestamp::ms),
        held.last_buy.map(Timestamp::ms),
        held.last_sell.map(Timestamp::ms),
        held.predates,
        held.cost_eur.map(Money::e4),
    ])
    .map(drop)
}

fn write_account(
    rows: &Transaction<'_>,
    account: &Account,
    at: Timestamp,
    nameless: &[String],
) -> rusqlite::Result<()> {
    rows.execute_batch("DELETE FROM broker_position; DELETE FROM broker_cash;")?;
    for (isin, held) in &account.held {
        let avg = held.avg.map(Price::e6);
        rows.prepare_cached("INSERT INTO broker_position VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![isin.as_str(), at.ms(), held.ticker, held.qty.e6(), avg, held.ccy.as_str()])?;
    }
    for (ccy, amount) in &account.cash {
        let spendable = account.spendable.get(ccy).map(|spendable| spendable.e4());
        rows.prepare_cached("INSERT INTO broker_cash VALUES (?1, ?2, ?3, ?4)")?.execute((
            ccy.as_str(),
            at.ms(),
            amount.e4(),
            spendable,
        ))?;
    }
    rows.execute("INSERT OR REPLACE INTO sync VALUES (1, ?1, ?2)", (at.ms(), nameless.join(","))).map(drop)
}

fn write_flow(rows: &Transaction<'_>, booked: &Booked) -> rusqlite::Result<()> {
    let Booked { key, flow, raw_type, external, seen } = booked;
    rows.prepare_cached(
        "INSERT INTO cash_flow VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET amount_eur_e4 = excluded.amount_eur_e4 WHERE amount_eur_e4 IS NULL",
    )?
    .execute(params![
        flow.id.to_string(),
        key,
        name_of(flow.kind),
        external,
        raw_type,
        flow.day.to_string(),
        flow.amount.e4(),
        flow.amount.currency().as_str(),
        flow.amount_eur.map(Money::e4),
        flow.text,
        seen.ms(),
        flow.isin.map(|isin| isin.to_string()),
    ])
    .map(drop)
}

fn write_day_end(rows: &Transaction<'_>, end: &DayEnd) -> rusqlite::Result<()> {
    let revision = i64::from(!end.opening);
    rows.prepare_cached(
        "INSERT OR IGNORE INTO eod_snapshot VALUES (?1, '*', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        end.day.to_string(),
        revision,
        end.nav.e4(),
        end.positions.e4(),
        end.cash.e4(),
        end.net_flow.e4(),
        end.index,
        end.stale,
        end.ended.ms(),
    ])?;
    day_store::write_closing(rows, ACCOUNT, end)
}

fn write_action(rows: &Transaction<'_>, action: &Action) -> rusqlite::Result<()> {
    let (kind, before, after, to) = match action.change {
        Change::Split { before, after } => ("split", Some(before), Some(after), None),
        Change::Renamed { to } => ("renamed", None, None, Some(to.to_string())),
        Change::Removed => ("removed", None, None, None),
    };
    rows.prepare_cached("INSERT INTO corporate_action VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(params![
            action.id.to_string(),
            action.isin.as_str(),
            kind,
            action.at.ms(),
            action.held.e6(),
            action.left.e6(),
            before,
            after,
            to,
            action.price.map(Price::e6),
        ])
        .map(drop)
}

fn write_dividend(rows: &Transaction<'_>, dividend: &Dividend) -> rusqlite::Result<()> {
    let state = if dividend.reversed { "reversed" } else { "received" };
    rows.prepare_cached(
        "INSERT INTO dividend VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)
         ON CONFLICT DO UPDATE SET tax_e4 = excluded.tax_e4, net_e4 = excluded.net_e4,
         net_eur_e4 = excluded.net_eur_e4, remaining_eur_e4 = excluded.remaining_eur_e4, state = excluded.state",
    )?
    .execute(params![
        dividend.id.to_string(),
        dividend.isin.map(|isin| isin.to_string()),
        dividend.gross.e4(),
        dividend.tax.e4(),
        dividend.net.e4(),
        dividend.gross.currency().as_str(),
        dividend.net_eur.map(Money::e4),
        dividend.paid.to_string(),
        state,
        CORE,
    ])
    .map(drop)
}
