//! API keys: stored as hashes, shown once, revoked and never deleted.

use hogwire_model::Time;
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    #[serde(skip)]
    pub key_hash: String,
    /// The last four characters, to tell keys apart.
    pub hint: String,
    /// Space-separated: `read`, `write`, `admin`, `ingest`.
    pub scopes: String,
    pub created_at: Time,
    pub used_at: Option<Time>,
    pub revoked_at: Option<Time>,
}

pub fn add(tx: &mut Tx<'_>, key: &ApiKey) -> Result<()> {
    tx.execute(
        "INSERT INTO api_keys (id, name, key_hash, hint, scopes, created_at, used_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            &key.id,
            &key.name,
            &key.key_hash,
            &key.hint,
            &key.scopes,
            key.created_at,
            key.used_at,
            key.revoked_at
        ],
    )?;
    Ok(())
}

pub fn by_hash(tx: &mut Tx<'_>, key_hash: &str) -> Result<Option<ApiKey>> {
    tx.optional(
        "SELECT id, name, key_hash, hint, scopes, created_at, used_at, revoked_at FROM api_keys
         WHERE key_hash = $1 AND revoked_at IS NULL",
        &params![key_hash],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<ApiKey>> {
    tx.all(
        "SELECT id, name, key_hash, hint, scopes, created_at, used_at, revoked_at FROM api_keys
         ORDER BY created_at, id LIMIT 1000",
        &[],
        read,
    )
}

/// Revokes a key by its id. Answers whether there was one that was not revoked yet.
pub fn revoke(tx: &mut Tx<'_>, id: &str, now: Time) -> Result<bool> {
    let touched =
        tx.execute("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", &params![id, now])?;
    Ok(touched > 0)
}

fn read(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.text(0)?,
        name: row.text(1)?,
        key_hash: row.text(2)?,
        hint: row.text(3)?,
        scopes: row.text(4)?,
        created_at: row.time(5)?,
        used_at: row.opt_time(6)?,
        revoked_at: row.opt_time(7)?,
    })
}
