//! SQLite: one writing connection behind a mutex, readers that never wait for it.
//!
//! WAL with `synchronous=FULL`: what was answered is on disk. Pages are 8 KiB, and the
//! write-ahead log is checkpointed by the writer itself after a commit that leaves it
//! large, so that no other thread competes for the file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use super::{Insert, Param, Row, dialect};
use crate::error::{Error, Result};

/// Pages of write-ahead log after which a commit checkpoints (128 MiB of 8 KiB pages).
const CHECKPOINT_PAGES: u32 = 16_000;
const READERS_KEPT: usize = 8;
const STATEMENTS_CACHED: usize = 256;

pub struct Sqlite {
    place: Place,
    writer: Mutex<Connection>,
    /// Whoever waits for the writer holds this, so that a thread which has just written
    /// queues behind those that waited meanwhile.
    turnstile: Mutex<()>,
    readers: Mutex<Vec<Connection>>,
}

enum Place {
    File(PathBuf),
    /// One connection serves readers and writer: an in-memory database has no second one.
    Memory,
}

pub struct SqliteTx<'s> {
    held: Held<'s>,
    open: bool,
}

enum Held<'s> {
    Writer(MutexGuard<'s, Connection>),
    Reader(&'s Sqlite, Option<Connection>),
}

impl Sqlite {
    pub fn open(path: &Path) -> Result<Self> {
        let writer = Connection::open(path)?;
        writer.execute_batch("PRAGMA page_size = 8192;")?;
        prepare(&writer)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        writer.pragma_update(None, "foreign_keys", true)?;
        Ok(Self {
            place: Place::File(path.to_owned()),
            writer: Mutex::new(writer),
            turnstile: Mutex::default(),
            readers: Mutex::default(),
        })
    }

    pub fn memory() -> Result<Self> {
        let writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        Ok(Self {
            place: Place::Memory,
            writer: Mutex::new(writer),
            turnstile: Mutex::default(),
            readers: Mutex::default(),
        })
    }

    pub fn begin(&self) -> Result<SqliteTx<'_>> {
        let waiting = self.turnstile.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(waiting);
        // A thread that panicked mid-transaction leaves it open; what it wrote must not stay.
        if !writer.is_autocommit() {
            writer.execute_batch("ROLLBACK")?;
        }
        writer.execute_batch("BEGIN IMMEDIATE")?;
        Ok(SqliteTx { held: Held::Writer(writer), open: true })
    }

    pub fn read(&self) -> Result<SqliteTx<'_>> {
        let Place::File(path) = &self.place else {
            return self.begin();
        };
        let kept = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let reader = match kept {
            Some(reader) => reader,
            None => open_reader(path)?,
        };
        reader.execute_batch("BEGIN")?;
        Ok(SqliteTx { held: Held::Reader(self, Some(reader)), open: true })
    }

    /// Copies a consistent snapshot of the whole database to `target`.
    pub fn backup_to(&self, target: &Path) -> Result<()> {
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut copy = Connection::open(target)?;
        let backup = rusqlite::backup::Backup::new(&writer, &mut copy)?;
        backup.run_to_completion(1_024, std::time::Duration::ZERO, None)?;
        Ok(())
    }
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    prepare(&reader)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

impl SqliteTx<'_> {
    fn connection(&self) -> Result<&Connection> {
        match &self.held {
            Held::Writer(writer) => Ok(writer),
            Held::Reader(_, reader) => {
                reader.as_ref().ok_or_else(|| Error::Database("this reader has ended".to_owned()))
            }
        }
    }

    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let connection = self.connection()?;
        let mut statement = connection.prepare_cached(&dialect::sqlite(sql))?;
        Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
    }

    /// Runs several statements without parameters: migrations only.
    pub fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.connection()?.execute_batch(sql)?)
    }

    pub fn all<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let connection = self.connection()?;
        let mut statement = connection.prepare_cached(&dialect::sqlite(sql))?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            answer.push(read(&Row::Sqlite(row))?);
        }
        Ok(answer)
    }

    pub fn insert_many(&mut self, insert: &'static Insert, rows: &[Vec<Param<'_>>]) -> Result<u64> {
        let connection = self.connection()?;
        let names: Vec<&str> = insert.columns.iter().map(|(name, _)| *name).collect();
        let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({}) {}",
            insert.into,
            names.join(", "),
            marks.join(", "),
            insert.on_conflict
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut written = 0;
        for row in rows {
            written += statement.execute(rusqlite::params_from_iter(row))? as u64;
        }
        Ok(written)
    }

    pub fn commit(mut self) -> Result<()> {
        self.connection()?.execute_batch("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        // A failed rollback leaves the connection in a transaction; `begin` checks for that.
        if self.open
            && let Ok(connection) = self.connection()
        {
            let _ = connection.execute_batch("ROLLBACK");
        }
        if let Held::Reader(store, reader) = &mut self.held
            && let Some(reader) = reader.take()
        {
            let mut kept = store.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if kept.len() < READERS_KEPT && reader.is_autocommit() {
                kept.push(reader);
            }
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Param::Null | Param::NullInt => ToSqlOutput::Borrowed(ValueRef::Null),
            Param::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Param::Real(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number)),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Param::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Param::List(list) => {
                let json = serde_json::to_string(list)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                ToSqlOutput::Owned(rusqlite::types::Value::Text(json))
            }
        })
    }
}
