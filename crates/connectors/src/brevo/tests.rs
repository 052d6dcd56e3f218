//! Every request as it goes out, held against Brevo's own schema; answers and reports in.

use hogwire_model::{Outcome, Span, Time};
use serde_json::{Map, Value, json};

use super::attributes::{Attribute, Kind, fit, is_name, kind_of};
use super::contacts::{Named, Wanted, Written};
use super::import::{Progress, Row};
use super::lists::{Moved, Way};
use super::reports::What;
use super::{Access, account, attributes, contacts, email, errors, events, import, limits, lists, reports};
use crate::http::{Request, Response};

const ACCESS: Access<'_> = Access { host: "https://api.brevo.com/", key: "xkeysib-1" };
const SCHEMA: &str = include_str!("fixtures/requests.json");

fn now() -> Time {
    Time::parse("2026-11-25T08:00:00Z").expect("a time")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn answer(status: u16, body: &Value) -> Response {
    Response { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// All requests that are ever built, each with the schema's name for its body. The schema is
/// of February 2025: it does not know the batch of events, whose members it knows.
fn requests() -> Vec<(&'static str, Request)> {
    let contact = Wanted {
        address: "ada+tag@example.com",
        ours: Some("con_1"),
        attributes: object(json!({ "FIRSTNAME": "Ada", "EVENT_COUNT": 3, "PRO": true })),
        blocked: Some(true),
    };
    let plain = Wanted { address: "ada@example.com", ..Wanted::default() };
    let rows =
        [Row { email: "ada@example.com".into(), attributes: object(json!({ "FIRSTNAME": "Ada", "BROWSER": "" })) }];
    let event =
        events::Event::new("$pageview", "ada@example.com", now(), &object(json!({ "$current_url": "/", "a b": 1 })));
    let mail = email::Mail {
        message_id: "msg_1",
        from: email::Party { email: "hello@acme.example", name: "Acme" },
        to: email::Party { email: "ada@example.com", name: "" },
        subject: "Hello",
        html: "",
        plain: "a < b",
        headers: vec![("List-Unsubscribe", "<https://go.acme.example/u/x>"), ("X-Title", "é")],
    };
    let one_event = Request { body: serde_json::to_vec(&event).expect("JSON"), ..events::batch(ACCESS, &[]) };
    vec![
        ("", account::get(ACCESS)),
        ("", account::hooks(ACCESS, account::Hook::Mail)),
        (
            "createWebhook",
            account::create_hook(ACCESS, account::Hook::Mail, "https://hw.example/v1/webhooks/brevo/t", "t"),
        ),
        ("createWebhook", account::create_hook(ACCESS, account::Hook::Contacts, "https://hw.example/x", "t")),
        ("", account::blocked(ACCESS, 100)),
        ("", account::unblock(ACCESS, "ada+tag@example.com")),
        ("createContact", contacts::upsert(ACCESS, &contact)),
        ("createContact", contacts::upsert(ACCESS, &plain)),
        ("updateContact", contacts::update(ACCESS, Named::Ours("con_1"), &contact)),
        ("updateContact", contacts::update(ACCESS, Named::Address("old+1@example.com"), &plain)),
        ("", contacts::find(ACCESS, Named::Ours("con_1"))),
        ("", contacts::remove(ACCESS, Named::Address("a/b@example.com"))),
        ("requestContactImport", import::start(ACCESS, &rows, 7)),
        ("", import::process(ACCESS, 78)),
        ("", lists::page(ACCESS, 50)),
        ("", lists::find(ACCESS, 25)),
        ("createList", lists::create(ACCESS, "Pro users", 1)),
        ("", lists::folders(ACCESS)),
        ("createUpdateFolder", lists::create_folder(ACCESS, "Hogwire")),
        ("addContactToList", lists::members(ACCESS, 25, Way::In, &["ada@example.com"])),
        ("removeContactFromList", lists::members(ACCESS, 25, Way::Out, &["ada@example.com"])),
        ("", attributes::all(ACCESS)),
        ("createAttribute", attributes::create(ACCESS, "SIGNUP_DATE", Kind::Date)),
        ("event", one_event),
        ("", events::batch(ACCESS, &[event])),
        ("sendSmtpEmail", email::send(ACCESS, &mail)),
    ]
}

#[test]
fn every_request_as_it_goes_out() {
    let told: Vec<String> = requests()
        .iter()
        .map(|(_, request)| format!("{} {}\n{}", request.method, request.url, String::from_utf8_lossy(&request.body)))
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
    for (_, request) in requests() {
        assert_eq!(request.get("api-key"), Some("xkeysib-1"));
        assert!(!format!("{request:?}").contains("xkeysib"), "the key is never printed");
    }
}

#[test]
fn every_body_is_what_brevos_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    for (name, request) in requests().iter().filter(|(name, _)| !name.is_empty()) {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let mut faults = Vec::new();
        judge(&schema, &schema["definitions"][name], &body, name, &mut faults);
        assert!(faults.is_empty(), "{}: {faults:?}", request.url);
    }
}

#[test]
fn the_judge_of_bodies_sees_mistakes() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let wrong = json!({ "email": 5, "listIds": ["a"], "nonsense": 1 });
    let mut faults = Vec::new();
    judge(&schema, &schema["definitions"]["createContact"], &wrong, "body", &mut faults);
    assert_eq!(faults.len(), 3, "{faults:?}");
    let crowd = json!({ "emails": vec!["a@b.example"; 151] });
    judge(&schema, &schema["definitions"]["addContactToList"], &crowd, "body", &mut faults);
    assert_eq!(faults.len(), 4, "{faults:?}");
}

/// A small reading of JSON Schema: types, required and unknown fields, enums, lengths.
fn judge(all: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next()) {
        return judge(all, &all["definitions"][name], value, path, faults);
    }
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        _ => value.is_object(),
    };
    if !fits {
        faults.push(format!("{path}: {value} is not {}", schema["type"]));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        faults.push(format!("{path}: {value} is none of {allowed:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        judge(all, &schema["items"], item, path, faults);
    }
    let length = value.as_array().map_or(0, Vec::len) as u64;
    if schema["maxItems"].as_u64().is_some_and(|most| length > most) {
        faults.push(format!("{path}: too many"));
    }
    let Some(fields) = schema["properties"].as_object().filter(|fields| !fields.is_empty()) else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            faults.push(format!("{path}.{name} is missing"));
        }
    }
    for (name, held) in value.as_object().into_iter().flatten() {
        match fields.get(name) {
            Some(field) => judge(all, field, held, &format!("{path}.{name}"), faults),
            None => faults.push(format!("{path}.{name} is unknown")),
        }
    }
}

