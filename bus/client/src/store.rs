//! Opens a store: whose it is, of which environment, which schema; pragmas; forward-only migrations.
//!
//! A file that is not this stage's, belongs to another environment, or was written by a newer program is refused
//! with one sentence and left untouched.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use contracts::Address;
use market::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction};

use crate::{StoreError, statements::Live};

/// One migration file.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The tables that every store has, before its own first migration.
const COMMON: &str = "
CREATE TABLE store_meta (
    store TEXT NOT NULL, environment TEXT NOT NULL, incarnation INTEGER NOT NULL
) STRICT;
CREATE TABLE migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
) STRICT;
CREATE TABLE statement (
    topic TEXT NOT NULL, key TEXT NOT NULL, key_version INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (topic, key)
) STRICT;
CREATE TABLE job_state (
    name TEXT PRIMARY KEY, last_success INTEGER, failures INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
";

/// A cleared statement is repeated for this long, then its row goes.
const CLEARED_KEPT_MS: i64 = 7 * 86_400_000;

/// The locks of this process, which may open a store anew before it has let go of it, as a restart in a test does.
static HELD: Mutex<Vec<(PathBuf, Weak<File>)>> = Mutex::new(Vec::new());

/// SQLite's own limit of pages in a file.
const PAGES_MAX: i64 = 4_294_967_294;

/// Where a store lives.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a file, in its folder.
    File(PathBuf),
    /// In memory under a name, for tests in one process; lives while one connection is open.
    Memory(String),
}

/// How the next write goes wrong, when a test wants it to: a full disk, or the end of the process at that line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// Nothing is written.
    Before,
    /// The disk has no page more to give: SQLite itself says so where a write needs one, and whatever still fits passes.
    Full,
    /// All rows are changed, and the commit fails.
    AtCommit,
    /// Everything is on disk, and the process does not live to know it.
    AfterCommit,
}

/// The open store of one stage, its only writer.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    place: String,
    incarnation: u64,
    armed: Option<WriteFault>,
    /// Held as long as the store is open: there is one writer.
    _lock: Option<Arc<File>>,
}

impl Store {
    /// Opens, checks and migrates the store `name`.
    ///
    /// # Errors
    /// One sentence per reason; the file is untouched unless it is a migration that failed and was taken back.
    pub fn open(name: &str, place: &Place, environment: &str) -> Result<Store, StoreError> {
        let migrations = migrations_of(name);
        Store::open_with(name, place, environment, migrations)
    }

    fn open_with(
        name: &str,
        place: &Place,
        environment: &str,
        migrations: &[Migration],
    ) -> Result<Store, StoreError> {
        let shown = place.shown();
        let unopenable = |why: String| StoreError::Unopenable { place: shown.clone(), why };
        if let Place::File(file) = place
            && let Some(folder) = file.parent()
        {
            fs::create_dir_all(folder).map_err(|error| unopenable(error.to_string()))?;
        }
        let lock = place.lock()?;
        let connection = place
            .connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
            .map_err(|error| unopenable(error.to_string()))?;
        let mut store = Store { connection, place: shown, incarnation: 0, armed: None, _lock: lock };
        store.check_owner(name, environment, migrations)?;
        store.tune(name)?;
        store.migrate(name, environment, migrations)?;
        store.count_start()?;
        Ok(store)
    }

    /// How often it has been opened.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// For reading rows while a stage loads.
    #[must_use]
    pub fn rows(&self) -> &Connection {
        &self.connection
    }

    /// What SQLite finds wrong with the file, if anything; reads all of it.
    pub(crate) fn damage(&self) -> Option<StoreError> {
        let found = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let why = match found {
            Ok(word) if word == "ok" => return None,
            Ok(why) => why,
            Err(error) => error.to_string(),
        };
        Some(StoreError::Damaged { place: self.place.clone(), why })
    }

    /// Everything of one input, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unwritable`] or [`StoreError::Damaged`].
    pub fn write(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let place = self.place.clone();
        let unwritable = |error: rusqlite::Error| StoreError::of(&place, &error);
        let full = || StoreError::Full { place: place.clone(), why: "disk full, as a test wants it".into() };
        let fault = self.armed.take();
        if fault == Some(WriteFault::Before) {
            return Err(full());
        }
        if fault == Some(WriteFault::Full) {
            let pages = "SELECT page_count FROM pragma_page_count";
            let pages: i64 = self.connection.query_row(pages, [], |row| row.get(0)).map_err(unwritable)?;
            self.limit_pages(pages).map_err(unwritable)?;
        }
        let transaction = self.connection.transaction().map_err(unwritable)?;
        change(&transaction).map_err(unwritable)?;
        if fault == Some(WriteFault::AtCommit) {
            return Err(full());
        }
        transaction.commit().map_err(unwritable)?;
        match fault {
            Some(WriteFault::AfterCommit) => Err(full()),
            // It fitted: there is room again.
            Some(WriteFault::Full) => self.limit_pages(PAGES_MAX).map_err(unwritable),
            _ => Ok(()),
        }
    }

