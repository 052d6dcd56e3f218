//! Enrollments: one contact going through one campaign. A sleeping one is a row with a
//! `due_at`; nothing in memory waits for it.

use hogwire_model::Time;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub struct Enrollment {
    pub id: String,
    pub campaign_id: String,
    pub version: i64,
    pub contact_id: String,
    pub status: Status,
    /// Where it stands: a step's id, empty before the first.
    pub position: String,
    /// The state of the run as JSON.
    pub run: String,
    /// `connection:uuid` of the event that began it, or what else did.
    pub trigger_event: String,
    pub trigger_properties: String,
    pub entered_at: Time,
    pub due_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// Code of the end.
    pub ending: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for an absence or a date before it enters.
    Watching,
    Active,
    Ended,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        [Self::Watching, Self::Active, Self::Ended]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::Corrupt { what: "enrollment status", why: text.to_owned() })
    }
}

pub fn add(tx: &mut Tx<'_>, e: &Enrollment) -> Result<()> {
    tx.execute(
        "INSERT INTO enrollments (id, campaign_id, version, contact_id, status, position, run, trigger_event,
             trigger_properties, entered_at, due_at, ended_at, ending)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &params![
            &e.id,
            &e.campaign_id,
            e.version,
            &e.contact_id,
            e.status.as_str(),
            &e.position,
            &e.run,
            &e.trigger_event,
            &e.trigger_properties,
            e.entered_at,
            e.due_at,
            e.ended_at,
            e.ending.as_deref()
        ],
    )?;
    Ok(())
}