#[test]
fn answers_by_status_and_by_metadata() {
    let taken = json!({ "code": "invalid_parameter", "message": "Unable to update contact, email is already associated with another Contact", "metadata": { "duplicate_identifiers": ["email"] } });
    let Written::Taken(which, said) = contacts::read_written(&answer(400, &taken), now()) else { panic!("taken") };
    assert_eq!(which, ["email"]);
    assert!(said.contains("already associated"), "{said}");
    let gone = json!({ "code": "document_not_found", "message": "Contact does not exist" });
    assert_eq!(contacts::read_written(&answer(404, &gone), now()), Written::Missing);
    assert_eq!(contacts::read_written(&answer(204, &Value::Null), now()), Written::Done);
    let early = contacts::read_written(&answer(425, &json!({ "code": "account_in_process" })), now());
    assert!(matches!(early, Written::Otherwise(Outcome::Retry(_))), "{early:?}");
    let key = errors::outcome(&answer(401, &json!({ "code": "unauthorized", "message": "Key not found" })), now());
    assert_eq!(key, Outcome::Unauthorized("Brevo answered 401 unauthorized: Key not found".into()));
}

#[test]
fn a_spent_budget_waits_for_brevos_own_reset() {
    let mut response = answer(429, &json!({ "message": "too many" }));
    response.headers.push(("x-sib-ratelimit-reset".into(), "12".into()));
    let Outcome::Snooze(at, _) = errors::outcome(&response, now()) else { panic!("a snooze") };
    assert_eq!(at.since(now()), Span::millis(12_250));
    let mut fine = answer(200, &json!({}));
    fine.headers.push(("x-sib-ratelimit-remaining".into(), "0".into()));
    fine.headers.push(("x-sib-ratelimit-reset".into(), "1".into()));
    assert_eq!(limits::spent_until(&fine, now()).map(|at| at.since(now())), Some(Span::millis(1_250)));
}

