//! One SQL text, two databases.
//!
//! `Store` hands out read and write transactions over SQLite or PostgreSQL with a few
//! verbs: `execute`, `one`, `optional`, `all`, `insert_many`. SQL is written once, beside
//! its row type in one file per noun, with `$1` parameters and the placeholders that
//! `dialect` names. Synchronous on purpose: the engine runs on its own threads.
//! On SQLite there is one writing connection behind a mutex and a pool of readers; on
//! PostgreSQL a pool of connections, one in use per thread.

mod dialect;
mod migrate;
mod param;
mod postgres;
mod row;
mod sqlite;

pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod budgets;
pub mod campaigns;
pub mod connections;
pub mod consents;
pub mod contact_keys;
pub mod contacts;
pub mod counts;
pub mod coverage;
pub mod credentials;
pub mod cursors;
pub mod decisions;
pub mod deliveries;
pub mod domains;
pub mod engagements;
pub mod enrollments;
pub mod erasures;
pub mod event_names;
pub mod events;
pub mod hits;
pub mod inbox;
pub mod jobs;
pub mod mappings;
pub mod message_bodies;
pub mod messages;
pub mod mirrored_members;
pub mod mirrors;
pub mod outgoing;
pub mod pauses;
pub mod quotas;
pub mod redirects;
pub mod refusals;
pub mod retention;
pub mod secrets;
pub mod set_aside;
pub mod sets;
pub mod settings;
pub mod suppressions;
pub mod templates;
pub mod unmatched;
pub mod users;

use std::path::Path;

pub use param::{Param, params};
pub use row::Row;

use crate::error::Result;

pub enum Store {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// One transaction, or one snapshot for reading. Rolled back unless committed.
pub enum Tx<'s> {
    Sqlite(sqlite::SqliteTx<'s>),
    Postgres(postgres::PostgresTx<'s>),
}

/// A column's type in a bulk insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Text,
    Int,
    Real,
    Bytes,
}

/// A table and its columns for `insert_many`, with what happens to a row whose key exists.
/// `on_conflict` is empty (an error), or e.g. `ON CONFLICT (id) DO NOTHING`.
pub struct Insert {
    pub into: &'static str,
    pub columns: &'static [(&'static str, Column)],
    pub on_conflict: &'static str,
}

impl Store {
    /// Opens or makes the file at `path`. The folder is locked by the caller.
    pub fn sqlite(path: &Path) -> Result<Self> {
        Ok(Self::Sqlite(sqlite::Sqlite::open(path)?))
    }

    /// A database that lives in memory, for tests and the simulator.
    pub fn memory() -> Result<Self> {
        Ok(Self::Sqlite(sqlite::Sqlite::memory()?))
    }

    /// Connects to `postgres://…`. `schema` isolates tests; empty means the default.
    pub fn postgres(url: &str, schema: &str) -> Result<Self> {
        Ok(Self::Postgres(postgres::Postgres::connect(url, schema)?))
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Brings the schema up to date. Safe while another node does the same.
    pub fn migrate(&self, now: hogwire_model::Time) -> Result<()> {
        migrate::run(self, now)
    }

    /// Begins a writing transaction. On SQLite this waits for the one writer.
    pub fn begin(&self) -> Result<Tx<'_>> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.begin()?),
            Self::Postgres(store) => Tx::Postgres(store.begin(false)?),
        })
    }

    /// Begins a reading snapshot, which never waits for the writer.
    pub fn read(&self) -> Result<Tx<'_>> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.read()?),
            Self::Postgres(store) => Tx::Postgres(store.begin(true)?),
        })
    }

    /// Runs `work` in one writing transaction and commits it when it answers well.
    pub fn write<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut tx = self.begin()?;
        let answer = work(&mut tx)?;
        tx.commit()?;
        Ok(answer)
    }
}

impl Tx<'_> {
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Runs statements without parameters: migrations, and partitions by name.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.batch(sql),
            Self::Postgres(tx) => tx.batch(sql),
        }
    }

    /// Runs a statement and answers how many rows it touched.
    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, params),
            Self::Postgres(tx) => tx.execute(sql, params),
        }
    }

    /// Reads every row, in the order the statement gives.
    pub fn all<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        match self {
            Self::Sqlite(tx) => tx.all(sql, params, read),
            Self::Postgres(tx) => tx.all(sql, params, read),
        }
    }

    pub fn optional<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// Reads the one row there must be.
    pub fn one<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.optional(sql, params, read)?.ok_or_else(|| crate::Error::Missing("a row".to_owned()))
    }

    /// Writes many rows at once: a cached statement per row on SQLite, `unnest` on
    /// PostgreSQL. Answers how many rows were really written.
    pub fn insert_many(&mut self, insert: &'static Insert, rows: &[Vec<Param<'_>>]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        match self {
            Self::Sqlite(tx) => tx.insert_many(insert, rows),
            Self::Postgres(tx) => tx.insert_many(insert, rows),
        }
    }

    pub fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit(),
            Self::Postgres(tx) => tx.commit(),
        }
    }
}
