//! Real bodies in, what the engine gets out; and the other way round.

use hogwire_model::event::{Identity, Pairs};
use hogwire_model::{Outcome, Span, Time};
use serde_json::{Map, Value, json};

use super::capture::{Captured, Change, Project, batches, read_response, stable_uuid};
use super::engagement::{Engagement, Happening};
use super::{errors, webhook};
use crate::http::Response;
use crate::reading::Reading;
use crate::{Shape, check, detect, read, read_closely, split_batch};

fn arrived() -> Time {
    Time::parse("2026-11-25T08:00:00Z").expect("a time")
}

/// Everything that a reading holds, in a form that people can read and compare.
pub(crate) fn shown(reading: &Reading<'_>) -> String {
    let event = &reading.event;
    let pairs = |pairs: &Pairs<'_>| pairs.to_value();
    let named = |list: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]| -> Vec<String> {
        list.iter().map(|(kind, key)| format!("{kind} = {key}")).collect()
    };
    let keys: Vec<String> = event
        .keys
        .iter()
        .map(|(kind, key)| format!("{} = {key}", kind.as_str()))
        .collect();
    let marks: Vec<&str> = [
        (event.identified, "identified"),
        (event.server_side, "server_side"),
        (event.own, "own"),
        (event.test, "test"),
    ]
    .iter()
    .filter_map(|(on, name)| on.then_some(*name))
    .collect();
    let pictures: Vec<Value> = reading
        .accounts
        .iter()
        .map(|a| json!({ "account": format!("{} = {}", a.kind, a.key), "attributes": pairs(&a.attributes), "at": a.at }))
        .collect();
    let whole = json!({
        "name": event.name, "uuid": event.uuid, "at": event.at, "arrived": event.arrived,
        "keys": keys, "identity": event.identity.as_ref().map(|i| format!("{i:?}")), "marks": marks,
        "properties": pairs(&event.properties), "set": pairs(&event.set),
        "set_once": pairs(&event.set_once), "unset": event.unset,
        "snapshot": pairs(&event.snapshot), "snapshot_at": event.snapshot_at,
        "accounts": named(&event.accounts), "account_pictures": pictures,
        "ignored": reading.ignored.iter().map(|i| i.reason.clone()).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&whole).expect("JSON")
}

fn read_shown(body: &str) -> String {
    let shape = detect(body.as_bytes());
    check(shape, body.as_bytes()).expect("passes the door");
    let reading = read_closely(shape, body.as_bytes(), arrived()).expect("an event");
    format!("{shape}\n{}", shown(&reading))
}

#[test]
fn webhook_bodies() {
    insta::assert_snapshot!("webhook_default", read_shown(include_str!("fixtures/webhook_default_body.json")));
    insta::assert_snapshot!("webhook_without_person", read_shown(include_str!("fixtures/webhook_default_body_no_person.json")));
    insta::assert_snapshot!("webhook_everything", read_shown(include_str!("fixtures/webhook_globals_all.json")));
    insta::assert_snapshot!("webhook_recorded", read_shown(include_str!("fixtures/recorded_webhook.json")));
    insta::assert_snapshot!("webhook_recorded_personless", read_shown(include_str!("fixtures/recorded_webhook_personless.json")));
    insta::assert_snapshot!("webhook_recorded_2024", read_shown(include_str!("fixtures/recorded_webhook_2024.json")));
    insta::assert_snapshot!("webhook_edited_by_hand", read_shown(include_str!("fixtures/edited_webhook.json")));
}

#[test]
fn capture_bodies() {
    insta::assert_snapshot!("capture_single", read_shown(include_str!("fixtures/capture_single_request.json")));
    for (name, body) in [
        ("capture_batch", include_str!("fixtures/capture_batch_request.json")),
        ("capture_python_batch", include_str!("fixtures/recorded_python_batch.json")),
    ] {
        let records = split_batch(body.as_bytes()).expect("a batch");
        let shown: Vec<String> = records
            .iter()
            .map(|record| read_shown(std::str::from_utf8(record).expect("text")))
            .collect();
        insta::assert_snapshot!(name, shown.join("\n---\n"));
    }
}

