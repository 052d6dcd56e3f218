//! Sealed values by name. Sealing and opening is `crate::secrets`.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::Result;

pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT sealed FROM secrets WHERE name = $1", &params![name], |row| row.text(0))
}

pub fn set(tx: &mut Tx<'_>, name: &str, sealed: &str, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO secrets (name, sealed, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
        &params![name, sealed, now],
    )?;
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM secrets WHERE name = $1", &params![name])?;
    Ok(())
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>> {
    tx.all("SELECT name, sealed FROM secrets ORDER BY name LIMIT 10000", &[], |row| Ok((row.text(0)?, row.text(1)?)))
}
