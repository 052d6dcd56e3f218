//! Small facts about the installation itself, by name.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::Result;

pub fn text(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM settings WHERE name = $1", &params![name], |row| row.text(0))
}

pub fn number(tx: &mut Tx<'_>, name: &str) -> Result<Option<i64>> {
    Ok(text(tx, name)?.and_then(|value| value.parse().ok()))
}

pub fn set(tx: &mut Tx<'_>, name: &str, value: &str, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        &params![name, value, now],
    )?;
    Ok(())
}
