//! What PostHog is told, and what its answers mean.

use hogwire_model::{Outcome, Span, Time};
use serde_json::{Map, Value, json};

use super::capture::{Captured, Change, Project, batches, read_response, stable_uuid};
use super::engagement::{Engagement, Happening};
use super::errors;
use crate::http::Response;

fn arrived() -> Time {
    Time::parse("2026-11-25T08:00:00Z").expect("a time")
}

fn response(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

#[test]
fn errors_of_the_private_api() {
    let said = |status, body| errors::outcome(&response(status, body), arrived());
    assert!(matches!(said(200, "{}"), Outcome::Done(_)));
    assert!(matches!(said(401, include_str!("fixtures/error_401_invalid_key.json")), Outcome::Unauthorized(_)));
    let Outcome::Refused(scope) = said(403, include_str!("fixtures/error_403_scope.json")) else {
        panic!("a missing scope must not throw the credential away");
    };
    assert_eq!(scope, "PostHog answered 403 permission_denied: API key missing required scope 'person:read'");
    let Outcome::Snooze(until, _) = said(429, include_str!("fixtures/error_429.json")) else {
        panic!("throttled");
    };
    assert_eq!(until.since(arrived()), Span::seconds(37));
    assert!(matches!(said(503, "upstream gone"), Outcome::Retry(_)));
    assert!(matches!(said(404, "<html>"), Outcome::Refused(_)));
    let failure = errors::failure(&response(403, include_str!("fixtures/error_403_scope.json"))).expect("a failure");
    assert!(failure.remedy().contains("scope"));
}

const PROJECT: Project<'static> = Project { ingestion: "https://eu.i.posthog.com", token: "phc_test" };

fn engagement(id: &str) -> Captured {
    let mut more = Map::new();
    more.insert("url".into(), "https://shop.example/cart".into());
    Engagement {
        happening: Happening::EmailClicked,
        id,
        visitor: "user_42",
        at: Time::from_millis(1_772_442_927_123),
        campaign: Some("checkout-recovery"),
        campaign_version: Some(3),
        step: Some("1"),
        message_id: Some("msg_1"),
        topic: Some("product"),
        more,
    }
    .captured()
}

#[test]
fn what_posthog_is_told() {
    let mut change = Change { unset: vec!["trial_ends".into()], ..Change::default() };
    change.set.insert("plan".into(), "pro".into());
    let mut account = Map::new();
    account.insert("seats".into(), 5.into());
    let at = Time::from_millis(1_772_442_927_123);
    let events = [
        engagement("hit_1"),
        Captured::set("chg_1", "user_42", at, &change),
        Captured::set_account("chg_2", "company", "acme", at, account),
    ];
    let batches = batches(PROJECT, &events);
    assert_eq!(batches.len(), 1);
    let body: Value = serde_json::from_slice(&batches[0].request.body).expect("JSON");
    insta::assert_snapshot!("captured", serde_json::to_string_pretty(&body).expect("JSON"));
    assert_eq!(batches[0].request.url, "https://eu.i.posthog.com/batch/");
    assert_fits_capture_schema(&body);
    assert_eq!(engagement("hit_1"), engagement("hit_1"), "a retry is the same event");
    assert_ne!(engagement("hit_1").uuid, engagement("hit_2").uuid, "two clicks are two");
    assert_ne!(stable_uuid("a", "x"), stable_uuid("b", "x"));
}

/// The published capture schema allows these names and no others, each of its type.
fn assert_fits_capture_schema(body: &Value) {
    let batch = body["batch"].as_array().expect("batch is a list");
    assert!(body["api_key"].is_string());
    for event in batch {
        for (name, value) in event.as_object().expect("an object") {
            let fits = match name.as_str() {
                "event" | "distinct_id" => value.as_str().is_some_and(|text| !text.is_empty()),
                "timestamp" => value.as_str().and_then(Time::parse).is_some(),
                "uuid" => value.as_str().is_some_and(|text| uuid::Uuid::parse_str(text).is_ok()),
                "properties" => value.is_object(),
                _ => false,
            };
            assert!(fits, "{name}: {value}");
        }
        assert_eq!(event["properties"]["$geoip_disable"], json!(true));
        assert_eq!(event["properties"]["$lib"], json!("hogwire"));
    }
}

#[test]
fn batches_stay_below_a_megabyte_and_lose_nothing() {
    let mut filler = Map::new();
    filler.insert("text".into(), "x".repeat(30_000).into());
    let events: Vec<Captured> =
        (0..100).map(|n| Captured::new(&n.to_string(), "e", "u", arrived(), filler.clone())).collect();
    let batches = batches(PROJECT, &events);
    assert!(batches.len() > 3);
    let mut next = 0;
    for batch in &batches {
        assert!(batch.request.body.len() <= 1_000_000, "{}", batch.request.body.len());
        assert_eq!(batch.events.start, next);
        let body: Value = serde_json::from_slice(&batch.request.body).expect("JSON");
        assert_eq!(body["batch"].as_array().map(Vec::len), Some(batch.events.len()));
        next = batch.events.end;
    }
    assert_eq!(next, 100);
    assert!(super::capture::batches(PROJECT, &[]).is_empty());
}

#[test]
fn what_capture_answers() {
    let said = |status, body| read_response(&response(status, body), arrived());
    assert!(matches!(said(200, include_str!("fixtures/capture_ok_response.json")), Outcome::Done(_)));
    assert!(matches!(said(200, include_str!("fixtures/capture_ok_response_rust.json")), Outcome::Done(_)));
    assert!(matches!(said(204, ""), Outcome::Done(_)));
    assert!(matches!(said(200, include_str!("fixtures/capture_quota_limited_response.json")), Outcome::Snooze(..)));
    assert!(matches!(said(401, "API key is not valid: personal_api_key"), Outcome::Unauthorized(_)));
    assert!(matches!(said(400, "event submitted without a distinct_id"), Outcome::Refused(_)));
    assert!(matches!(said(413, "maximum event size exceeded"), Outcome::Refused(_)));
    assert!(matches!(said(429, "rate limited"), Outcome::Snooze(..)));
    assert!(matches!(said(503, "transient error, please retry"), Outcome::Retry(_)));
    assert!(matches!(said(302, ""), Outcome::Refused(_)));
}
