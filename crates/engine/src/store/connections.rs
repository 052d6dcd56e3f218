//! Configured uses of a connector, as rows: what state each is in, and what lets it in.

use hogwire_model::Time;

use super::{Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Events are logged and mapped; nothing starts (SPEC A11).
    Testing,
    Active,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    pub name: String,
    pub connector: String,
    pub status: Status,
    pub test_mode: bool,
    /// Hash of the token in its webhook URL.
    pub token_hash: Option<String>,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Testing => "testing",
            Self::Active => "active",
        }
    }
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Connection>> {
    tx.all("SELECT name, connector, status, mode, token_hash FROM connections ORDER BY name LIMIT 500", &[], read)
}

/// Puts a connection that the settings name. What it has become since stays.
pub fn plant(tx: &mut Tx<'_>, name: &str, connector: &str, status: Status, test_mode: bool, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO connections (name, connector, status, mode, token_hash, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (name) DO UPDATE SET connector = excluded.connector, mode = excluded.mode",
        &params![name, connector, status.as_str(), if test_mode { "test" } else { "live" }, None::<&str>, now],
    )?;
    Ok(())
}

pub fn set_status(tx: &mut Tx<'_>, name: &str, status: Status, now: Time) -> Result<bool> {
    let touched = tx.execute(
        "UPDATE connections SET status = $2, updated_at = $3 WHERE name = $1",
        &params![name, status.as_str(), now],
    )?;
    Ok(touched > 0)
}

pub fn set_token(tx: &mut Tx<'_>, name: &str, token_hash: &str, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE connections SET token_hash = $2, updated_at = $3 WHERE name = $1",
        &params![name, token_hash, now],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Connection> {
    Ok(Connection {
        name: row.text(0)?,
        connector: row.text(1)?,
        status: if row.str(2)? == "active" { Status::Active } else { Status::Testing },
        test_mode: row.str(3)? == "test",
        token_hash: row.opt_text(4)?,
    })
}
