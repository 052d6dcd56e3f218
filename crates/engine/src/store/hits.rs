//! Times at which a campaign's counting trigger was hit by a contact. They outlive the
//! events themselves, so that a count survives retention.

use hogwire_model::Time;

use super::{Tx, params};
use crate::error::Result;

pub fn add(tx: &mut Tx<'_>, campaign_id: &str, contact_id: &str, at: Time, event: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO hits (campaign_id, contact_id, at, event) VALUES ($1, $2, $3, $4)
         ON CONFLICT (campaign_id, contact_id, at, event) DO NOTHING",
        &params![campaign_id, contact_id, at, event],
    )?;
    Ok(())
}

/// Hits in a window, newest first.
pub fn within(tx: &mut Tx<'_>, campaign_id: &str, contact_id: &str, since: Time, until: Time) -> Result<Vec<Time>> {
    tx.all(
        "SELECT at FROM hits WHERE campaign_id = $1 AND contact_id = $2 AND at >= $3 AND at <= $4
         ORDER BY at DESC, event LIMIT 1000",
        &params![campaign_id, contact_id, since, until],
        |row| row.time(0),
    )
}

/// Moves a merged contact's hits. A hit that both had is one.
pub fn move_all(tx: &mut Tx<'_>, from: &str, to: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO hits (campaign_id, contact_id, at, event)
         SELECT campaign_id, $2, at, event FROM hits WHERE contact_id = $1
         ON CONFLICT (campaign_id, contact_id, at, event) DO NOTHING",
        &params![from, to],
    )?;
    tx.execute("DELETE FROM hits WHERE contact_id = $1", &params![from])?;
    Ok(())
}
