//! Merges: who became whom. Readers of history follow a redirect until a job has moved
//! the loser's rows.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::Result;

/// A merge as it is recorded, carried out or refused.
pub struct Merge<'a> {
    pub id: &'a str,
    pub survivor: &'a str,
    pub loser: &'a str,
    pub at: Time,
    pub why: &'a str,
    /// Why it was not carried out.
    pub refused: Option<&'a str>,
    pub event: &'a str,
    /// Both contacts and the loser's keys as JSON, for a split.
    pub before: &'a str,
}

pub struct Recorded {
    pub id: String,
    pub survivor: String,
    pub loser: String,
    pub at: Time,
    pub why: String,
    pub refused: Option<String>,
    pub event: String,
    pub before: String,
}

pub fn record(tx: &mut Tx<'_>, merge: &Merge<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO merges (id, survivor, loser, at, why, refused, event, before)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![merge.id, merge.survivor, merge.loser, merge.at, merge.why, merge.refused, merge.event, merge.before],
    )?;
    Ok(())
}

/// Writes the redirect of a merge that is carried out. Earlier redirects to the loser are
/// pointed at the survivor, so that following one is a single step.
pub fn add(tx: &mut Tx<'_>, loser: &str, survivor: &str, now: Time) -> Result<()> {
    tx.execute("UPDATE redirects SET survivor = $2 WHERE survivor = $1", &params![loser, survivor])?;
    tx.execute(
        "INSERT INTO redirects (loser, survivor, at, moved) VALUES ($1, $2, $3, 0)",
        &params![loser, survivor, now],
    )?;
    Ok(())
}

/// The contact that answers for this id now.
pub fn resolve(tx: &mut Tx<'_>, id: &str) -> Result<String> {
    let survivor = tx.optional("SELECT survivor FROM redirects WHERE loser = $1", &params![id], |row| row.text(0))?;
    Ok(survivor.unwrap_or_else(|| id.to_owned()))
}

/// The contact's own id and those of everyone who became it: where its history may stand.
pub fn family(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>> {
    let mut ids = vec![id.to_owned()];
    ids.extend(tx.all(
        "SELECT loser FROM redirects WHERE survivor = $1 AND moved = 0 ORDER BY loser LIMIT 1000",
        &params![id],
        |row| row.text(0),
    )?);
    Ok(ids)
}

/// As `family`, with those whose history has been moved already: every id the contact ever
/// had, its own first.
pub fn everyone(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>> {
    let mut ids = vec![id.to_owned()];
    ids.extend(
        tx.all("SELECT loser FROM redirects WHERE survivor = $1 ORDER BY loser", &params![id], |row| row.text(0))?,
    );
    Ok(ids)
}

/// Redirects whose history still stands under the loser.
pub fn unmoved(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<(String, String)>> {
    tx.all(
        "SELECT loser, survivor FROM redirects WHERE moved = 0 ORDER BY at, loser LIMIT $1 {skip_locked}",
        &params![limit],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )
}

/// Moves a loser's history to its survivor and says so.
pub fn move_history(tx: &mut Tx<'_>, loser: &str, survivor: &str) -> Result<()> {
    for sql in [
        "UPDATE events SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE decisions SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE messages SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE message_bodies SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE engagements SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE deliveries SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE redirects SET moved = 1 WHERE loser = $1 AND survivor = $2",
    ] {
        tx.execute(sql, &params![loser, survivor])?;
    }
    Ok(())
}

pub fn of_contact(tx: &mut Tx<'_>, survivor: &str, limit: usize) -> Result<Vec<Recorded>> {
    tx.all(
        "SELECT id, survivor, loser, at, why, refused, event, before FROM merges
         WHERE survivor = $1 ORDER BY at DESC, id DESC LIMIT $2",
        &params![survivor, limit],
        |row| {
            Ok(Recorded {
                id: row.text(0)?,
                survivor: row.text(1)?,
                loser: row.text(2)?,
                at: row.time(3)?,
                why: row.text(4)?,
                refused: row.opt_text(5)?,
                event: row.text(6)?,
                before: row.text(7)?,
            })
        },
    )
}
