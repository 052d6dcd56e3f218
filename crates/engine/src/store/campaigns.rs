//! Campaigns: what runs, every version there was, and when it was in which state.

use hogwire_model::Time;
use hogwire_model::campaign::Status;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    pub id: String,
    pub name: String,
    pub status: Status,
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub campaign_id: String,
    pub version: i64,
    /// The text as it was written, YAML or JSON.
    pub definition: String,
    pub fingerprint: String,
    /// `file`, `console` or `api`.
    pub origin: String,
    pub created_at: Time,
    pub created_by: String,
}

/// One line of a campaign's life, for `not triggered`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub at: Time,
    pub status: Status,
    pub version: i64,
    pub actor: String,
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Campaign>> {
    tx.optional(
        "SELECT id, name, status, version, created_at, updated_at FROM campaigns WHERE id = $1",
        &params![id],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Campaign>> {
    tx.all("SELECT id, name, status, version, created_at, updated_at FROM campaigns ORDER BY id LIMIT 5000", &[], read)
}

pub fn save(tx: &mut Tx<'_>, campaign: &Campaign) -> Result<()> {
    tx.execute(
        "INSERT INTO campaigns (id, name, status, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, version = excluded.version,
             updated_at = excluded.updated_at",
        &params![
            &campaign.id,
            &campaign.name,
            campaign.status.as_str(),
            campaign.version,
            campaign.created_at,
            campaign.updated_at
        ],
    )?;
    Ok(())
}

pub fn add_version(tx: &mut Tx<'_>, version: &Version) -> Result<()> {
    tx.execute(
        "INSERT INTO campaign_versions (campaign_id, version, definition, fingerprint, origin, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![
            &version.campaign_id,
            version.version,
            &version.definition,
            &version.fingerprint,
            &version.origin,
            version.created_at,
            &version.created_by
        ],
    )?;
    Ok(())
}

pub fn version(tx: &mut Tx<'_>, id: &str, version: i64) -> Result<Option<Version>> {
    tx.optional(
        "SELECT campaign_id, version, definition, fingerprint, origin, created_at, created_by FROM campaign_versions
         WHERE campaign_id = $1 AND version = $2",
        &params![id, version],
        read_version,
    )
}

pub fn versions(tx: &mut Tx<'_>, id: &str) -> Result<Vec<Version>> {
    tx.all(
        "SELECT campaign_id, version, definition, fingerprint, origin, created_at, created_by FROM campaign_versions
         WHERE campaign_id = $1 ORDER BY version DESC LIMIT 500",
        &params![id],
        read_version,
    )
}

/// The fingerprint of the file that was last applied, also where a newer version exists.
pub fn last_from_file(tx: &mut Tx<'_>, id: &str) -> Result<Option<(i64, String)>> {
    tx.optional(
        "SELECT version, fingerprint FROM campaign_versions WHERE campaign_id = $1 AND origin = 'file'
         ORDER BY version DESC LIMIT 1",
        &params![id],
        |row| Ok((row.int(0)?, row.text(1)?)),
    )
}

/// Versions that runs still stand in, beside the newest.
pub fn in_use(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.all(
        "SELECT campaign_id, version FROM enrollments WHERE status IN ('watching', 'active')
         GROUP BY campaign_id, version ORDER BY campaign_id, version",
        &[],
        |row| Ok((row.text(0)?, row.int(1)?)),
    )
}

pub fn add_state(tx: &mut Tx<'_>, id: &str, campaign_id: &str, state: &State) -> Result<()> {
    tx.execute(
        "INSERT INTO campaign_history (id, campaign_id, at, status, version, actor) VALUES ($1, $2, $3, $4, $5, $6)",
        &params![id, campaign_id, state.at, state.status.as_str(), state.version, &state.actor],
    )?;
    Ok(())
}

pub fn states(tx: &mut Tx<'_>, campaign_id: &str) -> Result<Vec<State>> {
    tx.all(
        "SELECT at, status, version, actor FROM campaign_history WHERE campaign_id = $1 ORDER BY at, id LIMIT 5000",
        &params![campaign_id],
        |row| Ok(State { at: row.time(0)?, status: status(row.str(1)?)?, version: row.int(2)?, actor: row.text(3)? }),
    )
}

fn status(text: &str) -> Result<Status> {
    Status::parse(text).ok_or_else(|| Error::Corrupt { what: "campaign status", why: text.to_owned() })
}

fn read(row: &Row<'_>) -> Result<Campaign> {
    Ok(Campaign {
        id: row.text(0)?,
        name: row.text(1)?,
        status: status(row.str(2)?)?,
        version: row.int(3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}

fn read_version(row: &Row<'_>) -> Result<Version> {
    Ok(Version {
        campaign_id: row.text(0)?,
        version: row.int(1)?,
        definition: row.text(2)?,
        fingerprint: row.text(3)?,
        origin: row.text(4)?,
        created_at: row.time(5)?,
        created_by: row.text(6)?,
    })
}