fn event_of(body: &Value) -> String {
    body.to_string()
}

#[test]
fn who_is_who() {
    let identity = |name: &str, properties: Value| {
        let body = event_of(&json!({ "event": name, "distinct_id": "u1", "properties": properties }));
        read(Shape::Capture, body.as_bytes(), arrived()).expect("an event").identity.map(|i| match i {
            Identity::Absorb { other } => format!("absorb {other}"),
            Identity::Force { other } => format!("force {other}"),
        })
    };
    assert_eq!(identity("$identify", json!({ "$anon_distinct_id": "a1" })).as_deref(), Some("absorb a1"));
    assert_eq!(identity("$identify", json!({ "$anon_distinct_id": 17 })).as_deref(), Some("absorb 17"));
    assert_eq!(identity("$create_alias", json!({ "alias": "a2" })).as_deref(), Some("absorb a2"));
    assert_eq!(identity("$merge_dangerously", json!({ "alias": "a3" })).as_deref(), Some("force a3"));
    assert_eq!(identity("$identify", json!({ "$anon_distinct_id": "u1" })), None, "itself");
    assert_eq!(identity("$identify", json!({})), None);
    assert_eq!(identity("signed_up", json!({ "$anon_distinct_id": "a1" })), None, "only the special event says so");
}

#[test]
fn what_hogwire_captured_is_known_again() {
    let event = Captured::new("msg_1", "hogwire_email_sent", "u1", arrived(), Map::new());
    let sent = serde_json::to_vec(&event).expect("JSON");
    let back = read(Shape::Capture, &sent, arrived()).expect("an event");
    assert!(back.own && back.server_side);
    assert_eq!(back.uuid, event.uuid);

    let theirs = br#"{"event":"hogwire_email_sent","distinct_id":"u1","properties":{"$lib":"web"}}"#;
    assert!(!read(Shape::Capture, theirs, arrived()).expect("an event").own, "a name alone proves nothing");
}

