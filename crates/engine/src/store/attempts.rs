//! One row per try at a message or a delivery: when, and what it came to.

use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub n: i64,
    pub at: Time,
    /// `done`, `retry`, `snooze`, `refused`, `unauthorized` or `unknown`.
    pub outcome: String,
    pub detail: String,
}

/// Writes a try; its number follows the last one of the same message or delivery.
pub fn add(tx: &mut Tx<'_>, subject_id: &str, at: Time, outcome: &str, detail: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO attempts (subject_id, n, at, outcome, detail)
         SELECT CAST($1 AS TEXT), COALESCE(max(n), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT)
         FROM attempts WHERE subject_id = $1",
        &params![subject_id, at, outcome, detail],
    )?;
    Ok(())
}

pub fn of(tx: &mut Tx<'_>, subject_id: &str) -> Result<Vec<Attempt>> {
    tx.all(
        "SELECT n, at, outcome, detail FROM attempts WHERE subject_id = $1 ORDER BY n LIMIT 200",
        &params![subject_id],
        |row| Ok(Attempt { n: row.int(0)?, at: row.time(1)?, outcome: row.text(2)?, detail: row.text(3)? }),
    )
}
