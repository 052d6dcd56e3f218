//! `split`: an experiment. Which variant a contact gets depends on the campaign, the
//! step and the contact alone, so it is the same on every node, in every replay and on
//! every later visit. The holdout gets nothing, and is what the variants are measured by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Step;
use crate::campaign::advance::course::{Course, Move};
use crate::campaign::program::NodeVariant;
use crate::campaign::{Code, Ending, Node, NodeStep};
use crate::id::stable_fraction;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitStep {
    pub variants: Vec<Variant>,
    /// Percent of all who arrive that leave the campaign here: 0 to below 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 99))]
    pub holdout: f64,
    /// The experiment's name where results are reported; absent: the campaign's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    /// Relative to the others' weights.
    #[serde(default = "one")]
    pub weight: f64,
    #[serde(default)]
    pub steps: Vec<Step>,
}

pub(in crate::campaign) fn arrive(
    variants: &[NodeVariant],
    holdout: f64,
    course: &mut Course<'_>,
    node: &Node,
) -> Move {
    let fraction = stable_fraction(&[course.campaign_id, &node.id, &course.contact.id]);
    let held = (holdout / 100.0).clamp(0.0, 1.0);
    if fraction < held {
        return Move::End(Ending { code: Code::Holdout, reason: "in the holdout of the experiment".to_owned() });
    }
    let place = (fraction - held) / (1.0 - held);
    let Some(variant) = choose(variants, place) else {
        return Move::Go(node.next);
    };
    let experiment = match &node.step {
        NodeStep::Split { experiment: Some(name), .. } => name,
        _ => &course.program.campaign.name,
    };
    let detail = json!({ "variant": variant.name, "experiment": experiment });
    course.note(Code::SplitAssigned, node, detail);
    Move::Go(variant.first.or(node.next))
}

/// The variant at `place` in [0, 1) of the weights laid end to end.
fn choose(variants: &[NodeVariant], place: f64) -> Option<&NodeVariant> {
    let weight = |v: &NodeVariant| if v.weight.is_finite() { v.weight.max(0.0) } else { 0.0 };
    let total: f64 = variants.iter().map(weight).sum();
    let mut left = place * total;
    for variant in variants {
        if left < weight(variant) {
            return Some(variant);
        }
        left -= weight(variant);
    }
    variants.iter().rev().find(|v| weight(v) > 0.0)
}

const fn one() -> f64 {
    1.0
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
