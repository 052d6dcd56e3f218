//! Who stands in which list at a destination because of us. What should stand there follows
//! from the sets that the list mirrors; the two are compared by SQL alone.

use hogwire_model::Time;
use serde::Serialize;

use super::sets::Name;
use super::{Column, Insert, Row, Tx, params};
use crate::error::Result;

/// A list and what it mirrors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its id at the destination, or the set's own name where the list is made for it.
    pub key: String,
    /// As the sets name it: an id, or `create`.
    pub mirror: String,
    pub sets: Vec<Name>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Member {
    pub contact_id: String,
    /// By which the destination knew the contact when it was moved.
    pub address: String,
    /// `adding`, `in`, `removing` or `rejected`.
    pub status: String,
    pub reason: String,
    pub due_at: Option<Time>,
    pub attempts: i64,
}

/// Contacts of one of the sets that stand at the destination and not in the list yet, each
/// with its address there.
pub fn entering(
    tx: &mut Tx<'_>,
    destination: &str,
    list: &str,
    set: &Name,
    limit: usize,
) -> Result<Vec<(String, String)>> {
    tx.all(
        "SELECT m.contact_id, c.address FROM memberships m
         JOIN mirrored_contacts c ON c.destination = $1 AND c.contact_id = m.contact_id
         WHERE m.connection = $2 AND m.kind = $3 AND m.set_id = $4 AND c.address <> '' AND c.batch = ''
         AND NOT EXISTS (SELECT 1 FROM mirrored_members x
                         WHERE x.destination = $1 AND x.list = $5 AND x.contact_id = m.contact_id)
         ORDER BY m.contact_id LIMIT $6",
        &params![destination, &set.connection, &set.kind, &set.id, list, limit],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )
}

/// Contacts that stand in the list and are in none of the sets that it mirrors.
pub fn leaving(tx: &mut Tx<'_>, destination: &str, list: &List, limit: usize) -> Result<Vec<Member>> {
    let Some(own) = list.sets.first() else { return Ok(Vec::new()) };
    tx.all(
        "SELECT x.contact_id, x.address, x.status, x.reason, x.due_at, x.attempts FROM mirrored_members x
         WHERE x.destination = $1 AND x.list = $2 AND x.status IN ('in', 'rejected', 'adding')
         AND NOT EXISTS (SELECT 1 FROM memberships m
                         JOIN sets s ON s.connection = m.connection AND s.kind = m.kind AND s.id = m.set_id
                         WHERE m.contact_id = x.contact_id AND s.mirror = $3
                         AND ($3 <> 'create' OR (s.connection = $4 AND s.kind = $5 AND s.id = $6)))
         ORDER BY x.contact_id LIMIT $7",
        &params![destination, &list.key, &list.mirror, &own.connection, &own.kind, &own.id, limit],
        read,
    )
}

/// Rows of a list that wait for a call.
pub fn due(
    tx: &mut Tx<'_>,
    destination: &str,
    list: &str,
    status: &str,
    now: Time,
    limit: usize,
) -> Result<Vec<Member>> {
    tx.all(
        "SELECT contact_id, address, status, reason, due_at, attempts FROM mirrored_members
         WHERE destination = $1 AND list = $2 AND status = $3 AND due_at <= $4 ORDER BY due_at, contact_id LIMIT $5",
        &params![destination, list, status, now, limit],
        read,
    )
}

pub fn next_due(tx: &mut Tx<'_>, destination: &str) -> Result<Option<Time>> {
    tx.one(
        "SELECT min(due_at) FROM mirrored_members WHERE destination = $1 AND due_at IS NOT NULL",
        &params![destination],
        |row| row.opt_time(0),
    )
}

const PUT: Insert = Insert {
    into: "mirrored_members",
    columns: &[
        ("destination", Column::Text),
        ("list", Column::Text),
        ("contact_id", Column::Text),
        ("address", Column::Text),
        ("status", Column::Text),
        ("reason", Column::Text),
        ("due_at", Column::Int),
        ("attempts", Column::Int),
        ("updated_at", Column::Int),
    ],
    on_conflict: "ON CONFLICT (destination, list, contact_id) DO UPDATE SET address = excluded.address, \
                  status = excluded.status, reason = excluded.reason, due_at = excluded.due_at, \
                  attempts = excluded.attempts, updated_at = excluded.updated_at",
};

pub fn put(tx: &mut Tx<'_>, destination: &str, list: &str, members: &[Member], now: Time) -> Result<()> {
    let rows: Vec<_> = members
        .iter()
        .map(|m| {
            params![destination, list, &m.contact_id, &m.address, &m.status, &m.reason, m.due_at, m.attempts, now]
                .to_vec()
        })
        .collect();
    tx.insert_many(&PUT, &rows)?;
    Ok(())
}

/// These stand in the list no longer.
pub fn forget(tx: &mut Tx<'_>, destination: &str, list: &str, contacts: &[String]) -> Result<()> {
    tx.execute(
        "DELETE FROM mirrored_members WHERE destination = $1 AND list = $2 AND contact_id {any $3}",
        &params![destination, list, contacts.to_vec()],
    )?;
    Ok(())
}

/// How many rows of each list are in each state.
pub fn tally(tx: &mut Tx<'_>, destination: &str) -> Result<Vec<(String, String, i64)>> {
    tx.all(
        "SELECT list, status, count(*){big} FROM mirrored_members WHERE destination = $1
         GROUP BY list, status ORDER BY list, status",
        &params![destination],
        |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)),
    )
}

/// When any set, or who is in one, last changed.
pub fn last_change(tx: &mut Tx<'_>) -> Result<(Option<Time>, Option<Time>)> {
    let sets = tx.one("SELECT max(updated_at) FROM sets", &[], |row| row.opt_time(0))?;
    let members = tx.one("SELECT max(at) FROM membership_changes", &[], |row| row.opt_time(0))?;
    Ok((sets, members))
}

fn read(row: &Row<'_>) -> Result<Member> {
    Ok(Member {
        contact_id: row.text(0)?,
        address: row.text(1)?,
        status: row.text(2)?,
        reason: row.text(3)?,
        due_at: row.opt_time(4)?,
        attempts: row.int(5)?,
    })
}
