//! `match: { order_id: trigger.order_id }`: this order's event, not any order's.
//!
//! A value that starts with `trigger.` names a property of the event that started the
//! run; anything else is the value itself. Comparison is lenient, because one client
//! sends `1` where another sends `"1"`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::event::Event;
use crate::value::{as_number, is_blank};

/// Event property → `trigger.NAME` or a value.
pub type Match = BTreeMap<String, Value>;

/// The property of the trigger that an expected value names.
pub fn trigger_property(expected: &Value) -> Option<&str> {
    expected.as_str()?.strip_prefix("trigger.")
}

/// What each property must equal in this run. Nothing when the trigger lacks a property
/// that is named: then no event can be told to be the right one.
pub fn resolve(matching: &Match, trigger: &Value) -> Option<Vec<(String, Value)>> {
    matching
        .iter()
        .map(|(name, expected)| {
            let value = match trigger_property(expected) {
                Some(path) => pick(trigger, path).filter(|value| !is_blank(value))?.clone(),
                None => expected.clone(),
            };
            Some((name.clone(), value))
        })
        .collect()
}

/// Whether the event carries every expected property.
pub fn corresponds(matching: &Match, event: &Event<'_>, trigger: &Value) -> bool {
    if matching.is_empty() {
        return true;
    }
    let Some(expected) = resolve(matching, trigger) else {
        return false;
    };
    expected.iter().all(|(name, wanted)| event.properties.value(name).is_some_and(|found| same(&found, wanted)))
}

/// Equal as people mean it: `1`, `1.0`, `"1"` are one value.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(a), Value::String(b)) => a.trim() == b.trim(),
        (Value::Bool(a), Value::String(b)) | (Value::String(b), Value::Bool(a)) => {
            b.trim().eq_ignore_ascii_case(if *a { "true" } else { "false" })
        }
        (Value::Number(_), Value::String(_) | Value::Number(_)) | (Value::String(_), Value::Number(_)) => {
            left == right || as_number(left).is_some_and(|a| as_number(right) == Some(a))
        }
        _ => left == right,
    }
}

/// Follows `a.b` into objects, after trying the whole name as one key.
pub fn pick<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    pick(object.get(first)?, rest)
}

#[cfg(test)]
mod tests;
