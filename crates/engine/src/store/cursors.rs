//! How far each reader of a log has come. A cursor moves in the transaction that decided
//! what it passes.

use super::{Tx, params};
use crate::error::Result;

pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT position FROM cursors WHERE name = $1", &params![name], |row| row.text(0))
}

/// Puts a cursor where there is none.
pub fn plant(tx: &mut Tx<'_>, name: &str, position: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO cursors (name, position, fence) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING",
        &params![name, position],
    )?;
    Ok(())
}

/// Takes a cursor for this transaction; nothing where another node has it.
pub fn claim(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT position FROM cursors WHERE name = $1 {skip_locked}", &params![name], |row| row.text(0))
}

pub fn set(tx: &mut Tx<'_>, name: &str, position: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO cursors (name, position, fence) VALUES ($1, $2, 1)
         ON CONFLICT (name) DO UPDATE SET position = excluded.position, fence = cursors.fence + 1",
        &params![name, position],
    )?;
    Ok(())
}
