//! Addresses that may not be written to, by keyed hash, so that an entry outlives the
//! contact, a change of its address and an erasure.

use std::collections::HashMap;

use hogwire_model::Time;
use hogwire_model::contact::consent::{Suppression, SuppressionReason, SuppressionScope};
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

/// One entry of the list, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub address_hash: String,
    /// Empty: every message.
    pub topic: String,
    pub reason: SuppressionReason,
    /// Nothing once the address is erased.
    pub address: Option<String>,
    pub source: String,
    pub at: Time,
}

/// Puts an address on the list. Answers whether it was not there for this reason before.
pub fn add(tx: &mut Tx<'_>, entry: &Entry) -> Result<bool> {
    let written = tx.execute(
        "INSERT INTO suppressions (address_hash, topic, reason, address, source, at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (address_hash, topic, reason) DO NOTHING",
        &params![
            &entry.address_hash,
            &entry.topic,
            entry.reason.as_str(),
            entry.address.as_deref(),
            &entry.source,
            entry.at
        ],
    )?;
    Ok(written == 1)
}

pub fn of(tx: &mut Tx<'_>, address_hash: &str) -> Result<Vec<Suppression>> {
    Ok(of_many(tx, vec![address_hash])?.remove(address_hash).unwrap_or_default())
}

pub fn of_many(tx: &mut Tx<'_>, hashes: Vec<&str>) -> Result<HashMap<String, Vec<Suppression>>> {
    let rows = tx.all(
        "SELECT address_hash, topic, reason, address, source, at FROM suppressions WHERE address_hash {any $1}
         ORDER BY address_hash, topic, reason",
        &params![hashes],
        read,
    )?;
    let mut found: HashMap<String, Vec<Suppression>> = HashMap::new();
    for entry in rows {
        let scope = match entry.topic.as_str() {
            "" => SuppressionScope::All,
            topic => SuppressionScope::Topic(topic.to_owned()),
        };
        let suppression = Suppression { scope, reason: entry.reason, at: entry.at };
        found.entry(entry.address_hash).or_default().push(suppression);
    }
    Ok(found)
}

/// Takes an address off the list for one reason; with an empty topic for every topic's
/// entry of that reason.
pub fn remove(tx: &mut Tx<'_>, address_hash: &str, topic: &str, reason: SuppressionReason) -> Result<bool> {
    let touched = tx.execute(
        "DELETE FROM suppressions WHERE address_hash = $1 AND reason = $3 AND ($2 = '' OR topic = $2)",
        &params![address_hash, topic, reason.as_str()],
    )?;
    Ok(touched > 0)
}

/// Takes back a no to everything, and leaves what was said about single topics.
pub fn lift_all(tx: &mut Tx<'_>, address_hash: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM suppressions WHERE address_hash = $1 AND topic = '' AND reason = 'unsubscribed'",
        &params![address_hash],
    )?;
    Ok(())
}

/// A page of the list behind the given time, newest first.
pub fn newest(tx: &mut Tx<'_>, before: Time, limit: usize) -> Result<Vec<Entry>> {
    tx.all(
        "SELECT address_hash, topic, reason, address, source, at FROM suppressions WHERE at < $1
         ORDER BY at DESC, address_hash, topic, reason LIMIT $2",
        &params![before, limit],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Entry> {
    let reason = row.str(2)?;
    Ok(Entry {
        address_hash: row.text(0)?,
        topic: row.text(1)?,
        reason: SuppressionReason::parse(reason)
            .ok_or_else(|| Error::Corrupt { what: "suppression", why: reason.to_owned() })?,
        address: row.opt_text(3)?,
        source: row.text(4)?,
        at: row.time(5)?,
    })
}
