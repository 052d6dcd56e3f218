//! `set_attribute`: sets attributes of the contact; null removes one. The steps that
//! follow in the same turn see the new values, save those that hold Liquid: the engine
//! renders these, so they are seen from the next turn on.

use serde_json::{Map, Value, json};

use crate::campaign::advance::course::{Course, Move};
use crate::campaign::{Code, Effect, Node};

pub(in crate::campaign) fn arrive(values: &Map<String, Value>, course: &mut Course<'_>, node: &Node) -> Move {
    for (name, value) in values {
        if !is_template(value) {
            course.facts.set.insert(name.clone(), value.clone());
        }
    }
    course.effects.push(Effect::SetAttributes { step: node.id.clone(), values: values.clone() });
    course.note(Code::AttributeSet, node, json!({ "values": values }));
    Move::Go(node.next)
}

fn is_template(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}
