//! `webhook`: one request to an address of the operator's. Every part is a Liquid
//! template, rendered by the engine when it queues the request. The run does not wait.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Code, Effect, Node};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookStep {
    #[serde(default = "post", skip_serializing_if = "is_post")]
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Text as it is, or a JSON value whose strings are templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl WebhookStep {
    pub(in crate::campaign) fn arrive(&self, course: &mut Course<'_>, node: &Node) -> Move {
        course.effects.push(Effect::Webhook {
            step: node.id.clone(),
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone().into_iter().collect(),
            body: self.body.clone(),
        });
        course.note(Code::WebhookQueued, node, json!({ "url": self.url }));
        Move::Go(node.next)
    }
}

fn post() -> String {
    "POST".to_owned()
}

fn is_post(method: &str) -> bool {
    method == "POST"
}
