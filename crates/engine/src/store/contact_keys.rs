//! Keys: how a contact is found. The connection is part of the key; it is empty for an
//! address, which joins people across production connections.

use std::collections::HashMap;

use hogwire_model::Time;
use hogwire_model::contact::{Key, KeyKind};

use super::{Column, Insert, Tx, params};
use crate::error::Result;

/// A contact answers to at most this many keys; the oldest give way.
pub const KEYS_PER_CONTACT: usize = 1_000;

const ADD: Insert = Insert {
    into: "contact_keys",
    columns: &[
        ("connection", Column::Text),
        ("kind", Column::Text),
        ("value", Column::Text),
        ("contact_id", Column::Text),
        ("created_at", Column::Int),
    ],
    on_conflict: "",
};

/// Contacts by their keys. The few pairs of connection and kind are held apart, so that a
/// lookup hashes nothing but the value.
#[derive(Default)]
pub struct Keyed {
    groups: Vec<Group>,
}

struct Group {
    connection: String,
    kind: KeyKind,
    contacts: HashMap<String, String>,
}

impl Keyed {
    pub fn get(&self, key: &Key) -> Option<&str> {
        let group = self.groups.iter().find(|group| group.is_of(key))?;
        group.contacts.get(&key.value).map(String::as_str)
    }

    pub fn insert(&mut self, key: &Key, contact: String) {
        let place = self.groups.iter().position(|group| group.is_of(key)).unwrap_or_else(|| {
            let (connection, kind) = (key.connection.clone(), key.kind);
            self.groups.push(Group { connection, kind, contacts: HashMap::new() });
            self.groups.len() - 1
        });
        self.groups[place].contacts.insert(key.value.clone(), contact);
    }

    /// The contact of each key; one that has several keys comes several times.
    pub fn contacts(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| group.contacts.values().map(String::as_str))
    }

    pub fn contacts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.groups.iter_mut().flat_map(|group| group.contacts.values_mut())
    }
}

impl Group {
    fn is_of(&self, key: &Key) -> bool {
        self.kind == key.kind && self.connection == key.connection
    }
}

/// Finds the contacts of many keys. Locks the key rows in their order on PostgreSQL.
pub fn find_many(tx: &mut Tx<'_>, keys: &[&Key]) -> Result<Keyed> {
    let mut wanted: std::collections::BTreeMap<(&str, KeyKind), Vec<&str>> = std::collections::BTreeMap::new();
    for key in keys {
        wanted.entry((&key.connection, key.kind)).or_default().push(&key.value);
    }
    let mut found = Keyed::default();
    for ((connection, kind), mut values) in wanted {
        values.sort_unstable();
        values.dedup();
        let rows = tx.all(
            "SELECT value, contact_id FROM contact_keys
             WHERE connection = $1 AND kind = $2 AND value {any $3} ORDER BY value {for_update}",
            &params![connection, kind.as_str(), values],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?;
        let contacts = rows.into_iter().collect();
        found.groups.push(Group { connection: connection.to_owned(), kind, contacts });
    }
    Ok(found)
}

pub fn find(tx: &mut Tx<'_>, key: &Key) -> Result<Option<String>> {
    tx.optional(
        "SELECT contact_id FROM contact_keys WHERE connection = $1 AND kind = $2 AND value = $3",
        &params![&key.connection, key.kind.as_str(), &key.value],
        |row| row.text(0),
    )
}

/// Looks a value up on every connection: what a person types who does not know which.
pub fn find_anywhere(tx: &mut Tx<'_>, kind: KeyKind, value: &str) -> Result<Vec<String>> {
    tx.all(
        "SELECT DISTINCT contact_id FROM contact_keys WHERE kind = $1 AND value = $2 ORDER BY contact_id LIMIT 20",
        &params![kind.as_str(), value],
        |row| row.text(0),
    )
}

pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Vec<Key>> {
    tx.all(
        "SELECT connection, kind, value FROM contact_keys WHERE contact_id = $1
         ORDER BY created_at, connection, kind, value LIMIT $2",
        &params![contact_id, KEYS_PER_CONTACT],
        |row| {
            Ok(Key {
                connection: row.text(0)?,
                kind: KeyKind::parse(row.str(1)?).unwrap_or(KeyKind::External),
                value: row.text(2)?,
            })
        },
    )
}

/// How many keys of one kind each contact has.
pub fn count(tx: &mut Tx<'_>, contact_id: &str, kind: KeyKind) -> Result<usize> {
    let n = tx.one(
        "SELECT count(*){big} FROM contact_keys WHERE contact_id = $1 AND kind = $2",
        &params![contact_id, kind.as_str()],
        |row| row.int(0),
    )?;
    Ok(usize::try_from(n).unwrap_or(0))
}

/// Adds new keys. A key that another node added meanwhile fails the transaction, which is
/// then tried again and finds it.
pub fn add(tx: &mut Tx<'_>, keys: &[(&Key, &str)], now: Time) -> Result<()> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let rows: Vec<_> = keys
        .iter()
        .map(|(key, contact)| params![&key.connection, key.kind.as_str(), &key.value, *contact, now].to_vec())
        .collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// Lets the oldest keys go where a contact has more than its share.
pub fn trim(tx: &mut Tx<'_>, contact_id: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM contact_keys WHERE contact_id = $1 AND kind = 'distinct_id' AND created_at < (
             SELECT min(created_at) FROM (
                 SELECT created_at FROM contact_keys WHERE contact_id = $1 ORDER BY created_at DESC LIMIT $2) newest)",
        &params![contact_id, KEYS_PER_CONTACT],
    )
}

pub fn move_all(tx: &mut Tx<'_>, from: &str, to: &str) -> Result<()> {
    tx.execute("UPDATE contact_keys SET contact_id = $2 WHERE contact_id = $1", &params![from, to])?;
    Ok(())
}

pub fn remove_of(tx: &mut Tx<'_>, contact_id: &str) -> Result<()> {
    tx.execute("DELETE FROM contact_keys WHERE contact_id = $1", &params![contact_id])?;
    Ok(())
}

/// Takes one key away from whoever holds it.
pub fn remove(tx: &mut Tx<'_>, key: &Key) -> Result<()> {
    tx.execute(
        "DELETE FROM contact_keys WHERE connection = $1 AND kind = $2 AND value = $3",
        &params![&key.connection, key.kind.as_str(), &key.value],
    )?;
    Ok(())
}
