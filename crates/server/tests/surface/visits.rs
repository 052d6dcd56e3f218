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
