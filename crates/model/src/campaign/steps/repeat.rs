//! `repeat: { times, steps }`: goes through the steps that many times. The bound is
//! part of the step, so no campaign runs for ever; an `exit` inside leaves early.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Node, Run};

/// The most a step may repeat.
pub const MOST_TIMES: u32 = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatStep {
    #[schemars(range(min = 1, max = 100))]
    pub times: u32,
    pub steps: Vec<Step>,
}

/// Each arrival at the node is one round; the body leads back here.
pub(in crate::campaign) fn arrive(times: u32, body: Option<usize>, course: &mut Course<'_>, node: &Node) -> Move {
    let run: &mut Run = course.run;
    let done = run.loops.get(&node.id).copied().unwrap_or(0);
    if body.is_some() && done < times.min(MOST_TIMES) {
        run.loops.insert(node.id.clone(), done + 1);
        run.rounds = run.rounds.saturating_add(1);
        return Move::Go(body);
    }
    run.loops.remove(&node.id);
    Move::Go(node.next)
}
