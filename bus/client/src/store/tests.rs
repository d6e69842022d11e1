//! A store is opened, refused, written, migrated and found damaged.
#![allow(clippy::unwrap_used)]

use super::*;

const ONE: &[Migration] = &[Migration { name: "0001_one.sql", sql: "CREATE TABLE a (x INTEGER) STRICT;" }];
const TWO: &[Migration] = &[
    Migration { name: "0001_one.sql", sql: "CREATE TABLE a (x INTEGER) STRICT;" },
    Migration {
        name: "0002_two.sql",
        sql: "CREATE TABLE b (x INTEGER) STRICT; CREATE VIEW api_b AS SELECT x FROM b;",
    },
];

fn file() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("stores/market.db"));
    (folder, place)
}

fn refusal(place: &Place, store: &str, environment: &str, migrations: &[Migration]) -> String {
    let before = bytes(place);
    let sentence = Store::open_with(store, place, environment, migrations).unwrap_err().to_string();
    assert!(bytes(place) == before, "a refused store was changed: {sentence}");
    sentence
}

fn bytes(place: &Place) -> Vec<u8> {
    match place {
        Place::File(file) => fs::read(file).unwrap_or_default(),
        Place::Memory(_) => Vec::new(),
    }
}

fn fill(rows: &Transaction<'_>, n: i64) -> rusqlite::Result<()> {
    (0..n).try_for_each(|x| rows.execute("INSERT INTO a VALUES (?1)", [x]).map(drop))
}

#[test]
fn a_full_disk_takes_back_the_whole_write_and_the_file_is_sound_afterwards() {
    let (_folder, place) = file();
    let mut store = Store::open_with("market", &place, "sim:1", ONE).unwrap();
    store.fail_next_write(WriteFault::Full);
    let sentence = store.write(|rows| fill(rows, 50_000)).unwrap_err().to_string();
    assert!(sentence.contains("full") && sentence.contains("free space"), "{sentence}");
    let count = |store: &Store| -> i64 {
        store.rows().query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&store), 0, "nothing is half done");
    drop(store);
    let mut store = Store::open_with("market", &place, "sim:1", ONE).unwrap();
    store.fail_next_write(WriteFault::Full);
    store.write(|rows| fill(rows, 3)).unwrap();
    store.write(|rows| fill(rows, 50_000)).unwrap();
    assert_eq!(count(&store), 50_003, "what fits passes, and room that came back is used");
}

#[test]
fn opening_twice_changes_nothing_but_the_count_of_starts() {
    let (_folder, place) = file();
    assert_eq!(Store::open_with("market", &place, "sim:1", TWO).unwrap().incarnation(), 1);
    let store = Store::open_with("market", &place, "sim:1", TWO).unwrap();
    assert_eq!(store.incarnation(), 2);
    let schema: i64 = store.rows().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(schema, 2);
}

