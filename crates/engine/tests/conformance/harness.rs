//! Gives each test a SQLite file and a PostgreSQL schema of its own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hogwire_engine::store::{Store, Tx};
use hogwire_engine::{Error, Result};
use hogwire_model::Time;

pub const NOW: Time = Time::from_millis(1_790_000_000_000);

/// Runs `work` on a fresh, migrated store of each kind. `name` is a word of its own per
/// test: it names the schema.
pub fn on_both(name: &str, work: impl Fn(&Store)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::sqlite(&folder.path().join("hogwire.db")).expect("a SQLite file");
    store.migrate(NOW).expect("migrated");
    work(&store);
    on_postgres(name, |open| work(&open()));
}

/// Runs `work` with a way to open more connections pools to one schema, as several nodes do.
pub fn on_postgres(name: &str, work: impl FnOnce(&dyn Fn() -> Store)) {
    let Some(url) = server() else { return };
    let schema = format!("t_{name}_{}", std::process::id());
    let open = || Store::postgres(&url, &schema).expect("a PostgreSQL schema");
    open().migrate(NOW).expect("migrated");
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&open)));
    let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("connected");
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).expect("dropped");
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

fn server() -> Option<String> {
    match std::env::var("HOGWIRE_TEST_POSTGRES") {
        Ok(url) => Some(url),
        Err(_) if std::env::var("HOGWIRE_TEST_SQLITE_ONLY").is_ok_and(|only| only == "1") => None,
        Err(_) => panic!(
            "this test needs PostgreSQL: `cargo x test` starts one and sets HOGWIRE_TEST_POSTGRES; \
             HOGWIRE_TEST_SQLITE_ONLY=1 leaves that half out"
        ),
    }
}

/// Runs one transaction that must go well.
pub fn write<T>(store: &Store, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
    store.write(work).expect("written")
}

/// Reads in one snapshot, which must go well.
pub fn read<T>(store: &Store, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
    work(&mut store.read().expect("a snapshot")).expect("read")
}

pub fn later(seconds: i64) -> Time {
    NOW.plus(hogwire_model::Span::seconds(seconds))
}

#[test]
fn what_is_not_committed_is_not_there_and_migrating_twice_changes_nothing() {
    on_both("rollback", |store| {
        let failed: Result<()> = store.write(|tx| {
            hogwire_engine::store::settings::set(tx, "a", "1", NOW)?;
            Err(Error::Missing("a reason".to_owned()))
        });
        assert!(failed.is_err());
        store.migrate(later(1)).expect("migrated again");
        assert_eq!(read(store, |tx| hogwire_engine::store::settings::text(tx, "a")), None);
    });
}
