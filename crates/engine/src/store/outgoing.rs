//! Messages as people look for them: lists and counts. Nothing here sends or settles;
//! `messages` does.

use hogwire_model::Time;

use super::messages::Status;
use super::{Tx, params};
use crate::error::Result;

/// What a list is narrowed to; everything given must hold.
#[derive(Default)]
pub struct Wanted<'a> {
    pub status: Option<Status>,
    pub campaign: Option<&'a str>,
    /// A contact and those that were merged into it.
    pub contacts: Option<&'a [String]>,
    /// Read on behind this row: (created, id).
    pub before: Option<(Time, &'a str)>,
}

/// Ids of messages, newest first.
pub fn search(tx: &mut Tx<'_>, wanted: &Wanted<'_>, limit: usize) -> Result<Vec<String>> {
    let (at, id) = wanted.before.unwrap_or((Time::from_millis(i64::MAX), ""));
    let status = wanted.status.map_or("", Status::as_str);
    let campaign = wanted.campaign.unwrap_or("");
    match wanted.contacts {
        Some(contacts) => tx.all(
            "SELECT id FROM messages WHERE contact_id {any $5} AND (created_at < $1 OR (created_at = $1 AND id < $2))
             AND ($3 = '' OR status = $3) AND ($4 = '' OR campaign_id = $4)
             ORDER BY created_at DESC, id DESC LIMIT $6",
            &params![at, id, status, campaign, contacts.to_vec(), limit],
            |row| row.text(0),
        ),
        // The few whose end nobody knows have an index of their own.
        None if wanted.status == Some(Status::Unknown) => tx.all(
            "SELECT id FROM messages WHERE status = 'unknown' AND (created_at < $1 OR (created_at = $1 AND id < $2))
             AND ($3 = '' OR campaign_id = $3) ORDER BY created_at DESC, id DESC LIMIT $4",
            &params![at, id, campaign, limit],
            |row| row.text(0),
        ),
        None => tx.all(
            "SELECT id FROM messages WHERE (created_at < $1 OR (created_at = $1 AND id < $2))
             AND ($3 = '' OR status = $3) AND ($4 = '' OR campaign_id = $4)
             ORDER BY created_at DESC, id DESC LIMIT $5",
            &params![at, id, status, campaign, limit],
            |row| row.text(0),
        ),
    }
}

/// Messages that wait or are on their way, by status.
pub fn waiting(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.all(
        "SELECT status, count(*){big} FROM messages WHERE due_at IS NOT NULL GROUP BY status ORDER BY status",
        &[],
        |row| Ok((row.text(0)?, row.int(1)?)),
    )
}

/// How many messages nobody knows the end of.
pub fn unknown(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT count(*){big} FROM messages WHERE status = 'unknown'", &[], |row| row.int(0))
}
