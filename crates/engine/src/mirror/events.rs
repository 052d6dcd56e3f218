//! Events that go to a destination: those whose names the settings list, of contacts that
//! stand there (SPEC B5). Each is a delivery with a key of its own, and says the same on
//! every try; whoever gets it twice gets the same event.

use hogwire_connectors::brevo::events::{self as wire, Event};
use hogwire_connectors::brevo::limits::{Class, EVENTS_AT_ONCE};
use hogwire_model::policy::retry::Kind;
use hogwire_model::{Outcome, Span, Time};
use serde_json::{Value, json};

use super::Turn;
use crate::engine::Engine;
use crate::error::Result;
use crate::outbox::{self, NewDelivery, deliver};
use crate::settings::Settings;
use crate::store::deliveries::{self, Delivery};
use crate::store::{Tx, mirrors};

const KIND: &str = "event";
/// Calls of one turn.
const CALLS: usize = 8;
/// Somebody who is still being written is waited for.
const NOT_YET: Span = Span::seconds(30);
/// After so long nobody waits any more.
const TOO_LONG: Span = Span::days(3);

/// One event that was decided, as far as destinations care.
pub struct Happened<'a> {
    pub connection: &'a str,
    pub uuid: &'a str,
    pub name: &'a str,
    pub contact: &'a str,
    pub at: Time,
    pub properties: &'a dyn Fn() -> Value,
}

/// Queues an event for every destination that wants it.
pub fn queue(engine: &Engine, tx: &mut Tx<'_>, settings: &Settings, event: &Happened<'_>, now: Time) -> Result<()> {
    if settings.connections.get(event.connection).is_some_and(|connection| connection.test_mode) {
        return Ok(());
    }
    for (name, _) in settings.destinations.iter().filter(|(_, destination)| destination.events.contains(event.name)) {
        let payload = json!({ "name": event.name, "at": event.at, "properties": (event.properties)() }).to_string();
        let new = NewDelivery {
            idempotency_key: &format!("{name}:{}:{}", event.connection, event.uuid),
            destination: name,
            kind: KIND,
            contact_id: event.contact,
            campaign_id: "",
            enrollment_id: "",
            step: "",
            payload: &payload,
        };
        outbox::queue_delivery(tx, &new, &*engine.outside.entropy, now)?;
    }
    Ok(())
}

pub fn next_due(tx: &mut Tx<'_>, destination: &str) -> Result<Option<Time>> {
    deliveries::next_due_for(tx, KIND, destination)
}

/// What becomes of a delivery before any request.
enum Read {
    Event(Event),
    Later,
    Ended(&'static str, String),
}

impl Turn<'_> {
    pub(super) fn send_events(&mut self) -> Result<()> {
        let (claimed, events) = self.claim_events()?;
        if claimed.is_empty() {
            return Ok(());
        }
        self.did += claimed.len();
        let requests = events.chunks(EVENTS_AT_ONCE).map(|some| wire::batch(self.access(), some)).collect();
        let mut outcomes: Vec<(Time, Outcome)> = Vec::with_capacity(claimed.len());
        for (some, (at, answer)) in events.chunks(EVENTS_AT_ONCE).zip(self.ask(requests)) {
            let several = match answer {
                Ok(response) => wire::read_batch(&response, some.len(), at),
                Err(outcome) => vec![outcome; some.len()],
            };
            if let Some(first) = several.first() {
                self.heed(first, at);
            }
            outcomes.extend(several.into_iter().map(|outcome| (at, outcome)));
        }
        self.engine.with_parts(|parts| {
            parts.store.write(|tx| {
                for (delivery, (at, outcome)) in claimed.iter().zip(&outcomes) {
                    deliver::settle(parts, tx, delivery, outcome, Kind::Capture, *at)?;
                }
                Ok(())
            })
        })
    }

    fn claim_events(&mut self) -> Result<(Vec<Delivery>, Vec<Event>)> {
        let (name, now) = (self.name, self.now);
        let most = CALLS * EVENTS_AT_ONCE;
        let waiting = self.engine.store.write(|tx| deliveries::due_for(tx, KIND, name, now, most))?;
        if waiting.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (calls, more) = self.take(Class::Events, waiting.len().div_ceil(EVENTS_AT_ONCE))?;
        self.state.no_events_until = more;
        self.engine.store.write(|tx| {
            let (mut claimed, mut events) = (Vec::new(), Vec::new());
            for delivery in waiting.into_iter().take(calls * EVENTS_AT_ONCE) {
                match read(tx, name, &delivery, now)? {
                    Read::Event(event) => {
                        claimed.push(delivery);
                        events.push(event);
                    }
                    Read::Later => deliveries::postpone(tx, &delivery.id, now.plus(NOT_YET))?,
                    Read::Ended(status, why) => deliveries::end(tx, &delivery.id, status, &why, now)?,
                }
            }
            deliver::claim(tx, &mut claimed, now)?;
            Ok((claimed, events))
        })
    }
}

/// The event of a delivery, under the address that the destination knows.
fn read(tx: &mut Tx<'_>, destination: &str, delivery: &Delivery, now: Time) -> Result<Read> {
    let payload: Value = serde_json::from_str(&delivery.payload).unwrap_or(Value::Null);
    if let Ok(event) = serde_json::from_value::<Event>(payload["event"].clone()) {
        return Ok(Read::Event(event));
    }
    let contact = crate::store::redirects::resolve(tx, &delivery.contact_id)?;
    let row = mirrors::find_many(tx, destination, vec![&contact])?.into_iter().next();
    let address = match row {
        Some(row) if !row.address.is_empty() && row.status != "importing" => row.address,
        Some(row) if row.status == "rejected" => {
            return Ok(Read::Ended("dead", format!("the contact was not written there: {}", row.reason)));
        }
        _ if now.since(delivery.created_at) > TOO_LONG => {
            return Ok(Read::Ended("dead", "the contact never came to stand there".to_owned()));
        }
        _ => return Ok(Read::Later),
    };
    let (Some(name), Some(at)) = (payload["name"].as_str(), payload["at"].as_str().and_then(Time::parse)) else {
        return Ok(Read::Ended("dead", "what was queued cannot be read".to_owned()));
    };
    let none = serde_json::Map::new();
    let event = Event::new(name, &address, at, payload["properties"].as_object().unwrap_or(&none));
    // Kept as it is now: a further try must not say something else.
    deliveries::render(tx, &delivery.id, &json!({ "event": event }).to_string())?;
    Ok(Read::Event(event))
}
