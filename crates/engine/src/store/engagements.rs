//! Opens, clicks, bounces and other reports about messages; a person's and a machine's apart.

use hogwire_model::Time;
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Engagement {
    pub id: String,
    pub message_id: String,
    pub contact_id: String,
    /// `sent`, `delivered`, `opened`, `clicked`, `bounced`, `complained`, `unsubscribed` or `resubscribed`.
    pub kind: String,
    pub machine: bool,
    pub at: Time,
    /// The link, the reason, the server's words; JSON.
    pub detail: serde_json::Value,
}

/// Writes it. Telling the same one again changes nothing.
pub fn add(tx: &mut Tx<'_>, e: &Engagement) -> Result<bool> {
    let written = tx.execute(
        "INSERT INTO engagements (id, message_id, contact_id, kind, machine, at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &params![&e.id, &e.message_id, &e.contact_id, &e.kind, e.machine, e.at, e.detail.to_string()],
    )?;
    Ok(written == 1)
}

pub fn of_message(tx: &mut Tx<'_>, message_id: &str, limit: usize) -> Result<Vec<Engagement>> {
    tx.all(
        "SELECT id, message_id, contact_id, kind, machine, at, detail FROM engagements
         WHERE message_id = $1 ORDER BY at, id LIMIT $2",
        &params![message_id, limit],
        read,
    )
}

/// Whether such a report about the message is there already.
pub fn has(tx: &mut Tx<'_>, message_id: &str, kind: &str) -> Result<bool> {
    let found = tx.optional(
        "SELECT 1 FROM engagements WHERE message_id = $1 AND kind = $2 LIMIT 1",
        &params![message_id, kind],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// What contacts did with their messages before a time, newest first.
pub fn of_contact(tx: &mut Tx<'_>, contacts: &[String], before: Time, limit: usize) -> Result<Vec<Engagement>> {
    tx.all(
        "SELECT id, message_id, contact_id, kind, machine, at, detail FROM engagements
         WHERE contact_id {any $1} AND at < $2 ORDER BY at DESC, id DESC LIMIT $3",
        &params![contacts.to_vec(), before, limit],
        read,
    )
}

/// Campaigns and templates whose messages a contact opened, clicked, …; machines do not count.
pub fn names(tx: &mut Tx<'_>, contact_id: &str, kind: &str) -> Result<Vec<String>> {
    let rows = tx.all(
        "SELECT DISTINCT m.campaign_id, m.template FROM engagements e JOIN messages m ON m.id = e.message_id
         WHERE e.contact_id = $1 AND e.kind = $2 AND e.machine = 0 ORDER BY m.campaign_id, m.template LIMIT 1000",
        &params![contact_id, kind],
        |row| Ok([row.text(0)?, row.text(1)?]),
    )?;
    let mut names: Vec<String> = rows.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// What came of one message, as far as the mail server said.
pub struct Fate {
    pub message_id: String,
    /// Else it was sent.
    pub bounced: bool,
    pub at: Time,
}

/// Which of a contact's messages were sent and which bounced since a time, newest first.
pub fn fates(tx: &mut Tx<'_>, contact_id: &str, since: Time) -> Result<Vec<Fate>> {
    tx.all(
        "SELECT message_id, kind, at FROM engagements
         WHERE contact_id = $1 AND at >= $2 AND kind IN ('sent', 'bounced') ORDER BY at DESC, id DESC LIMIT 500",
        &params![contact_id, since],
        |row| Ok(Fate { message_id: row.text(0)?, bounced: row.str(1)? == "bounced", at: row.time(2)? }),
    )
}

fn read(row: &Row<'_>) -> Result<Engagement> {
    Ok(Engagement {
        id: row.text(0)?,
        message_id: row.text(1)?,
        contact_id: row.text(2)?,
        kind: row.text(3)?,
        machine: row.flag(4)?,
        at: row.time(5)?,
        detail: row.json(6, "engagement")?,
    })
}
