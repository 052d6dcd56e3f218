//! `branch`: the first arm whose conditions hold, or `else`, or on with the next step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Step;
use crate::campaign::advance::course::{Course, Move};
use crate::campaign::program::NodeArm;
use crate::campaign::surroundings::holds;
use crate::campaign::{Code, Node, Where};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    pub when: Where,
    #[serde(default)]
    pub steps: Vec<Step>,
}

pub(in crate::campaign) fn arrive(
    arms: &[NodeArm],
    otherwise: Option<usize>,
    course: &mut Course<'_>,
    node: &Node,
) -> Move {
    let taken = arms.iter().position(|arm| holds(Some(&arm.when), &course.facts, course.now));
    match taken {
        Some(n) => {
            course.note(Code::BranchTaken, node, json!({ "arm": n, "when": arms[n].when }));
            Move::Go(arms[n].first.or(node.next))
        }
        None => {
            course.note(Code::BranchTaken, node, json!({ "arm": "else" }));
            Move::Go(otherwise.or(node.next))
        }
    }
}
