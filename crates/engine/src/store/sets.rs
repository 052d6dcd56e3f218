//! Sets that contacts are in: cohorts, flags, funnels, lists, saved queries, segments.
//!
//! A set's members are read whole and compared (`sightings` against `memberships`), page by
//! page, by SQL alone: a million members never stand in memory.

use hogwire_model::Time;

use super::{Column, Insert, Row, Tx, params};
use crate::error::Result;

/// Which set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub connection: String,
    /// `cohort`, `flag`, `funnel`, `list`, `query` or `segment`.
    pub kind: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    pub name: Name,
    /// What people call it.
    pub title: String,
    /// What it is made by, for people to read.
    pub definition: String,
    /// The list at a destination that mirrors it: its id, `create`, or nothing.
    pub mirror: String,
    pub members: i64,
    /// `new`, `current`, `held`, `unready` or `gone`.
    pub status: String,
    pub reason: String,
    /// When its members were first known; nobody entered by that.
    pub baseline_at: Option<Time>,
    pub read_at: Option<Time>,
}

impl Name {
    pub fn new(connection: &str, kind: &str, id: &str) -> Self {
        Self { connection: connection.to_owned(), kind: kind.to_owned(), id: id.to_owned() }
    }
}

/// Makes a set known, or brings its title, definition and mirror up to date.
pub fn describe(
    tx: &mut Tx<'_>,
    set: &Name,
    title: &str,
    definition: &str,
    mirror: Option<&str>,
    now: Time,
) -> Result<()> {
    tx.execute(
        "INSERT INTO sets (connection, kind, id, name, definition, mirror, members, status, reason, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 'new', '', $7)
         ON CONFLICT (connection, kind, id) DO UPDATE SET name = excluded.name, definition = excluded.definition,
             mirror = excluded.mirror, updated_at = excluded.updated_at,
             status = CASE WHEN sets.status = 'gone' THEN 'current' ELSE sets.status END",
        &params![&set.connection, &set.kind, &set.id, title, definition, mirror.unwrap_or(""), now],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, set: &Name) -> Result<Option<Set>> {
    tx.optional(
        "SELECT connection, kind, id, name, definition, mirror, members, status, reason, baseline_at, read_at
         FROM sets WHERE connection = $1 AND kind = $2 AND id = $3",
        &params![&set.connection, &set.kind, &set.id],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Set>> {
    tx.all(
        "SELECT connection, kind, id, name, definition, mirror, members, status, reason, baseline_at, read_at
         FROM sets ORDER BY connection, kind, name, id LIMIT 2000",
        &[],
        read,
    )
}

/// Sets that some list at a destination mirrors.
pub fn mirrored(tx: &mut Tx<'_>) -> Result<Vec<Set>> {
    tx.all(
        "SELECT connection, kind, id, name, definition, mirror, members, status, reason, baseline_at, read_at
         FROM sets WHERE mirror <> '' ORDER BY connection, kind, id LIMIT 2000",
        &[],
        read,
    )
}

/// Says how a reading went without touching the members.
pub fn mark(tx: &mut Tx<'_>, set: &Name, status: &str, reason: &str, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE sets SET status = $4, reason = $5, updated_at = $6 WHERE connection = $1 AND kind = $2 AND id = $3",
        &params![&set.connection, &set.kind, &set.id, status, reason, now],
    )?;
    Ok(())
}

/// The members are known as of `now`, for the first time or again.
pub fn known(tx: &mut Tx<'_>, set: &Name, members: i64, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE sets SET status = 'current', reason = '', members = $4, read_at = $5, updated_at = $5,
             baseline_at = coalesce(baseline_at, $5)
         WHERE connection = $1 AND kind = $2 AND id = $3",
        &params![&set.connection, &set.kind, &set.id, members, now],
    )?;
    Ok(())
}

/// Another definition: what it means to be in it is new, and so is its baseline.
pub fn forget_baseline(tx: &mut Tx<'_>, set: &Name) -> Result<()> {
    tx.execute(
        "UPDATE sets SET baseline_at = NULL, status = 'new' WHERE connection = $1 AND kind = $2 AND id = $3",
        &params![&set.connection, &set.kind, &set.id],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Set> {
    Ok(Set {
        name: Name { connection: row.text(0)?, kind: row.text(1)?, id: row.text(2)? },
        title: row.text(3)?,
        definition: row.text(4)?,
        mirror: row.text(5)?,
        members: row.int(6)?,
        status: row.text(7)?,
        reason: row.text(8)?,
        baseline_at: row.opt_time(9)?,
        read_at: row.opt_time(10)?,
    })
}

const JOIN: Insert = Insert {
    into: "memberships",
    columns: &[
        ("connection", Column::Text),
        ("kind", Column::Text),
        ("set_id", Column::Text),
        ("contact_id", Column::Text),
        ("since", Column::Int),
    ],
    on_conflict: "ON CONFLICT (connection, kind, set_id, contact_id) DO NOTHING",
};

const SEE: Insert = Insert {
    into: "sightings",
    columns: &[
        ("connection", Column::Text),
        ("kind", Column::Text),
        ("set_id", Column::Text),
        ("contact_id", Column::Text),
    ],
    on_conflict: "ON CONFLICT (connection, kind, set_id, contact_id) DO NOTHING",
};

const CHANGE: Insert = Insert {
    into: "membership_changes",
    columns: &[
        ("id", Column::Text),
        ("at", Column::Int),
        ("connection", Column::Text),
        ("kind", Column::Text),
        ("set_id", Column::Text),
        ("contact_id", Column::Text),
        ("direction", Column::Text),
    ],
    on_conflict: "",
};

/// Puts contacts into a set. Answers how many were not in it.
pub fn enter(tx: &mut Tx<'_>, set: &Name, contacts: &[String], now: Time) -> Result<u64> {
    let mut contacts: Vec<&String> = contacts.iter().collect();
    contacts.sort_unstable();
    contacts.dedup();
    let rows: Vec<_> =
        contacts.iter().map(|contact| params![&set.connection, &set.kind, &set.id, *contact, now].to_vec()).collect();
    tx.insert_many(&JOIN, &rows)
}

pub fn leave(tx: &mut Tx<'_>, set: &Name, contacts: &[String]) -> Result<u64> {
    tx.execute(
        "DELETE FROM memberships WHERE connection = $1 AND kind = $2 AND set_id = $3 AND contact_id {any $4}",
        &params![&set.connection, &set.kind, &set.id, contacts.to_vec()],
    )
}

/// Which of these contacts are in the set.
pub fn among(tx: &mut Tx<'_>, set: &Name, contacts: &[String]) -> Result<Vec<String>> {
    tx.all(
        "SELECT contact_id FROM memberships
         WHERE connection = $1 AND kind = $2 AND set_id = $3 AND contact_id {any $4} ORDER BY contact_id",
        &params![&set.connection, &set.kind, &set.id, contacts.to_vec()],
        |row| row.text(0),
    )
}

/// The sets a contact is in, with since when.
pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Vec<(Name, Time)>> {
    tx.all(
        "SELECT connection, kind, set_id, since FROM memberships WHERE contact_id = $1
         ORDER BY kind, set_id, connection LIMIT 1000",
        &params![contact_id],
        |row| Ok((Name { connection: row.text(0)?, kind: row.text(1)?, id: row.text(2)? }, row.time(3)?)),
    )
}

/// A page of a set's members behind a contact's id.
pub fn members(tx: &mut Tx<'_>, set: &Name, after: &str, limit: usize) -> Result<Vec<String>> {
    tx.all(
        "SELECT contact_id FROM memberships WHERE connection = $1 AND kind = $2 AND set_id = $3 AND contact_id > $4
         ORDER BY contact_id LIMIT $5",
        &params![&set.connection, &set.kind, &set.id, after, limit],
        |row| row.text(0),
    )
}

pub fn count(tx: &mut Tx<'_>, set: &Name) -> Result<i64> {
    tx.one(
        "SELECT count(*){big} FROM memberships WHERE connection = $1 AND kind = $2 AND set_id = $3",
        &params![&set.connection, &set.kind, &set.id],
        |row| row.int(0),
    )
}

/// Notes whom the present reading saw.
pub fn see(tx: &mut Tx<'_>, set: &Name, contacts: &[String]) -> Result<u64> {
    let mut contacts: Vec<&String> = contacts.iter().collect();
    contacts.sort_unstable();
    contacts.dedup();
    let rows: Vec<_> =
        contacts.iter().map(|contact| params![&set.connection, &set.kind, &set.id, *contact].to_vec()).collect();
    tx.insert_many(&SEE, &rows)
}

/// Forgets what an earlier reading saw.
pub fn unsee(tx: &mut Tx<'_>, set: &Name) -> Result<()> {
    tx.execute(
        "DELETE FROM sightings WHERE connection = $1 AND kind = $2 AND set_id = $3",
        &params![&set.connection, &set.kind, &set.id],
    )?;
    Ok(())
}

pub fn seen(tx: &mut Tx<'_>, set: &Name) -> Result<i64> {
    tx.one(
        "SELECT count(*){big} FROM sightings WHERE connection = $1 AND kind = $2 AND set_id = $3",
        &params![&set.connection, &set.kind, &set.id],
        |row| row.int(0),
    )
}

/// How many the reading saw that are not in the set, and the other way round.
pub fn difference(tx: &mut Tx<'_>, set: &Name) -> Result<(i64, i64)> {
    let entering = tx.one(
        "SELECT count(*){big} FROM sightings s WHERE s.connection = $1 AND s.kind = $2 AND s.set_id = $3
         AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.connection = $1 AND m.kind = $2 AND m.set_id = $3
                         AND m.contact_id = s.contact_id)",
        &params![&set.connection, &set.kind, &set.id],
        |row| row.int(0),
    )?;
    let leaving = tx.one(
        "SELECT count(*){big} FROM memberships m WHERE m.connection = $1 AND m.kind = $2 AND m.set_id = $3
         AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.connection = $1 AND s.kind = $2 AND s.set_id = $3
                         AND s.contact_id = m.contact_id)",
        &params![&set.connection, &set.kind, &set.id],
        |row| row.int(0),
    )?;
    Ok((entering, leaving))
}

/// A page of those whom the reading saw and who are not in the set yet.
pub fn entering(tx: &mut Tx<'_>, set: &Name, limit: usize) -> Result<Vec<String>> {
    tx.all(
        "SELECT s.contact_id FROM sightings s WHERE s.connection = $1 AND s.kind = $2 AND s.set_id = $3
         AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.connection = $1 AND m.kind = $2 AND m.set_id = $3
                         AND m.contact_id = s.contact_id)
         ORDER BY s.contact_id LIMIT $4",
        &params![&set.connection, &set.kind, &set.id, limit],
        |row| row.text(0),
    )
}

