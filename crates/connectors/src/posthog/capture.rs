//! Events told to PostHog through its batch capture endpoint, and what it answers.
//!
//! Every event has a uuid and a time that do not change on a retry, so PostHog merges what it
//! gets twice. `sent_at` is left out for the same reason: with it PostHog would move the
//! time. One event that PostHog cannot read fails its whole batch; the caller halves a
//! refused batch until the event stands alone. A wrong project token is answered with 200,
//! so success here does not prove that anybody listens.

use std::ops::Range;

use hogwire_model::{Outcome, Span, Time};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::limits;
use super::special::OWN_LIBRARY;
use crate::http::{Request, Response};

/// Where captured events go.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// As `hosts::derive` gives it.
    pub ingestion: &'a str,
    /// The public project token, `phc_…`.
    pub token: &'a str,
}

/// One event, as the endpoint takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Captured {
    pub uuid: String,
    #[serde(rename = "event")]
    pub name: String,
    /// Who did it, by the id that PostHog knows.
    #[serde(rename = "distinct_id")]
    pub visitor: String,
    #[serde(rename = "timestamp")]
    pub at: Time,
    pub properties: Map<String, Value>,
}

/// A request and which of the events it carries.
#[derive(Clone, Debug)]
pub struct Batch {
    pub request: Request,
    pub events: Range<usize>,
}

/// The namespace of the uuids of what we capture.
const CAPTURED: Uuid = Uuid::from_u128(0x3b1d_5f0a_7c48_4e0e_8a57_91d6_2f4c_b083);

/// Each batch keeps below this, its brackets and token included.
const MOST_BYTES: usize = limits::BATCH_BYTES - 1_000;

/// The uuid of an event that is known here by `id`: the same on every try.
pub fn stable_uuid(name: &str, id: &str) -> String {
    Uuid::new_v5(&CAPTURED, format!("{name}\n{id}").as_bytes()).to_string()
}

impl Captured {
    /// An event with the marks that everything we send carries: whose library it is, and that
    /// our server's address says nothing about where the person is.
    pub fn new(id: &str, name: &str, visitor: &str, at: Time, properties: Map<String, Value>) -> Self {
        let mut properties = properties;
        properties.insert("$lib".into(), OWN_LIBRARY.into());
        properties.insert("$geoip_disable".into(), true.into());
        Self { uuid: stable_uuid(name, id), name: name.to_owned(), visitor: visitor.to_owned(), at, properties }
    }

    /// A change of attributes of the contact.
    pub fn set(id: &str, visitor: &str, at: Time, change: &Change) -> Self {
        let mut properties = Map::new();
        if !change.set.is_empty() {
            properties.insert("$set".into(), Value::Object(change.set.clone()));
        }
        if !change.set_once.is_empty() {
            properties.insert("$set_once".into(), Value::Object(change.set_once.clone()));
        }
        if !change.unset.is_empty() {
            properties.insert("$unset".into(), json!(change.unset));
        }
        Self::new(id, "$set", visitor, at, properties)
    }

    /// A change of attributes of an account. Nobody acts, so the visitor is one made up from
    /// the account, as PostHog's own libraries do.
    pub fn set_account(id: &str, kind: &str, key: &str, at: Time, set: Map<String, Value>) -> Self {
        let mut properties = Map::new();
        properties.insert("$group_type".into(), kind.into());
        properties.insert("$group_key".into(), key.into());
        properties.insert("$group_set".into(), Value::Object(set));
        Self::new(id, "$groupidentify", &format!("${kind}_{key}"), at, properties)
    }
}

/// What becomes of a contact's attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub set: Map<String, Value>,
    /// Only where there is no value yet.
    pub set_once: Map<String, Value>,
    pub unset: Vec<String>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.set_once.is_empty() && self.unset.is_empty()
    }
}

/// Requests that carry all the events, in their order, none larger than a megabyte unless a
/// single event is.
pub fn batches(project: Project<'_>, events: &[Captured]) -> Vec<Batch> {
    let mut batches = Vec::new();
    let (mut start, mut size) = (0, 0);
    let mut written: Vec<Box<RawValue>> = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let raw =
            serde_json::value::to_raw_value(event).expect("an event has only text keys, so it always becomes JSON");
        let length = raw.get().len() + 1;
        if !written.is_empty() && size + length > MOST_BYTES {
            batches.push(batch(project, &written, start..place));
            written.clear();
            (start, size) = (place, 0);
        }
        size += length;
        written.push(raw);
    }
    if !written.is_empty() {
        batches.push(batch(project, &written, start..events.len()));
    }
    batches
}

fn batch(project: Project<'_>, written: &[Box<RawValue>], events: Range<usize>) -> Batch {
    #[derive(Serialize)]
    struct Body<'a> {
        api_key: &'a str,
        historical_migration: bool,
        batch: &'a [Box<RawValue>],
    }
    let body = serde_json::to_vec(&Body { api_key: project.token, historical_migration: false, batch: written })
        .expect("raw values are JSON already");
    let url = format!("{}/batch/", project.ingestion.trim_end_matches('/'));
    let request = Request::new("POST", url).json(body).within(Span::seconds(20));
    Batch { request, events }
}

/// What a batch came to. `Refused` for more than one event means: halve it and try the parts.
pub fn read_response(response: &Response, now: Time) -> Outcome {
    let said = || {
        let text = response.excerpt(300);
        format!("PostHog answered {}: {text}", response.status)
    };
    match response.status {
        200..=299 => match quota_limited(response) {
            Some(what) => Outcome::Snooze(
                now.plus(Span::hours(1)),
                format!("PostHog's quota for {what} is used up; it dropped the batch."),
            ),
            None => Outcome::Done(response.status.to_string()),
        },
        401 | 403 => Outcome::Unauthorized(said()),
        429 => {
            let at = response.retry_after(now).unwrap_or_else(|| now.plus(Span::seconds(10)));
            Outcome::Snooze(at, said())
        }
        408 | 425 | 500..=599 => match response.retry_after(now) {
            Some(at) => Outcome::Snooze(at, said()),
            None => Outcome::Retry(said()),
        },
        _ => Outcome::Refused(said()),
    }
}

/// `{"status": 1, "quota_limited": ["events"]}`: taken with 200 and thrown away.
fn quota_limited(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let limited: Vec<&str> = body.get("quota_limited")?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!limited.is_empty()).then(|| limited.join(", "))
}
