//! Who did what; append only.

use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub id: String,
    pub at: Time,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

pub fn record(
    tx: &mut Tx<'_>,
    id: &str,
    at: Time,
    actor: &str,
    action: &str,
    subject: &str,
    detail: &str,
) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        &params![id, at, actor, action, subject, detail],
    )?;
    Ok(())
}

pub fn newest(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Entry>> {
    tx.all(
        "SELECT id, at, actor, action, subject, detail FROM audit ORDER BY at DESC, id DESC LIMIT $1",
        &params![limit],
        |row| {
            Ok(Entry {
                id: row.text(0)?,
                at: row.time(1)?,
                actor: row.text(2)?,
                action: row.text(3)?,
                subject: row.text(4)?,
                detail: row.text(5)?,
            })
        },
    )
}
