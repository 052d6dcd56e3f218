//! Attributes, and what becomes of a value that does not suit its own.

use serde_json::{Map, Value, json};

use super::{Attribute, Brevo, Response, empty, failure, not_found, ok};

const KINDS: [&str; 6] = ["text", "date", "float", "boolean", "multiple-choice", "user"];

impl Brevo {
    pub(super) fn attributes_route(&mut self, method: &str, rest: &[&str], body: &Value) -> Response {
        match (method, rest) {
            ("GET", []) => {
                let rows = self.attributes.iter();
                let rows: Vec<Value> = rows
                    .map(|(name, held)| json!({ "name": name, "category": held.category, "type": held.kind }))
                    .collect();
                ok(200, &json!({ "attributes": rows }))
            }
            ("POST", [category, name]) => self.make_attribute(category, name, body),
            _ => not_found("route"),
        }
    }

    fn make_attribute(&mut self, category: &str, name: &str, body: &Value) -> Response {
        if self.attributes.contains_key(name) {
            return failure(400, "invalid_parameter", "Attribute name must be unique: it already exists");
        }
        let kind = body["type"].as_str().unwrap_or_default();
        if category != "normal" || !KINDS.contains(&kind) || name.chars().any(|c| c.is_ascii_lowercase()) {
            return failure(400, "invalid_parameter", "Invalid attribute");
        }
        self.attributes.insert(name.to_owned(), Attribute { category: "normal", kind: kind.to_owned() });
        empty(201)
    }

    /// Takes over what suits, and says nothing about the rest. An empty text takes away.
    pub(super) fn set(&self, held: &mut Map<String, Value>, given: &Map<String, Value>) {
        for (name, value) in given {
            let Some(attribute) = self.attributes.get(name) else { continue };
            if value.as_str() == Some("") || value.is_null() {
                held.remove(name);
            } else if suits(&attribute.kind, value) {
                held.insert(name.clone(), value.clone());
            }
        }
    }
}

fn suits(kind: &str, value: &Value) -> bool {
    match kind {
        "text" => value.is_string(),
        "float" => value.is_number(),
        "boolean" => value.is_boolean(),
        "date" => value.as_str().is_some_and(is_day),
        _ => value.is_array(),
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}
