//! What the stages keep, as one client's books: read out of their stores, so that the simulator can compare both sides.

use std::collections::BTreeMap;

use bus_client::{Place, open_for_reading};
use contracts::{OrderRequested, OrderStatus, PortfolioState, pair_of, pair_ticker};
use market::{Isin, Timestamp};
use simworld::{ClientBooks, ClientOrder, InvariantReport};

use crate::pipeline::Pipeline;

/// What the gate allows on one day: by its own limit, and all of it in one security.
const ORDERS_A_DAY: usize = 4;
/// After this long without a word from the broker an order must be somebody's trouble.
const QUIET_MS: i64 = 15 * 60_000;

/// Everything that the stages believe of their account.
///
/// # Panics
/// When a store cannot be read.
#[must_use]
pub fn client_books(pipeline: &Pipeline) -> ClientBooks {
    let tickers: BTreeMap<String, &str> =
        simworld::listings().into_iter().map(|one| (one.isin.to_owned(), one.ticker)).collect();
    let state: Option<PortfolioState> = pipeline.statement("");
    let cash = state.iter().flat_map(|state| &state.cash);
    ClientBooks {
        positions_e6: rows(
            pipeline,
            "ledger",
            "SELECT ticker, qty FROM api_position WHERE qty <> 0",
            |row| (text(row, 0), number(row, 1)),
        ),
        cash_e4: cash.map(|cash| (cash.amount.currency().to_string(), cash.amount.e4())).collect(),
        trade_ids: Some(rows(
            pipeline,
            "ledger",
            "SELECT trade_id FROM api_fill WHERE trade_id IS NOT NULL UNION SELECT broker_trade_id FROM trade_before",
            |row| text(row, 0).parse().unwrap_or(0),
        )),
        // Not every manner of writing gives statement lines an id; what they add up to is compared as cash.
        flow_ids: None,
        orders: rows::<_, Vec<(i64, String, String)>>(
            pipeline,
            "orders",
            "SELECT user_order_id, isin, order_id FROM api_order WHERE mode = 'live' AND sent IS NOT NULL",
            |row| (number(row, 0), text(row, 1), text(row, 2)),
        )
        .into_iter()
        .filter_map(|(user_order_id, isin, order_id)| {
            let asked: OrderRequested = request(pipeline, &order_id)?;
            let ticker = ticker(&isin, &tickers)?;
            Some(ClientOrder {
                user_order_id,
                ticker,
                decision_price_e6: asked.grounds.quote_price_e6.e6(),
                decided_at: asked.at,
            })
        })
        .collect(),
        unsettled: unsettled(pipeline),
        daily_caps: Some((ORDERS_A_DAY, ORDERS_A_DAY)),
    }
}

/// Rows of a stage's store as text.
///
/// # Panics
/// When the store cannot be read.
#[must_use]
pub fn rows_of(pipeline: &Pipeline, store: &str, sql: &str) -> Vec<Vec<String>> {
    rows(pipeline, store, sql, |row| (0..row.len()).map(|place| text(row, place)).collect())
}

/// Every invariant, those that need both sides among them.
#[must_use]
pub fn all_invariants(pipeline: &Pipeline) -> Vec<InvariantReport> {
    let books = client_books(pipeline);
    let world = pipeline.world.borrow();
    world.invariants().into_iter().chain(world.compare(&books)).collect()
}

fn ticker(isin: &str, tickers: &BTreeMap<String, &str>) -> Option<String> {
    let pair = isin.parse::<Isin>().ok().and_then(|isin| pair_of(&isin));
    match pair {
        Some((base, quote)) => Some(pair_ticker(base, quote)),
        None => tickers.get(isin).map(|ticker| (*ticker).to_owned()),
    }
}

fn request(pipeline: &Pipeline, order_id: &str) -> Option<OrderRequested> {
    let sql = format!("SELECT body FROM api_request WHERE order_id = '{order_id}'");
    let bodies: Vec<String> = rows(pipeline, "plans", &sql, |row| text(row, 0));
    serde_json::from_str(bodies.first()?).ok()
}

/// Orders whose fate nobody knows, and frozen securities, while the stage that should tell of it is well.
fn unsettled(pipeline: &Pipeline) -> Vec<String> {
    let now = pipeline.now();
    let old = |at: Timestamp| now.since(at) > QUIET_MS;
    let told = |stage: &str| pipeline.node(stage).health(0, true).last_error.is_some();
    let orders = pipeline.statements::<contracts::OrderState>();
    let unknown = orders.iter().filter(|order| {
        order.status == OrderStatus::Unknown && order.sent.is_some_and(old) && !told("execute")
    });
    let state: Option<PortfolioState> = pipeline.statement("");
    let frozen =
        state.iter().flat_map(|state| &state.positions).filter(|one| one.frozen && !told("portfolio"));
    unknown
        .map(|order| format!("order {}", order.order_id))
        .chain(frozen.map(|one| format!("{} is frozen", one.isin)))
        .collect()
}

/// One cell of a row.
enum Cell {
    Text(String),
    Number(i64),
}

fn text(row: &[Cell], place: usize) -> String {
    match row.get(place) {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Number(number)) => number.to_string(),
        None => String::new(),
    }
}

fn number(row: &[Cell], place: usize) -> i64 {
    match row.get(place) {
        Some(Cell::Number(number)) => *number,
        _ => 0,
    }
}

/// Rows of a store, each turned into something.
fn rows<T, C: FromIterator<T>>(
    pipeline: &Pipeline,
    store: &str,
    sql: &str,
    read: impl Fn(&[Cell]) -> T,
) -> C {
    let place = Place::File(pipeline.store_file(store));
    let store = open_for_reading(&place).unwrap_or_else(|error| panic!("{store}: {error}"));
    let mut query = store.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = query.column_count();
    let found = query.query_map([], |row| {
        let cell = |place| {
            row.get::<_, i64>(place)
                .map(Cell::Number)
                .or_else(|_| row.get::<_, String>(place).map(Cell::Text))
        };
        Ok(read(&(0..columns).map(cell).collect::<Result<Vec<_>, _>>()?))
    });
    found.and_then(Iterator::collect).unwrap_or_else(|error| panic!("{sql}: {error}"))
}
