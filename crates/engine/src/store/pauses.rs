//! The brakes (SPEC D17): who may send nothing right now. Read in the very transaction that
//! claims what is sent, so that a pause holds from the moment it is committed.

use hogwire_model::Time;
use serde::Serialize;

use super::{Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// `*`, `sender:NAME` or `campaign:ID`.
    pub subject: String,
    pub at: Time,
    pub actor: String,
    pub reason: String,
}

/// Pulls a brake. One that is pulled already stays as it was; answers whether it was not.
pub fn add(tx: &mut Tx<'_>, pause: &Pause) -> Result<bool> {
    let written = tx.execute(
        "INSERT INTO pauses (subject, at, actor, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (subject) DO NOTHING",
        &params![&pause.subject, pause.at, &pause.actor, &pause.reason],
    )?;
    Ok(written == 1)
}

pub fn remove(tx: &mut Tx<'_>, subject: &str) -> Result<bool> {
    Ok(tx.execute("DELETE FROM pauses WHERE subject = $1", &params![subject])? == 1)
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Pause>> {
    tx.all("SELECT subject, at, actor, reason FROM pauses ORDER BY subject LIMIT 10000", &[], |row| {
        Ok(Pause { subject: row.text(0)?, at: row.time(1)?, actor: row.text(2)?, reason: row.text(3)? })
    })
}

/// The brakes that are on, ready to be asked.
#[derive(Default)]
pub struct Brakes {
    pub everything: bool,
    pub senders: Vec<String>,
    pub campaigns: Vec<String>,
}

pub fn brakes(tx: &mut Tx<'_>) -> Result<Brakes> {
    let mut brakes = Brakes::default();
    for pause in all(tx)? {
        match pause.subject.split_once(':') {
            Some(("sender", name)) => brakes.senders.push(name.to_owned()),
            Some(("campaign", id)) => brakes.campaigns.push(id.to_owned()),
            _ => brakes.everything = true,
        }
    }
    Ok(brakes)
}
