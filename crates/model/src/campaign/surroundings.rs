//! What conditions are asked against: the engine's facts, with the event in question in
//! the place of `type: event`, and what this very turn has set on the contact on top.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Where;
use super::correlate::pick;
use crate::Time;
use crate::event::Event;
use crate::filter::{Facts, Scope};

/// `type: event` means the event at hand.
pub struct EventFacts<'a> {
    pub base: &'a dyn Facts,
    pub event: &'a Event<'a>,
}

impl Facts for EventFacts<'_> {
    fn property(&self, scope: Scope, key: &str) -> Option<Value> {
        match scope {
            Scope::Event => self.event.properties.value(key),
            other => self.base.property(other, key),
        }
    }
}

/// `type: event` means the event that started the run; attributes that the turn has set
/// are seen by the steps after.
pub struct TurnFacts<'a> {
    pub base: &'a dyn Facts,
    pub trigger: &'a Value,
    pub set: BTreeMap<String, Value>,
}

impl Facts for TurnFacts<'_> {
    fn property(&self, scope: Scope, key: &str) -> Option<Value> {
        match scope {
            Scope::Event => pick(self.trigger, key).cloned(),
            Scope::Contact => match self.set.get(key) {
                Some(Value::Null) => None,
                Some(value) => Some(value.clone()),
                None => self.base.property(scope, key),
            },
            other => self.base.property(other, key),
        }
    }
}

/// Whether the conditions hold. Where there are none, they do.
pub fn holds(filter: Option<&Where>, facts: &dyn Facts, now: Time) -> bool {
    filter.is_none_or(|filter| filter.matches(facts, now))
}

/// Says which condition failed, and on what, for the record.
pub fn failure(filter: &Where, facts: &dyn Facts, now: Time) -> Value {
    match filter.why_not(facts, now) {
        Some(miss) => json!({ "failed": {
            "type": miss.scope, "key": miss.key, "operator": miss.operator, "value": miss.wanted, "was": miss.found,
        } }),
        None => json!({}),
    }
}
