//! Erasures: what is taken out of every table, and the receipt of each place where the
//! person was held.
//!
//! Counts and dedup keys stay, under a name that nobody has: an event that comes again must
//! not make the person anew, and a campaign's numbers must not change.

use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;

/// What one place answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// `here`, or a destination's or connection's name.
    pub place: String,
    /// `pending`, `done`, `failed`, or `by_hand` where a person must do it.
    pub status: String,
    pub answer: String,
    pub attempts: i64,
    pub settled_at: Option<Time>,
    /// Whom to erase there; empty once that is done.
    #[serde(skip)]
    pub subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erasure {
    pub id: String,
    pub contact_id: String,
    pub at: Time,
    pub actor: String,
}

pub fn add(tx: &mut Tx<'_>, erasure: &Erasure) -> Result<()> {
    tx.execute(
        "INSERT INTO erasures (id, contact_id, at, actor) VALUES ($1, $2, $3, $4)",
        &params![&erasure.id, &erasure.contact_id, erasure.at, &erasure.actor],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Erasure>> {
    tx.optional("SELECT id, contact_id, at, actor FROM erasures WHERE id = $1", &params![id], read)
}

pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str) -> Result<Option<Erasure>> {
    tx.optional(
        "SELECT id, contact_id, at, actor FROM erasures WHERE contact_id = $1 ORDER BY at DESC, id DESC LIMIT 1",
        &params![contact_id],
        read,
    )
}

/// Erasures before a time, newest first.
pub fn newest(tx: &mut Tx<'_>, before: Time, limit: usize) -> Result<Vec<Erasure>> {
    tx.all(
        "SELECT id, contact_id, at, actor FROM erasures WHERE at < $1 ORDER BY at DESC, id DESC LIMIT $2",
        &params![before, limit],
        read,
    )
}

fn read(row: &super::Row<'_>) -> Result<Erasure> {
    Ok(Erasure { id: row.text(0)?, contact_id: row.text(1)?, at: row.time(2)?, actor: row.text(3)? })
}

pub fn add_receipt(tx: &mut Tx<'_>, erasure_id: &str, receipt: &Receipt, due: Option<Time>) -> Result<()> {
    tx.execute(
        "INSERT INTO erasure_receipts (erasure_id, place, status, answer, subject, attempts, due_at, settled_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
        &params![
            erasure_id,
            &receipt.place,
            &receipt.status,
            &receipt.answer,
            &receipt.subject,
            due,
            receipt.settled_at
        ],
    )?;
    Ok(())
}

pub fn receipts(tx: &mut Tx<'_>, erasure_id: &str) -> Result<Vec<Receipt>> {
    tx.all(
        "SELECT place, status, answer, subject, attempts, settled_at FROM erasure_receipts WHERE erasure_id = $1
         ORDER BY place LIMIT 100",
        &params![erasure_id],
        |row| {
            Ok(Receipt {
                place: row.text(0)?,
                status: row.text(1)?,
                answer: row.text(2)?,
                subject: row.text(3)?,
                attempts: row.int(4)?,
                settled_at: row.opt_time(5)?,
            })
        },
    )
}

/// What is due at a place: (erasure, subject, tries so far), oldest first.
pub fn due(tx: &mut Tx<'_>, place: &str, now: Time, limit: usize) -> Result<Vec<(String, String, i64)>> {
    tx.all(
        "SELECT erasure_id, subject, attempts FROM erasure_receipts WHERE place = $1 AND due_at <= $2
         ORDER BY due_at, erasure_id LIMIT $3 {skip_locked}",
        &params![place, now, limit],
        |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)),
    )
}

pub fn next_due(tx: &mut Tx<'_>, place: &str) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM erasure_receipts WHERE place = $1 AND due_at IS NOT NULL", &params![place], |row| {
        row.opt_time(0)
    })
}

