//! What the tests of campaigns play with: events from JSON, facts and a past by hand.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Advance, Campaign, Past, Program, Run, Turn, Wake, Where, advance};
use crate::Time;
use crate::contact::{Attributes, Contact};
use crate::event::Event;
use crate::filter::{Facts, Scope};

pub fn t(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

pub fn campaign(text: &str) -> Campaign {
    match super::read(text) {
        Ok((campaign, _)) => campaign,
        Err(problems) => panic!("{problems:#?}\n{text}"),
    }
}

pub fn program(text: &str) -> Program {
    Program::compile(&campaign(text))
}

/// A program with a plain trigger and these steps.
pub fn steps(steps: &str) -> Program {
    program(&format!("name: c\ntrigger: {{ event: began }}\nsteps: {steps}"))
}

/// An event whose properties are the JSON object.
pub fn event<'a>(name: &'a str, at: &str, properties: &'a str) -> Event<'a> {
    let mut event = Event::named("u", name, t(at));
    event.properties = serde_json::from_str(properties).expect("an object");
    event
}

/// Attributes of the contact.
#[derive(Default)]
pub struct Known(pub BTreeMap<String, Value>);

impl Known {
    pub fn of(pairs: Value) -> Self {
        Self(serde_json::from_value(pairs).expect("an object"))
    }
}

impl Facts for Known {
    fn property(&self, scope: Scope, key: &str) -> Option<Value> {
        (scope == Scope::Contact).then(|| self.0.get(key).cloned())?
    }
}

/// Stored events: name, time, properties.
#[derive(Default)]
pub struct Stored(pub Vec<(&'static str, Time, Value)>);

impl Past for Stored {
    fn happened(&self, event: &str, since: Time, matching: &[(String, Value)], _: Option<&Where>) -> Option<Time> {
        let found = self.0.iter().find(|(name, at, properties)| {
            *name == event
                && *at >= since
                && matching
                    .iter()
                    .all(|(key, value)| properties.get(key).is_some_and(|found| super::correlate::same(found, value)))
        });
        found.map(|(_, at, _)| *at)
    }
}

/// One contact going through a program.
pub struct Play {
    pub program: Program,
    pub run: Run,
    pub facts: Known,
    pub past: Stored,
    pub trigger: Value,
    pub zone: &'static str,
    pub contact: Contact,
}

impl Play {
    pub fn new(program: Program, entered: &str) -> Self {
        let contact = Contact {
            id: "con_1".to_owned(),
            identified: true,
            address: None,
            address_from_event: false,
            attributes: Attributes::default(),
            created_at: Time::default(),
            seen_at: Time::default(),
        };
        Self {
            program,
            run: Run::new(t(entered)),
            facts: Known::default(),
            past: Stored::default(),
            trigger: Value::Null,
            zone: "UTC",
            contact,
        }
    }

    pub fn wake(&mut self, wake: Wake<'_>, now: Time) -> Advance {
        let zone = crate::contact::timezone::named(self.zone).expect("a zone");
        advance(Turn {
            program: &self.program,
            run: &mut self.run,
            campaign_id: "c",
            contact: &self.contact,
            facts: &self.facts,
            past: &self.past,
            trigger: &self.trigger,
            zone: &zone,
            now,
            wake,
        })
    }

    /// Enters without delay.
    pub fn enter(&mut self) -> Advance {
        self.wake(Wake::Entered, self.run.entered_at)
    }

    pub fn due(&mut self, now: &str) -> Advance {
        self.wake(Wake::Due, t(now))
    }
}

pub fn codes(advance: &Advance) -> Vec<&'static str> {
    advance.decisions.iter().map(|d| d.code.as_str()).collect()
}
