//! A stand-in PostHog: it takes captures, keeps people as PostHog would, and POSTs matching
//! events to its webhook destinations, with PostHog's retries and nothing more.
//!
//! What is imitated: two capture routes and their answers in plain text, one bad event that
//! fails a whole batch, a project token that is never checked against a list, people merged
//! by `$identify` and its kin, three attempts per delivery, deliveries doubled and late.

mod capture;
mod deliver;
mod funnel;
pub mod hogql;
mod people;
mod private;
mod stock;

use std::collections::HashMap;

use hogwire_connectors::http::{Request, Response};
use hogwire_model::Time;
use serde_json::{Map, Value};

pub use deliver::{Delivery, Destination};
pub use people::{People, Person};
pub use private::{Cohort, Private};

pub struct PostHog {
    pub project_id: u64,
    /// The app's own URL, which stands in the links of every payload.
    pub app: String,
    events: Vec<Captured>,
    seen: HashMap<String, usize>,
    pub people: People,
    private: Private,
    destinations: Vec<Destination>,
    queue: Vec<Delivery>,
    sent: u64,
}

/// An event as PostHog stored it.
#[derive(Clone, Debug)]
pub struct Captured {
    pub token: String,
    pub uuid: String,
    pub event: String,
    pub distinct_id: String,
    pub properties: Map<String, Value>,
    pub timestamp: Time,
    pub captured_at: Time,
}

impl PostHog {
    pub fn new(app: &str) -> Self {
        Self {
            project_id: 1,
            app: app.trim_end_matches('/').to_owned(),
            events: Vec::new(),
            seen: HashMap::new(),
            people: People::default(),
            private: Private::default(),
            destinations: Vec::new(),
            queue: Vec::new(),
            sent: 0,
        }
    }

    pub fn add_destination(&mut self, destination: Destination) {
        self.destinations.push(destination);
    }

    /// Every event in the order it came, ours among them.
    pub fn events(&self) -> &[Captured] {
        &self.events
    }

    /// How often the same uuid was captured; storage keeps one of them.
    pub fn times_captured(&self, uuid: &str) -> usize {
        self.seen.get(uuid).copied().unwrap_or(0)
    }

    /// Answers a request to either of its hosts.
    pub fn handle(&mut self, request: &Request, now: Time) -> Response {
        let path = path_of(&request.url);
        match (request.method.as_str(), path.trim_end_matches('/')) {
            ("POST", "/batch" | "/capture" | "/e" | "/i/v0/e" | "/track" | "/engage") => {
                self.capture(&request.body, now)
            }
            ("POST", "/flags") => self.evaluate_flags(&request.body),
            (_, api) if api.starts_with("/api") => self.api(request, now),
            (_, "/batch" | "/capture" | "/e" | "/i/v0/e") => text(405, "method not allowed"),
            _ => not_found(),
        }
    }
}

pub fn text(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn not_found() -> Response {
    let body = r#"{"type":"invalid_request","code":"not_found","detail":"Not found.","attr":null}"#;
    Response {
        status: 404,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
