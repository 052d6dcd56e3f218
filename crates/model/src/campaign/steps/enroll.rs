//! `enroll`: starts another campaign for the contact, with properties as its trigger's.
//! Whether that campaign lets the contact in is its own entry rule's decision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Code, Effect, Node};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrollStep {
    /// The id of the other campaign: its file's stem.
    pub campaign: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

impl EnrollStep {
    pub(in crate::campaign) fn arrive(&self, course: &mut Course<'_>, node: &Node) -> Move {
        course.effects.push(Effect::Enroll {
            step: node.id.clone(),
            campaign: self.campaign.clone(),
            properties: self.properties.clone(),
        });
        let detail = json!({ "campaign": self.campaign });
        course.note(Code::EnrolledElsewhere, node, detail);
        Move::Go(node.next)
    }
}
