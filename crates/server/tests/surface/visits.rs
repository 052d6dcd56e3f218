//! Links of mails that are not known, and that pages say nothing they should not.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::world::{World, get, post};

#[tokio::test(flavor = "multi_thread")]
async fn unknown_links_get_a_page_and_the_pixel_always_comes() {
    let world = World::new().await;
    for link in ["/t/c/nothing", "/t/c/abcdefghijklmnopqrstuvwxyz1-abcdefghijkl", "/u/nothing", "/p/nothing"] {
        let answer = world.ask(get(link)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{link}");
        assert!(answer.headers["content-security-policy"].to_str().expect("text").contains("default-src 'none'"));
    }
    for link in ["/t/o/nothing.gif", "/t/o/nothing"] {
        let answer = world.ask(get(link)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["content-type"], "image/gif");
        assert!(answer.body.starts_with(b"GIF89a"));
    }
    let head = Request::builder().method("HEAD").uri("/t/c/nothing").body(Body::empty()).expect("ok");
    assert_eq!(world.ask(head).await.status, StatusCode::NOT_FOUND);
    let one_click = post("/u/nothing").body(Body::from("List-Unsubscribe=One-Click")).expect("ok");
    assert_eq!(world.ask(one_click).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn brevo_reports_by_the_token_in_its_url() {
    let world = World::with("connectors:\n  brevo: { api_key: k, host: \"http://127.0.0.1:9\" }\n").await;
    let bearer = format!("Bearer {}", world.key("admin"));
    let asked = Request::builder().uri("/v1/destinations/brevo/webhook").header("authorization", &bearer);
    let url = world.ask(asked.body(Body::empty()).expect("ok")).await.json()["url"].as_str().expect("a URL").to_owned();
    let route = &url[url.find("/v1/").expect("a route")..];
    let report = || Body::from(r#"{"event":"unsubscribed","email":"ada@b.test","ts_epoch":1790000000000}"#);
    for _ in 0..2 {
        let answer = world.ask(post(route).body(report()).expect("ok")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    }
    let wrong = world.ask(post("/v1/webhooks/brevo/nonsense").body(report()).expect("ok")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let none = world.ask(post(route).body(Body::from("{}")).expect("ok")).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    let asked = Request::builder().uri("/v1/suppressions").header("authorization", &bearer);
    let listed = world.ask(asked.body(Body::empty()).expect("ok")).await.json();
    assert_eq!(listed["items"].as_array().expect("items").len(), 1);
    assert_eq!(listed["items"][0]["reason"], "unsubscribed");
}
