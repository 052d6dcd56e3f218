//! Records that were accepted and could not be decided, with the reason. Nothing is lost:
//! the body is kept here as well.

use hogwire_connectors::Refusal;
use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;
use crate::inbox::Stored;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub id: String,
    pub connection: String,
    pub arrived_at: Time,
    pub code: String,
    pub message: String,
    pub body: String,
}

pub fn add(tx: &mut Tx<'_>, id: &str, stored: &Stored, refusal: &Refusal) -> Result<()> {
    // PostgreSQL's text holds no NUL; the inbox keeps the bytes as they came.
    let body = String::from_utf8_lossy(&stored.body).replace('\0', "\u{fffd}");
    tx.execute(
        "INSERT INTO set_aside (id, connection, arrived_at, code, message, place, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![id, &stored.connection, stored.arrived, refusal.code, &refusal.message, &stored.place, body],
    )?;
    Ok(())
}

pub fn newest(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Row>> {
    tx.all(
        "SELECT id, connection, arrived_at, code, message, body FROM set_aside
         ORDER BY arrived_at DESC, id DESC LIMIT $1",
        &params![limit],
        |row| {
            Ok(Row {
                id: row.text(0)?,
                connection: row.text(1)?,
                arrived_at: row.time(2)?,
                code: row.text(3)?,
                message: row.text(4)?,
                body: row.text(5)?,
            })
        },
    )
}
