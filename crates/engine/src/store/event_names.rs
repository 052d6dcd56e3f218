//! Which events were seen on which connection, for completion, lint and "not seen yet".

use std::collections::BTreeMap;

use hogwire_model::Time;

use super::{Column, Insert, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub connection: String,
    pub name: String,
    pub first_at: Time,
    pub last_at: Time,
    pub n: i64,
}

const UPSERT: Insert = Insert {
    into: "event_names",
    columns: &[
        ("connection", Column::Text),
        ("name", Column::Text),
        ("first_at", Column::Int),
        ("last_at", Column::Int),
        ("n", Column::Int),
    ],
    on_conflict: "ON CONFLICT (connection, name) DO UPDATE SET n = event_names.n + excluded.n, \
                  last_at = CASE WHEN excluded.last_at > event_names.last_at THEN excluded.last_at ELSE event_names.last_at END",
};

/// Adds one batch's counts: (connection, name) → how many arrived, and when the last did.
pub fn count(tx: &mut Tx<'_>, names: &BTreeMap<(&str, &str), (i64, Time)>) -> Result<()> {
    let rows: Vec<_> = names
        .iter()
        .map(|((connection, name), (n, last))| params![*connection, *name, *last, *last, *n].to_vec())
        .collect();
    tx.insert_many(&UPSERT, &rows)?;
    Ok(())
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Seen>> {
    tx.all(
        "SELECT connection, name, first_at, last_at, n FROM event_names ORDER BY n DESC, connection, name LIMIT 2000",
        &[],
        |row| {
            Ok(Seen {
                connection: row.text(0)?,
                name: row.text(1)?,
                first_at: row.time(2)?,
                last_at: row.time(3)?,
                n: row.int(4)?,
            })
        },
    )
}