    /// SQLite gives the file no page beyond this many.
    fn limit_pages(&self, pages: i64) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "max_page_count", pages)
    }

    /// Makes the next write go wrong; for fault tests, which nothing but a test calls.
    pub fn fail_next_write(&mut self, fault: WriteFault) {
        self.armed = Some(fault);
    }

    /// The live statements, and the cleared ones that are still worth repeating: readers may have missed the clearing.
    /// Their age counts from the newest statement, which is the owner's own time; in a simulated world that is not the
    /// time of the wall.
    pub(crate) fn statements(&mut self) -> Result<Vec<(Address, Live)>, StoreError> {
        let place = self.place.clone();
        let damaged = |error| StoreError::of_reading(&place, &error);
        self.connection
            .execute(
                "DELETE FROM statement WHERE length(body) = 0 AND at < (SELECT max(at) FROM statement) - ?1",
                [CLEARED_KEPT_MS],
            )
            .map_err(damaged)?;
        let mut query = self
            .connection
            .prepare("SELECT topic, key, key_version, at, body FROM statement ORDER BY topic, key")
            .map_err(damaged)?;
        let rows = query
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?))
            })
            .map_err(damaged)?;
        let mut found = Vec::new();
        for row in rows {
            let (topic, key, version, at, payload) = row.map_err(damaged)?;
            // A topic that this program no longer knows is left where it is, unsaid.
            if let Some(topic) = contracts::TopicId::by_name(&topic) {
                let version = u64::try_from(version).unwrap_or(0);
                found.push((Address { topic, key }, Live { version, at: Timestamp::from_ms(at), payload }));
            }
        }
        Ok(found)
    }

    fn check_owner(&self, name: &str, environment: &str, migrations: &[Migration]) -> Result<(), StoreError> {
        let damaged = |error| StoreError::of_reading(&self.place, &error);
        let read = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let tables = read("SELECT count(*) FROM sqlite_schema").map_err(damaged)?;
        if tables == 0 {
            return Ok(());
        }
        let marked = read("PRAGMA application_id").map_err(damaged)?;
        let meta = self
            .connection
            .query_row("SELECT store, environment FROM store_meta", [], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .optional();
        let meta = match meta {
            // The question itself is wrong: there is no such table.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => None,
            meta => meta.map_err(damaged)?,
        };
        let Some((store, marker)) = meta else {
            return Err(StoreError::Foreign {
                place: self.place.clone(),
                found: "another program".into(),
                expected: name.into(),
            });
        };
        if store != name || marked != application_id(name) {
            return Err(StoreError::Foreign {
                place: self.place.clone(),
                found: store,
                expected: name.into(),
            });
        }
        if marker != environment {
            return Err(StoreError::OtherEnvironment {
                place: self.place.clone(),
                found: marker,
                expected: environment.into(),
            });
        }
        let schema = read("PRAGMA user_version").map_err(damaged)?;
        let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
        if schema > known {
            return Err(StoreError::Newer { place: self.place.clone(), found: schema, known });
        }
        for (migration, number) in migrations.iter().zip(1..=schema) {
            let stored: Option<String> = self
                .connection
                .query_row("SELECT checksum FROM migration WHERE number = ?1", [number], |row| row.get(0))
                .optional()
                .map_err(damaged)?;
            if stored != Some(checksum(migration)) {
                return Err(StoreError::ChangedMigration {
                    place: self.place.clone(),
                    name: migration.name.into(),
                });
            }
        }
        Ok(())
    }

    fn tune(&self, name: &str) -> Result<(), StoreError> {
        // Stores that hold money are on disk before anything is published; the others can be computed again.
        let synchronous = if matches!(name, "risk" | "orders" | "ledger" | "access" | "keeper") {
            "FULL"
        } else {
            "NORMAL"
        };
        let (cache_kb, map_mb) = if name == "market" { (8_192, 64) } else { (2_048, 0) };
        let pragmas = format!(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -{cache_kb}; PRAGMA mmap_size = {}; PRAGMA wal_autocheckpoint = 1000;",
            map_mb * 1_048_576
        );
        self.connection
            .busy_timeout(Duration::from_secs(5))
            .and_then(|()| self.connection.execute_batch(&pragmas))
            .map_err(|error| StoreError::of_reading(&self.place, &error))
    }

    fn migrate(&mut self, name: &str, environment: &str, migrations: &[Migration]) -> Result<(), StoreError> {
        let place = self.place.clone();
        let damaged = |error| StoreError::of_reading(&place, &error);
        let done: i64 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(damaged)?;
        let fresh = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            .map_err(damaged)?
            == 0;
        if fresh {
            self.write(|rows| {
                rows.execute_batch(COMMON)?;
                rows.pragma_update(None, "application_id", application_id(name))?;
                rows.execute("INSERT INTO store_meta VALUES (?1, ?2, 0)", (name, environment))?;
                Ok(())
            })?;
        }
        for (migration, number) in migrations.iter().zip(1_i64..) {
            if number <= done {
                continue;
            }
            let failed = |error: StoreError| match error {
                StoreError::Unwritable { place, why } | StoreError::Full { place, why } => {
                    StoreError::Migration { place, name: migration.name.into(), why }
                }
                other => other,
            };
            self.write(|rows| {
                rows.execute_batch(migration.sql)?;
                rows.execute(
                    "INSERT INTO migration VALUES (?1, ?2, ?3)",
                    (number, migration.name, checksum(migration)),
                )?;
                rows.pragma_update(None, "user_version", number)
            })
            .map_err(failed)?;
        }
        Ok(())
    }

    fn count_start(&mut self) -> Result<(), StoreError> {
        let mut incarnation = 0_i64;
        self.write(|rows| {
            incarnation = rows.query_row(
                "UPDATE store_meta SET incarnation = incarnation + 1 RETURNING incarnation",
                [],
                |row| row.get(0),
            )?;
            Ok(())
        })?;
        self.incarnation = u64::try_from(incarnation).unwrap_or(0);
        Ok(())
    }
}

