//! What destinations were told about contacts and lists, and what they must still be told.
//! One row per contact and destination; one per member of a list. Nothing here says what a
//! destination should hold: that follows from the contact, each time.

use hogwire_model::{Span, Time};
use serde::Serialize;

use super::{Column, Insert, Row, Tx, params};
use crate::error::Result;

/// How long somebody may work on a destination before another node takes over.
pub const LEASE: Span = Span::minutes(3);

/// What a destination was told about one contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mirrored {
    pub destination: String,
    pub contact_id: String,
    /// The address last written there; empty: none yet.
    pub address: String,
    /// Our id was written there, so that the contact is found by it.
    pub by_id: bool,
    /// Of what was last written; empty: nothing.
    #[serde(skip)]
    pub fingerprint: String,
    /// Attributes that were written, by name.
    #[serde(skip)]
    pub names: String,
    /// When it was told not to write to this contact.
    pub stopped_at: Option<Time>,
    /// `pending`, `sending`, `importing`, `written` or `rejected`.
    pub status: String,
    pub reason: String,
    pub due_at: Option<Time>,
    pub attempts: i64,
    #[serde(skip)]
    pub batch: String,
    pub written_at: Option<Time>,
}

/// Lets contacts be read in the order of their last change. Only where there is a
/// destination: the index costs every event that changes a contact.
pub fn prepare(tx: &mut Tx<'_>) -> Result<()> {
    tx.run("CREATE INDEX IF NOT EXISTS contacts_by_change ON contacts (updated_at, id)")
}

/// Claims a destination for one turn. Answers its state and the fence; nothing where
/// somebody else works on it.
pub fn claim(tx: &mut Tx<'_>, destination: &str, now: Time) -> Result<Option<(String, i64)>> {
    tx.execute(
        "INSERT INTO mirrors (destination, state, lease_until, fence, updated_at) VALUES ($1, '{}', 0, 0, $2)
         ON CONFLICT (destination) DO NOTHING",
        &params![destination, now],
    )?;
    let touched = tx.execute(
        "UPDATE mirrors SET fence = fence + 1, lease_until = {clock}(CAST($2 AS BIGINT)) + $3
         WHERE destination = $1 AND lease_until <= {clock}(CAST($2 AS BIGINT))",
        &params![destination, now, LEASE.as_millis()],
    )?;
    if touched == 0 {
        return Ok(None);
    }
    tx.optional("SELECT state, fence FROM mirrors WHERE destination = $1", &params![destination], |row| {
        Ok((row.text(0)?, row.int(1)?))
    })
}

/// Keeps the state, and lets go of the destination where `ends`. Answers whether the fence
/// held: when not, somebody else has taken over, and nothing was written.
pub fn keep(tx: &mut Tx<'_>, destination: &str, fence: i64, state: &str, ends: bool, now: Time) -> Result<bool> {
    let touched = tx.execute(
        "UPDATE mirrors SET state = $3, updated_at = $4, lease_until = CASE WHEN $5 = 1 THEN 0 ELSE lease_until END
         WHERE destination = $1 AND fence = $2",
        &params![destination, fence, state, now, ends],
    )?;
    Ok(touched == 1)
}

/// How a destination stands, for people; nothing where no turn has been taken yet.
pub fn state(tx: &mut Tx<'_>, destination: &str) -> Result<Option<(String, Time)>> {
    tx.optional("SELECT state, updated_at FROM mirrors WHERE destination = $1", &params![destination], |row| {
        Ok((row.text(0)?, row.time(1)?))
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT destination, contact_id, address, by_id, fingerprint, names, stopped_at, status, reason, due_at, \
             attempts, batch, written_at FROM mirrored_contacts ",
            $rest
        )
    };
}

const PUT: Insert = Insert {
    into: "mirrored_contacts",
    columns: &[
        ("destination", Column::Text),
        ("contact_id", Column::Text),
        ("address", Column::Text),
        ("by_id", Column::Int),
        ("fingerprint", Column::Text),
        ("names", Column::Text),
        ("stopped_at", Column::Int),
        ("status", Column::Text),
        ("reason", Column::Text),
        ("due_at", Column::Int),
        ("attempts", Column::Int),
        ("batch", Column::Text),
        ("written_at", Column::Int),
    ],
    on_conflict: "ON CONFLICT (destination, contact_id) DO UPDATE SET address = excluded.address, \
                  by_id = excluded.by_id, fingerprint = excluded.fingerprint, names = excluded.names, \
                  stopped_at = excluded.stopped_at, status = excluded.status, reason = excluded.reason, \
                  due_at = excluded.due_at, attempts = excluded.attempts, batch = excluded.batch, \
                  written_at = excluded.written_at",
};