#[test]
fn ids_and_times_of_any_type_are_read() {
    let body = event_of(&json!({ "event": "e", "distinct_id": { "id": 5 }, "timestamp": "9999-01-01T00:00:00Z" }));
    let event = read(Shape::Capture, body.as_bytes(), arrived()).expect("an event");
    assert_eq!(event.keys[0].1, r#"{"id":5}"#);
    assert_eq!(event.at, arrived().plus(Span::minutes(5)), "a clock in the future is held back");

    let long = "é".repeat(5_000);
    let body = event_of(&json!({ "event": long, "distinct_id": long, "uuid": long, "timestamp": -1e300 }));
    let event = read(Shape::Capture, body.as_bytes(), arrived()).expect("an event");
    assert_eq!(event.keys[0].1.chars().count(), 200);
    assert_eq!(event.name.chars().count(), 200);
    assert_eq!(event.uuid.chars().count(), 200);
    assert_eq!(event.at, arrived().minus(Span::days(3653)));

    let millis = event_of(&json!({ "event": "e", "timestamp": 1_772_442_927_123_i64 }));
    let event = read(Shape::Capture, millis.as_bytes(), arrived()).expect("an event");
    assert_eq!(event.at, Time::from_millis(1_772_442_927_123));
    assert!(event.keys.is_empty());
}

#[test]
fn an_event_without_an_id_gets_one_from_its_content() {
    let uuid = |body: &str, at: Time| read(Shape::Capture, body.as_bytes(), at).expect("an event").uuid.into_owned();
    let timed = r#"{"event":"login","distinct_id":"u1","timestamp":"2026-11-25T07:00:00Z"}"#;
    let later = arrived().plus(Span::minutes(1));
    assert_eq!(uuid(timed, arrived()), uuid(timed, later), "a repeat of the same record");
    assert_ne!(uuid(timed, arrived()), uuid(&timed.replace("u1", "u2"), arrived()));
    let untimed = r#"{"event":"login","distinct_id":"u1"}"#;
    assert_ne!(uuid(untimed, arrived()), uuid(untimed, later), "two logins, a minute apart");
    assert_eq!(uuid(untimed, arrived()), uuid(untimed, arrived()), "reading twice gives the same");
}

#[test]
fn wrong_types_are_listed_and_the_event_is_still_read() {
    let body = event_of(&json!({
        "event": "signed_up", "distinct_id": "u1", "$set_once": 7,
        "properties": { "$set": "plan=pro", "$unset": 5, "$groups": ["acme"], "plan": "pro" },
        "person": "u1", "groups": 9,
    }));
    let reading = read_closely(Shape::Capture, body.as_bytes(), arrived()).expect("an event");
    assert_eq!(reading.event.properties.text("plan").as_deref(), Some("pro"));
    assert!(reading.event.set.is_empty() && reading.event.set_once.is_empty());
    let paths: Vec<&str> = reading.ignored.iter().map(|ignored| ignored.path).collect();
    assert_eq!(
        paths,
        ["properties.$set", "$set_once", "properties.$unset", "person", "groups", "properties.$groups"]
    );
    assert_eq!(reading.ignored[0].reason, "properties.$set is a text; expected an object.");
}

#[test]
fn names_that_occur_twice_keep_the_last() {
    let body = br#"{"event":"a","event":"b","distinct_id":"x","distinct_id":"y","properties":{"$set":{"plan":"free","plan":"pro"}}}"#;
    let event = read(Shape::Capture, body, arrived()).expect("an event");
    assert_eq!((&*event.name, &*event.keys[0].1), ("b", "y"));
    assert_eq!(event.set.text("plan").as_deref(), Some("pro"));
    let beside = br#"{"event":"a","distinct_id":"x","$set":{"plan":"free","city":"Rome"},"properties":{"$set":{"plan":"pro"}}}"#;
    let event = read(Shape::Capture, beside, arrived()).expect("an event");
    assert_eq!(event.set.to_value(), json!({ "plan": "pro", "city": "Rome" }));
}

#[test]
fn the_api_item_takes_the_senders_own_words() {
    let body = br#"{"event":"order_paid","external_id":881,"email":"ana@example.com","attributes":{"plan":"pro"},"accounts":{"company":"acme"},"properties":{"total":5},"test":true}"#;
    check(Shape::Event, body).expect("passes the door");
    let reading = read_closely(Shape::Event, body, Time::from_millis(1_772_442_927_123)).expect("an event");
    insta::assert_snapshot!("event_item", shown(&reading));
}

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
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

const PROJECT: Project<'static> = Project {
    ingestion: "https://eu.i.posthog.com",
    token: "phc_test",
};

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
    let mut change = Change {
        unset: vec!["trial_ends".into()],
        ..Change::default()
    };
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
    let events: Vec<Captured> = (0..100)
        .map(|n| Captured::new(&n.to_string(), "e", "u", arrived(), filler.clone()))
        .collect();
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

#[test]
fn forms_are_told_apart() {
    for (body, shape) in [
        (r#"{"event":{"event":"e"}}"#, Shape::PosthogWebhook),
        (r#"{"event":"e"}"#, Shape::Capture),
        (r#"{"event_name":"e"}"#, Shape::Capture),
        ("[1]", Shape::Capture),
        ("\u{feff}{\"event\":{\"event\":\"e\"}}", Shape::PosthogWebhook),
    ] {
        assert_eq!(detect(body.as_bytes()), shape, "{body}");
    }
    let top: Pairs<'_> = serde_json::from_str("{}").expect("an object");
    assert_eq!(webhook::detect(&top), Shape::Capture);
}
