//! Contacts, one at a time: written, read, removed.
//!
//! `ext_id` is our own id of the contact, so that an address may change. Brevo recognizes
//! it only where the kind of identifier is named. Attributes are given in Brevo's spelling
//! and types already (`attributes::fit`). `emailBlacklisted: false` re-subscribes somebody
//! and is therefore written only where a person's own act says so.

use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::errors::{Failure, failure, outcome};
use super::{Access, segment};
use crate::http::{Request, Response};

/// How a contact is named in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    Address(&'a str),
    /// By our id, where Brevo was told it.
    Ours(&'a str),
}

/// What is to hold for a contact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted<'a> {
    pub address: &'a str,
    pub ours: Option<&'a str>,
    /// An empty text takes a value away.
    pub attributes: Map<String, Value>,
    /// `Some(true)`: writes no more. `Some(false)`: the person came back by their own act.
    pub blocked: Option<bool>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    #[serde(rename = "emailBlacklisted", skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(rename = "updateEnabled", skip_serializing_if = "Option::is_none")]
    update: Option<bool>,
}

/// Makes the contact, or changes the one that has the address.
pub fn upsert(access: Access<'_>, wanted: &Wanted<'_>) -> Request {
    let body = Body {
        email: Some(wanted.address),
        ext_id: wanted.ours,
        attributes: wanted.attributes.clone(),
        blocked: wanted.blocked,
        update: Some(true),
    };
    access.with_body("POST", "/contacts", &body)
}

/// Changes a contact that is there, its address too: that one is an attribute in Brevo.
pub fn update(access: Access<'_>, named: Named<'_>, wanted: &Wanted<'_>) -> Request {
    let mut attributes = wanted.attributes.clone();
    attributes.insert("EMAIL".to_owned(), wanted.address.into());
    let body = Body { email: None, ext_id: wanted.ours, attributes, blocked: wanted.blocked, update: None };
    access.with_body("PUT", &path(named), &body)
}

pub fn find(access: Access<'_>, named: Named<'_>) -> Request {
    access.request("GET", &path(named))
}

/// Removes the contact for good; its history in Brevo goes with it.
pub fn remove(access: Access<'_>, named: Named<'_>) -> Request {
    access.request("DELETE", &path(named))
}

fn path(named: Named<'_>) -> String {
    match named {
        Named::Address(address) => format!("/contacts/{}?identifierType=email_id", segment(address)),
        Named::Ours(id) => format!("/contacts/{}?identifierType=ext_id", segment(id)),
    }
}

/// What a write came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// There is no such contact.
    Missing,
    /// Another contact has one of the identifiers: which ones, and what Brevo said.
    Taken(Vec<String>, String),
    Otherwise(Outcome),
}

pub fn read_written(response: &Response, now: Time) -> Written {
    match failure(response) {
        None => Written::Done,
        Some(Failure { status: 404, .. }) => Written::Missing,
        Some(failure) if !failure.duplicates.is_empty() => {
            let said = failure.to_string();
            Written::Taken(failure.duplicates, said)
        }
        Some(_) => Written::Otherwise(outcome(response, now)),
    }
}

/// A contact as Brevo has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Found {
    pub id: i64,
    pub email: Option<String>,
    pub attributes: Map<String, Value>,
    #[serde(rename = "listIds")]
    pub lists: Vec<i64>,
    #[serde(rename = "emailBlacklisted")]
    pub blocked: bool,
}

/// The contact; nothing where there is none. Anything else is an outcome of its own.
pub fn read_found(response: &Response, now: Time) -> Result<Option<Found>, Outcome> {
    match response.status {
        404 => Ok(None),
        200 => serde_json::from_slice(&response.body)
            .map(Some)
            .map_err(|error| Outcome::Retry(format!("Brevo's contact cannot be read: {error}"))),
        _ => Err(outcome(response, now)),
    }
}

/// What a removal came to. One that is gone already is gone.
pub fn read_removed(response: &Response, now: Time) -> Outcome {
    match response.status {
        404 => Outcome::Done("404, was not there".to_owned()),
        405 => Outcome::Refused("Brevo answered 405: the address belongs to a user of the Brevo account".to_owned()),
        _ => outcome(response, now),
    }
}
