//! Sending domains: their public keys, and what DNS last said of their records.

use hogwire_connectors::smtp::records::{Published, Record};
use hogwire_model::Time;
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its records were not right yet.
    Pending,
    Verified,
    /// They were right once.
    Failing,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Failing => "failing",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "pending" => Ok(Self::Pending),
            "verified" => Ok(Self::Verified),
            "failing" => Ok(Self::Failing),
            other => Err(Error::Corrupt { what: "domain", why: format!("`{other}` is no status") }),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    pub name: String,
    pub status: Status,
    pub keys: Vec<Published>,
    /// Selectors whose records are right, by which its mail is signed, with spaces between.
    pub signing: String,
    pub records: Vec<Record>,
    /// How often in a row the records of a verified domain were not right.
    pub misses: i64,
    pub checks: i64,
    pub created_at: Time,
    pub checked_at: Option<Time>,
    pub verified_at: Option<Time>,
    pub due_at: Time,
}

/// Adds a domain. Answers whether it was not there.
pub fn add(tx: &mut Tx<'_>, domain: &Domain) -> Result<bool> {
    let written = tx.execute(
        "INSERT INTO domains (name, status, keys, signing, records, misses, checks, created_at, checked_at, verified_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (name) DO NOTHING",
        &params![
            &domain.name,
            domain.status.as_str(),
            &written_down(&domain.keys)?,
            &domain.signing,
            &written_down(&domain.records)?,
            domain.misses,
            domain.checks,
            domain.created_at,
            domain.checked_at,
            domain.verified_at,
            domain.due_at
        ],
    )?;
    Ok(written == 1)
}

/// Writes what a look at DNS has changed; never the keys.
pub fn checked(tx: &mut Tx<'_>, domain: &Domain) -> Result<()> {
    tx.execute(
        "UPDATE domains SET status = $2, signing = $3, records = $4, misses = $5, checks = $6, checked_at = $7,
             verified_at = $8, due_at = $9 WHERE name = $1",
        &params![
            &domain.name,
            domain.status.as_str(),
            &domain.signing,
            &written_down(&domain.records)?,
            domain.misses,
            domain.checks,
            domain.checked_at,
            domain.verified_at,
            domain.due_at
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Domain>> {
    tx.optional(
        "SELECT name, status, keys, signing, records, misses, checks, created_at, checked_at, verified_at, due_at
         FROM domains WHERE name = $1",
        &params![name],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Domain>> {
    tx.all(
        "SELECT name, status, keys, signing, records, misses, checks, created_at, checked_at, verified_at, due_at
         FROM domains ORDER BY name LIMIT 1000",
        &[],
        read,
    )
}

/// Names of those to be looked up again.
pub fn due(tx: &mut Tx<'_>, now: Time, most: usize) -> Result<Vec<String>> {
    tx.all(
        "SELECT name FROM domains WHERE due_at <= $1 ORDER BY due_at, name LIMIT $2",
        &params![now, i64::try_from(most).unwrap_or(i64::MAX)],
        |row| row.text(0),
    )
}

pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Time>> {
    tx.one("SELECT MIN(due_at) FROM domains", &[], |row| row.opt_time(0))
}

/// How a domain stands, and by which selectors its mail is signed; read for every message.
pub fn standing(tx: &mut Tx<'_>, name: &str) -> Result<Option<(Status, String)>> {
    tx.optional("SELECT status, signing FROM domains WHERE name = $1", &params![name], |row| {
        Ok((Status::parse(row.str(0)?)?, row.text(1)?))
    })
}

/// Answers whether there was one.
pub fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    Ok(tx.execute("DELETE FROM domains WHERE name = $1", &params![name])? == 1)
}

fn written_down(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Corrupt { what: "domain", why: error.to_string() })
}

fn read(row: &Row<'_>) -> Result<Domain> {
    Ok(Domain {
        name: row.text(0)?,
        status: Status::parse(row.str(1)?)?,
        keys: row.json(2, "domain")?,
        signing: row.text(3)?,
        records: row.json(4, "domain")?,
        misses: row.int(5)?,
        checks: row.int(6)?,
        created_at: row.time(7)?,
        checked_at: row.opt_time(8)?,
        verified_at: row.opt_time(9)?,
        due_at: row.time(10)?,
    })
}
