//! The SQL of the ends of days, and of the figures that follow from them; the paper ledger has tables of its own.

use std::collections::BTreeMap;

use market::{Day, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate};
use rusqlite::{Connection, Row, Transaction, params};

use crate::analytics::Figure;
use crate::closing::{CashEnd, Closing, HoldingEnd};
use crate::nav::DayEnd;
use crate::store::{all, checked, parsed};

/// Where the days of a ledger are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tables {
    nav: &'static str,
    position: &'static str,
    cash: &'static str,
}

/// Of the account.
pub(crate) const ACCOUNT: Tables = Tables { nav: "api_nav", position: "eod_position", cash: "eod_cash" };
/// Of the paper ledger.
pub(crate) const PAPER: Tables =
    Tables { nav: "api_paper_nav", position: "paper_eod_position", cash: "paper_eod_cash" };

/// Every day of a ledger, oldest first.
pub(crate) fn days(rows: &Connection, tables: Tables) -> rusqlite::Result<Vec<DayEnd>> {
    let mut closings: BTreeMap<Day, Closing> = BTreeMap::new();
    let sql = format!(
        "SELECT day, isin, qty_e6, price_e6, ccy, priced, rate_e9, value_eur_e4 FROM {} ORDER BY day, isin",
        tables.position
    );
    let held: Vec<(Day, HoldingEnd)> = all(rows, &sql, |row| Ok((parsed(row, 0)?, holding(row)?)))?;
    for (day, held) in held {
        closings.entry(day).or_default().holdings.push(held);
    }
    let sql =
        format!("SELECT day, ccy, amount_e4, rate_e9, value_eur_e4 FROM {} ORDER BY day, ccy", tables.cash);
    let cash: Vec<(Day, CashEnd)> = all(rows, &sql, |row| Ok((parsed(row, 0)?, cash_end(row)?)))?;
    for (day, cash) in cash {
        closings.entry(day).or_default().cash.push(cash);
    }
    let sql = format!(
        "SELECT day, nav, positions, cash, net_flow, nav_index, stale, ended FROM {} ORDER BY day",
        tables.nav
    );
    let mut days: Vec<DayEnd> = all(rows, &sql, day_end)?;
    for end in &mut days {
        end.closing = closings.remove(&end.day).unwrap_or_default();
    }
    Ok(days)
}

fn day_end(row: &Row<'_>) -> rusqlite::Result<DayEnd> {
    Ok(DayEnd {
        day: parsed(row, 0)?,
        ended: Timestamp::from_ms(row.get(7)?),
        nav: eur(row, 1)?,
        positions: eur(row, 2)?,
        cash: eur(row, 3)?,
        net_flow: eur(row, 4)?,
        index: row.get(5)?,
        stale: row.get(6)?,
        opening: false,
        closing: Closing::default(),
    })
}

fn eur(row: &Row<'_>, place: usize) -> rusqlite::Result<Money> {
    Ok(Money::from_e4(row.get(place)?, Currency::EUR))
}

fn holding(row: &Row<'_>) -> rusqlite::Result<HoldingEnd> {
    Ok(HoldingEnd {
        isin: parsed(row, 1)?,
        qty: checked(row, 2, |e6: i64| Quantity::from_e6(e6))?,
        price: checked(row, 3, |e6: i64| Price::from_e6(e6))?,
        ccy: checked(row, 4, |text: String| Currency::new(&text))?,
        priced: Timestamp::from_ms(row.get(5)?),
        rate: checked(row, 6, |e9: i64| Rate::from_e9(e9))?,
        value: eur(row, 7)?,
    })
}

fn cash_end(row: &Row<'_>) -> rusqlite::Result<CashEnd> {
    let ccy = checked(row, 1, |text: String| Currency::new(&text))?;
    Ok(CashEnd {
        amount: Money::from_e4(row.get(2)?, ccy),
        rate: checked(row, 3, |e9: i64| Rate::from_e9(e9))?,
        value: eur(row, 4)?,
    })
}

/// Writes what a day consists of, once.
pub(crate) fn write_closing(rows: &Transaction<'_>, tables: Tables, end: &DayEnd) -> rusqlite::Result<()> {
    let day = end.day.to_string();
    for held in &end.closing.holdings {
        let sql =
            format!("INSERT OR IGNORE INTO {} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", tables.position);
        rows.prepare_cached(&sql)?.execute(params![
            day,
            held.isin.as_str(),
            held.qty.e6(),
            held.price.e6(),
            held.ccy.as_str(),
            held.priced.ms(),
            held.rate.e9(),
            held.value.e4(),
        ])?;
    }
    for cash in &end.closing.cash {
        let sql = format!("INSERT OR IGNORE INTO {} VALUES (?1, ?2, ?3, ?4, ?5)", tables.cash);
        rows.prepare_cached(&sql)?.execute(params![
            day,
            cash.amount.currency().as_str(),
            cash.amount.e4(),
            cash.rate.e9(),
            cash.value.e4(),
        ])?;
    }
    Ok(())
}

/// Puts these figures in the place of all that were there.
pub(crate) fn write_figures(
    rows: &Transaction<'_>,
    mode: &'static str,
    figures: &[Figure],
) -> rusqlite::Result<()> {
    rows.prepare_cached("DELETE FROM analytic WHERE mode = ?1")?.execute([mode])?;
    let mut write = rows.prepare_cached("INSERT INTO analytic VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for figure in figures {
        let (first, last) = figure.days;
        write.execute(params![
            mode,
            figure.kind.name(),
            figure.period,
            figure.name,
            figure.part,
            figure.value,
            first.map(|day| day.to_string()),
            last.to_string(),
        ])?;
    }
    Ok(())
}
