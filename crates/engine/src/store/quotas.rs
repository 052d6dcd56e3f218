//! How much of somebody else's limits is used, by the limit's name: `posthog:acme/query`.

use hogwire_model::policy::quota::Quota;

use super::{Tx, params};
use crate::error::{Error, Result};

/// Reads and locks a quota; one that was never used has its default.
pub fn lock(tx: &mut Tx<'_>, name: &str) -> Result<Quota> {
    // The row must exist to be locked.
    tx.execute("INSERT INTO quotas (name, state) VALUES ($1, '{}') ON CONFLICT (name) DO NOTHING", &params![name])?;
    tx.one("SELECT state FROM quotas WHERE name = $1 {for_update}", &params![name], |row| row.json(0, "quota"))
}

pub fn put(tx: &mut Tx<'_>, name: &str, quota: &Quota) -> Result<()> {
    let state =
        serde_json::to_string(quota).map_err(|error| Error::Corrupt { what: "quota", why: error.to_string() })?;
    tx.execute("UPDATE quotas SET state = $2 WHERE name = $1", &params![name, state])?;
    Ok(())
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, Quota)>> {
    tx.all("SELECT name, state FROM quotas ORDER BY name LIMIT 500", &[], |row| {
        Ok((row.text(0)?, row.json(1, "quota")?))
    })
}
