//! Webhook destinations: which events they get, what is POSTed, and how often.
//!
//! Three attempts in all, for network errors and 408, 429, 500, 502, 503 and 504; then the
//! event is lost to us, which is what reconciling is for. `Retry-After` is ignored.

use hogwire_connectors::http::Request;
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::{Captured, PostHog};

const ATTEMPTS: u32 = 3;
const TIMEOUT: Span = Span::seconds(3);

#[derive(Clone, Debug)]
pub struct Destination {
    pub url: String,
    /// Extra headers, a secret among them.
    pub headers: Vec<(String, String)>,
    /// Signs with Standard Webhooks when set.
    pub signing_secret: Option<String>,
    /// Event names that pass; empty means all.
    pub only: Vec<String>,
    /// Event names that never pass, as a provisioned filter has them.
    pub never: Vec<String>,
}

/// One event on its way to one destination.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Constant over all attempts.
    pub id: String,
    pub destination: usize,
    pub body: Vec<u8>,
    pub due: Time,
    pub attempts: u32,
}

impl PostHog {
    pub(super) fn deliver(&mut self, event: &Captured) {
        for (at, destination) in self.destinations.iter().enumerate() {
            let named = destination.only.is_empty() || destination.only.contains(&event.event);
            if !named || destination.never.contains(&event.event) {
                continue;
            }
            self.sent += 1;
            self.queue.push(Delivery {
                id: format!("msg_{:08}", self.sent),
                destination: at,
                body: self.body(event),
                due: event.captured_at,
                attempts: 0,
            });
        }
    }

    /// The body that a provisioned destination asks for, and PostHog's own template sends.
    fn body(&self, event: &Captured) -> Vec<u8> {
        let project = self.project_id;
        let at = event.timestamp.to_string();
        let url = format!("{}/project/{project}/events/{}/{}", self.app, event.uuid, at.replace(':', "%3A"));
        let person = self.people.of(&event.distinct_id);
        let personless = event.properties.get("$process_person_profile") == Some(&Value::Bool(false));
        let person = person.filter(|_| !personless).map(|p| p.picture(&self.app, project, &event.distinct_id));
        let body = json!({
            "event": {
                "uuid": event.uuid,
                "event": event.event,
                "elements_chain": "",
                "distinct_id": event.distinct_id,
                "properties": event.properties,
                "timestamp": at,
                "captured_at": event.captured_at.to_string(),
                "url": url,
            },
            "person": person,
        });
        body.to_string().into_bytes()
    }

    /// Takes the deliveries that are due, each as a request that is really to be made.
    pub fn due(&mut self, now: Time) -> Vec<(Delivery, Request)> {
        let (due, later) = std::mem::take(&mut self.queue).into_iter().partition(|delivery| delivery.due <= now);
        self.queue = later;
        let due: Vec<Delivery> = due;
        due.into_iter().map(|delivery| (self.request(&delivery, now), delivery)).map(|(r, d)| (d, r)).collect()
    }

    pub fn next_due(&self) -> Option<Time> {
        self.queue.iter().map(|delivery| delivery.due).min()
    }

    fn request(&self, delivery: &Delivery, now: Time) -> Request {
        let destination = &self.destinations[delivery.destination];
        let mut request = Request::new("POST", destination.url.clone())
            .json(delivery.body.clone())
            .header("Accept", "application/json")
            .within(TIMEOUT);
        for (name, value) in &destination.headers {
            request = request.header(name, value.clone());
        }
        if let Some(secret) = &destination.signing_secret {
            let signed = hogwire_connectors::signature::sign(&delivery.id, now, &delivery.body, &[secret]);
            request = request
                .header("webhook-id", signed.id)
                .header("webhook-timestamp", signed.timestamp)
                .header("webhook-signature", signed.signature);
        }
        request
    }

    /// Tells how a delivery went: `None` is a network error or a timeout. It is tried again
    /// by PostHog's rules, or it is lost.
    pub fn settle(&mut self, mut delivery: Delivery, status: Option<u16>, jitter: Span, now: Time) {
        let again = matches!(status, None | Some(408 | 429 | 500 | 502 | 503 | 504));
        delivery.attempts += 1;
        if again && delivery.attempts < ATTEMPTS {
            let wait = Span::seconds(i64::from(delivery.attempts)).as_millis() + jitter.as_millis();
            delivery.due = now.plus(Span::millis(wait.min(30_000)));
            self.queue.push(delivery);
        }
    }

    /// Puts a delivery in the queue once more: at-least-once delivery has doubles.
    pub fn double(&mut self, delivery: &Delivery, due: Time) {
        let mut twin = delivery.clone();
        twin.due = due;
        twin.attempts = 0;
        self.queue.push(twin);
    }
}
