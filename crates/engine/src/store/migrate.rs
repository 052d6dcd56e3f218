//! Numbered, forward-only migrations, one set for both databases.
//!
//! Each file runs in its own transaction and is recorded with a checksum: a file that was
//! changed after it ran is refused. Two nodes that start at once agree by a lock.

use hogwire_model::Time;
use sha2::{Digest, Sha256};

use super::{Store, Tx, params};
use crate::error::{Error, Result};

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
    /// Runs after `sql` on one database only; every line says why it differs by necessity.
    only_sqlite: &'static str,
    only_postgres: &'static str,
}

const ALL: &[Migration] = &[
    Migration {
        number: 1,
        name: "first",
        sql: include_str!("migrations/0001_first.sql"),
        only_sqlite: "",
        only_postgres: include_str!("migrations/0001_first.postgres.sql"),
    },
    Migration {
        number: 2,
        name: "destinations",
        sql: include_str!("migrations/0002_destinations.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
    Migration {
        number: 3,
        name: "credentials",
        sql: include_str!("migrations/0003_credentials.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
    Migration {
        number: 4,
        name: "domains",
        sql: include_str!("migrations/0004_domains.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
    Migration {
        number: 5,
        name: "sets",
        sql: include_str!("migrations/0005_sets.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
    Migration {
        number: 6,
        name: "due_in_order",
        sql: include_str!("migrations/0006_due_in_order.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
    Migration {
        number: 7,
        name: "members",
        sql: include_str!("migrations/0007_members.sql"),
        only_sqlite: "",
        only_postgres: "",
    },
];

const RECORD: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

pub fn run(store: &Store, now: Time) -> Result<()> {
    store.write(|tx| {
        lock(tx)?;
        tx.run(RECORD)
    })?;
    for migration in ALL {
        store.write(|tx| {
            lock(tx)?;
            apply(tx, migration, now)
        })?;
    }
    Ok(())
}

fn apply(tx: &mut Tx<'_>, migration: &Migration, now: Time) -> Result<()> {
    let checksum = checksum(migration);
    let known =
        tx.optional("SELECT checksum FROM migrations WHERE number = $1", &params![migration.number], |row| {
            row.text(0)
        })?;
    match known {
        Some(held) if held == checksum => Ok(()),
        Some(_) => Err(Error::Conflict(format!(
            "migration {} was changed after it ran; this program does not fit this database",
            migration.number
        ))),
        None => {
            tx.run(migration.sql)?;
            let own = if tx.is_sqlite() { migration.only_sqlite } else { migration.only_postgres };
            tx.run(own)?;
            tx.execute(
                "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                &params![migration.number, migration.name, checksum, now],
            )?;
            Ok(())
        }
    }
}

fn checksum(migration: &Migration) -> String {
    let mut hasher = Sha256::new();
    for part in [migration.sql, migration.only_sqlite, migration.only_postgres] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SQLite's writer is alone already; on PostgreSQL an advisory lock makes it so until commit.
fn lock(tx: &mut Tx<'_>) -> Result<()> {
    if !tx.is_sqlite() {
        tx.run("SELECT pg_advisory_xact_lock(7310021)")?;
    }
    Ok(())
}
