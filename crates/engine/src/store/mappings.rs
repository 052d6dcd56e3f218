//! Field mappings per connection, every version kept.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub version: i64,
    pub definition: String,
    pub created_at: Time,
    pub created_by: String,
}

pub fn newest(tx: &mut Tx<'_>, connection: &str) -> Result<Option<Version>> {
    Ok(versions(tx, connection)?.into_iter().next())
}

/// The mapping in force of every connection that has one of its own: (connection, definition).
pub fn in_force(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>> {
    tx.all(
        "SELECT connection, definition FROM mappings m
         WHERE version = (SELECT max(version) FROM mappings n WHERE n.connection = m.connection)
         ORDER BY connection LIMIT 500",
        &[],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )
}

pub fn versions(tx: &mut Tx<'_>, connection: &str) -> Result<Vec<Version>> {
    tx.all(
        "SELECT version, definition, created_at, created_by FROM mappings WHERE connection = $1
         ORDER BY version DESC LIMIT 200",
        &params![connection],
        |row| {
            Ok(Version {
                version: row.int(0)?,
                definition: row.text(1)?,
                created_at: row.time(2)?,
                created_by: row.text(3)?,
            })
        },
    )
}

pub fn add(tx: &mut Tx<'_>, connection: &str, definition: &str, actor: &str, now: Time) -> Result<i64> {
    let version = newest(tx, connection)?.map_or(1, |held| held.version + 1);
    tx.execute(
        "INSERT INTO mappings (connection, version, definition, created_at, created_by) VALUES ($1, $2, $3, $4, $5)",
        &params![connection, version, definition, now, actor],
    )?;
    Ok(version)
}
