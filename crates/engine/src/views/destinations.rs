//! Destinations as people see them: how each stands, what was written, what was rejected
//! and why.

use std::collections::BTreeMap;

use hogwire_model::Time;
use serde::Serialize;

use super::limit;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::mirror::State;
use crate::store::mirrors::{self, Mirrored};
use crate::store::{audit, contacts};

#[derive(Clone, Debug, Serialize)]
pub struct DestinationLine {
    pub name: String,
    pub connector: String,
    /// Whose account it is, as it says itself; empty before it was asked.
    pub account: String,
    /// `new`, `paused` or `working`.
    pub state: &'static str,
    /// Why it is paused.
    pub problem: String,
    pub paused_until: Option<Time>,
    /// Contacts by state: `pending`, `sending`, `importing`, `written`, `rejected`.
    pub contacts: BTreeMap<String, i64>,
    pub imports: Vec<ImportLine>,
    /// Attributes by name: `ok`, or what is wrong with it.
    pub attributes: BTreeMap<String, String>,
    /// Which field goes into which attribute.
    pub fields: BTreeMap<String, String>,
    /// Names of the events that go there.
    pub events: Vec<String>,
    /// Its list of blocked addresses was last read then.
    pub blocked_read_at: Option<Time>,
    pub updated_at: Option<Time>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ImportLine {
    pub process: i64,
    pub contacts: usize,
    pub began_at: Time,
    pub next_poll_at: Time,
}

/// A contact that a destination did not take.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    pub contact: String,
    pub address: Option<String>,
    pub reason: String,
}

impl Engine {
    pub fn destinations(&self, now: Time) -> Result<Vec<DestinationLine>> {
        let settings = self.settings();
        let mut tx = self.store.read()?;
        let mut lines = Vec::new();
        for (name, destination) in &settings.destinations {
            let held = mirrors::state(&mut tx, name)?;
            let updated_at = held.as_ref().map(|(_, at)| *at);
            let state = held.map(|(text, _)| State::read(&text)).transpose()?.unwrap_or_default();
            let paused_until = state.paused_until.filter(|until| *until > now);
            let word = match (updated_at, paused_until) {
                (None, _) => "new",
                (_, Some(_)) => "paused",
                _ => "working",
            };
            let wanted = destination.fields.values().filter(|target| !target.eq_ignore_ascii_case("email"));
            let attributes = wanted.map(|target| (target.clone(), standing(&state, target))).collect();
            lines.push(DestinationLine {
                name: name.clone(),
                connector: destination.connector.clone(),
                account: state.account.clone(),
                state: word,
                problem: if paused_until.is_some() { state.problem.clone() } else { String::new() },
                paused_until,
                contacts: mirrors::tally(&mut tx, name)?.into_iter().collect(),
                imports: state.imports.iter().map(line).collect(),
                attributes,
                fields: destination.fields.clone(),
                events: destination.events.iter().cloned().collect(),
                blocked_read_at: state.blocked_at,
                updated_at,
            });
        }
        Ok(lines)
    }

    /// Contacts that a destination did not take, behind a contact's id, with the reason.
    pub fn rejected(&self, name: &str, after: &str, asked: Option<usize>) -> Result<Vec<Rejected>> {
        let mut tx = self.store.read()?;
        let rows = mirrors::of_status(&mut tx, name, "rejected", after, limit(asked))?;
        rows.into_iter()
            .map(|row: Mirrored| {
                let stored = contacts::find(&mut tx, &row.contact_id)?;
                let address = stored.and_then(|stored| stored.contact.address);
                Ok(Rejected { contact: row.contact_id, address, reason: row.reason })
            })
            .collect()
    }

    /// Puts a rejected contact back, or all of them. Answers how many.
    pub fn retry_rejected(&self, name: &str, contact: &str, actor: &str, now: Time) -> Result<u64> {
        if !self.settings().destinations.contains_key(name) {
            return Err(Error::Missing(format!("destination {name}")));
        }
        let count = self.store.write(|tx| {
            let count = mirrors::retry(tx, name, contact, now)?;
            let id = self.outside.entropy.id("aud", now);
            audit::record(tx, &id, now, actor, "destination.retry", name, &format!("{{\"contacts\":{count}}}"))?;
            Ok(count)
        })?;
        self.outside.wake.wake();
        Ok(count)
    }
}

fn standing(state: &State, name: &str) -> String {
    if let Some(why) = state.refused.get(name).or_else(|| state.dropped.get(name)) {
        return why.clone();
    }
    match state.attributes.iter().find(|known| known.name == name) {
        Some(known) => format!("ok ({})", known.kind.as_str()),
        None => "not there yet: it is made when a contact has a value for it".to_owned(),
    }
}

fn line(import: &crate::mirror::Running) -> ImportLine {
    ImportLine { process: import.process, contacts: import.rows, began_at: import.began, next_poll_at: import.poll_at }
}
