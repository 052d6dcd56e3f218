//! The inbox table. PostgreSQL only: every statement here differs by necessity, because a
//! SQLite installation keeps its inbox in files of its own.

use hogwire_model::Time;

use super::{Column, Insert, Row, Tx, params};
use crate::error::Result;
use crate::inbox::Backlog;

pub struct New<'a> {
    pub day: i64,
    pub lane: i64,
    pub connection: &'a str,
    pub shape: &'a str,
    pub arrived: Time,
    pub body: &'a [u8],
}

pub struct Received {
    pub day: i64,
    pub seq: i64,
    pub tx: i64,
    pub connection: String,
    pub shape: String,
    pub arrived: Time,
    pub body: Vec<u8>,
}

const ADD: Insert = Insert {
    into: "inbox",
    columns: &[
        ("day", Column::Int),
        ("lane", Column::Int),
        ("connection", Column::Text),
        ("shape", Column::Text),
        ("arrived_at", Column::Int),
        ("body", Column::Bytes),
    ],
    on_conflict: "",
};

pub fn add(tx: &mut Tx<'_>, rows: &[New<'_>]) -> Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| params![row.day, row.lane, row.connection, row.shape, row.arrived, row.body].to_vec())
        .collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// Makes a day's partition where there is none. Another node may do the same at once: the
/// lock makes one of them wait and find it made.
pub fn make_day(tx: &mut Tx<'_>, day: i64) -> Result<()> {
    tx.execute("SELECT pg_advisory_xact_lock(7310022)", &[])?;
    tx.run(&format!(
        "CREATE TABLE IF NOT EXISTS inbox_{day} PARTITION OF inbox FOR VALUES FROM ({day}) TO ({})",
        day + 1
    ))
}

/// Every transaction below this number that wrote to the inbox has ended, so that a statement
/// begun after this one sees all of its rows or never will. Only writers of the inbox count:
/// they hold a lock on it until they end, and a writer without a number yet will get a
/// higher one. Other work, however long, delays nothing. Needs READ COMMITTED.
pub fn horizon(tx: &mut Tx<'_>) -> Result<i64> {
    // Locks show 32 bits of a transaction's number; the distance to `xmax` gives the rest.
    tx.one(
        "SELECT x.xmax - coalesce(max(CASE WHEN w.distance < 2147483648 THEN w.distance ELSE 0 END), 0)
         FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::BIGINT AS xmax) x
         LEFT JOIN LATERAL (
             SELECT (x.xmax - number.transactionid::text::BIGINT) & 4294967295 AS distance
             FROM pg_locks held JOIN pg_locks number
                 ON number.pid = held.pid AND number.locktype = 'transactionid' AND number.mode = 'ExclusiveLock'
             WHERE held.locktype = 'relation' AND held.relation = 'inbox'::regclass
                 AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND held.mode = 'RowExclusiveLock') w ON TRUE
         GROUP BY x.xmax",
        &[],
        |row| row.int(0),
    )
}

/// Lanes with rows below the horizon that their cursor has not passed, the one farthest
/// behind first, so that no lane starves. Locks nothing.
pub fn waiting_lanes(tx: &mut Tx<'_>, horizon: i64) -> Result<Vec<i64>> {
    tx.all(
        "SELECT c.lane FROM (
             SELECT substr(name, 7)::BIGINT AS lane, split_part(position, ':', 1)::BIGINT AS after_tx,
                    split_part(position, ':', 2)::BIGINT AS after_seq
             FROM cursors WHERE name LIKE 'inbox:%') c
         WHERE EXISTS (SELECT 1 FROM inbox i WHERE i.lane = c.lane AND (i.tx, i.seq) > (c.after_tx, c.after_seq)
                         AND i.tx < $1)
         ORDER BY c.after_tx, c.after_seq, c.lane",
        &params![horizon],
        |row| row.int(0),
    )
}

pub fn read(tx: &mut Tx<'_>, lane: i64, after: (i64, i64), horizon: i64, limit: usize) -> Result<Vec<Received>> {
    tx.all(
        "SELECT day, seq, tx, connection, shape, arrived_at, body FROM inbox
         WHERE lane = $1 AND (tx, seq) > ($2, $3) AND tx < $4 ORDER BY tx, seq LIMIT $5",
        &params![lane, after.0, after.1, horizon, limit],
        received,
    )
}

/// What no cursor has passed yet.
pub fn backlog(tx: &mut Tx<'_>) -> Result<Backlog> {
    tx.one(
        "SELECT coalesce(sum(octet_length(i.body)), 0)::BIGINT, min(i.arrived_at)
         FROM cursors c JOIN inbox i ON i.lane = substr(c.name, 7)::BIGINT
             AND (i.tx, i.seq) > (split_part(c.position, ':', 1)::BIGINT, split_part(c.position, ':', 2)::BIGINT)
         WHERE c.name LIKE 'inbox:%'",
        &[],
        |row| Ok(Backlog { bytes: u64::try_from(row.int(0)?).unwrap_or(0), oldest: row.opt_time(1)? }),
    )
}

pub fn find(tx: &mut Tx<'_>, day: i64, seq: i64) -> Result<Option<Received>> {
    tx.optional(
        "SELECT day, seq, tx, connection, shape, arrived_at, body FROM inbox WHERE day = $1 AND seq = $2",
        &params![day, seq],
        received,
    )
}

pub fn drop_days_before(tx: &mut Tx<'_>, day: i64) -> Result<()> {
    let days = tx.all(
        "SELECT substr(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'inbox'::regclass ORDER BY c.relname",
        &[],
        |row| row.text(0),
    )?;
    for old in days.iter().filter_map(|name| name.parse::<i64>().ok()).filter(|old| *old < day) {
        tx.run(&format!("DROP TABLE inbox_{old}"))?;
    }
    Ok(())
}

fn received(row: &Row<'_>) -> Result<Received> {
    Ok(Received {
        day: row.int(0)?,
        seq: row.int(1)?,
        tx: row.int(2)?,
        connection: row.text(3)?,
        shape: row.text(4)?,
        arrived: row.time(5)?,
        body: row.bytes(6)?,
    })
}

/// Takes the payloads at these places away.
pub fn blank(tx: &mut Tx<'_>, places: &[String]) -> Result<()> {
    for place in places {
        let Some((day, seq)) = place.split_once(':') else { continue };
        let (Ok(day), Ok(seq)) = (day.parse::<i64>(), seq.parse::<i64>()) else { continue };
        let nothing: &[u8] = b"{}";
        tx.execute("UPDATE inbox SET body = $3 WHERE day = $1 AND seq = $2", &params![day, seq, nothing])?;
    }
    Ok(())
}
