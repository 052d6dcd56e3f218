//! Events, in batches. Names may hold letters, digits, `_` and `-` only, so that
//! `$pageview` becomes `pageview`; properties the same. Which name stood before is kept in
//! a property where it was changed.

use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Access;
use super::errors::outcome;
use super::limits::EVENT_BYTES;
use crate::http::{Request, Response};

const LONGEST_NAME: usize = 255;

/// Where a name that had to be spelled anew is kept.
const ORIGINAL: &str = "original_event";

/// One event, as Brevo takes it. Serialized once when it is queued, and the same on each try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    #[serde(rename = "event_name")]
    pub name: String,
    #[serde(rename = "event_date")]
    pub at: Time,
    pub identifiers: Identifiers,
    #[serde(rename = "event_properties", default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identifiers {
    #[serde(rename = "email_id")]
    pub address: String,
}

impl Event {
    /// An event in Brevo's spelling. Properties that begin with `$` are PostHog's own and
    /// are left out but for those named; what is too large is left out from the end.
    pub fn new(name: &str, address: &str, at: Time, properties: &Map<String, Value>) -> Self {
        let spelled_name = spelled(name);
        let mut kept = Map::new();
        if spelled_name != name {
            kept.insert(ORIGINAL.to_owned(), name.into());
        }
        let mut bytes = 0;
        for (key, value) in properties {
            let own = key.starts_with('$') && !KEPT.contains(&key.as_str());
            if own || value.is_null() {
                continue;
            }
            bytes += key.len() + value.to_string().len() + 6;
            if bytes > EVENT_BYTES - 1_000 {
                break;
            }
            // Of two names that are spelled the same the first stays.
            kept.entry(spelled(key)).or_insert_with(|| value.clone());
        }
        Self { name: spelled_name, at, identifiers: Identifiers { address: address.to_owned() }, properties: kept }
    }
}

/// Properties of PostHog's own that say something about what a person did.
const KEPT: [&str; 6] = ["$current_url", "$pathname", "$referrer", "$browser", "$os", "$device_type"];

/// A name as Brevo takes it.
pub fn spelled(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().trim_start_matches('$').chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => out.push(c),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    let cut: String = out.trim_matches('_').chars().take(LONGEST_NAME).collect();
    if cut.is_empty() { "event".to_owned() } else { cut }
}

/// Queues events at Brevo, in their order.
pub fn batch(access: Access<'_>, events: &[Event]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        events: &'a [Event],
    }
    access.with_body("POST", "/events/batch", &Body { events })
}

/// What became of each of `count` events. A whole answer that is no success counts for all;
/// of a partial one each refused event has its own reason.
pub fn read_batch(response: &Response, count: usize, now: Time) -> Vec<Outcome> {
    let whole = outcome(response, now);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let errors = body["errors"].as_array();
    match (response.status, errors) {
        (207 | 400, Some(errors)) if !errors.is_empty() => {
            let mut outcomes = vec![Outcome::Done(response.status.to_string()); count];
            for error in errors {
                let said = hogwire_model::value::as_text(&error["message"]);
                let places = match &error["eventIndex"] {
                    Value::Array(places) => places.clone(),
                    one => vec![one.clone()],
                };
                for place in places.iter().filter_map(Value::as_u64).filter_map(|place| usize::try_from(place).ok()) {
                    if let Some(outcome) = outcomes.get_mut(place) {
                        *outcome = Outcome::Refused(format!("Brevo refused the event: {said}"));
                    }
                }
            }
            outcomes
        }
        _ => vec![whole; count],
    }
}