/// Writes what a try at a place came to. Nobody is named any more once it is done.
pub fn settle(
    tx: &mut Tx<'_>,
    erasure_id: &str,
    place: &str,
    status: &str,
    answer: &str,
    due: Option<Time>,
    now: Time,
) -> Result<()> {
    let settled = due.is_none().then_some(now);
    tx.execute(
        "UPDATE erasure_receipts SET status = $3, answer = $4, due_at = $5, settled_at = $6, attempts = attempts + 1,
             subject = CASE WHEN $3 = 'done' THEN '' ELSE subject END
         WHERE erasure_id = $1 AND place = $2",
        &params![erasure_id, place, status, answer, due, settled],
    )?;
    Ok(())
}

/// Puts a failed receipt back. Answers whether there was one.
pub fn retry(tx: &mut Tx<'_>, erasure_id: &str, place: &str, now: Time) -> Result<bool> {
    let touched = tx.execute(
        "UPDATE erasure_receipts SET status = 'pending', due_at = $3, settled_at = NULL, attempts = 0
         WHERE erasure_id = $1 AND place = $2 AND status IN ('failed', 'by_hand') AND subject <> ''",
        &params![erasure_id, place, now],
    )?;
    Ok(touched == 1)
}

/// How many receipts failed, or wait for a person.
pub fn open(tx: &mut Tx<'_>) -> Result<Vec<(String, String, i64)>> {
    tx.all(
        "SELECT place, status, count(*){big} FROM erasure_receipts WHERE status <> 'done'
         GROUP BY place, status ORDER BY place, status",
        &[],
        |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)),
    )
}

