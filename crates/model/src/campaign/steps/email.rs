//! `email`: queues one message and parks the run until the message is settled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Span;
use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Code, Effect, Node, Rest};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailStep {
    pub template: String,
    /// The name of a sender. Absent: the one called `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Absent: the campaign's, then the template's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// A message still held after this long is not sent any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Span>,
}

impl EmailStep {
    pub(in crate::campaign) fn arrive(&self, course: &mut Course<'_>, node: &Node) -> Move {
        let campaign = &course.program.campaign;
        course.effects.push(Effect::Email {
            step: node.id.clone(),
            template: self.template.clone(),
            sender: self.sender.clone(),
            topic: self.topic.clone().or_else(|| campaign.topic.clone()),
            expires: self.expires.map(|span| course.now.plus(span)),
        });
        course.note(Code::Queued, node, json!({ "template": self.template }));
        Move::Rest(Rest::Message)
    }
}
