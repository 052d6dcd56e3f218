//! What a stretch of the engine's work wrote: found by comparing two databases, and written
//! again by bare statements.

use std::path::Path;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Tables that only grow here.
const GROWING: [&str; 6] = ["contact_keys", "decisions", "enrollments", "events", "hits", "messages"];

pub struct Rows {
    /// By table: the statement, and its rows.
    added: Vec<(String, Vec<Vec<Value>>)>,
    contacts: Vec<Vec<Value>>,
}

impl Rows {
    /// What the database holds and the copy made before does not.
    pub fn between(database: &Path, before: &Path) -> Result<Self, String> {
        Self::read(database, before).map_err(|error| error.to_string())
    }

    fn read(database: &Path, before: &Path) -> rusqlite::Result<Self> {
        let now = Connection::open(database)?;
        now.execute("ATTACH ?1 AS earlier", [before.to_string_lossy()])?;
        let mut added = Vec::new();
        for table in GROWING {
            let sql = format!(
                "SELECT * FROM main.{table} WHERE rowid > (SELECT coalesce(max(rowid), 0) FROM earlier.{table}) ORDER BY rowid"
            );
            let (columns, rows) = all(&now, &sql)?;
            let places: Vec<String> = (1..=columns).map(|n| format!("?{n}")).collect();
            added.push((format!("INSERT INTO {table} VALUES ({})", places.join(", ")), rows));
        }
        let changed = "SELECT a.attributes, a.updated_at, a.seen_at, a.name, a.zone, a.id FROM main.contacts a
             JOIN earlier.contacts b ON a.id = b.id
             WHERE a.attributes <> b.attributes OR a.seen_at <> b.seen_at OR a.updated_at <> b.updated_at ORDER BY a.id";
        let (_, contacts) = all(&now, changed)?;
        Ok(Self { added, contacts })
    }

    pub fn len(&self) -> usize {
        self.contacts.len() + self.added.iter().map(|(_, rows)| rows.len()).sum::<usize>()
    }

    /// Writes them into the copy in so many transactions; answers the seconds it took.
    pub fn write(&self, into: &Path, batches: usize) -> Result<f64, String> {
        self.written(into, batches.max(1)).map_err(|error| error.to_string())
    }

    fn written(&self, into: &Path, batches: usize) -> rusqlite::Result<f64> {
        let connection = Connection::open(into)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        let began = Instant::now();
        for batch in 0..batches {
            let share = |n: usize| n * batch / batches..n * (batch + 1) / batches;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for (sql, rows) in &self.added {
                let mut statement = connection.prepare_cached(sql)?;
                for row in &rows[share(rows.len())] {
                    statement.execute(params_from_iter(row))?;
                }
            }
            let mut statement = connection.prepare_cached(
                "UPDATE contacts SET attributes = ?1, updated_at = ?2, seen_at = ?3, name = ?4, zone = ?5 WHERE id = ?6",
            )?;
            for row in &self.contacts[share(self.contacts.len())] {
                statement.execute(params_from_iter(row))?;
            }
            connection.execute("UPDATE cursors SET fence = fence + 1", [])?;
            connection.execute_batch("COMMIT")?;
        }
        Ok(began.elapsed().as_secs_f64())
    }
}

fn all(connection: &Connection, sql: &str) -> rusqlite::Result<(usize, Vec<Vec<Value>>)> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|n| row.get::<_, Value>(n)).collect())?;
    Ok((columns, rows.collect::<rusqlite::Result<_>>()?))
}
