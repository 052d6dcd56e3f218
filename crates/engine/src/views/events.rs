//! The event log: what arrived, whom it was matched to, what it led to (SPEC A4).

use hogwire_model::contact::Key;
use hogwire_model::explain::sentence;
use hogwire_model::{Span, Time};
use serde::Serialize;
use serde_json::Value;

use super::{Page, limit, place};
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::Result;
use crate::settings::Settings;
use crate::store::{Tx, contacts, decisions, event_names, events, refusals, set_aside};

/// What the log is searched by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub name: Option<String>,
    pub connection: Option<String>,
    /// `matched` or `unmatched`.
    pub outcome: Option<String>,
    /// A contact by id, address or any key; what names nobody is taken for an event's uuid.
    pub contact: Option<String>,
    /// An event's own uuid.
    pub uuid: Option<String>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    pub cursor: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// `connection:uuid`.
    pub id: String,
    pub connection: String,
    pub uuid: String,
    pub event: String,
    pub at: Time,
    pub arrived_at: Time,
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub line: Line,
    /// The payload as it came.
    pub raw: Value,
    /// How it was read: keys, address and where that came from, name.
    pub mapped: Mapped,
    pub decisions: Vec<Led>,
}

#[derive(Debug, Default, Serialize)]
pub struct Mapped {
    pub keys: Vec<String>,
    pub address: Option<String>,
    /// `contact` or `event`.
    pub address_from: Option<&'static str>,
    pub name: Option<String>,
    pub variables: Value,
    /// Why the payload could not be read again, where it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A decision that the event led to.
#[derive(Debug, Serialize)]
pub struct Led {
    pub at: Time,
    pub campaign: String,
    pub code: &'static str,
    pub sentence: String,
    pub enrollment: String,
}

impl Engine {
    /// A page of the log, newest arrival first.
    pub fn events(&self, search: &Search) -> Result<Page<Line>> {
        let mut tx = self.store.read()?;
        let limit = limit(search.limit);
        let contact = match &search.contact {
            Some(named) => self.meant(&mut tx, named)?,
            None => None,
        };
        // Who is nobody's name may still be an event's own id.
        let uuid = match (&search.contact, &contact) {
            (Some(named), None) => Some(named.trim()),
            _ => search.uuid.as_deref(),
        };
        let before = place(search.cursor.as_deref());
        let wanted = events::Wanted {
            name: search.name.as_deref(),
            connection: search.connection.as_deref(),
            outcome: search.outcome.as_deref(),
            contact: contact.as_deref(),
            uuid,
            since: search.since,
            until: search.until,
            before: before.map(|(at, uuid)| (Time::from_millis(at), uuid)),
        };
        let rows = events::search(&mut tx, &wanted, limit + 1)?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            lines.push(line(&mut tx, row)?);
        }
        Ok(Page::cut(lines, limit, |line| format!("{}:{}", line.arrived_at.millis(), line.uuid)))
    }

    /// One event with its payload, how it was mapped, and every decision it led to.
    pub fn event(&self, id: &str) -> Result<Option<Detail>> {
        let Some((connection, uuid)) = id.split_once(':') else { return Ok(None) };
        let mut tx = self.store.read()?;
        let Some(row) = events::find(&mut tx, connection, uuid)? else { return Ok(None) };
        let body = self.inbox.fetch(&self.store, &row.place)?;
        let catalog = self.catalog(&mut tx)?;
        let mapped = match &body {
            Some(stored) => Self::mapped(&catalog, &self.settings(), stored),
            None => Mapped { problem: Some("the payload is no longer kept".to_owned()), ..Mapped::default() },
        };
        let raw = body.and_then(|stored| serde_json::from_slice(&stored.body).ok()).unwrap_or(Value::Null);
        let mut led = Vec::new();
        if let Some(contact) = &row.contact_id {
            // A decision may follow its event by as long as a replay took.
            let since = row.arrived.minus(Span::minutes(10));
            for found in decisions::of_event(&mut tx, contact, id, since)? {
                let name = catalog.campaigns.get(&found.campaign_id).map_or("", |entry| &entry.campaign.name);
                led.push(Led {
                    at: found.at,
                    code: found.decision.code.as_str(),
                    sentence: sentence(&found.decision, found.at, name),
                    campaign: found.campaign_id,
                    enrollment: found.enrollment_id,
                });
            }
        }
        Ok(Some(Detail { line: line(&mut tx, row)?, raw, mapped, decisions: led }))
    }

    fn mapped(catalog: &Catalog, settings: &Settings, stored: &crate::inbox::Stored) -> Mapped {
        let event = match crate::ingest::read_stored(stored) {
            Ok(event) => event,
            Err(refusal) => return Mapped { problem: Some(refusal.message), ..Mapped::default() },
        };
        let mapping = catalog.mapping(settings, &stored.connection);
        let address = mapping.address(&event);
        let key = |kind, value: &str| Key { connection: stored.connection.clone(), kind, value: value.to_owned() };
        Mapped {
            keys: event
                .keys
                .iter()
                .map(|(kind, value)| key(*kind, value))
                .map(|key| format!("{}:{}", key.kind.as_str(), key.value))
                .collect(),
            address_from: address.as_ref().map(|address| address.from.as_str()),
            address: address.map(|address| address.address),
            name: mapping.name(&event).map(std::borrow::Cow::into_owned),
            variables: event.properties.to_value(),
            problem: None,
        }
    }

    /// Every name that came, by connection.
    pub fn event_names(&self) -> Result<Vec<event_names::Seen>> {
        event_names::all(&mut self.store.read()?)
    }

    /// Deliveries that were refused at the door, newest first.
    pub fn refusals(&self) -> Result<Vec<refusals::Refusal>> {
        refusals::newest(&mut self.store.read()?, 100)
    }

    /// Records that were accepted and could not be decided, newest first.
    pub fn set_aside(&self, limit: usize) -> Result<Vec<set_aside::Row>> {
        set_aside::newest(&mut self.store.read()?, limit)
    }
}

fn line(tx: &mut Tx<'_>, row: events::Event) -> Result<Line> {
    let contact = match &row.contact_id {
        Some(id) => contacts::find(tx, id)?,
        None => None,
    };
    Ok(Line {
        id: format!("{}:{}", row.connection, row.uuid),
        connection: row.connection,
        uuid: row.uuid,
        event: row.name,
        at: row.at,
        arrived_at: row.arrived,
        outcome: row.outcome,
        address: contact.as_ref().and_then(|stored| stored.contact.address.clone()),
        contact_id: contact.map(|stored| stored.contact.id).or(row.contact_id),
    })
}
