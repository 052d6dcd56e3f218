//! The compact index of events: one row each, which is also what refuses a duplicate.
//! The raw payload stays in the inbox, at `place`.

use std::collections::HashSet;

use hogwire_model::Time;

use super::{Column, Insert, Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub connection: String,
    pub uuid: String,
    pub name: String,
    pub contact_id: Option<String>,
    pub at: Time,
    pub arrived: Time,
    /// `matched`, `unmatched`, `created`, `testing`, `own`.
    pub outcome: String,
    pub place: String,
}

const ADD: Insert = Insert {
    into: "events",
    columns: &[
        ("connection", Column::Text),
        ("uuid", Column::Text),
        ("name", Column::Text),
        ("contact_id", Column::Text),
        ("at", Column::Int),
        ("arrived_at", Column::Int),
        ("outcome", Column::Text),
        ("place", Column::Text),
    ],
    on_conflict: "",
};

/// Which of these uuids of one connection were seen before.
pub fn seen(tx: &mut Tx<'_>, connection: &str, uuids: Vec<&str>) -> Result<HashSet<String>> {
    let rows = tx.all(
        "SELECT uuid FROM events WHERE connection = $1 AND uuid {any $2}",
        &params![connection, uuids],
        |row| row.text(0),
    )?;
    Ok(rows.into_iter().collect())
}

/// One event's index row on its way in, borrowed from the batch.
pub struct New<'a> {
    pub connection: &'a str,
    pub uuid: &'a str,
    pub name: &'a str,
    pub contact_id: Option<&'a str>,
    pub at: Time,
    pub arrived: Time,
    pub outcome: &'a str,
    pub place: &'a str,
}

/// Adds index rows, sorted by their key for the sake of the index.
pub fn add(tx: &mut Tx<'_>, events: &mut [New<'_>]) -> Result<()> {
    events.sort_by(|a, b| (a.connection, a.uuid).cmp(&(b.connection, b.uuid)));
    let rows: Vec<_> = events
        .iter()
        .map(|e| params![e.connection, e.uuid, e.name, e.contact_id, e.at, e.arrived, e.outcome, e.place].to_vec())
        .collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// Gives events that had no contact the one they turned out to belong to.
pub fn assign(tx: &mut Tx<'_>, connection: &str, uuids: Vec<&str>, contact_id: &str) -> Result<()> {
    tx.execute(
        "UPDATE events SET contact_id = $3, outcome = 'matched' WHERE connection = $1 AND uuid {any $2}",
        &params![connection, uuids, contact_id],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, connection: &str, uuid: &str) -> Result<Option<Event>> {
    tx.optional(
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE connection = $1 AND uuid = $2",
        &params![connection, uuid],
        read,
    )
}

pub fn find_many(tx: &mut Tx<'_>, connection: &str, uuids: Vec<&str>) -> Result<Vec<Event>> {
    tx.all(
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE connection = $1 AND uuid {any $2} ORDER BY at, uuid",
        &params![connection, uuids],
        read,
    )
}

/// A contact's events of one name since a time, newest first: for look-back and counts.
pub fn of_contact_named(tx: &mut Tx<'_>, ids: &[String], name: &str, since: Time, limit: usize) -> Result<Vec<Event>> {
    tx.all(
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE contact_id {any $1} AND at >= $2 AND name = $3 ORDER BY at DESC, uuid DESC LIMIT $4",
        &params![ids.to_vec(), since, name, limit],
        read,
    )
}

/// A contact's newest events before a time.
pub fn of_contact(tx: &mut Tx<'_>, ids: &[String], before: Time, limit: usize) -> Result<Vec<Event>> {
    tx.all(
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE contact_id {any $1} AND at < $2 ORDER BY at DESC, uuid DESC LIMIT $3",
        &params![ids.to_vec(), before, limit],
        read,
    )
}

/// Times of a contact's latest event of a name; of any name where none is given.
pub fn last_seen(tx: &mut Tx<'_>, ids: &[String], name: Option<&str>) -> Result<Option<Time>> {
    let sql = if name.is_some() {
        "SELECT max(at) FROM events WHERE contact_id {any $1} AND name = $2"
    } else {
        "SELECT max(at) FROM events WHERE contact_id {any $1} AND $2 = ''"
    };
    tx.one(sql, &params![ids.to_vec(), name.unwrap_or("")], |row| row.opt_time(0))
}

fn read(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        connection: row.text(0)?,
        uuid: row.text(1)?,
        name: row.text(2)?,
        contact_id: row.opt_text(3)?,
        at: row.time(4)?,
        arrived: row.time(5)?,
        outcome: row.text(6)?,
        place: row.text(7)?,
    })
}

/// What the log is searched by; everything given must hold.
#[derive(Default)]
pub struct Wanted<'a> {
    pub name: Option<&'a str>,
    pub connection: Option<&'a str>,
    pub outcome: Option<&'a str>,
    pub contact: Option<&'a str>,
    pub uuid: Option<&'a str>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// Read on behind this row: (arrived, uuid).
    pub before: Option<(Time, &'a str)>,
}

/// Newest arrival first. An absent condition is an empty text, which matches everything.
pub fn search(tx: &mut Tx<'_>, wanted: &Wanted<'_>, limit: usize) -> Result<Vec<Event>> {
    let (before, after_uuid) = wanted.before.unwrap_or((Time::from_millis(i64::MAX), ""));
    let conditions = params![
        wanted.name.unwrap_or(""),
        wanted.connection.unwrap_or(""),
        wanted.outcome.unwrap_or(""),
        wanted.contact.unwrap_or(""),
        wanted.uuid.unwrap_or(""),
        wanted.since.unwrap_or_default(),
        wanted.until.unwrap_or(Time::from_millis(i64::MAX)),
        before,
        after_uuid,
        limit,
    ];
    let sql = if wanted.contact.is_some() {
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE contact_id = $4 AND ($1 = '' OR name = $1) AND ($2 = '' OR connection = $2) AND ($3 = '' OR outcome = $3)
           AND ($5 = '' OR uuid = $5) AND arrived_at >= $6 AND arrived_at <= $7
           AND (arrived_at < $8 OR (arrived_at = $8 AND uuid < $9))
         ORDER BY arrived_at DESC, uuid DESC LIMIT $10"
    } else {
        "SELECT connection, uuid, name, contact_id, at, arrived_at, outcome, place FROM events
         WHERE $4 = '' AND ($1 = '' OR name = $1) AND ($2 = '' OR connection = $2) AND ($3 = '' OR outcome = $3)
           AND ($5 = '' OR uuid = $5) AND arrived_at >= $6 AND arrived_at <= $7
           AND (arrived_at < $8 OR (arrived_at = $8 AND uuid < $9))
         ORDER BY arrived_at DESC, uuid DESC LIMIT $10"
    };
    tx.all(sql, &conditions, read)
}