#[test]
fn attributes_are_read_with_their_options() {
    let body = json!({ "attributes": [
        { "name": "FIRSTNAME", "category": "normal", "type": "text" },
        { "name": "PLAN", "category": "category", "enumeration": [
            { "value": 1, "valueStr": "1", "label": "Free" }, { "value": 0, "valueStr": "pro", "label": "Pro" } ] },
        { "name": "TAGS", "category": "normal", "type": "multiple-choice", "multiCategoryOptions": ["a", "b"] },
        { "name": "BLACKLIST", "category": "global", "type": "text", "calculatedValue": "COUNT" } ] });
    let all = attributes::read_all(&answer(200, &body), now()).expect("attributes");
    let kinds: Vec<&str> = all.iter().map(|attribute| attribute.kind.as_str()).collect();
    assert_eq!(kinds, ["text", "category", "multiple-choice", "unwritable"]);
    assert_eq!(fit(&all[1], &json!("free")), Ok(json!(1)));
    assert_eq!(fit(&all[1], &json!("Pro")), Ok(json!("pro")));
    assert!(fit(&all[1], &json!("gold")).is_err());
    assert_eq!(fit(&all[2], &json!(["b"])), Ok(json!(["b"])));
    assert!(fit(&all[3], &json!(1)).is_err());
}

#[test]
fn values_are_fitted_or_refused_with_a_reason() {
    let of = |kind| Attribute { name: "X".into(), kind, options: Vec::new() };
    let cases = [
        (Kind::Text, json!("Ada"), Some(json!("Ada"))),
        (Kind::Text, json!(["Power users", "Trial"]), Some(json!("Power users|Trial"))),
        (Kind::Text, json!(7), Some(json!("7"))),
        (Kind::Float, json!("72.5"), Some(json!(72.5))),
        (Kind::Float, json!(3.0), Some(json!(3))),
        (Kind::Float, json!("many"), None),
        (Kind::Boolean, json!("Yes"), Some(json!(true))),
        (Kind::Boolean, json!(2), None),
        (Kind::Date, json!("2026-11-25T10:00:00.123Z"), Some(json!("2026-11-25"))),
        (Kind::Date, json!("2026-11-25 10:00:00"), Some(json!("2026-11-25"))),
        (Kind::Date, json!("2026-11-25"), Some(json!("2026-11-25"))),
        (Kind::Date, json!(1_790_000_000), Some(json!("2026-09-21"))),
        (Kind::Date, json!("soon"), None),
    ];
    for (kind, value, wanted) in cases {
        assert_eq!(fit(&of(kind), &value).ok(), wanted, "{kind:?} {value}");
    }
    let why = fit(&of(Kind::Float), &json!("many")).expect_err("refused");
    assert_eq!(why, "X holds numbers in Brevo, and this is another text");
}

#[test]
fn a_new_attributes_kind_suits_its_values() {
    assert_eq!(kind_of(&[json!(1), Value::Null, json!(2.5)]), Some(Kind::Float));
    assert_eq!(kind_of(&[json!("2026-11-25"), json!("2026-11-25T08:00:00Z")]), Some(Kind::Date));
    assert_eq!(kind_of(&[json!(true)]), Some(Kind::Boolean));
    assert_eq!(kind_of(&[json!(1), json!("one")]), Some(Kind::Text));
    assert_eq!(kind_of(&[Value::Null, json!("")]), None);
    assert!(is_name("PURCHASE_COUNT_30D") && !is_name("email") && !is_name("EMAIL") && !is_name("30D"));
}

#[test]
fn names_of_events_are_spelled_as_brevo_takes_them() {
    assert_eq!(events::spelled("$pageview"), "pageview");
    assert_eq!(events::spelled("user signed up!"), "user_signed_up");
    assert_eq!(events::spelled("ÜÜ"), "event");
    let event =
        events::Event::new("$pageview", "a@b.example", now(), &object(json!({ "$ip": "1.2.3.4", "$os": "Linux" })));
    assert_eq!(json!(event.properties), json!({ "original_event": "$pageview", "os": "Linux" }));
}

#[test]
fn a_batch_of_events_is_answered_for_each() {
    let body = json!({ "status": "partial", "errors": [{ "eventIndex": [1], "message": "bad date" }] });
    let outcomes = events::read_batch(&answer(207, &body), 3, now());
    assert!(matches!(outcomes[0], Outcome::Done(_)) && matches!(outcomes[2], Outcome::Done(_)));
    assert_eq!(outcomes[1], Outcome::Refused("Brevo refused the event: bad date".into()));
    let all = events::read_batch(&answer(202, &json!({ "message": "ok", "count": 3 })), 3, now());
    assert!(all.iter().all(|outcome| matches!(outcome, Outcome::Done(_))));
}

#[test]
fn members_that_failed_are_only_in_question() {
    let some = json!({ "contacts": { "success": ["Ada@example.com"], "failure": ["bob@example.com"] } });
    assert_eq!(lists::read_moved(&answer(201, &some), now()), Moved::Some(vec!["ada@example.com".into()]));
    let none = json!({ "code": "invalid_parameter", "message": "Contact already in list and/or does not exist" });
    assert_eq!(lists::read_moved(&answer(400, &none), now()), Moved::Some(Vec::new()));
    let gone = json!({ "code": "document_not_found", "message": "List ID does not exist" });
    assert!(matches!(lists::read_moved(&answer(404, &gone), now()), Moved::NoList(_)));
}

