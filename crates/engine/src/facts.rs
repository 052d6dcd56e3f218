//! What conditions are asked against: the contact at hand, and, only when a condition
//! looks there, its campaign history, its engagement and its past events.
//!
//! The model asks by `&self`; the transaction sits in a cell, because nothing is read
//! before somebody asks. An error while reading is kept and raised after the decision.

use std::cell::RefCell;

use hogwire_model::Time;
use hogwire_model::campaign::surroundings::{EventFacts, holds};
use hogwire_model::campaign::{Past, Where};
use hogwire_model::contact::Contact;
use hogwire_model::filter::{Facts, Scope};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::inbox::Inbox;
use crate::store::{Store, Tx, engagements, enrollments, events, redirects};

pub struct ContactFacts<'a, 's> {
    contact: &'a Contact,
    name: Option<&'a str>,
    now: Time,
    outside: RefCell<Reach<'a, 's>>,
}

struct Reach<'a, 's> {
    tx: &'a mut Tx<'s>,
    store: &'a Store,
    inbox: &'a Inbox,
    failed: Option<Error>,
}

/// How many past events of one name a look-back examines.
const LOOK_BACK: usize = 200;

impl<'a, 's> ContactFacts<'a, 's> {
    pub fn new(
        tx: &'a mut Tx<'s>,
        (store, inbox): (&'a Store, &'a Inbox),
        contact: &'a Contact,
        name: Option<&'a str>,
        now: Time,
    ) -> Self {
        Self { contact, name, now, outside: RefCell::new(Reach { tx, store, inbox, failed: None }) }
    }

    /// Raises what went wrong while facts were read.
    pub fn finish(self) -> Result<()> {
        self.outside.into_inner().failed.map_or(Ok(()), Err)
    }

    fn own(&self, key: &str) -> Option<Value> {
        if let Some(value) = self.contact.attributes.get(key) {
            return Some(value);
        }
        match key {
            "email" => self.contact.address.clone().map(Value::from),
            "name" => self.name.map(Value::from),
            _ => None,
        }
    }
}

impl Facts for ContactFacts<'_, '_> {
    fn property(&self, scope: Scope, key: &str) -> Option<Value> {
        match scope {
            Scope::Contact => self.own(key),
            Scope::Campaign => self.outside.borrow_mut().campaign(&self.contact.id, key),
            Scope::Message => self.outside.borrow_mut().engagement(&self.contact.id, key),
            Scope::Event | Scope::Account => None,
        }
    }
}

impl Past for ContactFacts<'_, '_> {
    fn happened(&self, event: &str, since: Time, matching: &[(String, Value)], filter: Option<&Where>) -> Option<Time> {
        let mut reach = self.outside.borrow_mut();
        let found = reach.past(&self.contact.id, event, since)?;
        if matching.is_empty() && filter.is_none() {
            return found.first().map(|event| event.at);
        }
        let bodies: Vec<(Time, crate::inbox::Stored)> =
            found.iter().filter_map(|event| Some((event.at, reach.body(&event.place)?))).collect();
        drop(reach);
        bodies.iter().find_map(|(at, stored)| {
            let event = crate::ingest::read_stored(stored).ok()?;
            let same = matching.iter().all(|(name, wanted)| {
                event
                    .properties
                    .value(name)
                    .is_some_and(|found| hogwire_model::campaign::correlate::same(&found, wanted))
            });
            let facts = EventFacts { base: self, event: &event };
            (same && holds(filter, &facts, self.now)).then_some(*at)
        })
    }
}

impl Reach<'_, '_> {
    fn keep<T>(&mut self, answer: Result<T>) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed.get_or_insert(error);
                None
            }
        }
    }

    /// What became of the contact in a campaign, as every word that is true of it.
    fn campaign(&mut self, contact: &str, campaign: &str) -> Option<Value> {
        let runs = enrollments::outcomes(self.tx, contact, campaign);
        let runs = self.keep(runs)?;
        if runs.is_empty() {
            return Some(json!(["none"]));
        }
        let mut words = vec!["entered"];
        if runs.iter().any(|(ended, _)| *ended) {
            words.push("exited");
        }
        if runs.iter().any(|(_, converted)| *converted) {
            words.push("converted");
        }
        Some(json!(words))
    }

    /// Names of the campaigns and templates whose messages the contact opened, clicked, …
    /// Machine opens never count.
    fn engagement(&mut self, contact: &str, kind: &str) -> Option<Value> {
        let names = engagements::names(self.tx, contact, kind);
        let names = self.keep(names)?;
        (!names.is_empty()).then(|| json!(names))
    }

    fn past(&mut self, contact: &str, event: &str, since: Time) -> Option<Vec<events::Event>> {
        let family = redirects::family(self.tx, contact);
        let family = self.keep(family)?;
        let found = events::of_contact_named(self.tx, &family, event, since, LOOK_BACK);
        self.keep(found)
    }

    fn body(&mut self, place: &str) -> Option<crate::inbox::Stored> {
        let body = self.inbox.fetch(self.store, place);
        self.keep(body)?
    }
}
