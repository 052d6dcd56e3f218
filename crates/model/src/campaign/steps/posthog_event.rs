//! `posthog_event`: captures an event about the contact. Strings in the properties are
//! Liquid templates, rendered by the engine. The run does not wait.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Code, Effect, Node};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventStep {
    pub event: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

impl EventStep {
    pub(in crate::campaign) fn arrive(&self, course: &mut Course<'_>, node: &Node) -> Move {
        course.effects.push(Effect::Capture {
            step: node.id.clone(),
            event: self.event.clone(),
            properties: self.properties.clone(),
        });
        course.note(Code::EventQueued, node, json!({ "event": self.event }));
        Move::Go(node.next)
    }
}