/// A page of those who are in the set and whom the reading did not see.
pub fn leaving(tx: &mut Tx<'_>, set: &Name, limit: usize) -> Result<Vec<String>> {
    tx.all(
        "SELECT m.contact_id FROM memberships m WHERE m.connection = $1 AND m.kind = $2 AND m.set_id = $3
         AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.connection = $1 AND s.kind = $2 AND s.set_id = $3
                         AND s.contact_id = m.contact_id)
         ORDER BY m.contact_id LIMIT $4",
        &params![&set.connection, &set.kind, &set.id, limit],
        |row| row.text(0),
    )
}

/// One change, for the contact's timeline and the set's own log.
pub struct Change<'a> {
    pub id: &'a str,
    pub contact_id: &'a str,
    pub entered: bool,
}

pub fn record(tx: &mut Tx<'_>, set: &Name, changes: &[Change<'_>], now: Time) -> Result<()> {
    let rows: Vec<_> = changes
        .iter()
        .map(|change| {
            let direction = if change.entered { "entered" } else { "left" };
            params![change.id, now, &set.connection, &set.kind, &set.id, change.contact_id, direction].to_vec()
        })
        .collect();
    tx.insert_many(&CHANGE, &rows)?;
    Ok(())
}

/// What a contact entered and left, newest first: set, direction, when.
pub fn changes_of(tx: &mut Tx<'_>, contact_id: &str, limit: usize) -> Result<Vec<(Name, String, Time)>> {
    tx.all(
        "SELECT connection, kind, set_id, direction, at FROM membership_changes WHERE contact_id = $1
         ORDER BY at DESC, id DESC LIMIT $2",
        &params![contact_id, limit],
        |row| {
            let set = Name { connection: row.text(0)?, kind: row.text(1)?, id: row.text(2)? };
            Ok((set, row.text(3)?, row.time(4)?))
        },
    )
}

/// After a merge the survivor is in what either was in.
pub fn move_all(tx: &mut Tx<'_>, from: &str, to: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO memberships (connection, kind, set_id, contact_id, since)
         SELECT connection, kind, set_id, $2, since FROM memberships WHERE contact_id = $1
         ON CONFLICT (connection, kind, set_id, contact_id) DO NOTHING",
        &params![from, to],
    )?;
    tx.execute("DELETE FROM memberships WHERE contact_id = $1", &params![from])?;
    tx.execute("UPDATE membership_changes SET contact_id = $2 WHERE contact_id = $1", &params![from, to])?;
    Ok(())
}
