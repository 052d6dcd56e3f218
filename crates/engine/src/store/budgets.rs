//! How much of its ceilings each sender has used.

use hogwire_model::policy::rate_limit::State;

use super::{Tx, params};
use crate::error::{Error, Result};

/// Reads and locks a sender's state; a sender that has not sent yet has none.
pub fn find(tx: &mut Tx<'_>, sender: &str) -> Result<State> {
    let state = tx.optional("SELECT state FROM budgets WHERE sender = $1 {for_update}", &params![sender], |row| {
        row.json(0, "budget")
    })?;
    Ok(state.unwrap_or_default())
}

pub fn put(tx: &mut Tx<'_>, sender: &str, state: &State) -> Result<()> {
    let state =
        serde_json::to_string(state).map_err(|error| Error::Corrupt { what: "budget", why: error.to_string() })?;
    tx.execute(
        "INSERT INTO budgets (sender, state) VALUES ($1, $2)
         ON CONFLICT (sender) DO UPDATE SET state = excluded.state",
        &params![sender, state],
    )?;
    Ok(())
}
