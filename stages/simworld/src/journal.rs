//! What was done to the world, so that it can be built again after a crash: the price paths come from the seed, and
//! everything a client changed is kept here before it is answered, and done again in the same order.

use rusqlite::Connection;

use market::Timestamp;

use crate::{RawRequest, World, control::control};

/// One request that changed the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Virtual time at which it was handled.
    pub at: Timestamp,
    /// Wall time of the request, for its signature.
    pub wall_unix_s: i64,
    /// The request itself.
    pub request: RawRequest,
}

/// The journal's own connection to the store.
#[derive(Debug)]
pub struct Journal(Connection);

impl Journal {
    /// Uses a connection that may write.
    #[must_use]
    pub fn new(connection: Connection) -> Journal {
        Journal(connection)
    }

    /// Keeps an entry for good; only then may it be done.
    ///
    /// # Errors
    /// What SQLite says; the request is then not done.
    pub fn keep(&self, entry: &Entry) -> rusqlite::Result<()> {
        let headers: Vec<_> =
            entry.request.headers.iter().map(|(name, value)| format!("{name}\u{1f}{value}")).collect();
        self.0.prepare_cached("INSERT INTO journal (at, wall_unix_s, method, path, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute((
            entry.at.ms(),
            entry.wall_unix_s,
            &entry.request.method,
            &entry.request.path,
            headers.join("\u{1e}"),
            &entry.request.body,
        ))?;
        Ok(())
    }
}

/// All entries in the order in which they were done.
///
/// # Errors
/// What SQLite says.
pub fn entries(rows: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut query =
        rows.prepare("SELECT at, wall_unix_s, method, path, headers, body FROM journal ORDER BY number")?;
    let found = query.query_map([], |row| {
        let headers: String = row.get(4)?;
        Ok(Entry {
            at: Timestamp::from_ms(row.get(0)?),
            wall_unix_s: row.get(1)?,
            request: RawRequest {
                method: row.get(2)?,
                path: row.get(3)?,
                headers: headers
                    .split('\u{1e}')
                    .filter_map(|pair| pair.split_once('\u{1f}'))
                    .map(|(name, value)| (name.to_string(), value.to_string()))
                    .collect(),
                body: row.get(5)?,
            },
        })
    })?;
    found.collect()
}

/// Does again what was done before, at the same virtual instant.
pub fn replay(world: &mut World, entry: &Entry) {
    world.advance_to(entry.at);
    match entry.request.path.strip_prefix("/sim/") {
        Some(call) => drop(control(world, &entry.request.method, call, &entry.request.body)),
        None => drop(world.exchange(&entry.request, entry.wall_unix_s)),
    }
}

/// Commands that change something at the broker.
const CHANGING: [&str; 7] = [
    "putTradeOrder",
    "delTradeOrder",
    "putStopLoss",
    "addStockListTicker",
    "deleteStockListTicker",
    "addPriceAlert",
    "togglePriceAlert",
];

/// Whether a request changes the world and must be kept.
#[must_use]
pub fn changes_the_world(request: &RawRequest) -> bool {
    let path = request.path.split('?').next().unwrap_or("");
    let orders = CHANGING.iter().any(|command| path.ends_with(command));
    orders || (path.starts_with("/sim/") && request.method != "GET")
}
