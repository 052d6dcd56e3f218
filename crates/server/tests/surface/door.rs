//! Who may come in, in which form, and what becomes of it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hogwire_connectors::signature;
use hogwire_model::Span;
use serde_json::json;

use crate::world::{SECRET, World, get, post};

const REAL: &str = include_str!("../../../connectors/src/posthog/fixtures/recorded_webhook.json");

#[tokio::test(flavor = "multi_thread")]
async fn posthogs_webhook_is_answered_and_stands_in_the_event_log() {
    let world = World::new().await;
    let answer = world.webhook(REAL).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    assert_eq!(answer.json(), json!({ "accepted": 1, "duplicates": 0 }));
    let events = world.events(1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].connection, "posthog");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flat_form_and_the_url_token_are_taken_too() {
    let world = World::new().await;
    let token = world.app.engine.webhook_token("posthog").expect("read").expect("a token");
    let body = r#"{"event":"signed_up","distinct_id":"u1","properties":{"email":"a@b.test"},"uuid":"u-1"}"#;
    let answer = world.ask(post(&format!("/v1/webhooks/posthog/{token}")).body(Body::from(body)).expect("ok")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    let fresh = world.app.engine.regenerate_token("posthog", "test", world.app.now()).expect("a token");
    for token in [&token, &fresh] {
        let route = format!("/v1/webhooks/posthog/{token}");
        let answer = world.ask(post(&route).body(Body::from(body)).expect("ok")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "the token before stays good for one turn");
    }
    let events = world.events(1).await;
    assert_eq!(events[0].event, "signed_up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_a_missing_one_and_a_wrong_token_get_401_and_are_kept() {
    let world = World::new().await;
    let with = |secret: &str| post("/v1/webhooks/posthog").header("x-posthog-webhook-secret", secret);
    for request in [
        with("wrong").body(Body::from(REAL)),
        with("").body(Body::from(REAL)),
        post("/v1/webhooks/posthog").body(Body::from(REAL)),
        post("/v1/webhooks/posthog/not-a-token").body(Body::from(REAL)),
    ] {
        let answer = world.ask(request.expect("ok")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.code(), "bad_secret");
    }
    let kept = refusals(&world, 4).await;
    assert_eq!(kept.len(), 4);
    assert!(kept.iter().all(|kept| kept.status == 401 && kept.excerpt.starts_with('{')), "{kept:?}");
}

async fn refusals(world: &World, wanted: usize) -> Vec<hogwire_engine::store::refusals::Refusal> {
    for _ in 0..10_000 {
        let kept = world.app.engine.refusals().expect("read");
        if kept.len() >= wanted {
            return kept;
        }
        tokio::task::yield_now().await;
    }
    world.app.engine.refusals().expect("read")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_lets_in_once_and_only_while_it_is_fresh() {
    let world = World::new().await;
    let signed = |at, secret: &str, body: &'static str| {
        let signed = signature::sign("msg_1", at, body.as_bytes(), &[secret]);
        post("/v1/webhooks/posthog")
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", signed.signature)
            .body(Body::from(body))
            .expect("ok")
    };
    let now = world.app.now();
    let body = r#"{"event":"x","distinct_id":"u","uuid":"s-1"}"#;
    assert_eq!(world.ask(signed(now, SECRET, body)).await.json(), json!({ "accepted": 1, "duplicates": 0 }));
    let copy = world.ask(signed(now, SECRET, body)).await;
    assert_eq!(copy.json(), json!({ "accepted": 1, "duplicates": 1 }), "a copy is answered and has no effect");
    let late = world.ask(signed(now.minus(Span::minutes(6)), SECRET, body)).await;
    assert_eq!((late.status, late.code()), (StatusCode::UNAUTHORIZED, "bad_signature".to_owned()));
    let wrong = world.ask(signed(now, "another", body)).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.events(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_by_the_api_alone_in_batches_and_as_segment_sends_them() {
    let world = World::new().await;
    let one = world.ingest("/v1/events", r#"{"event":"a","external_id":"7","email":"a@b.test","uuid":"1"}"#).await;
    assert_eq!(one.json(), json!({ "accepted": 1, "duplicates": 0 }));
    let batch = r#"{"batch":[{"event":"b","distinct_id":"u","uuid":"2"},{"no":"name"},{"event":"c","uuid":"3"}]}"#;
    let answer = world.ingest("/v1/events", batch).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["accepted"], 2);
    assert_eq!(answer.json()["refused"][0]["index"], 1);
    let key = world.key("ingest");
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{key}:"));
    for (route, body) in [
        ("/v1/track", r#"{"event":"d","userId":"7","messageId":"4"}"#),
        ("/v1/identify", r#"{"userId":"7","traits":{"email":"a@b.test"},"messageId":"5"}"#),
        ("/v1/group", r#"{"userId":"7","groupId":"g","messageId":"6"}"#),
        ("/v1/batch", r#"{"batch":[{"type":"track","event":"e","userId":"7","messageId":"7"}]}"#),
    ] {
        let request = post(route).header("authorization", format!("Basic {basic}")).body(Body::from(body));
        let answer = world.ask(request.expect("ok")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{route}: {:?}", answer.body);
    }
    assert_eq!(world.events(7).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_what_their_scopes_say() {
    let world = World::new().await;
    let body = r#"{"event":"a","distinct_id":"u"}"#;
    for key in [world.key("read"), "hw_mistyped".to_owned(), "nothing".to_owned(), String::new()] {
        let request = post("/v1/events").header("authorization", format!("Bearer {key}")).body(Body::from(body));
        assert_eq!(world.ask(request.expect("ok")).await.status, StatusCode::UNAUTHORIZED, "{key}");
    }
    let admin = post("/v1/events").header("authorization", format!("Bearer {}", crate::world::ADMIN));
    assert_eq!(world.ask(admin.body(Body::from(body)).expect("ok")).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.ask(get("/metrics")).await.status, StatusCode::UNAUTHORIZED);
    let metrics = Request::builder().uri("/metrics").header("authorization", format!("Bearer {}", world.key("read")));
    let metrics = world.ask(metrics.body(Body::empty()).expect("ok")).await;
    let text = String::from_utf8(metrics.body.to_vec()).expect("text");
    assert!(text.contains("hogwire_events_accepted_total 1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_addresses_come_in_where_there_is_a_list() {
    let world = World::with("server: { allow_from: [192.0.2.0/24], trusted_proxies: [10.0.0.1] }").await;
    let from = |peer: &str, forwarded: Option<&str>| {
        let mut request = post("/v1/webhooks/posthog").header("x-posthog-webhook-secret", SECRET);
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let peer: std::net::SocketAddr = peer.parse().expect("an address");
        request.extension(axum::extract::ConnectInfo(peer)).body(Body::from(r#"{"event":"x"}"#)).expect("ok")
    };
    assert_eq!(world.ask(from("192.0.2.7:1", None)).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.ask(from("10.0.0.1:1", Some("192.0.2.8"))).await.status, StatusCode::ACCEPTED);
    for (peer, forwarded) in [
        ("198.51.100.1:1", None),
        ("198.51.100.1:1", Some("192.0.2.8")),
        ("10.0.0.1:1", Some("192.0.2.8, 198.51.100.1")),
    ] {
        let answer = world.ask(from(peer, forwarded)).await;
        assert_eq!(answer.code(), "address_not_allowed", "{peer} {forwarded:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_whether_it_lives_and_what_it_can_do() {
    let world = World::new().await;
    assert_eq!(world.ask(get("/healthz")).await.json(), json!({ "status": "ok" }));
    let ready = world.ask(get("/readyz")).await;
    assert_eq!(ready.status, StatusCode::OK, "{:?}", ready.body);
    let ready = ready.json();
    let capability = |name: &str| {
        let all = ready["capabilities"].as_array().expect("a list");
        all.iter().find(|one| one["name"] == name).expect("the capability")["on"].clone()
    };
    assert_eq!(capability("events_in"), true);
    assert_eq!(capability("mail_out"), false);
    assert_eq!(world.ask(get("/nowhere")).await.code(), "no_such_route");
    assert_eq!(world.ask(get("/v1/track")).await.code(), "wrong_method");
}
