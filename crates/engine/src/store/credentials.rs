//! What is known of each credential without opening it. The tokens are in `secrets`, sealed.

use hogwire_model::Time;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Good,
    /// The other side takes it no more; a person must connect again.
    Refused,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    pub connection: String,
    pub status: Status,
    /// As granted, with spaces between.
    pub scopes: String,
    /// The projects it is limited to; empty where it is not.
    pub projects: Vec<i64>,
    pub expires_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    /// When it was last tried to be renewed.
    pub tried_at: Option<Time>,
    /// Why that did not work; empty where it did.
    pub problem: String,
    /// Moves with every change, so that a late answer changes nothing.
    pub fence: i64,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
        }
    }
}

pub fn find(tx: &mut Tx<'_>, connection: &str) -> Result<Option<Credential>> {
    tx.optional(
        "SELECT connection, status, scopes, projects, expires_at, created_at, updated_at, tried_at, problem, fence
         FROM credentials WHERE connection = $1",
        &params![connection],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Credential>> {
    tx.all(
        "SELECT connection, status, scopes, projects, expires_at, created_at, updated_at, tried_at, problem, fence
         FROM credentials ORDER BY connection LIMIT 500",
        &[],
        read,
    )
}

/// Puts a credential, or what it has become. The fence moves.
pub fn put(tx: &mut Tx<'_>, credential: &Credential) -> Result<()> {
    let projects = serde_json::to_string(&credential.projects)
        .map_err(|error| Error::Corrupt { what: "credential", why: error.to_string() })?;
    tx.execute(
        "INSERT INTO credentials
             (connection, status, scopes, projects, expires_at, created_at, updated_at, tried_at, problem, fence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)
         ON CONFLICT (connection) DO UPDATE SET status = excluded.status, scopes = excluded.scopes,
             projects = excluded.projects, expires_at = excluded.expires_at, updated_at = excluded.updated_at,
             tried_at = excluded.tried_at, problem = excluded.problem, fence = credentials.fence + 1",
        &params![
            &credential.connection,
            credential.status.as_str(),
            &credential.scopes,
            &projects,
            credential.expires_at,
            credential.created_at,
            credential.updated_at,
            credential.tried_at,
            &credential.problem
        ],
    )?;
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, connection: &str) -> Result<bool> {
    Ok(tx.execute("DELETE FROM credentials WHERE connection = $1", &params![connection])? > 0)
}

fn read(row: &Row<'_>) -> Result<Credential> {
    Ok(Credential {
        connection: row.text(0)?,
        status: if row.str(1)? == "good" { Status::Good } else { Status::Refused },
        scopes: row.text(2)?,
        projects: row.json(3, "credential")?,
        expires_at: row.opt_time(4)?,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
        tried_at: row.opt_time(7)?,
        problem: row.text(8)?,
        fence: row.int(9)?,
    })
}