#[test]
fn an_old_store_upgraded_equals_a_fresh_one() {
    let schema = |store: &Store| -> Vec<String> {
        let mut query = store
            .rows()
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (_one, old) = file();
    drop(Store::open_with("market", &old, "sim:1", ONE).unwrap());
    let upgraded = Store::open_with("market", &old, "sim:1", TWO).unwrap();
    let (_two, fresh) = file();
    assert_eq!(schema(&upgraded), schema(&Store::open_with("market", &fresh, "sim:1", TWO).unwrap()));
}

#[test]
fn a_store_that_another_process_has_open_is_refused_until_it_ends() {
    let (folder, place) = file();
    drop(Store::open_with("market", &place, "sim:1", ONE).unwrap());
    // What another process would hold.
    let other = File::create(folder.path().join("stores/market.lock")).unwrap();
    other.lock().unwrap();
    let sentence = refusal(&place, "market", "sim:1", ONE);
    assert!(sentence.contains("in use by another process"), "{sentence}");
    drop(other);
    assert_eq!(Store::open_with("market", &place, "sim:1", ONE).unwrap().incarnation(), 2);
}

#[test]
fn damage_that_only_a_write_finds_is_called_damage() {
    let (folder, place) = file();
    let mut store = Store::open_with("market", &place, "sim:1", ONE).unwrap();
    store.write(|rows| fill(rows, 50_000)).unwrap();
    drop(store);
    let path = folder.path().join("stores/market.db");
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4_096;
    assert!(pages > 20, "{pages} pages");
    // Every page after the tables that are read at the start.
    bytes[10 * 4_096..].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let mut store = Store::open_with("market", &place, "sim:1", ONE).unwrap();
    let sentence = store.write(|rows| rows.execute("UPDATE a SET x = x + 1", []).map(|_| ())).unwrap_err();
    assert!(matches!(sentence, StoreError::Damaged { .. }), "{sentence}");
    assert!(sentence.to_string().contains("restore it from a backup"), "{sentence}");
}

#[test]
fn another_environment_is_refused() {
    let (_folder, place) = file();
    drop(Store::open_with("market", &place, "sim:1", ONE).unwrap());
    assert!(refusal(&place, "market", "live", ONE).contains("`sim:1`"));
}

#[test]
fn another_stages_store_is_refused() {
    let (_folder, place) = file();
    drop(Store::open_with("market", &place, "live", ONE).unwrap());
    assert!(refusal(&place, "ledger", "live", ONE).contains("belongs to `market`"));
}

#[test]
fn a_foreign_database_is_refused() {
    let (folder, place) = file();
    fs::create_dir_all(folder.path().join("stores")).unwrap();
    Connection::open(folder.path().join("stores/market.db"))
        .unwrap()
        .execute_batch("CREATE TABLE photos (x)")
        .unwrap();
    assert!(refusal(&place, "market", "live", ONE).contains("another program"));
}

#[test]
fn a_damaged_file_is_refused() {
    let (folder, place) = file();
    fs::create_dir_all(folder.path().join("stores")).unwrap();
    fs::write(folder.path().join("stores/market.db"), b"this is no database, it is a love letter").unwrap();
    assert!(refusal(&place, "market", "live", ONE).contains("damaged"));
}

#[test]
fn a_newer_schema_is_refused() {
    let (_folder, place) = file();
    drop(Store::open_with("market", &place, "live", TWO).unwrap());
    let sentence = refusal(&place, "market", "live", ONE);
    assert!(sentence.contains("has schema 2, this program knows 1"), "{sentence}");
}

#[test]
fn a_migration_changed_afterwards_is_refused() {
    let (_folder, place) = file();
    drop(Store::open_with("market", &place, "live", ONE).unwrap());
    let changed = [Migration { name: "0001_one.sql", sql: "CREATE TABLE a (x INTEGER, y INTEGER) STRICT;" }];
    assert!(refusal(&place, "market", "live", &changed).contains("0001_one.sql"));
}

#[test]
fn a_failing_migration_is_taken_back_and_can_be_repaired() {
    let (_folder, place) = file();
    let broken = [Migration {
        name: "0001_one.sql",
        sql: "CREATE TABLE a (x INTEGER) STRICT; CREATE TABLE a (x INTEGER);",
    }];
    let error = Store::open_with("market", &place, "live", &broken).unwrap_err();
    assert!(error.to_string().contains("0001_one.sql"), "{error}");
    Store::open_with("market", &place, "live", ONE).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (folder, _) = file();
    fs::write(folder.path().join("stores"), b"").unwrap();
    let place = Place::File(folder.path().join("stores/market.db"));
    assert!(
        Store::open_with("market", &place, "live", ONE).unwrap_err().to_string().contains("cannot be opened")
    );
}

#[test]
fn every_store_of_the_registry_opens_twice() {
    for stage in contracts::STAGES {
        if let Some(store) = stage.store {
            let folder = tempfile::tempdir().unwrap();
            let place = Place::File(folder.path().join(format!("{store}.db")));
            drop(Store::open(store, &place, "live").unwrap());
            drop(Store::open(store, &place, "live").unwrap());
            assert!(!migrations_of(store).is_empty(), "store {store} has no migration");
        }
    }
}