/// Writes what a turn changed.
pub fn update(tx: &mut Tx<'_>, e: &Enrollment) -> Result<()> {
    tx.execute(
        "UPDATE enrollments SET version = $2, contact_id = $3, status = $4, position = $5, run = $6, entered_at = $7,
             due_at = $8, ended_at = $9, ending = $10 WHERE id = $1",
        &params![
            &e.id,
            e.version,
            &e.contact_id,
            e.status.as_str(),
            &e.position,
            &e.run,
            e.entered_at,
            e.due_at,
            e.ended_at,
            e.ending.as_deref()
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Enrollment>> {
    tx.optional(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments WHERE id = $1 {for_update}",
        &params![id],
        read,
    )
}

/// Live and watching runs of these contacts, locked.
pub fn live_of(tx: &mut Tx<'_>, contacts: Vec<&str>) -> Result<Vec<Enrollment>> {
    tx.all(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments
         WHERE contact_id {any $1} AND status IN ('watching', 'active') ORDER BY id {for_update}",
        &params![contacts],
        read,
    )
}

/// When a contact entered a campaign, newest first, and whether a run is live there.
pub fn history(tx: &mut Tx<'_>, contact_id: &str, campaign_id: &str) -> Result<Vec<(Time, Status)>> {
    tx.all(
        "SELECT entered_at, status FROM enrollments WHERE contact_id = $1 AND campaign_id = $2
         ORDER BY entered_at DESC, id DESC LIMIT 100",
        &params![contact_id, campaign_id],
        |row| Ok((row.time(0)?, Status::parse(row.str(1)?)?)),
    )
}

/// The same for many contacts at once: (contact, campaign, entered, status).
pub fn history_of(tx: &mut Tx<'_>, contacts: Vec<&str>) -> Result<Vec<(String, String, Time, Status)>> {
    tx.all(
        "SELECT contact_id, campaign_id, entered_at, status FROM enrollments WHERE contact_id {any $1}
         ORDER BY contact_id, campaign_id, entered_at DESC, id DESC",
        &params![contacts],
        |row| Ok((row.text(0)?, row.text(1)?, row.time(2)?, Status::parse(row.str(3)?)?)),
    )
}

/// Takes due runs, oldest first. The rows stay locked until the transaction ends, so that
/// no other node takes them; nothing is leased because nothing outside is called.
pub fn due(tx: &mut Tx<'_>, now: Time, limit: usize) -> Result<Vec<Enrollment>> {
    tx.all(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments
         WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2 {skip_locked}",
        &params![now, limit],
        read,
    )
}

pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM enrollments WHERE due_at IS NOT NULL", &[], |row| row.opt_time(0))
}

pub fn of_contact(tx: &mut Tx<'_>, contact_id: &str, limit: usize) -> Result<Vec<Enrollment>> {
    tx.all(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments
         WHERE contact_id = $1 ORDER BY entered_at DESC, id DESC LIMIT $2",
        &params![contact_id, limit],
        read,
    )
}

/// How many runs of a campaign stand alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub version: i64,
    pub status: Status,
    pub position: String,
    pub ending: Option<String>,
    pub n: i64,
}

/// Counts a campaign's runs by version, status, step and ending.
pub fn standing(tx: &mut Tx<'_>, campaign_id: &str) -> Result<Vec<Standing>> {
    tx.all(
        "SELECT version, status, position, ending, count(*){big} FROM enrollments WHERE campaign_id = $1
         GROUP BY version, status, position, ending ORDER BY version, status, position, ending",
        &params![campaign_id],
        |row| {
            Ok(Standing {
                version: row.int(0)?,
                status: Status::parse(row.str(1)?)?,
                position: row.text(2)?,
                ending: row.opt_text(3)?,
                n: row.int(4)?,
            })
        },
    )
}

/// Live runs of a campaign at one step, or at any; those that move on first, first.
pub fn resting(tx: &mut Tx<'_>, campaign_id: &str, position: &str, limit: usize) -> Result<Vec<Enrollment>> {
    tx.all(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments
         WHERE campaign_id = $1 AND status = 'active' AND ($2 = '' OR position = $2)
         ORDER BY COALESCE(due_at, 9223372036854775807), id LIMIT $3",
        &params![campaign_id, position, limit],
        read,
    )
}

/// The watch a campaign keeps on a contact, if there is one.
pub fn watching(tx: &mut Tx<'_>, contact_id: &str, campaign_id: &str) -> Result<Option<Enrollment>> {
    tx.optional(
        "SELECT id, campaign_id, version, contact_id, status, position, run, trigger_event, trigger_properties,
             entered_at, due_at, ended_at, ending FROM enrollments
         WHERE contact_id = $1 AND campaign_id = $2 AND status = 'watching' ORDER BY id LIMIT 1 {for_update}",
        &params![contact_id, campaign_id],
        read,
    )
}

/// What became of a contact's runs in one campaign: (ended, converted).
pub fn outcomes(tx: &mut Tx<'_>, contact_id: &str, campaign_id: &str) -> Result<Vec<(bool, bool)>> {
    tx.all(
        "SELECT status, converted_at FROM enrollments
         WHERE contact_id = $1 AND campaign_id = $2 AND status <> 'watching' ORDER BY entered_at DESC, id DESC LIMIT 100",
        &params![contact_id, campaign_id],
        |row| Ok((row.str(0)? == Status::Ended.as_str(), row.opt_time(1)?.is_some())),
    )
}

/// Marks the newest run that entered at or after `since` as converted, once. Answers its id
/// and version where one was marked.
pub fn convert(
    tx: &mut Tx<'_>,
    contact_id: &str,
    campaign_id: &str,
    since: Time,
    at: Time,
) -> Result<Option<(String, i64)>> {
    let run = tx.optional(
        "SELECT id, version, converted_at FROM enrollments
         WHERE contact_id = $1 AND campaign_id = $2 AND entered_at >= $3 AND entered_at <= $4 AND status <> 'watching'
         ORDER BY entered_at DESC, id DESC LIMIT 1",
        &params![contact_id, campaign_id, since, at],
        |row| Ok((row.text(0)?, row.int(1)?, row.opt_time(2)?)),
    )?;
    let Some((id, version, None)) = run else { return Ok(None) };
    tx.execute("UPDATE enrollments SET converted_at = $2 WHERE id = $1", &params![&id, at])?;
    Ok(Some((id, version)))
}

pub fn converted(tx: &mut Tx<'_>, campaign_id: &str) -> Result<i64> {
    tx.one(
        "SELECT count(*){big} FROM enrollments WHERE campaign_id = $1 AND converted_at IS NOT NULL",
        &params![campaign_id],
        |row| row.int(0),
    )
}

/// How many entered since a time: for the brake on sudden growth.
pub fn entered_since(tx: &mut Tx<'_>, campaign_id: &str, since: Time) -> Result<i64> {
    tx.one(
        "SELECT count(*){big} FROM enrollments WHERE campaign_id = $1 AND entered_at >= $2 AND status <> 'watching'",
        &params![campaign_id, since],
        |row| row.int(0),
    )
}

pub fn move_all(tx: &mut Tx<'_>, from: &str, to: &str) -> Result<()> {
    tx.execute("UPDATE enrollments SET contact_id = $2 WHERE contact_id = $1", &params![from, to])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Enrollment> {
    Ok(Enrollment {
        id: row.text(0)?,
        campaign_id: row.text(1)?,
        version: row.int(2)?,
        contact_id: row.text(3)?,
        status: Status::parse(row.str(4)?)?,
        position: row.text(5)?,
        run: row.text(6)?,
        trigger_event: row.text(7)?,
        trigger_properties: row.text(8)?,
        entered_at: row.time(9)?,
        due_at: row.opt_time(10)?,
        ended_at: row.opt_time(11)?,
        ending: row.opt_text(12)?,
    })
}