/// Places in the log of everything that these contacts sent, to be blanked there.
pub fn places(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>> {
    tx.all(
        "SELECT place FROM events WHERE contact_id {any $1} AND place <> '' ORDER BY place",
        &params![ids.to_vec()],
        |row| row.text(0),
    )
}

/// Takes the contacts out of every table. What must stay for the sake of counts and
/// duplicates goes on under `nobody`, a name that no contact has. Answers how many rows
/// were blanked or removed.
pub fn blank(tx: &mut Tx<'_>, ids: &[String], nobody: &str, now: Time) -> Result<u64> {
    let mut touched = 0;
    for sql in BY_ID {
        touched += tx.execute(sql, &params![ids.to_vec()])?;
    }
    for sql in RENAMED {
        touched += tx.execute(sql, &params![ids.to_vec(), nobody])?;
    }
    for sql in ENDED {
        touched += tx.execute(sql, &params![ids.to_vec(), nobody, now])?;
    }
    Ok(touched)
}

/// Removed. The attempts come first: they are found by what they tried.
const BY_ID: [&str; 18] = [
    "DELETE FROM attempts WHERE subject_id IN (SELECT id FROM messages WHERE contact_id {any $1})",
    "DELETE FROM attempts WHERE subject_id IN (SELECT id FROM deliveries WHERE contact_id {any $1})",
    "DELETE FROM message_bodies WHERE contact_id {any $1}",
    "DELETE FROM contact_keys WHERE contact_id {any $1}",
    "DELETE FROM consents WHERE contact_id {any $1}",
    "DELETE FROM hits WHERE contact_id {any $1}",
    "DELETE FROM memberships WHERE contact_id {any $1}",
    "DELETE FROM sightings WHERE contact_id {any $1}",
    "DELETE FROM membership_changes WHERE contact_id {any $1}",
    "DELETE FROM merges WHERE survivor {any $1}",
    "DELETE FROM merges WHERE loser {any $1}",
    "DELETE FROM redirects WHERE survivor {any $1}",
    "DELETE FROM mirrored_contacts WHERE contact_id {any $1}",
    "DELETE FROM mirrored_members WHERE contact_id {any $1}",
    "DELETE FROM contacts WHERE id {any $1}",
    "UPDATE events SET contact_id = NULL, outcome = 'erased', place = '' WHERE contact_id {any $1}",
    "UPDATE audit SET detail = '{}' WHERE subject {any $1} AND action <> 'contact.erase'",
    "DELETE FROM enrollments WHERE contact_id {any $1} AND status = 'watching'",
];

/// Kept for the counts, without a word about anybody.
const RENAMED: [&str; 2] = [
    "UPDATE decisions SET contact_id = $2, event = '', detail = '{}' WHERE contact_id {any $1}",
    "UPDATE engagements SET contact_id = $2, detail = '{}' WHERE contact_id {any $1}",
];

/// What was on its way ends here. A message's token opens nothing any more.
const ENDED: [&str; 3] = [
    "UPDATE enrollments SET contact_id = $2, status = 'ended', run = '{}', trigger_event = '', trigger_properties = '{}',
         due_at = NULL, ended_at = COALESCE(ended_at, CAST($3 AS BIGINT)), ending = COALESCE(ending, 'erased')
     WHERE contact_id {any $1}",
    "UPDATE messages SET contact_id = $2, address = '', subject = '', reason = 'erased', token_hash = 'erased:' || id,
         status = CASE WHEN status IN ('queued', 'held') THEN 'skipped' ELSE status END, due_at = NULL,
         settled_at = COALESCE(settled_at, CAST($3 AS BIGINT))
     WHERE contact_id {any $1}",
    "UPDATE deliveries SET contact_id = $2, payload = '', reason = 'erased',
         status = CASE WHEN status = 'done' THEN 'done' ELSE 'dead' END, due_at = NULL,
         settled_at = COALESCE(settled_at, CAST($3 AS BIGINT))
     WHERE contact_id {any $1}",
];

/// Takes the contacts' own rows away, and ends what was on its way to them. What was sent
/// stays, and so does what destinations were told, which lets them be told of the end.
pub fn remove(tx: &mut Tx<'_>, ids: &[String], now: Time) -> Result<()> {
    for sql in [
        "DELETE FROM contact_keys WHERE contact_id {any $1}",
        "DELETE FROM consents WHERE contact_id {any $1}",
        "DELETE FROM hits WHERE contact_id {any $1}",
        "DELETE FROM memberships WHERE contact_id {any $1}",
        "DELETE FROM redirects WHERE survivor {any $1}",
        "DELETE FROM contacts WHERE id {any $1}",
    ] {
        tx.execute(sql, &params![ids.to_vec()])?;
    }
    tx.execute(
        "UPDATE enrollments SET status = 'ended', due_at = NULL, ended_at = $2, ending = 'exited'
         WHERE contact_id {any $1} AND status <> 'ended'",
        &params![ids.to_vec(), now],
    )?;
    tx.execute(
        "UPDATE messages SET status = 'skipped', reason = 'the contact was removed', due_at = NULL, settled_at = $2
         WHERE contact_id {any $1} AND status IN ('queued', 'held')",
        &params![ids.to_vec(), now],
    )?;
    Ok(())
}

/// What stands under an address rather than under a contact: kept bodies that could not be
/// read, excerpts of refused deliveries, the audit log's own subjects.
pub fn blank_address(tx: &mut Tx<'_>, address: &str) -> Result<()> {
    let pattern = format!("%{}%", address.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    tx.execute("DELETE FROM set_aside WHERE lower(body) LIKE $1 ESCAPE '!'", &params![&pattern])?;
    tx.execute("DELETE FROM refusals WHERE lower(excerpt) LIKE $1 ESCAPE '!'", &params![&pattern])?;
    tx.execute("UPDATE audit SET subject = '(erased)', detail = '{}' WHERE subject = $1", &params![address])?;
    Ok(())
}

/// The list of suppressed addresses forgets how an address was spelled.
pub fn forget_spelling(tx: &mut Tx<'_>, address_hash: &str) -> Result<()> {
    tx.execute("UPDATE suppressions SET address = NULL WHERE address_hash = $1", &params![address_hash])?;
    Ok(())
}

/// Events that wait for a name nobody will answer to any more.
pub fn forget_waiting(tx: &mut Tx<'_>, kind: &str, values: Vec<&str>) -> Result<()> {
    tx.execute("DELETE FROM unmatched WHERE kind = $1 AND value {any $2}", &params![kind, values])?;
    Ok(())
}
