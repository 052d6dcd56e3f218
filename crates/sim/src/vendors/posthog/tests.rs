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

const KEY: &str = "phx_sim";

fn asked(
    posthog: &mut PostHog,
    call: &hogwire_connectors::posthog::access::Call,
) -> hogwire_connectors::http::Response {
    posthog.handle(&call.request, now())
}

fn access() -> hogwire_connectors::posthog::access::Access {
    hogwire_connectors::posthog::access::Access {
        app: "https://ph.sim".into(),
        ingestion: "https://ph.sim".into(),
        project: "1".into(),
        token: KEY.into(),
        project_token: Some("phc_sim".into()),
    }
}

/// Twenty people, of whom number n bought n times in the last days.
fn shop() -> PostHog {
    let mut posthog = posthog();
    posthog.private().keys.insert(KEY.into(), ["*".to_owned()].into());
    for n in 0..20 {
        let id = format!("user-{n:02}");
        let set =
            json!({ "$set": { "email": format!("{id}@people.sim"), "plan": if n % 2 == 0 { "free" } else { "pro" } } });
        send(&mut posthog, &json!({ "api_key": "phc_sim", "batch": [event("$identify", &id, &set)] }));
        for bought in 0..n {
            let at = now().minus(Span::days(bought)).to_string();
            let properties = json!({ "$email": format!("{id}@people.sim"), "amount": 10 + bought });
            let body =
                json!({ "event": "purchase_completed", "distinct_id": id, "properties": properties, "timestamp": at });
            send(&mut posthog, &json!({ "api_key": "phc_sim", "batch": [body] }));
        }
    }
    posthog
}

/// The query of the document, as it stands there.
const SEED: &str = "SELECT properties.$email AS email, count() AS event_count, max(timestamp) AS last_event
FROM events
WHERE event = 'purchase_completed' AND timestamp > now() - interval 30 day
GROUP BY email
HAVING event_count > 3
ORDER BY event_count DESC
LIMIT 1000";

fn rows(posthog: &mut PostHog, query: &hogwire_connectors::posthog::hogql::Query) -> Vec<Vec<Value>> {
    let response = asked(posthog, &query.call(&access()));
    let body = String::from_utf8_lossy(&response.body).into_owned();
    match hogwire_connectors::posthog::hogql::read(&response, now()) {
        Ok(hogwire_connectors::posthog::hogql::Answer::Rows(rows)) => {
            rows.rows.iter().map(|row| serde_json::from_str(row.get()).expect("a row")).collect()
        }
        other => panic!("{query:?} gave {other:?}: {body}"),
    }
}

#[test]
fn the_documents_query_counts_the_purchases() {
    let mut posthog = shop();
    let found = rows(&mut posthog, &hogwire_connectors::posthog::hogql::Query::new("t", SEED));
    assert_eq!(found.len(), 16, "{found:?}");
    assert_eq!(
        found[0],
        json!(["user-19@people.sim", 19, "2026-03-02T09:00:00.000000Z"]).as_array().cloned().expect("a row")
    );
    assert_eq!(found[15][1], 4);
}

#[test]
fn no_limit_means_a_hundred_rows_and_equal_queries_are_answered_from_the_cache() {
    let mut posthog = shop();
    let query = |text: &str, refresh: &str| {
        let body = json!({ "query": { "kind": "HogQLQuery", "query": text }, "refresh": refresh });
        Request::new("POST", "https://ph.sim/api/projects/1/query/")
            .header("Authorization", format!("Bearer {KEY}"))
            .json(body.to_string().into_bytes())
    };
    let ask = |posthog: &mut PostHog, request: &Request| -> Value {
        serde_json::from_slice(&posthog.handle(request, now()).body).expect("json")
    };
    let first = ask(&mut posthog, &query("SELECT uuid, timestamp FROM events ORDER BY uuid", "blocking"));
    assert_eq!((first["results"].as_array().map(Vec::len), &first["hasMore"]), (Some(100), &json!(true)));
    assert!(first["results"][0][1].as_str().is_some_and(|at| at.ends_with("-03:00")), "{}", first["results"][0]);
    let count = "SELECT count() FROM events";
    let before = ask(&mut posthog, &query(count, "blocking"));
    send(&mut posthog, &json!({ "api_key": "phc_sim", "batch": [event("late", "user-01", &json!({}))] }));
    let stale = ask(&mut posthog, &query(count, "blocking"));
    assert_eq!((&stale["results"], &stale["is_cached"]), (&before["results"], &json!(true)));
    assert_ne!(ask(&mut posthog, &query(count, "force_blocking"))["results"], before["results"]);
}