pub(crate) fn write_statement(
    rows: &Transaction<'_>,
    address: &Address,
    live: &Live,
) -> rusqlite::Result<()> {
    rows.prepare_cached(
        "INSERT INTO statement (topic, key, key_version, at, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET key_version = excluded.key_version, at = excluded.at, body = excluded.body",
    )?
    .execute((
        address.topic.spec().name,
        &address.key,
        i64::try_from(live.version).unwrap_or(i64::MAX),
        live.at.ms(),
        &live.payload,
    ))?;
    Ok(())
}

impl Place {
    fn shown(&self) -> String {
        match self {
            Place::File(file) => file.display().to_string(),
            Place::Memory(name) => format!("memory:{name}"),
        }
    }

    /// Keeps a second process out; the system lets go of it when this one ends, however it ends. A file of its own,
    /// because closing the database's file a second time would take SQLite's own locks away.
    fn lock(&self) -> Result<Option<Arc<File>>, StoreError> {
        let Place::File(file) = self else { return Ok(None) };
        let place = self.shown();
        let unopenable =
            |error: io::Error| StoreError::Unopenable { place: place.clone(), why: error.to_string() };
        let lock_file = file.with_extension("lock");
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(_, lock)| lock.strong_count() > 0);
        if let Some(lock) =
            held.iter().find(|(file, _)| *file == lock_file).and_then(|(_, lock)| lock.upgrade())
        {
            return Ok(Some(lock));
        }
        let lock = File::create(&lock_file).map_err(unopenable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { place }),
            Err(TryLockError::Error(error)) => return Err(unopenable(error)),
        }
        let lock = Arc::new(lock);
        held.push((lock_file, Arc::downgrade(&lock)));
        Ok(Some(lock))
    }

    fn connect(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        match self {
            Place::File(file) => Connection::open_with_flags(file, flags),
            Place::Memory(name) => Connection::open_with_flags(
                format!("file:{name}?mode=memory&cache=shared"),
                flags | OpenFlags::SQLITE_OPEN_URI,
            ),
        }
    }
}

/// Opens another stage's store for reading its `api_*` views.
///
/// # Errors
/// [`StoreError::Unopenable`], also while the owner has not created it yet.
pub fn open_for_reading(place: &Place) -> Result<Connection, StoreError> {
    let flags = match place {
        Place::File(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Place::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let open = || -> rusqlite::Result<Connection> {
        let connection = place.connect(flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024;")?;
        Ok(connection)
    };
    open().map_err(|error| StoreError::Unopenable { place: place.shown(), why: error.to_string() })
}

/// The file of a store, or its name in memory.
impl From<&Path> for Place {
    fn from(file: &Path) -> Place {
        Place::File(file.into())
    }
}

fn migrations_of(store: &str) -> &'static [Migration] {
    MIGRATIONS.iter().find(|(name, _)| *name == store).map_or(&[], |(_, migrations)| migrations)
}

/// Marks the file as a store of this name, so that tools and other stages can tell.
fn application_id(store: &str) -> i64 {
    let hash = blake3::hash(format!("steward store {store}").as_bytes());
    let bytes = hash.as_bytes();
    i64::from(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3] & 0x7f]))
}

fn checksum(migration: &Migration) -> String {
    blake3::hash(migration.sql.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests;
