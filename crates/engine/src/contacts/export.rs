//! All that is held about one contact, as a document they can be given (SPEC B13).

use hogwire_model::Time;
use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::error::Result;
use crate::store::{
    Tx, attempts, decisions, deliveries, engagements, events, message_bodies, messages, mirrors, redirects,
};
use crate::views::contacts::Detail;

/// The document. What the installation keeps only as a keyed hash is named as such.
#[derive(Serialize)]
pub struct Export {
    pub exported_at: Time,
    pub contact: Detail,
    /// With their payloads, for as long as those are kept.
    pub events: Vec<Value>,
    pub messages: Vec<Value>,
    pub engagements: Vec<Value>,
    pub deliveries: Vec<Value>,
    pub decisions: Vec<Value>,
    /// What destinations were told.
    pub destinations: Vec<Value>,
    /// Lists that were longer than an export reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<&'static str>,
}

/// Rows of each kind that an export reads.
const MOST: usize = 10_000;

impl Engine {
    /// Everything about a contact; nothing where nobody is called so.
    pub fn export_contact(&self, named: &str, now: Time) -> Result<Option<Export>> {
        let Some(contact) = self.contact(named)? else { return Ok(None) };
        let mut tx = self.store.read()?;
        let family = redirects::everyone(&mut tx, &contact.line.id)?;
        let far = Time::from_millis(i64::MAX);
        let mut cut = Vec::new();
        let mut whole = |name: &'static str, rows: Vec<Value>| {
            if rows.len() == MOST {
                cut.push(name);
            }
            rows
        };
        let rows = events::of_contact(&mut tx, &family, far, MOST)?;
        let events = whole("events", rows.iter().map(|event| self.event_whole(event)).collect::<Result<_>>()?);
        let rows = messages::of_contact(&mut tx, &family, far, MOST)?;
        let messages = whole("messages", rows.iter().map(|row| message_whole(&mut tx, row)).collect::<Result<_>>()?);
        let rows = engagements::of_contact(&mut tx, &family, far, MOST)?;
        let engagements = rows.iter().map(|row| {
            json!({ "kind": row.kind, "machine": row.machine, "at": row.at, "message": row.message_id, "detail": row.detail })
        });
        let engagements = whole("engagements", engagements.collect());
        let rows = deliveries::of_contact(&mut tx, &family, MOST)?;
        let deliveries =
            whole("deliveries", rows.iter().map(|row| delivery_whole(&mut tx, row)).collect::<Result<_>>()?);
        let rows = decisions::before(&mut tx, &family, far, MOST)?;
        let decisions = rows.iter().map(|row| {
            json!({ "at": row.at, "campaign": row.campaign_id, "version": row.version, "event": row.event, "decision": row.decision })
        });
        let decisions = whole("decisions", decisions.collect());
        let destinations = mirrors::of_contact(&mut tx, &contact.line.id)?.iter().map(|row| json!(row)).collect();
        Ok(Some(Export {
            exported_at: now,
            contact,
            events,
            messages,
            engagements,
            deliveries,
            decisions,
            destinations,
            cut,
        }))
    }

    fn event_whole(&self, event: &events::Event) -> Result<Value> {
        let stored = self.inbox.fetch(&self.store, &event.place)?;
        let payload = stored.and_then(|stored| serde_json::from_slice::<Value>(&stored.body).ok());
        Ok(json!({ "connection": event.connection, "name": event.name, "at": event.at, "payload": payload }))
    }
}

fn message_whole(tx: &mut Tx<'_>, message: &messages::Message) -> Result<Value> {
    let body = message_bodies::find(tx, &message.id)?;
    Ok(json!({
        "id": message.id, "campaign": message.campaign_id, "template": message.template, "topic": message.topic,
        "address": message.address, "subject": message.subject, "status": message.status.as_str(),
        "reason": message.reason, "created_at": message.created_at, "opened_at": message.opened_at,
        "clicked_at": message.clicked_at, "html": body.as_ref().map(|body| &body.html),
        "plain": body.as_ref().map(|body| &body.plain), "attempts": attempts::of(tx, &message.id)?,
    }))
}

fn delivery_whole(tx: &mut Tx<'_>, delivery: &deliveries::Delivery) -> Result<Value> {
    let mut told = json!(delivery);
    told["payload"] = serde_json::from_str(&delivery.payload).unwrap_or(Value::Null);
    told["attempts"] = json!(attempts::of(tx, &delivery.id)?);
    Ok(told)
}
