//! The capture routes: what they take, and what they say when they do not.

use hogwire_connectors::http::Response;
use hogwire_model::Time;
use serde_json::{Map, Value};

use super::{Captured, PostHog, text};

/// A batch may be 20 MB; one event about 1 MB.
const BATCH_BYTES: usize = 20 << 20;
const EVENT_BYTES: usize = 1_000_000;

impl PostHog {
    pub(super) fn capture(&mut self, body: &[u8], now: Time) -> Response {
        match read(body, now) {
            Ok(events) => {
                for event in events {
                    self.take(event);
                }
                Response {
                    status: 200,
                    headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                    body: br#"{"status":"Ok"}"#.to_vec(),
                }
            }
            Err((status, why)) => text(status, &why),
        }
    }

    /// Stores an event and queues it for every destination whose filter it passes. A uuid
    /// that came before is stored once, but its destinations see it again.
    pub fn take(&mut self, event: Captured) {
        self.people.see(&event);
        *self.seen.entry(event.uuid.clone()).or_default() += 1;
        self.deliver(&event);
        self.events.push(event);
    }
}

type Refused = (u16, String);

fn refused<T>(status: u16, why: &str) -> Result<T, Refused> {
    Err((status, why.to_owned()))
}

fn read(body: &[u8], now: Time) -> Result<Vec<Captured>, Refused> {
    if body.len() > BATCH_BYTES {
        return refused(413, "request body too large");
    }
    let Ok(Value::Object(top)) = serde_json::from_slice::<Value>(body) else {
        return refused(400, "failed to parse request: not a JSON object");
    };
    let token = ["api_key", "token"].iter().find_map(|name| top.get(*name)?.as_str()).unwrap_or("");
    if token.is_empty() {
        return refused(401, "event submitted without an api_key");
    }
    if token.starts_with("phx_") {
        return refused(401, "API key is not valid: personal_api_key");
    }
    let items: Vec<Map<String, Value>> = match top.get("batch") {
        Some(Value::Array(items)) if items.is_empty() => return refused(400, "batch submitted without events"),
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_object().cloned()).collect(),
        Some(_) => return refused(400, "failed to parse request: batch is not a list"),
        None => vec![top.clone()],
    };
    items.into_iter().map(|item| one(item, token, now)).collect()
}

/// One event of a batch. A single bad one fails them all.
fn one(item: Map<String, Value>, token: &str, now: Time) -> Result<Captured, Refused> {
    let size = serde_json::to_vec(&item).map_or(0, |bytes| bytes.len());
    if size > EVENT_BYTES {
        return refused(413, "maximum event size exceeded");
    }
    let event = item.get("event").and_then(Value::as_str).unwrap_or("").to_owned();
    if event.is_empty() {
        return refused(400, "event submitted with an empty event name");
    }
    let mut properties = item.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for name in ["$set", "$set_once"] {
        if let Some(value) = item.get(name) {
            properties.entry(name).or_insert_with(|| value.clone());
        }
    }
    let id = item.get("distinct_id").or_else(|| properties.get("distinct_id")).cloned();
    let distinct_id = match id {
        Some(Value::String(id)) if !id.is_empty() => id.chars().take(200).collect(),
        Some(Value::Null | Value::String(_)) | None => return refused(400, "event submitted without a distinct_id"),
        Some(other) => other.to_string().chars().take(200).collect(),
    };
    let uuid = match item.get("uuid").and_then(Value::as_str) {
        Some("") | None => {
            uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{item:?}{}", now.millis()).as_bytes())
        }
        Some(given) => match given.parse() {
            Ok(uuid) => uuid,
            Err(_) => return refused(400, "failed to parse request: invalid uuid"),
        },
    };
    let timestamp = match item.get("timestamp").and_then(Value::as_str) {
        Some(given) => Time::parse(given).unwrap_or(now),
        None => now,
    };
    Ok(Captured {
        token: token.to_owned(),
        uuid: uuid.to_string(),
        event,
        distinct_id,
        properties,
        timestamp,
        captured_at: now,
    })
}