#[test]
fn an_import_is_followed_to_its_reports() {
    let started = import::read_started(&answer(202, &json!({ "processId": 78 })), now());
    assert_eq!(started, Ok(78));
    let running = answer(200, &json!({ "id": 78, "status": "in_process", "name": "IMPORTUSER" }));
    assert_eq!(import::read_process(&running, now()), Ok(Progress::Running));
    let over = json!({ "id": 78, "status": "completed", "name": "IMPORTUSER",
        "info": { "import": { "invalid_emails": "https://brevo.example/1.csv", "duplicate_ext_id": null } } });
    let reports = vec![("invalid_emails".to_owned(), "https://brevo.example/1.csv".to_owned())];
    assert_eq!(import::read_process(&answer(200, &over), now()), Ok(Progress::Completed(reports)));
    assert_eq!(import::read_report(b"\"EMAIL\";REASON\r\n\"Ada@Example.com\";bad\r\n"), ["ada@example.com"]);
}

#[test]
fn rows_of_an_import_are_cut_by_number_and_by_size() {
    let row = |text: &str| Row { email: "a@b.example".into(), attributes: object(json!({ "A": text })) };
    assert_eq!(import::fits(&vec![row("x"); 6_000]), limits::IMPORT_ROWS);
    assert_eq!(import::fits(&vec![row(&"x".repeat(2_000_000)); 4]), 2);
    assert_eq!(import::fits(&[row(&"x".repeat(9_000_000))]), 1);
}

#[test]
fn reports_in_every_shape_that_a_body_may_have() {
    let bounce = json!({ "event": "hard_bounce", "email": "ada@example.com", "id": 5, "ts_epoch": 1_790_000_000_123_i64,
        "message-id": "<2026@smtp-relay.brevo.com>", "X-Mailin-custom": "hogwire:msg_1", "reason": "550 no such user" });
    let error = json!({ "event": "error", "email": "ada@example.com", "ts_epoch": 1_790_000_000 });
    let list = json!([bounce, error, { "event": "list_addition", "email": "b@example.com", "list_id": [1] }]);
    for body in [list.clone(), json!({ "events": list })] {
        let read = reports::read(body.to_string().as_bytes()).expect("reports");
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].message.as_deref(), Some("msg_1"));
        assert_eq!((read[0].what, read[0].said.as_str()), (What::BouncedHard, "550 no such user"));
        assert_eq!(read[0].at, Some(Time::from_millis(1_790_000_000_123)));
        assert_eq!(read[1].at, Some(Time::from_millis(1_790_000_000_000)));
        assert_eq!(read[2].what, What::Other);
    }
    for (word, what) in [
        ("unsubscribe", What::Unsubscribed),
        ("unsubscribed", What::Unsubscribed),
        ("spam", What::Complained),
        ("complaint", What::Complained),
        ("unique_proxy_open", What::Opened { machine: true }),
        ("invalid_email", What::BouncedHard),
        ("blocked", What::Blocked),
        ("click", What::Clicked),
    ] {
        let body = json!({ "event": word, "email": "a@b.example" }).to_string();
        assert_eq!(reports::read(body.as_bytes()).expect("a report")[0].what, what, "{word}");
    }
    let removed = json!({ "event": "contact_deleted", "email": ["a@b.example", "c@d.example"] }).to_string();
    assert_eq!(reports::read(removed.as_bytes()).expect("reports").len(), 2);
    assert!(reports::read(b"{}").is_err() && reports::read(b"5").is_err() && reports::read(b"x").is_err());
}

#[test]
fn a_send_that_broke_inside_brevo_is_unknown() {
    let sent = answer(201, &json!({ "messageId": "<1@smtp-relay.brevo.com>" }));
    assert_eq!(email::read_sent(&sent, now()), Outcome::Done("<1@smtp-relay.brevo.com>".into()));
    assert!(matches!(email::read_sent(&answer(502, &Value::Null), now()), Outcome::Unknown(_)));
    let repeat = answer(400, &json!({ "code": "duplicate_request", "message": "x" }));
    assert!(matches!(email::read_sent(&repeat, now()), Outcome::Done(_)));
    assert!(matches!(email::read_sent(&answer(400, &json!({ "code": "x" })), now()), Outcome::Refused(_)));
}
