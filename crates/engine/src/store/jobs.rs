//! Standing jobs: one durable unit of work each, found again by a key of its own.

use hogwire_model::{Span, Time};

use super::{Row, Tx, params};
use crate::error::Result;

pub struct New<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    /// There is one job per key; putting it again moves it.
    pub key: &'a str,
    pub payload: &'a str,
    pub due: Time,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub kind: String,
    pub key: String,
    pub payload: String,
    /// `pending`, `done` or `dead`.
    pub status: String,
    pub due_at: Option<Time>,
    pub attempts: i64,
    pub problem: String,
    pub updated_at: Time,
    /// Moves when the job is put again or taken; a settling that comes late touches nothing.
    pub fence: i64,
}

pub fn put(tx: &mut Tx<'_>, job: &New<'_>, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO jobs (id, kind, unique_key, payload, status, due_at, attempts, problem, lease_until, fence, updated_at)
         VALUES ($1, $2, $3, $4, 'pending', $5, 0, '', 0, 0, $6)
         ON CONFLICT (unique_key) DO UPDATE SET payload = excluded.payload, status = 'pending',
             due_at = excluded.due_at, attempts = 0, problem = '', fence = jobs.fence + 1,
             updated_at = excluded.updated_at",
        &params![job.id, job.kind, job.key, job.payload, job.due, now],
    )?;
    Ok(())
}

/// Takes the next due job; its row stays locked until the transaction ends.
pub fn claim(tx: &mut Tx<'_>, now: Time) -> Result<Option<Job>> {
    tx.optional(
        "SELECT id, kind, unique_key, payload, status, due_at, attempts, problem, updated_at, fence FROM jobs
         WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1 {skip_locked}",
        &params![now],
        read,
    )
}

/// Takes a claimed job out of the transaction: until `until` nobody else claims it.
pub fn lease(tx: &mut Tx<'_>, job: &mut Job, until: Time) -> Result<()> {
    tx.execute("UPDATE jobs SET due_at = $2, fence = fence + 1 WHERE id = $1", &params![&job.id, until])?;
    job.fence += 1;
    Ok(())
}

/// Whether a job is still the one that was leased; its row stays locked.
pub fn is_held(tx: &mut Tx<'_>, job: &Job) -> Result<bool> {
    let held = tx.optional("SELECT fence FROM jobs WHERE id = $1 {for_update}", &params![&job.id], |row| row.int(0))?;
    Ok(held == Some(job.fence))
}

pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM jobs WHERE due_at IS NOT NULL", &[], |row| row.opt_time(0))
}

/// When the next job of one kind is due.
pub fn next_of(tx: &mut Tx<'_>, kind: &str) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM jobs WHERE kind = $1 AND due_at IS NOT NULL", &params![kind], |row| row.opt_time(0))
}

/// The job goes on later, with what it has learnt.
pub fn again(tx: &mut Tx<'_>, id: &str, payload: &str, due: Time, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET payload = $2, due_at = $3, attempts = 0, problem = '', updated_at = $4 WHERE id = $1",
        &params![id, payload, due, now],
    )?;
    Ok(())
}

pub fn done(tx: &mut Tx<'_>, id: &str, now: Time) -> Result<()> {
    tx.execute("UPDATE jobs SET status = 'done', due_at = NULL, updated_at = $2 WHERE id = $1", &params![id, now])?;
    Ok(())
}

/// The job failed: it is tried again after a pause that grows, and set dead after ten tries.
pub fn failed(tx: &mut Tx<'_>, job: &Job, why: &str, now: Time) -> Result<()> {
    let attempts = job.attempts + 1;
    let dead = attempts >= 10;
    let due = (!dead).then(|| now.plus(Span::seconds(5 << attempts.min(9))));
    let status = if dead { "dead" } else { "pending" };
    tx.execute(
        "UPDATE jobs SET attempts = $2, status = $3, due_at = $4, problem = $5, updated_at = $6 WHERE id = $1",
        &params![&job.id, attempts, status, due, why, now],
    )?;
    Ok(())
}

pub fn all(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Job>> {
    tx.all(
        "SELECT id, kind, unique_key, payload, status, due_at, attempts, problem, updated_at, fence FROM jobs
         ORDER BY updated_at DESC, id LIMIT $1",
        &params![limit],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: row.text(0)?,
        kind: row.text(1)?,
        key: row.text(2)?,
        payload: row.text(3)?,
        status: row.text(4)?,
        due_at: row.opt_time(5)?,
        attempts: row.int(6)?,
        problem: row.text(7)?,
        updated_at: row.time(8)?,
        fence: row.int(9)?,
    })
}