/// Writes rows as they are now.
pub fn put(tx: &mut Tx<'_>, rows: &[&Mirrored]) -> Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|m| {
            params![
                &m.destination,
                &m.contact_id,
                &m.address,
                m.by_id,
                &m.fingerprint,
                &m.names,
                m.stopped_at,
                &m.status,
                &m.reason,
                m.due_at,
                m.attempts,
                &m.batch,
                m.written_at
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(&PUT, &rows)?;
    Ok(())
}

pub fn find_many(tx: &mut Tx<'_>, destination: &str, contacts: Vec<&str>) -> Result<Vec<Mirrored>> {
    tx.all(
        select!("WHERE destination = $1 AND contact_id {any $2} ORDER BY contact_id"),
        &params![destination, contacts],
        read,
    )
}

/// What every destination was told about a contact.
pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Vec<Mirrored>> {
    tx.all(select!("WHERE contact_id = $1 ORDER BY destination LIMIT 100"), &params![contact_id], read)
}

/// Rows that are due, oldest first: what waits, and what was being sent when its node died.
pub fn due(tx: &mut Tx<'_>, destination: &str, now: Time, limit: usize) -> Result<Vec<Mirrored>> {
    tx.all(
        select!("WHERE destination = $1 AND due_at <= $2 AND batch = '' ORDER BY due_at, contact_id LIMIT $3"),
        &params![destination, now, limit],
        read,
    )
}

/// How many rows are due, counted no further than `most`.
pub fn count_due(tx: &mut Tx<'_>, destination: &str, now: Time, most: usize) -> Result<i64> {
    tx.one(
        "SELECT count(*){big} FROM (SELECT 1 FROM mirrored_contacts WHERE destination = $1 AND due_at <= $2 AND batch = '' LIMIT $3) d",
        &params![destination, now, most],
        |row| row.int(0),
    )
}

pub fn next_due(tx: &mut Tx<'_>, destination: &str) -> Result<Option<Time>> {
    tx.one(
        "SELECT min(due_at) FROM mirrored_contacts WHERE destination = $1 AND due_at IS NOT NULL AND batch = ''",
        &params![destination],
        |row| row.opt_time(0),
    )
}

/// The rows of one import, behind a contact.
pub fn of_batch(tx: &mut Tx<'_>, batch: &str, after: &str, limit: usize) -> Result<Vec<Mirrored>> {
    tx.all(
        select!("WHERE batch = $1 AND batch <> '' AND contact_id > $2 ORDER BY contact_id LIMIT $3"),
        &params![batch, after, limit],
        read,
    )
}

/// Rows in one state behind a contact, for lists.
pub fn of_status(tx: &mut Tx<'_>, destination: &str, status: &str, after: &str, limit: usize) -> Result<Vec<Mirrored>> {
    tx.all(
        select!("WHERE destination = $1 AND status = $2 AND contact_id > $3 ORDER BY contact_id LIMIT $4"),
        &params![destination, status, after, limit],
        read,
    )
}

/// How many rows are in each state.
pub fn tally(tx: &mut Tx<'_>, destination: &str) -> Result<Vec<(String, i64)>> {
    tx.all(
        "SELECT status, count(*){big} FROM mirrored_contacts WHERE destination = $1 GROUP BY status ORDER BY status",
        &params![destination],
        |row| Ok((row.text(0)?, row.int(1)?)),
    )
}

/// Contacts that were written last.
pub fn newest_written(tx: &mut Tx<'_>, destination: &str, limit: usize) -> Result<Vec<Mirrored>> {
    tx.all(
        select!("WHERE destination = $1 AND status = 'written' ORDER BY written_at DESC, contact_id LIMIT $2"),
        &params![destination, limit],
        read,
    )
}

/// Somebody removed a contact at the destination. It is not made anew by itself.
pub fn lost(tx: &mut Tx<'_>, destination: &str, address: &str) -> Result<()> {
    tx.execute(
        "UPDATE mirrored_contacts SET status = 'rejected', reason = 'somebody removed it there', address = '',
             fingerprint = '', names = '', by_id = 0, due_at = NULL
         WHERE destination = $1 AND address = $2 AND batch = ''",
        &params![destination, address],
    )?;
    Ok(())
}

/// Puts a rejected row back; with an empty contact, all of them. Answers how many.
pub fn retry(tx: &mut Tx<'_>, destination: &str, contact_id: &str, now: Time) -> Result<u64> {
    tx.execute(
        "UPDATE mirrored_contacts SET status = 'pending', due_at = $3, attempts = 0
         WHERE destination = $1 AND status = 'rejected' AND ($2 = '' OR contact_id = $2)",
        &params![destination, contact_id, now],
    )
}

/// Somebody's word on mail has changed: every destination that knows the contact, or the
/// address, compares it again. Whoever is in an import waits for its end.
pub fn stir(tx: &mut Tx<'_>, contact_id: &str, address: &str, now: Time) -> Result<()> {
    for sql in [
        "UPDATE mirrored_contacts SET due_at = $2, status = CASE WHEN batch <> '' THEN status ELSE 'pending' END
         WHERE contact_id = $1 AND address <> '' AND $3 = $3",
        "UPDATE mirrored_contacts SET due_at = $2, status = CASE WHEN batch <> '' THEN status ELSE 'pending' END
         WHERE address = $3 AND address <> '' AND contact_id <> $1",
    ] {
        tx.execute(sql, &params![contact_id, now, address])?;
    }
    Ok(())
}

/// Contacts that a destination knows and that are no longer here: removed, or merged into
/// another one.
pub fn orphans(tx: &mut Tx<'_>, destination: &str, after: &str, limit: usize) -> Result<Vec<String>> {
    tx.all(
        "SELECT m.contact_id FROM mirrored_contacts m LEFT JOIN contacts c ON c.id = m.contact_id
         WHERE m.destination = $1 AND m.contact_id > $2 AND c.id IS NULL ORDER BY m.contact_id LIMIT $3",
        &params![destination, after, limit],
        |row| row.text(0),
    )
}

pub fn forget(tx: &mut Tx<'_>, destination: &str, contact_id: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM mirrored_contacts WHERE destination = $1 AND contact_id = $2",
        &params![destination, contact_id],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Mirrored> {
    Ok(Mirrored {
        destination: row.text(0)?,
        contact_id: row.text(1)?,
        address: row.text(2)?,
        by_id: row.flag(3)?,
        fingerprint: row.text(4)?,
        names: row.text(5)?,
        stopped_at: row.opt_time(6)?,
        status: row.text(7)?,
        reason: row.text(8)?,
        due_at: row.opt_time(9)?,
        attempts: row.int(10)?,
        batch: row.text(11)?,
        written_at: row.opt_time(12)?,
    })
}
