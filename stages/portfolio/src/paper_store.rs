//! The SQL of the paper ledger; its tables are named apart from the real ones.

use std::collections::BTreeSet;

use contracts::Id;
use market::Timestamp;
use money::{Currency, Money, Price, Rate};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::books::Fill;
use crate::day_store::{self, PAPER, write_closing};
use crate::limits::CORE;
use crate::nav::DayEnd;
use crate::paper::{Paper, PaperSave};
use crate::store::{all, checked, held, parsed, side_name, write_position};

/// Reads it.
pub(crate) fn load(rows: &Connection) -> rusqlite::Result<Paper> {
    let begun = rows.query_row("SELECT at FROM paper_begun", [], |row| row.get(0)).optional()?;
    let fills: BTreeSet<String> = all(rows, "SELECT trade_id FROM paper_fill", |row| row.get(0))?;
    let flows: BTreeSet<Id> = all(rows, "SELECT flow_id FROM paper_flow", |row| parsed(row, 0))?;
    Ok(Paper {
        begun: begun.map(Timestamp::from_ms),
        books: all(
            rows,
            "SELECT isin, ticker, qty_e6, avg_price_e6, ccy, opened, last_buy, last_sell, predates_ledger, cost_eur_e4
             FROM paper_position",
            held,
        )?,
        cash: all(rows, "SELECT ccy, amount_e4 FROM paper_cash", |row| {
            let ccy = checked(row, 0, |text: String| Currency::new(&text))?;
            Ok((ccy, Money::from_e4(row.get(1)?, ccy)))
        })?,
        fills,
        flows,
        days: day_store::days(rows, PAPER)?,
        ..Paper::default()
    })
}

/// Writes one change.
pub(crate) fn apply(rows: &Transaction<'_>, save: PaperSave) -> rusqlite::Result<()> {
    match save {
        PaperSave::Begun(at) => {
            rows.execute_batch(
                "DELETE FROM paper_fill; DELETE FROM paper_position; DELETE FROM paper_cash;
                 DELETE FROM paper_flow; DELETE FROM paper_eod_snapshot; DELETE FROM paper_eod_position;
                 DELETE FROM paper_eod_cash; DELETE FROM paper_begun;",
            )?;
            rows.execute("INSERT INTO paper_begun VALUES (1, ?1)", [at.ms()]).map(drop)
        }
        PaperSave::Fill(fill) => write_fill(rows, &fill),
        PaperSave::Position(isin, held) => write_position(rows, "paper_position", &isin, &held),
        PaperSave::Cash(amount) => rows
            .prepare_cached("INSERT OR REPLACE INTO paper_cash VALUES (?1, ?2)")?
            .execute((amount.currency().as_str(), amount.e4()))
            .map(drop),
        PaperSave::Flow(id) => rows
            .prepare_cached("INSERT OR IGNORE INTO paper_flow VALUES (?1)")?
            .execute([id.to_string()])
            .map(drop),
        PaperSave::DayEnd(end) => write_day_end(rows, &end),
    }
}

fn write_fill(rows: &Transaction<'_>, fill: &Fill) -> rusqlite::Result<()> {
    rows.prepare_cached(
        "INSERT INTO paper_fill VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        fill.trade_id,
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
        CORE,
    ])
    .map(drop)
}

fn write_day_end(rows: &Transaction<'_>, end: &DayEnd) -> rusqlite::Result<()> {
    rows.prepare_cached("INSERT OR IGNORE INTO paper_eod_snapshot VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            end.day.to_string(),
            end.nav.e4(),
            end.positions.e4(),
            end.cash.e4(),
            end.net_flow.e4(),
            end.index,
            end.stale,
            end.ended.ms(),
        ])?;
    write_closing(rows, PAPER, end)
}
