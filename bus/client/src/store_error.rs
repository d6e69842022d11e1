//! Why a store cannot be used, each reason as one sentence with its remedy.

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a store cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file or its folder cannot be opened or created.
    #[error("store {place} cannot be opened: {why}; look at the disk and at the rights of its folder")]
    Unopenable {
        /// Which file.
        place: String,
        /// What the system says.
        why: String,
    },
    /// Not a database, or damaged.
    #[error("store {place} is damaged or no database ({why}); nothing was changed; restore it from a backup")]
    Damaged {
        /// Which file.
        place: String,
        /// What SQLite says.
        why: String,
    },
    /// Another stage's store or another program's file.
    #[error(
        "{place} belongs to `{found}`, not to store `{expected}`; nothing was changed; check `dir` in steward.toml"
    )]
    Foreign {
        /// Which file.
        place: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// Of another environment.
    #[error(
        "store {place} belongs to environment `{found}`, this stage runs in `{expected}`; nothing was changed; use another `dir` for each environment"
    )]
    OtherEnvironment {
        /// Which file.
        place: String,
        /// Marker found.
        found: String,
        /// Environment of this process.
        expected: String,
    },
    /// Written by a newer program.
    #[error(
        "store {place} has schema {found}, this program knows {known}; nothing was changed; install the newer program"
    )]
    Newer {
        /// Which file.
        place: String,
        /// Schema found.
        found: i64,
        /// Schema known.
        known: i64,
    },
    /// A migration that has run was changed afterwards.
    #[error(
        "store {place}: migration {name} is not the one that built this store; migrations are never changed, add a new one"
    )]
    ChangedMigration {
        /// Which file.
        place: String,
        /// Which migration.
        name: String,
    },
    /// A migration failed; it was rolled back.
    #[error("store {place}: migration {name} failed and was taken back: {why}")]
    Migration {
        /// Which file.
        place: String,
        /// Which migration.
        name: String,
        /// What SQLite says.
        why: String,
    },
    /// Another process of this stage runs on the same folder.
    #[error(
        "store {place} is in use by another process; stop that one first, or use another `dir`; nothing was changed"
    )]
    InUse {
        /// Which file.
        place: String,
    },
    /// The disk is full, or fails: some systems say the one where they mean the other.
    #[error(
        "store {place} cannot be written: {why}; free space on the disk, or see whether it fails, then start again: nothing is half done"
    )]
    Full {
        /// Which file.
        place: String,
        /// What SQLite says.
        why: String,
    },
    /// A write failed for another reason.
    #[error(
        "store {place} cannot be written: {why}; look at the rights of its folder, then start again: nothing is half done"
    )]
    Unwritable {
        /// Which file.
        place: String,
        /// What SQLite says.
        why: String,
    },
}

impl StoreError {
    /// What SQLite answered, sorted by its remedy: a disk that is full or fails is not a damaged file, and restoring a
    /// backup would be the wrong advice; a damaged file is not mended by free space.
    pub(crate) fn of(place: &str, error: &rusqlite::Error) -> StoreError {
        let (place, why) = (place.to_string(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => StoreError::Full { place, why },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { place, why },
            _ => StoreError::Unwritable { place, why },
        }
    }

    /// The same for a store that is only read, where what is not the disk's fault is the file's.
    pub(crate) fn of_reading(place: &str, error: &rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly) => {
                StoreError::of(place, error)
            }
            _ => StoreError::Damaged { place: place.to_string(), why: error.to_string() },
        }
    }
}
