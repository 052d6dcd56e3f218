//! Deliveries: effects on the outside other than mail, each with a key that never changes.
//!
//! They go out at least once: one whose sender died is taken again when its lease is over.
//! A delivery that cannot be made is kept as dead until a person asks for another try.

use hogwire_model::{Span, Time};
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::Result;

/// From the claim to the settlement; longer than the longest timeout of a request.
pub const LEASE: Span = Span::minutes(3);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub id: String,
    pub idempotency_key: String,
    /// A connection's name for captures, `webhook` for webhooks.
    pub destination: String,
    /// `webhook`, `capture` or `event`.
    pub kind: String,
    pub contact_id: String,
    pub campaign_id: String,
    pub enrollment_id: String,
    pub step: String,
    #[serde(skip)]
    pub payload: String,
    /// `pending`, `sending`, `done`, `dead` or `held`.
    pub status: String,
    pub reason: String,
    pub created_at: Time,
    pub due_at: Option<Time>,
    pub settled_at: Option<Time>,
    pub attempts: i64,
    #[serde(skip)]
    pub fence: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, idempotency_key, destination, kind, contact_id, campaign_id, enrollment_id, step, payload, \
             status, reason, created_at, due_at, settled_at, attempts, fence FROM deliveries ",
            $rest
        )
    };
}

/// Adds it, unless one with its key exists. Answers the id of the one there is.
pub fn add(tx: &mut Tx<'_>, d: &Delivery) -> Result<String> {
    let written = tx.execute(
        "INSERT INTO deliveries (id, idempotency_key, destination, kind, contact_id, campaign_id, enrollment_id, step,
             payload, status, reason, created_at, due_at, attempts, lease_until, fence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0)
         ON CONFLICT (idempotency_key) DO NOTHING",
        &params![
            &d.id,
            &d.idempotency_key,
            &d.destination,
            &d.kind,
            &d.contact_id,
            &d.campaign_id,
            &d.enrollment_id,
            &d.step,
            &d.payload,
            &d.status,
            &d.reason,
            d.created_at,
            d.due_at
        ],
    )?;
    if written == 1 {
        return Ok(d.id.clone());
    }
    tx.one("SELECT id FROM deliveries WHERE idempotency_key = $1", &params![&d.idempotency_key], |row| row.text(0))
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Delivery>> {
    tx.optional(select!("WHERE id = $1"), &params![id], read)
}

/// Due deliveries of one kind, oldest first, without those of paused campaigns. While one
/// is being sent its due time is the end of its lease, so a lost one is due again.
pub fn due(tx: &mut Tx<'_>, kind: &str, now: Time, paused: &[&str], limit: usize) -> Result<Vec<Delivery>> {
    tx.all(
        select!(
            "WHERE kind = $1 AND due_at <= $2 AND (status <> 'sending' OR lease_until <= {clock}(CAST($2 AS BIGINT)))
             AND NOT (campaign_id {any $3}) ORDER BY due_at, id LIMIT $4 {skip_locked}"
        ),
        &params![kind, now, paused.to_vec(), limit],
        read,
    )
}

/// As `due`, for one destination alone.
pub fn due_for(tx: &mut Tx<'_>, kind: &str, destination: &str, now: Time, limit: usize) -> Result<Vec<Delivery>> {
    tx.all(
        select!(
            "WHERE kind = $1 AND destination = $2 AND due_at <= $3
             AND (status <> 'sending' OR lease_until <= {clock}(CAST($3 AS BIGINT)))
             ORDER BY due_at, id LIMIT $4 {skip_locked}"
        ),
        &params![kind, destination, now, limit],
        read,
    )
}

pub fn next_due_for(tx: &mut Tx<'_>, kind: &str, destination: &str) -> Result<Option<Time>> {
    tx.one(
        "SELECT min(due_at) FROM deliveries WHERE kind = $1 AND destination = $2 AND due_at IS NOT NULL",
        &params![kind, destination],
        |row| row.opt_time(0),
    )
}

/// Not yet: what it needs is not there.
pub fn postpone(tx: &mut Tx<'_>, id: &str, due: Time) -> Result<()> {
    tx.execute("UPDATE deliveries SET due_at = $2 WHERE id = $1", &params![id, due])?;
    Ok(())
}

/// Marks deliveries as being sent. Each one's fence rises by one.
pub fn claim(tx: &mut Tx<'_>, ids: Vec<&str>, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE deliveries SET status = 'sending', due_at = $2, fence = fence + 1, attempts = attempts + 1,
             lease_until = {clock}(CAST($3 AS BIGINT)) + $4 WHERE id {any $1}",
        &params![ids, now.plus(LEASE), now, LEASE.as_millis()],
    )?;
    Ok(())
}

