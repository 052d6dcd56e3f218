use hogwire_connectors::http::Request;
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::{Destination, PostHog};

fn posthog() -> PostHog {
    let mut posthog = PostHog::new("https://ph.sim");
    posthog.add_destination(Destination {
        url: "https://us.sim/hook".into(),
        headers: vec![("x-secret".into(), "s".into())],
        signing_secret: None,
        only: Vec::new(),
        never: vec!["hidden".into()],
    });
    posthog
}

fn now() -> Time {
    Time::parse("2026-03-02T09:00:00Z").expect("a time")
}

fn send(posthog: &mut PostHog, body: &Value) -> (u16, String) {
    let request = Request::new("POST", "https://ph.sim/batch/").json(body.to_string().into_bytes());
    let response = posthog.handle(&request, now());
    (response.status, String::from_utf8_lossy(&response.body).into_owned())
}

fn event(name: &str, id: &str, properties: &Value) -> Value {
    json!({ "event": name, "distinct_id": id, "properties": properties })
}

#[test]
fn one_bad_event_fails_its_batch_and_says_why_in_plain_text() {
    let mut posthog = posthog();
    let good = event("a", "u1", &json!({}));
    let bad = json!({ "event": "b", "properties": {} });
    let (status, text) = send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [good, bad] }));
    assert_eq!((status, text.as_str()), (400, "event submitted without a distinct_id"));
    assert!(posthog.events().is_empty());
    assert_eq!(send(&mut posthog, &json!({ "batch": [event("a", "u1", &json!({}))] })).0, 401);
    assert_eq!(send(&mut posthog, &json!({ "api_key": "phx_x", "batch": [event("a", "u1", &json!({}))] })).0, 401);
    assert_eq!(send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [event("a", "u1", &json!({}))] })).0, 200);
}

#[test]
fn identifying_makes_one_person_of_two_and_the_webhook_shows_them() {
    let mut posthog = posthog();
    let past = event("visit", "anon", &json!({ "$set": { "colour": "blue" } }));
    let named = json!({ "$anon_distinct_id": "anon", "$set": { "email": "ada@people.sim" } });
    send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [past, event("$identify", "u1", &named)] }));
    send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [event("hidden", "u1", &json!({}))] }));
    let due = posthog.due(now());
    assert_eq!(due.len(), 2, "the hidden one has no destination");
    let body: Value = serde_json::from_slice(&due[1].1.body).expect("JSON");
    assert_eq!(body["person"]["properties"], json!({ "email": "ada@people.sim", "colour": "blue" }));
    assert_eq!(body["event"]["event"], "$identify");
    assert!(due[1].1.headers.iter().any(|header| header.name == "x-secret"));
}

#[test]
fn a_delivery_is_tried_three_times_and_a_refused_one_once() {
    let mut posthog = posthog();
    send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [event("a", "u1", &json!({}))] }));
    let mut at = now();
    for attempt in 1..=3 {
        let (delivery, request) = posthog.due(at).remove(0);
        assert_eq!(delivery.id, "msg_00000001");
        assert!(!request.body.is_empty());
        posthog.settle(delivery, Some(503), Span::ZERO, at);
        assert_eq!(posthog.next_due().is_some(), attempt < 3);
        at = at.plus(Span::minutes(1));
    }
    send(&mut posthog, &json!({ "api_key": "phc_x", "batch": [event("a", "u1", &json!({}))] }));
    let (delivery, _) = posthog.due(at).remove(0);
    posthog.settle(delivery, Some(400), Span::ZERO, at);
    assert_eq!(posthog.next_due(), None);
}
