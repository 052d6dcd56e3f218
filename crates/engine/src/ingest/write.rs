//! The rows every batch leaves behind: the event index, what waits for a name, the counts.

use std::collections::BTreeMap;

use hogwire_model::Time;
use hogwire_model::contact::Key;

use super::batch::Batch;
use crate::error::Result;
use crate::store::{Tx, counts, coverage, event_names, events, unmatched};

pub fn index(tx: &mut Tx<'_>, batch: &Batch<'_>, past: &Batch<'_>, damaged: u64, now: Time) -> Result<()> {
    let mut rows: Vec<events::New<'_>> = batch
        .items
        .iter()
        .map(|item| events::New {
            connection: item.connection,
            uuid: &item.event.uuid,
            name: &item.event.name,
            contact_id: item.contact.as_deref(),
            at: item.event.at,
            arrived: item.event.arrived,
            outcome: if item.contact.is_some() { "matched" } else { "unmatched" },
            place: item.place,
        })
        .collect();
    events::add(tx, &mut rows)?;
    let mut waiting: Vec<(Key, &str)> = Vec::new();
    for item in batch.items.iter().filter(|item| item.contact.is_none()) {
        let keys = item.keys.iter().chain(&item.other_key).cloned();
        waiting.extend(keys.map(|key| (key, &*item.event.uuid)));
    }
    unmatched::add(tx, &waiting, now)?;
    count(tx, batch, past, damaged, now)
}

fn count(tx: &mut Tx<'_>, batch: &Batch<'_>, past: &Batch<'_>, damaged: u64, now: Time) -> Result<()> {
    let mut names: BTreeMap<(&str, &str), (i64, Time)> = BTreeMap::new();
    let mut newest: BTreeMap<&str, Time> = BTreeMap::new();
    for item in &batch.items {
        let entry = names.entry((item.connection, &item.event.name)).or_insert((0, item.event.at));
        entry.0 += 1;
        entry.1 = entry.1.max(item.event.at);
        let last = newest.entry(item.connection).or_insert(item.event.at);
        *last = (*last).max(item.event.at);
    }
    event_names::count(tx, &names)?;
    for (connection, at) in newest {
        coverage::heard(tx, connection, at, now)?;
    }
    let unmatched = batch.items.iter().filter(|item| item.contact.is_none()).count();
    let tallies = [
        ("events", batch.items.len()),
        ("events_unmatched", unmatched),
        ("events_duplicate", batch.duplicates),
        ("events_own", batch.echoes),
        ("events_revealed", past.items.len()),
        ("inbox_damaged_bytes", usize::try_from(damaged).unwrap_or(usize::MAX)),
    ];
    let tallies: Vec<(&str, i64)> = tallies
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| (*name, i64::try_from(*n).unwrap_or(i64::MAX)))
        .collect();
    counts::add(tx, &tallies, now)
}
