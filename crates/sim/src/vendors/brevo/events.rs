//! Events in batches: names of few characters, somebody to whom they belong.

use serde_json::{Value, json};

use super::{Brevo, Response, failure, ok};

impl Brevo {
    pub(super) fn take_events(&mut self, body: &Value) -> Response {
        let Some(events) = body["events"].as_array() else {
            return failure(400, "missing_parameter", "events is required");
        };
        let mut errors = Vec::new();
        for (place, event) in events.iter().enumerate() {
            match fault(event) {
                Some(message) => errors.push(json!({ "eventIndex": [place], "message": message })),
                None => self.events.push(event.clone()),
            }
        }
        let report = |status: &str| {
            json!({ "status": status, "total_events": events.len(), "successful_events": events.len() - errors.len(),
                "failed_events": errors.len(), "errors": errors })
        };
        match errors.len() {
            0 => ok(202, &json!({ "message": "events queued", "count": events.len() })),
            failed if failed == events.len() => ok(400, &report("failed")),
            _ => ok(207, &report("partial")),
        }
    }
}

fn fault(event: &Value) -> Option<&'static str> {
    let name = event["event_name"].as_str().unwrap_or_default();
    let fine = |text: &str| {
        !text.is_empty()
            && text.len() <= 255
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if !fine(name) {
        return Some("event_name is invalid");
    }
    if event["identifiers"].as_object().is_none_or(|held| held.is_empty()) {
        return Some("identifiers are missing");
    }
    let properties = event["event_properties"].as_object();
    if properties.into_iter().flatten().any(|(name, _)| !fine(name)) {
        return Some("a property's name is invalid");
    }
    (event["event_properties"].to_string().len() > 50_000).then_some("event_properties are too large")
}
