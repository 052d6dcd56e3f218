//! Real bodies in, what the engine gets out.

use hogwire_model::event::{Identity, Pairs};
use hogwire_model::{Span, Time};
use serde_json::{Map, Value, json};

use super::capture::Captured;
use super::webhook;
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
    let keys: Vec<String> = event.keys.iter().map(|(kind, key)| format!("{} = {key}", kind.as_str())).collect();
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
        .map(
            |a| json!({ "account": format!("{} = {}", a.kind, a.key), "attributes": pairs(&a.attributes), "at": a.at }),
        )
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
    insta::assert_snapshot!(
        "webhook_without_person",
        read_shown(include_str!("fixtures/webhook_default_body_no_person.json"))
    );
    insta::assert_snapshot!("webhook_everything", read_shown(include_str!("fixtures/webhook_globals_all.json")));
    insta::assert_snapshot!("webhook_recorded", read_shown(include_str!("fixtures/recorded_webhook.json")));
    insta::assert_snapshot!(
        "webhook_recorded_personless",
        read_shown(include_str!("fixtures/recorded_webhook_personless.json"))
    );
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
        let shown: Vec<String> =
            records.iter().map(|record| read_shown(std::str::from_utf8(record).expect("text"))).collect();
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
    assert_eq!(paths, ["properties.$set", "$set_once", "properties.$unset", "person", "groups", "properties.$groups"]);
    assert_eq!(reading.ignored[0].reason, "properties.$set is a text; expected an object.");
}

#[test]
fn names_that_occur_twice_keep_the_last() {
    let body = br#"{"event":"a","event":"b","distinct_id":"x","distinct_id":"y","properties":{"$set":{"plan":"free","plan":"pro"}}}"#;
    let event = read(Shape::Capture, body, arrived()).expect("an event");
    assert_eq!((&*event.name, &*event.keys[0].1), ("b", "y"));
    assert_eq!(event.set.text("plan").as_deref(), Some("pro"));
    let beside =
        br#"{"event":"a","distinct_id":"x","$set":{"plan":"free","city":"Rome"},"properties":{"$set":{"plan":"pro"}}}"#;
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