#[test]
fn what_is_outside_the_subset_is_refused_in_posthogs_shape() {
    let mut posthog = shop();
    for (text, detail) in [
        ("SELECT nonsense FROM events", "Unable to resolve field: nonsense"),
        ("SELECT 1 FROM nowhere", "Unknown table `nowhere`."),
        ("SELECT frobnicate(1)", "Unsupported function call 'frobnicate(...)'"),
        ("SELECT FROM", "Syntax error"),
        ("DELETE FROM events", "Syntax error"),
        ("SELECT 1; SELECT 2", "Syntax error"),
        ("SELECT {missing}", "Unresolved placeholder"),
        ("SELECT event FROM events WHERE count() > 1", "Aggregate function found inside WHERE"),
    ] {
        let call = hogwire_connectors::posthog::hogql::Query::new("t", text).call(&access());
        let response = asked(&mut posthog, &call);
        let body: Value = serde_json::from_slice(&response.body).expect("json");
        assert_eq!((response.status, &body["type"]), (400, &json!("validation_error")), "{text}: {body}");
        assert!(body["detail"].as_str().is_some_and(|found| found.contains(detail)), "{text}: {body}");
    }
}

#[test]
fn everything_the_product_asks_is_in_the_subset() {
    use hogwire_connectors::posthog::{activity, cohorts, people, replay};
    let mut posthog = shop();
    let names = vec!["purchase_completed".to_owned()];
    let properties = vec!["email".to_owned(), "plan".to_owned(), "odd `name` isn't".to_owned()];
    let from = now().minus(Span::days(7));
    let wanted = people::Wanted { properties: &properties, limit: 5, activity: true, ..people::Wanted::default() };
    let found = rows(&mut posthog, &people::query(&wanted));
    assert_eq!(found.len(), 5);
    let after = found[4][0].as_str().expect("a key").to_owned();
    let next = people::Wanted { after: &after, since: Some(from), ..wanted.clone() };
    let more = rows(&mut posthog, &people::query(&next));
    assert!(more.iter().all(|row| row[0].as_str() > Some(after.as_str())), "{more:?}");
    assert_eq!(
        rows(&mut posthog, &people::query(&people::Wanted { limit: 50, ..people::Wanted::default() })).len(),
        20
    );
    let until = now().plus(Span::minutes(1));
    let counted = rows(&mut posthog, &activity::counts(from, until, &[], 100));
    assert_eq!(counted.len(), 2, "{counted:?}");
    let uuids = rows(&mut posthog, &activity::uuids(from, until, &names, "", 1_000));
    let some: Vec<&str> = uuids.iter().take(3).filter_map(|row| row[0].as_str()).collect();
    assert_eq!(rows(&mut posthog, &activity::by_uuid(from, until, &some)).len(), 3);
    let page = activity::page(&activity::After { at: from, uuid: String::new() }, until, &names, 10);
    assert_eq!(rows(&mut posthog, &page).len(), 10);
    assert_eq!(
        rows(&mut posthog, &activity::active_contacts(&names, now().minus(Span::days(30)), 10, "", 100)).len(),
        10
    );
    assert_eq!(rows(&mut posthog, &cohorts::members(12, false, "", 10)).len(), 0);
    assert_eq!(rows(&mut posthog, &replay::query(from, "", 10)).len(), 0);
}

#[test]
fn the_list_has_short_pages_and_its_next_link_names_an_inner_host() {
    use hogwire_connectors::posthog::people;
    let mut posthog = shop();
    let access = access();
    let mut call = people::list(&access, 5);
    let (mut seen, mut pages, mut short) = (std::collections::BTreeSet::new(), 0, 0);
    loop {
        let response = asked(&mut posthog, &call);
        let (records, next) = people::listed(&response, now()).expect("a page");
        short += usize::from(records.len() < 5 && next.is_some());
        seen.extend(records.iter().map(|record| record.key.clone()));
        pages += 1;
        let Some(next) = next else { break };
        assert!(next.starts_with("http://posthog-web:8000/"));
        call = access.follow(hogwire_connectors::posthog::limits::Class::Analytics, &next).expect("a link of ours");
        assert!(call.request.url.starts_with("https://ph.sim/api/projects/1/persons/?"), "{}", call.request.url);
    }
    assert_eq!((seen.len(), short > 0, pages > 3), (20, true, true));
}

#[test]
fn too_many_requests_a_minute_are_answered_429_with_a_time_to_come_back() {
    let mut posthog = shop();
    let call = hogwire_connectors::posthog::hogql::Query::new("t", "SELECT 1").call(&access());
    let refused = (0..300).map(|_| asked(&mut posthog, &call)).find(|response| response.status == 429);
    let refused = refused.expect("a limit");
    assert_eq!(refused.get("retry-after"), Some("60"));
}
