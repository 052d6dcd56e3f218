//! The management API: what the console shows and does, by key.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const CAMPAIGN: &str = "
name: Welcome
status: active
trigger: { event: signed_up }
steps:
  - wait: 3d
";
const TEMPLATE: &str = "---
subject: Welcome, {{ contact.name | default: 'friend' }}
---
Hello **{{ contact.name | default: 'friend' }}**
";

struct Desk {
    world: World,
    key: String,
}

impl Desk {
    async fn new() -> Self {
        let files = [("campaigns/welcome.yaml", CAMPAIGN), ("templates/welcome.md", TEMPLATE)];
        let world = World::project("", &files).await;
        let key = world.key("admin");
        Self { world, key }
    }

    async fn ask(&self, method: &str, route: &str, body: impl Into<Body>) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let request = Request::builder().method(method).uri(route).header("authorization", bearer);
        self.world.ask(request.body(body.into()).expect("ok")).await
    }

    async fn get(&self, route: &str) -> Value {
        let answer = self.ask("GET", route, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{route}: {:?}", answer.body);
        answer.json()
    }

    async fn signed_up(&self) {
        let body = r#"{"event":"signed_up","distinct_id":"u1","uuid":"e-1","properties":{"$set":{"email":"ada@b.test","name":"Ada"}}}"#;
        assert_eq!(self.world.webhook(body).await.status, StatusCode::ACCEPTED);
        assert_eq!(self.world.events(1).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_found_by_any_id_with_what_it_led_to() {
    let desk = Desk::new().await;
    desk.signed_up().await;
    for named in ["u1", "ada@b.test", "e-1"] {
        let found = desk.get(&format!("/v1/events?contact={named}")).await;
        assert_eq!(found["items"][0]["id"], "posthog:e-1", "{named}");
    }
    assert_eq!(desk.get("/v1/events?contact=nobody").await["items"], json!([]));
    let event = desk.get("/v1/events/posthog:e-1").await;
    assert_eq!(event["raw"]["distinct_id"], "u1");
    assert_eq!(event["decisions"][0]["code"], "entered");
    assert_eq!(desk.get("/v1/event-names").await["items"][0]["name"], "signed_up");
    assert_eq!(desk.ask("GET", "/v1/events/posthog:other", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_stands_where_its_campaign_says() {
    let desk = Desk::new().await;
    desk.signed_up().await;
    let contact = desk.get("/v1/contacts/ada@b.test").await;
    assert_eq!(contact["runs"][0]["campaign"], "welcome");
    let runs = desk.get("/v1/campaigns/welcome/runs?step=0").await;
    assert_eq!(runs["items"][0]["address"], "ada@b.test");
    let stats = desk.get("/v1/campaigns/welcome/stats").await;
    assert_eq!((&stats["entered"], &stats["steps"][0]["standing"]), (&json!(1), &json!(1)));
    let told = desk.get("/v1/contacts/distinct_id:u1/timeline").await;
    assert!(told["items"].as_array().expect("lines").iter().any(|line| line["kind"] == "decision"));
    let overview = desk.get("/v1/overview?window=1h").await;
    assert_eq!(overview["series"][0]["total"], 1);
    assert_eq!(desk.ask("GET", "/v1/overview?window=2h", "").await.code(), "unknown_window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_made_changed_and_kept_in_every_version() {
    let desk = Desk::new().await;
    let definition = json!({ "name": "Second", "trigger": { "event": "bought" }, "steps": [{ "exit": "done" }] });
    let body = json!({ "id": "second", "definition": definition }).to_string();
    let made = desk.ask("POST", "/v1/campaigns", body.clone()).await.json();
    assert_eq!((&made["what"], &made["version"]), (&json!("created"), &json!(1)));
    assert_eq!(desk.ask("POST", "/v1/campaigns", body).await.code(), "exists");
    let changed = "name: Second\ntrigger: { event: bought }\nsteps: [ { wait: 1d } ]\n";
    assert_eq!(desk.ask("PUT", "/v1/campaigns/second", changed).await.json()["version"], 2);
    let bad = desk.ask("PUT", "/v1/campaigns/second", "name: Second\nsteps: 3\n").await;
    assert_eq!((bad.status, bad.code()), (StatusCode::UNPROCESSABLE_ENTITY, "refused".to_owned()));
    let versions = desk.get("/v1/campaigns/second/versions").await;
    assert_eq!(versions["items"].as_array().expect("versions").len(), 2);
    assert_eq!(versions["items"][0]["definition"], changed);
    assert_eq!(desk.ask("POST", "/v1/campaigns/second/activate", "").await.status, StatusCode::OK);
    assert_eq!(desk.get("/v1/campaigns/second").await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_changed_and_seen_as_one_contact_would() {
    let desk = Desk::new().await;
    desk.signed_up().await;
    let preview = desk.ask("POST", "/v1/templates/welcome/preview", r#"{"contact":"ada@b.test"}"#).await.json();
    assert_eq!(preview["subject"], "Welcome, Ada");
    assert!(preview["html"].as_str().expect("html").contains("<strong"), "{preview}");
    let nobody = desk.ask("POST", "/v1/templates/welcome/preview", "").await.json();
    assert_eq!(nobody["subject"], "Welcome, friend");
    let broken = json!({ "kind": "md", "source": "---\nsubject: {{ contact.name\n---\nHello" }).to_string();
    assert_eq!(desk.ask("PUT", "/v1/templates/welcome", broken).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let better = json!({ "kind": "txt", "source": "---\nsubject: Hi\n---\nHello" }).to_string();
    assert_eq!(desk.ask("PUT", "/v1/templates/welcome", better).await.json()["version"], 2);
    assert_eq!(desk.get("/v1/templates/welcome").await["kind"], "txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn brakes_and_connections_are_changed_with_a_line_in_the_audit_log() {
    let desk = Desk::new().await;
    assert_eq!(desk.ask("POST", "/v1/pause", r#"{"all":true,"reason":"look"}"#).await.json()["changed"], true);
    assert_eq!(desk.get("/v1/overview").await["pauses"][0]["subject"], "*");
    assert_eq!(desk.ask("POST", "/v1/resume", r#"{"all":true}"#).await.json()["changed"], true);
    let url = desk.get("/v1/connections/posthog/webhook").await["url"].clone();
    let fresh = desk.ask("POST", "/v1/connections/posthog/token", "").await.json()["url"].clone();
    assert!(url.is_string() && fresh.is_string() && url != fresh);
    assert_eq!(desk.ask("POST", "/v1/connections/posthog/testing", "").await.json()["status"], "testing");
    let audit = desk.get("/v1/audit").await;
    let actions: Vec<&str> =
        audit["items"].as_array().expect("lines").iter().filter_map(|line| line["action"].as_str()).collect();
    for action in ["pause", "resume", "connection.token", "connection.status"] {
        assert!(actions.contains(&action), "{action} is not among {actions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_tried_on_the_newest_events_before_it_is_in_force() {
    let desk = Desk::new().await;
    let body = r#"{"event":"signed_up","distinct_id":"u1","uuid":"e-1","properties":{"$set":{"work_mail":"ada@b.test","nick":"Ada"}}}"#;
    assert_eq!(desk.world.webhook(body).await.status, StatusCode::ACCEPTED);
    assert_eq!(desk.world.events(1).await.len(), 1);
    let route = "/v1/connections/posthog/mapping";
    assert_eq!(desk.get(route).await["version"], 0);
    let wanted = r#"{"address":["$set.work_mail"],"name":["$set.nick"]}"#;
    let tried = desk.ask("POST", &format!("{route}/preview"), wanted).await.json();
    assert_eq!(tried["items"][0]["now"]["address"], Value::Null);
    assert_eq!(tried["items"][0]["then"]["address"], "ada@b.test");
    assert_eq!(desk.get(route).await["version"], 0, "a preview saves nothing");
    let saved = desk.ask("PUT", route, wanted).await.json();
    assert_eq!((&saved["version"], &saved["mapping"]["address"][0]), (&json!(1), &json!("$set.work_mail")));
    let later = body.replace("e-1", "e-2");
    assert_eq!(desk.world.webhook(later).await.status, StatusCode::ACCEPTED);
    assert_eq!(desk.world.events(2).await.len(), 2);
    let contact = desk.get("/v1/contacts/ada@b.test").await;
    assert_eq!(contact["runs"][0]["campaign"], "welcome");
    let refused = desk.ask("PUT", route, r#"{"address":["nowhere.x"]}"#).await;
    assert!(refused.status.is_client_error(), "{:?}", refused.body);
    assert_eq!(desk.ask("PUT", "/v1/connections/other/mapping", wanted).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_and_go_but_one_admin_stays() {
    let desk = Desk::new().await;
    let new = |email: &str, role: &str| json!({ "email": email, "role": role, "password": "long enough" }).to_string();
    assert_eq!(desk.ask("POST", "/v1/users", new("ada@b.test", "admin")).await.status, StatusCode::CREATED);
    assert_eq!(desk.ask("POST", "/v1/users", new("bob@b.test", "viewer")).await.status, StatusCode::CREATED);
    let short = desk.ask("PUT", "/v1/users/bob@b.test/password", r#"{"password":"short"}"#).await;
    assert_eq!(short.code(), "weak_password");
    let set = desk.ask("PUT", "/v1/users/bob@b.test/password", r#"{"password":"another long one"}"#).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.ask("DELETE", "/v1/users/bob@b.test", "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.ask("DELETE", "/v1/users/bob@b.test", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.ask("DELETE", "/v1/users/ada@b.test", "").await.status, StatusCode::CONFLICT, "the last admin");
    assert_eq!(desk.get("/v1/users").await["items"].as_array().expect("users").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_put_on_the_list_and_taken_off_where_that_is_ours_to_do() {
    let desk = Desk::new().await;
    desk.signed_up().await;
    let body = r#"{"address":"Ada@B.test"}"#;
    assert_eq!(desk.ask("POST", "/v1/suppressions", body).await.status, StatusCode::CREATED);
    assert_eq!(desk.ask("POST", "/v1/suppressions", body).await.status, StatusCode::OK);
    assert_eq!(desk.get("/v1/suppressions").await["items"][0]["address"], "ada@b.test");
    assert_eq!(desk.get("/v1/contacts/ada@b.test").await["suppressions"][0]["reason"], "manual");
    let complaint = desk.ask("DELETE", "/v1/suppressions/ada@b.test/complaint", "").await;
    assert_eq!(complaint.status, StatusCode::CONFLICT);
    assert_eq!(desk.ask("DELETE", "/v1/suppressions/ada@b.test/manual", "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("/v1/suppressions").await["items"], json!([]));
    assert_eq!(desk.ask("POST", "/v1/suppressions", r#"{"address":"nobody"}"#).await.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_changes_nothing_and_a_stranger_sees_nothing() {
    let mut desk = Desk::new().await;
    desk.key = desk.world.key("read");
    assert_eq!(desk.ask("PUT", "/v1/campaigns/welcome", CAMPAIGN).await.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.ask("POST", "/v1/messages/msg_x/resend", "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.ask("GET", "/v1/connections/posthog/webhook", "").await.status, StatusCode::FORBIDDEN);
    desk.key = "hw_nothing".to_owned();
    for route in [
        "/v1/events",
        "/v1/contacts",
        "/v1/campaigns",
        "/v1/messages",
        "/v1/templates",
        "/v1/connections",
        "/v1/overview",
    ] {
        assert_eq!(desk.ask("GET", route, "").await.status, StatusCode::UNAUTHORIZED, "{route}");
    }
    let page = desk.ask("GET", "/console/events", "").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(page.headers["content-security-policy"].to_str().expect("text").contains("default-src 'none'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_written_handed_over_and_erased() {
    let desk = Desk::new().await;
    let made = desk
        .ask("POST", "/v1/contacts", r#"{"email":"ada@b.test","external":"crm-7","attributes":{"plan":"pro"}}"#)
        .await;
    assert_eq!((made.status, &made.json()["address"]), (StatusCode::CREATED, &json!("ada@b.test")));
    let again = desk.ask("POST", "/v1/contacts", r#"{"email":"ada@b.test"}"#).await;
    assert_eq!(again.status, StatusCode::OK);
    let changed = desk.ask("PATCH", "/v1/contacts/external:crm-7", r#"{"attributes":{"plan":null,"seats":3}}"#).await;
    assert_eq!(changed.json()["attributes"][0]["name"], "seats");
    let bad = desk.ask("POST", "/v1/contacts", r#"{"email":"nonsense"}"#).await;
    assert_eq!((bad.status, &bad.json()["problems"][0]["path"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("email")));
    let unknown = desk.ask("PATCH", "/v1/contacts/nobody@b.test", "{}").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.ask("POST", "/v1/contacts", r#"{"mail":"a@b.test"}"#).await.status, StatusCode::BAD_REQUEST);

    let export = desk.get("/v1/contacts/ada@b.test/export").await;
    assert_eq!(export["contact"]["attributes"][0]["value"], 3);
    let erased = desk.ask("POST", "/v1/contacts/ada@b.test/erase", "").await;
    assert_eq!(erased.status, StatusCode::ACCEPTED);
    let id = erased.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(desk.get(&format!("/v1/erasures/{id}")).await["receipts"][0]["status"], "done");
    assert_eq!(desk.get("/v1/erasures").await["items"][0]["id"], json!(id));
    assert_eq!(desk.ask("GET", "/v1/contacts/ada@b.test", "").await.status, StatusCode::NOT_FOUND);
    let settled = desk.ask("POST", &format!("/v1/erasures/{id}/receipts/here"), r#"{"done":true}"#).await;
    assert_eq!(settled.status, StatusCode::CONFLICT);
    let made = desk.ask("POST", "/v1/contacts", r#"{"email":"bob@b.test"}"#).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(desk.ask("DELETE", "/v1/contacts/bob@b.test", "").await.status, StatusCode::NO_CONTENT);
}
