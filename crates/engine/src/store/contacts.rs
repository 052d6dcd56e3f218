//! Contacts: one row each, with all attributes in one document.

use std::collections::HashMap;

use hogwire_model::Time;
use hogwire_model::contact::{Attributes, Contact};

use super::{Column, Insert, Row, Tx, params};
use crate::error::{Error, Result};

/// A contact with what the store derives beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub contact: Contact,
    pub name: Option<String>,
    /// The IANA zone the contact's own sources name, if any.
    pub zone: Option<String>,
}

const COLUMNS: &[(&str, Column)] = &[
    ("id", Column::Text),
    ("identified", Column::Int),
    ("address", Column::Text),
    ("address_from_event", Column::Int),
    ("name", Column::Text),
    ("zone", Column::Text),
    ("attributes", Column::Text),
    ("created_at", Column::Int),
    ("updated_at", Column::Int),
    ("seen_at", Column::Int),
];

const UPSERT: Insert = Insert {
    into: "contacts",
    columns: COLUMNS,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET identified = excluded.identified, address = excluded.address, \
                  address_from_event = excluded.address_from_event, name = excluded.name, zone = excluded.zone, \
                  attributes = excluded.attributes, created_at = excluded.created_at, \
                  updated_at = excluded.updated_at, seen_at = excluded.seen_at",
};

/// Leaves the indexed columns alone: SQLite writes the entry of every index whose column
/// is named here, changed or not.
const UPSERT_VALUES: Insert = Insert {
    into: "contacts",
    columns: COLUMNS,
    on_conflict: "ON CONFLICT (id) DO UPDATE SET identified = excluded.identified, \
                  address_from_event = excluded.address_from_event, name = excluded.name, zone = excluded.zone, \
                  attributes = excluded.attributes, updated_at = excluded.updated_at, seen_at = excluded.seen_at",
};

/// Loads contacts by id. On PostgreSQL the rows are locked, in the order of their ids, so
/// that two nodes never decide about one contact at once.
pub fn lock(tx: &mut Tx<'_>, ids: &[&str]) -> Result<HashMap<String, Stored>> {
    let rows = tx.all(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at
         FROM contacts WHERE id {any $1} ORDER BY id {for_update}",
        &params![ids.to_vec()],
        read,
    )?;
    Ok(rows.into_iter().map(|stored| (stored.contact.id.clone(), stored)).collect())
}

/// The contact with this id, following merges.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>> {
    let id = super::redirects::resolve(tx, id)?;
    tx.optional(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at
         FROM contacts WHERE id = $1",
        &params![id],
        read,
    )
}

/// A page of contacts in the order they were made, after the given id's place.
pub fn page(tx: &mut Tx<'_>, after: (Time, &str), limit: usize) -> Result<Vec<Stored>> {
    tx.all(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at
         FROM contacts WHERE created_at > $1 OR (created_at = $1 AND id > $2)
         ORDER BY created_at, id LIMIT $3",
        &params![after.0, after.1, limit],
        read,
    )
}

/// Contacts in the order of their last change, behind the given place and no younger than
/// `until`, each with when that was.
pub fn changed(tx: &mut Tx<'_>, after: (Time, &str), until: Time, limit: usize) -> Result<Vec<(Time, Stored)>> {
    tx.all(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at, updated_at
         FROM contacts WHERE (updated_at > $1 OR (updated_at = $1 AND id > $2)) AND updated_at <= $3
         ORDER BY updated_at, id LIMIT $4",
        &params![after.0, after.1, until, limit],
        |row| Ok((row.time(9)?, read(row)?)),
    )
}

/// When the first change behind the given place was.
pub fn next_change(tx: &mut Tx<'_>, after: (Time, &str)) -> Result<Option<Time>> {
    tx.one(
        "SELECT min(updated_at) FROM contacts WHERE updated_at > $1 OR (updated_at = $1 AND id > $2)",
        &params![after.0, after.1],
        |row| row.opt_time(0),
    )
}

/// A page of contacts, newest first, behind the given one.
pub fn newest(tx: &mut Tx<'_>, before: Option<(Time, &str)>, limit: usize) -> Result<Vec<Stored>> {
    let (at, id) = before.unwrap_or((Time::from_millis(i64::MAX), ""));
    tx.all(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at
         FROM contacts WHERE created_at < $1 OR (created_at = $1 AND id < $2)
         ORDER BY created_at DESC, id DESC LIMIT $3",
        &params![at, id, limit],
        read,
    )
}

/// Contacts whose address begins with the given text, in the order of addresses.
pub fn by_address_prefix(tx: &mut Tx<'_>, prefix: &str, limit: usize) -> Result<Vec<Stored>> {
    let pattern = format!("{}%", prefix.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    tx.all(
        "SELECT id, identified, address, address_from_event, name, zone, attributes, created_at, seen_at
         FROM contacts WHERE address LIKE $1 ESCAPE '!' ORDER BY address, id LIMIT $2",
        &params![pattern, limit],
        read,
    )
}

/// Writes contacts as they are now, new or changed. Sorted by id for the sake of the index.
pub fn save(tx: &mut Tx<'_>, contacts: &mut [&Stored], now: Time) -> Result<()> {
    write(tx, &UPSERT, contacts, now)
}

/// As `save`, for contacts whose address and time of making are as they were.
pub fn save_values(tx: &mut Tx<'_>, contacts: &mut [&Stored], now: Time) -> Result<()> {
    write(tx, &UPSERT_VALUES, contacts, now)
}

fn write(tx: &mut Tx<'_>, insert: &'static Insert, contacts: &mut [&Stored], now: Time) -> Result<()> {
    contacts.sort_by(|a, b| a.contact.id.cmp(&b.contact.id));
    let mut rows = Vec::with_capacity(contacts.len());
    for stored in contacts.iter() {
        let contact = &stored.contact;
        let attributes = serde_json::to_string(&contact.attributes)
            .map_err(|error| Error::Corrupt { what: "attributes", why: error.to_string() })?;
        rows.push(
            params![
                &contact.id,
                contact.identified,
                contact.address.as_deref(),
                contact.address_from_event,
                stored.name.as_deref(),
                stored.zone.as_deref(),
                attributes,
                contact.created_at,
                now,
                contact.seen_at,
            ]
            .to_vec(),
        );
    }
    tx.insert_many(insert, &rows)?;
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute("DELETE FROM contacts WHERE id = $1", &params![id])?;
    Ok(())
}

pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT count(*){big} FROM contacts", &[], |row| row.int(0))
}

fn read(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        contact: Contact {
            id: row.text(0)?,
            identified: row.flag(1)?,
            address: row.opt_text(2)?,
            address_from_event: row.flag(3)?,
            attributes: Attributes::parse(row.text(6)?)
                .map_err(|error| Error::Corrupt { what: "attributes", why: error.to_string() })?,
            created_at: row.time(7)?,
            seen_at: row.time(8)?,
        },
        name: row.opt_text(4)?,
        zone: row.opt_text(5)?,
    })
}
