//! A stand-in Brevo: contacts, lists, attributes, imports, events, mail and webhooks, as its
//! API is known to answer.
//!
//! What is imitated on purpose: a value of the wrong type is dropped with a success, as is
//! an attribute that does not exist; an update is answered without an id; a contact that is
//! in the list already fails as one that does not exist does; imports run for a while, answer
//! 425 meanwhile, and know neither `ext_id` nor blocks; rates have headers and no
//! `Retry-After`; reports come twice, late and out of order.

mod attributes;
mod contacts;
mod events;
mod imports;
mod lists;
mod mail;
mod rates;

use std::collections::{BTreeMap, BTreeSet};

use hogwire_connectors::http::{Request, Response};
use hogwire_model::Time;
use serde_json::{Map, Value, json};

pub use mail::Sent;

use imports::Import;
use mail::Pending;
use rates::Rates;

pub struct Brevo {
    pub key: String,
    contacts: BTreeMap<i64, Contact>,
    attributes: BTreeMap<String, Attribute>,
    folders: BTreeMap<i64, String>,
    lists: BTreeMap<i64, List>,
    imports: BTreeMap<i64, Import>,
    events: Vec<Value>,
    sent: Vec<Sent>,
    blocked: BTreeMap<String, (&'static str, Time)>,
    hooks: Vec<Value>,
    pending: Vec<Pending>,
    rates: Rates,
    calls: Vec<(String, String)>,
    next: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    pub id: i64,
    pub email: String,
    pub ours: Option<String>,
    pub attributes: Map<String, Value>,
    pub lists: BTreeSet<i64>,
    pub blocked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub category: &'static str,
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    name: String,
    folder: i64,
}

impl Brevo {
    /// A new account, with what each has from the beginning.
    pub fn new(key: &str) -> Self {
        let text = || Attribute { category: "normal", kind: "text".to_owned() };
        Self {
            key: key.to_owned(),
            contacts: BTreeMap::new(),
            attributes: [("FIRSTNAME".to_owned(), text()), ("LASTNAME".to_owned(), text())].into(),
            folders: [(1, "Your first folder".to_owned())].into(),
            lists: BTreeMap::new(),
            imports: BTreeMap::new(),
            events: Vec::new(),
            sent: Vec::new(),
            blocked: BTreeMap::new(),
            hooks: Vec::new(),
            pending: Vec::new(),
            rates: Rates::default(),
            calls: Vec::new(),
            next: 100,
        }
    }

    /// A list that somebody made in Brevo before.
    pub fn with_list(mut self, id: i64, name: &str) -> Self {
        self.lists.insert(id, List { name: name.to_owned(), folder: 1 });
        self
    }

    /// An attribute that somebody made in Brevo before.
    pub fn with_attribute(mut self, name: &str, kind: &str) -> Self {
        self.attributes.insert(name.to_owned(), Attribute { category: "normal", kind: kind.to_owned() });
        self
    }

    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    pub fn contact(&self, email: &str) -> Option<&Contact> {
        self.contacts.values().find(|contact| contact.email == email)
    }

    /// Addresses in a list, in order.
    pub fn members(&self, list: i64) -> Vec<&str> {
        let members = self.contacts.values().filter(|contact| contact.lists.contains(&list));
        let mut found: Vec<&str> = members.map(|contact| contact.email.as_str()).collect();
        found.sort_unstable();
        found
    }

    pub fn list_named(&self, name: &str) -> Option<i64> {
        self.lists.iter().find(|(_, list)| list.name == name).map(|(id, _)| *id)
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    pub fn events(&self) -> &[Value] {
        &self.events
    }

    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Every call in its order: method and path.
    pub fn calls(&self) -> &[(String, String)] {
        &self.calls
    }

    /// Calls that changed something, or tried to.
    pub fn writes(&self) -> usize {
        self.calls.iter().filter(|(method, _)| method != "GET").count()
    }

    /// Answers a request to the API.
    pub fn handle(&mut self, request: &Request, now: Time) -> Response {
        let (path, query) = split(&request.url);
        let Some(path) = path.strip_prefix("/v3") else { return not_found("route") };
        self.calls.push((request.method.clone(), path.to_owned()));
        if request.get("api-key") != Some(&self.key) {
            return failure(401, "unauthorized", "Key not found");
        }
        let group = rates::group(path);
        if let Some(refused) = self.rates.take(group, now) {
            return refused;
        }
        self.finish_imports(now);
        let mut response = self.route(request, path, &query, now);
        self.rates.mark(group, &mut response, now);
        response
    }

    fn route(&mut self, request: &Request, path: &str, query: &Query, now: Time) -> Response {
        let body: Value = if request.body.is_empty() {
            Value::Null
        } else {
            match serde_json::from_slice(&request.body) {
                Ok(body) => body,
                Err(_) => return failure(400, "bad_request", "Input must be a valid JSON object"),
            }
        };
        let parts: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["account"]) => {
                ok(200, &json!({ "companyName": "Acme", "email": "owner@acme.example", "plan": [{ "type": "free" }] }))
            }
            (_, ["contacts", "attributes", rest @ ..]) => self.attributes_route(&request.method, rest, &body),
            (_, ["contacts", "folders" | "lists", ..]) => self.lists_route(&request.method, &parts[1..], query, &body),
            ("POST", ["contacts", "import"]) => self.import(&body, now),
            ("POST", ["contacts", "batch"]) => failure(404, "document_not_found", "This endpoint has been removed"),
            (_, ["contacts", rest @ ..]) => self.contacts_route(&request.method, rest, query, &body),
            ("GET", ["processes", id]) => self.process(id),
            ("GET", ["reports", id]) => self.report(id),
            ("POST", ["events", "batch"]) => self.take_events(&body),
            (_, ["smtp" | "webhooks", ..]) => self.mail_route(&request.method, &parts, query, &body, now),
            _ => not_found("route"),
        }
    }

    fn fresh(&mut self) -> i64 {
        self.next += 1;
        self.next
    }
}

type Query = BTreeMap<String, String>;

fn split(url: &str) -> (&str, Query) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    (path, pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = std::str::from_utf8(after.get(..2).unwrap_or_default()).ok();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ok(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status, headers, body: body.to_string().into_bytes() }
}

fn empty(status: u16) -> Response {
    Response { status, ..Response::default() }
}

fn failure(status: u16, code: &str, message: &str) -> Response {
    ok(status, &json!({ "code": code, "message": message }))
}

fn not_found(what: &str) -> Response {
    failure(404, "document_not_found", &format!("{what} does not exist"))
}

fn number(query: &Query, name: &str, default: usize, most: usize) -> usize {
    query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default).min(most)
}

#[cfg(test)]
mod tests;
