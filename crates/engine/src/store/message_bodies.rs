//! What a message said, and where its links lead. The text is kept for less long than the
//! links: a click in an old mail still leads somewhere.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    pub html: String,
    pub plain: String,
    /// Targets by the number that their tracked link carries.
    pub links: Vec<String>,
}

/// Writes what a try says; an earlier try of the same message gives way.
pub fn put(tx: &mut Tx<'_>, message_id: &str, contact_id: &str, body: &Body, now: Time) -> Result<()> {
    let links =
        serde_json::to_string(&body.links).map_err(|error| Error::Corrupt { what: "links", why: error.to_string() })?;
    tx.execute(
        "INSERT INTO message_bodies (message_id, contact_id, html, plain, links, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (message_id) DO UPDATE SET contact_id = excluded.contact_id, html = excluded.html,
             plain = excluded.plain, links = excluded.links, created_at = excluded.created_at",
        &params![message_id, contact_id, &body.html, &body.plain, links, now],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, message_id: &str) -> Result<Option<Body>> {
    tx.optional("SELECT html, plain, links FROM message_bodies WHERE message_id = $1", &params![message_id], |row| {
        Ok(Body { html: row.text(0)?, plain: row.text(1)?, links: row.json(2, "links")? })
    })
}
