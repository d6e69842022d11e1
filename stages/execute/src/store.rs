//! All SQL of `execute`.

use contracts::{OrderFill, OrderIncident, OrderState};
use market::Timestamp;
use rusqlite::{Connection, Transaction};
use serde::Serialize;

use crate::{Inside, Order, limits::FINALS_LOADED};

/// A change of its rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// An order as it is now; a new state is also an event, a new fill also a row.
    Order(Box<Order>, Timestamp),
    /// Something that must never happen.
    Incident(Box<OrderIncident>),
    /// The gate has halted because of this incident.
    Answered(String, Timestamp),
}

/// What is known after a start.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Those that are not final, and the newest of the others.
    pub(crate) orders: Vec<Order>,
    /// Every order there ever was, by our number at the broker.
    pub(crate) spent: Vec<(u64, String)>,
    pub(crate) incidents: Vec<String>,
    /// Incidents that no halt has answered, and when they were.
    pub(crate) unanswered: Vec<(String, Timestamp)>,
}

pub(crate) fn load(rows: &Connection) -> Result<Rows, String> {
    let failed = |error: rusqlite::Error| format!("the orders cannot be read: {error}");
    let mut query = rows
        .prepare(
            "SELECT body, inside FROM \"order\" WHERE final IS NULL OR order_id IN
             (SELECT order_id FROM \"order\" WHERE final IS NOT NULL ORDER BY created DESC, order_id DESC LIMIT ?1)
             ORDER BY created, order_id",
        )
        .map_err(failed)?;
    let texts = query
        .query_map([FINALS_LOADED], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(failed)?;
    let mut orders = Vec::new();
    for text in texts {
        let (body, inside) = text.map_err(failed)?;
        let state: OrderState =
            serde_json::from_str(&body).map_err(|error| format!("an order cannot be understood: {error}"))?;
        let inside: Inside = serde_json::from_str(&inside)
            .map_err(|error| format!("an order cannot be understood: {error}"))?;
        orders.push(Order { state, inside });
    }
    let mut query = rows.prepare("SELECT user_order_id, order_id FROM \"order\"").map_err(failed)?;
    let spent = query
        .query_map([], |row| Ok((u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), row.get(1)?)))
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let mut query = rows.prepare("SELECT id FROM incident").map_err(failed)?;
    let incidents =
        query.query_map([], |row| row.get(0)).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    let mut query = rows.prepare("SELECT id, ts FROM incident WHERE answered IS NULL").map_err(failed)?;
    let unanswered = query
        .query_map([], |row| Ok((row.get(0)?, Timestamp::from_ms(row.get(1)?))))
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    Ok(Rows { orders, spent, incidents, unanswered })
}

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Order(order, now) => save_order(rows, &order, now),
        Save::Answered(id, now) => {
            rows.execute(
                "UPDATE incident SET answered = ?1 WHERE answered IS NULL AND id = ?2",
                (now.ms(), id),
            )?;
            Ok(())
        }
        Save::Incident(incident) => {
            let body = json(&*incident)?;
            rows.execute(
                "INSERT OR IGNORE INTO incident (id, ts, body) VALUES (?1, ?2, ?3)",
                (incident.incident_id.to_string(), incident.at.ms(), body),
            )?;
            Ok(())
        }
    }
}

fn save_order(rows: &Transaction<'_>, order: &Order, now: Timestamp) -> rusqlite::Result<()> {
    let state = &order.state;
    let id = state.order_id.to_string();
    let word = spelled(&state.status);
    let user_order_id = i64::try_from(state.user_order_id).unwrap_or(i64::MAX);
    rows.prepare_cached(
        "INSERT INTO \"order\" (order_id, user_order_id, plan_id, bucket_id, isin, mic, side, qty_e6, limit_price_e6, ccy, mode, mac, created, state, body, inside)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '', '', '') ON CONFLICT DO NOTHING",
    )?
    .execute((
        &id,
        user_order_id,
        state.plan_id.to_string(),
        &state.bucket_id,
        state.isin.as_str(),
        state.mic.as_str(),
        spelled(&state.side),
        state.qty_e6.e6(),
        state.limit_price_e6.e6(),
        state.ccy.as_str(),
        spelled(&state.mode),
        &order.inside.mac,
        state.created.ms(),
    ))?;
    let (before, said): (String, Option<String>) =
        rows.query_row("SELECT state, reason FROM \"order\" WHERE order_id = ?1", [&id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    rows.prepare_cached(
        "UPDATE \"order\" SET broker_order_id = ?2, state = ?3, reason = ?4, sent = ?5, final = coalesce(final, ?6), body = ?7, inside = ?8 WHERE order_id = ?1",
    )?
    .execute((
        &id,
        &state.broker_order_id,
        &word,
        &state.reason,
        state.sent.map(Timestamp::ms),
        state.ended.map(Timestamp::ms),
        json(state)?,
        json(&order.inside)?,
    ))?;
    // A word on an order that goes on as it was, such as a person's, is an event too.
    if before != word || (state.reason.is_some() && said != state.reason) {
        rows.execute(
            "INSERT INTO order_event (order_id, ts, state, message) VALUES (?1, ?2, ?3, ?4)",
            (&id, now.ms(), &word, &state.reason),
        )?;
    }
    state.fills.iter().try_for_each(|fill| save_fill(rows, &id, state, fill))
}

fn save_fill(rows: &Transaction<'_>, id: &str, state: &OrderState, fill: &OrderFill) -> rusqlite::Result<()> {
    rows.prepare_cached(
        "INSERT INTO order_fill (broker_trade_id, order_id, qty_e6, price_e6, ccy, fee_e4, fee_ccy, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET fee_e4 = coalesce(excluded.fee_e4, fee_e4), fee_ccy = coalesce(excluded.fee_ccy, fee_ccy)",
    )?
    .execute((
        &fill.trade_id,
        id,
        fill.qty_e6.e6(),
        fill.price_e6.e6(),
        state.ccy.as_str(),
        fill.fee.map(money::Money::e4),
        fill.fee.map(|fee| fee.currency().as_str().to_string()),
        fill.at.ms(),
    ))?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// The word of an enum, as it stands in messages.
pub(crate) fn spelled<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_string)).unwrap_or_default()
}
