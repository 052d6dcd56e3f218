//! Provider credentials over the admin routes: stored, never shown, removed.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::world::{ADMIN, Answer, World, get};

const ROUTE: &str = "/v1/admin/provider-credentials/posthog";
const YAML: &str = "connectors: { posthog: { host: \"https://eu.posthog.com\" } }\n";

async fn ask(world: &World, method: &str, route: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(route).header("authorization", format!("Bearer {ADMIN}"));
    world.ask(request.body(Body::from(body.to_string())).expect("ok")).await
}

fn sent() -> Value {
    let recorded = include_str!("../../../connectors/src/posthog/fixtures/oauth_token_response.json");
    let mut sent: Value = serde_json::from_str(recorded).expect("JSON");
    sent["clientId"] = json!("cli_1");
    sent["token_endpoint"] = json!("https://eu.posthog.com/oauth/token/");
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_goes_in_and_its_tokens_never_come_out() {
    let world = World::with(YAML).await;
    assert_eq!(ask(&world, "GET", ROUTE, &json!({})).await.status, StatusCode::NOT_FOUND);
    let kept = ask(&world, "PUT", ROUTE, &sent()).await;
    assert_eq!(kept.status, StatusCode::OK, "{:?}", kept.body);
    let shown = ask(&world, "GET", ROUTE, &json!({})).await;
    for answer in [&kept, &shown] {
        let meta = answer.json();
        assert_eq!(meta["provider"], "posthog");
        assert_eq!(meta["scopes"], json!(["person:read", "query:read"]));
        assert_eq!(meta["scopedTeams"], json!([12345]));
        assert!(meta["expiresAt"].is_string() && meta["createdAt"].is_string() && meta["updatedAt"].is_string());
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("pha_") && !text.contains("phr_"), "{text}");
    }
    let ready = ask(&world, "GET", "/v1/admin/analytics/connect-info", &json!({})).await.json();
    assert_eq!((&ready["region"], &ready["privateHost"]), (&json!("eu"), &json!("https://eu.posthog.com")));
    assert_eq!(ready["configured"]["oauth"], true);
    assert_eq!(ask(&world, "DELETE", ROUTE, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&world, "DELETE", ROUTE, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&world, "GET", ROUTE, &json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_another_host_or_without_a_key_is_refused() {
    let world = World::with(YAML).await;
    assert_eq!(world.ask(get(ROUTE)).await.status, StatusCode::UNAUTHORIZED);
    let mut foreign = sent();
    foreign["token_endpoint"] = json!("https://evil.example/oauth/token/");
    let answer = ask(&world, "PUT", ROUTE, &foreign).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", answer.body);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains("evil.example") && !text.contains("pha_"), "{text}");
    assert_eq!(ask(&world, "PUT", ROUTE, &json!({ "scope": "x" })).await.status, StatusCode::BAD_REQUEST);
    let unknown = ask(&world, "PUT", "/v1/admin/provider-credentials/nobody", &sent()).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sealed_anew_and_the_client_document_is_open() {
    let world = World::with(YAML).await;
    let rotated = ask(&world, "POST", "/v1/admin/secrets/rotate", &json!({})).await;
    assert_eq!((rotated.status, &rotated.json()["locked"]), (StatusCode::OK, &json!([])));
    let document = world.ask(get("/.well-known/hogwire-posthog-client.json")).await;
    assert_eq!(document.status, StatusCode::OK);
    assert_eq!(document.json()["com.posthog"]["scopes"].as_array().map(Vec::len), Some(13));
}
