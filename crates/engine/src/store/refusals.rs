//! Deliveries refused at the door: the last hundred are kept, so that a wrong secret is
//! seen where one looks for events (SPEC A4).

use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;

const KEPT: usize = 100;
const EXCERPT: usize = 2048;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    pub id: String,
    pub at: Time,
    pub route: String,
    pub status: i64,
    pub code: String,
    pub message: String,
    pub remote: String,
    /// The first 2 KB of the body.
    pub excerpt: String,
}

/// The beginning of a body as text that both databases can hold: no NUL, no broken UTF-8.
pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).replace('\0', "\u{fffd}")
}

pub fn add(tx: &mut Tx<'_>, refusal: &Refusal) -> Result<()> {
    tx.execute(
        "INSERT INTO refusals (id, at, route, status, code, message, remote, excerpt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            &refusal.id,
            refusal.at,
            &refusal.route,
            refusal.status,
            &refusal.code,
            &refusal.message,
            &refusal.remote,
            &refusal.excerpt
        ],
    )?;
    tx.execute(
        "DELETE FROM refusals WHERE id NOT IN (SELECT id FROM refusals ORDER BY at DESC, id DESC LIMIT $1)",
        &params![KEPT],
    )?;
    Ok(())
}

pub fn newest(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Refusal>> {
    tx.all(
        "SELECT id, at, route, status, code, message, remote, excerpt FROM refusals
         ORDER BY at DESC, id DESC LIMIT $1",
        &params![limit],
        |row| {
            Ok(Refusal {
                id: row.text(0)?,
                at: row.time(1)?,
                route: row.text(2)?,
                status: row.int(3)?,
                code: row.text(4)?,
                message: row.text(5)?,
                remote: row.text(6)?,
                excerpt: row.text(7)?,
            })
        },
    )
}
