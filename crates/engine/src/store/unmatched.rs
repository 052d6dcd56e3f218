//! Events that name nobody we know, kept by each of their keys until somebody answers to one.

use hogwire_model::Time;
use hogwire_model::contact::Key;

use super::{Column, Insert, Tx, params};
use crate::error::Result;

const ADD: Insert = Insert {
    into: "unmatched",
    columns: &[
        ("connection", Column::Text),
        ("kind", Column::Text),
        ("value", Column::Text),
        ("uuid", Column::Text),
        ("arrived_at", Column::Int),
    ],
    on_conflict: "ON CONFLICT (connection, kind, value, uuid) DO NOTHING",
};

/// At most this many events of an unknown past are applied when a contact becomes known.
pub const PAST: usize = 1_000;

pub fn add(tx: &mut Tx<'_>, waiting: &[(Key, &str)], now: Time) -> Result<()> {
    let rows: Vec<_> = waiting
        .iter()
        .map(|(key, uuid)| params![&key.connection, key.kind.as_str(), &key.value, *uuid, now].to_vec())
        .collect();
    tx.insert_many(&ADD, &rows)?;
    Ok(())
}

/// Takes the uuids that waited for any of these keys, with the key each waited for.
pub fn take(tx: &mut Tx<'_>, keys: &[&Key]) -> Result<Vec<(Key, String)>> {
    let mut taken = Vec::new();
    let mut groups: std::collections::BTreeMap<(&str, &str), Vec<&Key>> = std::collections::BTreeMap::new();
    for key in keys {
        groups.entry((&key.connection, key.kind.as_str())).or_default().push(key);
    }
    for ((connection, kind), keys) in groups {
        let values: Vec<&str> = keys.iter().map(|key| key.value.as_str()).collect();
        let rows = tx.all(
            "SELECT value, uuid FROM unmatched WHERE connection = $1 AND kind = $2 AND value {any $3}
             ORDER BY arrived_at, uuid LIMIT $4",
            &params![connection, kind, values.clone(), PAST],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?;
        if rows.is_empty() {
            continue;
        }
        tx.execute(
            "DELETE FROM unmatched WHERE connection = $1 AND kind = $2 AND value {any $3}",
            &params![connection, kind, values],
        )?;
        let kind = keys[0].kind;
        taken.extend(
            rows.into_iter().map(|(value, uuid)| (Key { connection: connection.to_owned(), kind, value }, uuid)),
        );
    }
    Ok(taken)
}

pub fn drop_before(tx: &mut Tx<'_>, time: Time) -> Result<u64> {
    tx.execute("DELETE FROM unmatched WHERE arrived_at < $1", &params![time])
}