/// Keeps the payload as it was rendered, so that every try sends the same.
pub fn render(tx: &mut Tx<'_>, id: &str, payload: &str) -> Result<()> {
    tx.execute("UPDATE deliveries SET payload = $2 WHERE id = $1", &params![id, payload])?;
    Ok(())
}

/// What a try came to.
pub struct Settled<'a> {
    pub status: &'a str,
    pub reason: &'a str,
    /// When it is tried again; nothing where this is the end.
    pub due: Option<Time>,
    /// Whether the try counts towards the last one.
    pub counts: bool,
}

/// Settles a try. Answers whether the fence held; when not, somebody else took it over.
pub fn settle(tx: &mut Tx<'_>, id: &str, fence: i64, to: &Settled<'_>, now: Time) -> Result<bool> {
    let settled = to.due.is_none().then_some(now);
    let touched = tx.execute(
        "UPDATE deliveries SET status = $3, reason = $4, due_at = $5, settled_at = $6, attempts = attempts - $7
         WHERE id = $1 AND fence = $2",
        &params![id, fence, to.status, to.reason, to.due, settled, !to.counts],
    )?;
    Ok(touched == 1)
}

/// Ends a delivery before a try: it can never be made, or there is nobody to make it to.
pub fn end(tx: &mut Tx<'_>, id: &str, status: &str, reason: &str, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE deliveries SET status = $2, reason = $3, due_at = NULL, settled_at = $4 WHERE id = $1",
        &params![id, status, reason, now],
    )?;
    Ok(())
}

/// Puts a dead or held delivery back, with a whole ladder of tries before it.
pub fn retry(tx: &mut Tx<'_>, id: &str, now: Time) -> Result<bool> {
    let touched = tx.execute(
        "UPDATE deliveries SET status = 'pending', reason = '', due_at = $2, settled_at = NULL, attempts = 0
         WHERE id = $1 AND status IN ('dead', 'held', 'pending')",
        &params![id, now],
    )?;
    Ok(touched == 1)
}

pub fn next_due(tx: &mut Tx<'_>, kind: &str, after: Time) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM deliveries WHERE kind = $1 AND due_at > $2", &params![kind, after], |row| {
        row.opt_time(0)
    })
}

/// A page of deliveries behind the given one, newest first; of one status, or of all.
pub fn newest(tx: &mut Tx<'_>, status: &str, before: Option<(Time, &str)>, limit: usize) -> Result<Vec<Delivery>> {
    let (at, id) = before.unwrap_or((Time::from_millis(i64::MAX), ""));
    tx.all(
        select!(
            "WHERE (created_at < $1 OR (created_at = $1 AND id < $2)) AND ($3 = '' OR status = $3)
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ),
        &params![at, id, status, limit],
        read,
    )
}

/// What went, or goes, out about contacts, newest first.
pub fn of_contact(tx: &mut Tx<'_>, contacts: &[String], limit: usize) -> Result<Vec<Delivery>> {
    tx.all(
        select!("WHERE contact_id {any $1} ORDER BY created_at DESC, id DESC LIMIT $2"),
        &params![contacts.to_vec(), limit],
        read,
    )
}

/// What is held back, once per destination and reason, with how many wait: a refused
/// credential is one problem, however many events it stops.
pub fn troubles(tx: &mut Tx<'_>) -> Result<Vec<(String, String, i64)>> {
    tx.all(
        "SELECT destination, reason, count(*){big} FROM deliveries WHERE status = 'held'
         GROUP BY destination, reason ORDER BY destination, reason LIMIT 100",
        &[],
        |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)),
    )
}

fn read(row: &Row<'_>) -> Result<Delivery> {
    Ok(Delivery {
        id: row.text(0)?,
        idempotency_key: row.text(1)?,
        destination: row.text(2)?,
        kind: row.text(3)?,
        contact_id: row.text(4)?,
        campaign_id: row.text(5)?,
        enrollment_id: row.text(6)?,
        step: row.text(7)?,
        payload: row.text(8)?,
        status: row.text(9)?,
        reason: row.text(10)?,
        created_at: row.time(11)?,
        due_at: row.opt_time(12)?,
        settled_at: row.opt_time(13)?,
        attempts: row.int(14)?,
        fence: row.int(15)?,
    })
}
