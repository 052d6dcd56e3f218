//! One whole way: a webhook, a campaign from a file, a mail on a socket, and the links in it.

use axum::body::Body;
use axum::http::StatusCode;

use crate::mail::Sink;
use crate::world::{World, get, post};

const CAMPAIGN: &str = "
name: Welcome
status: active
trigger: { event: signed_up }
steps:
  - email: { template: welcome, topic: product }
";
const TEMPLATE: &str = "---
subject: Welcome, {{ contact.name | default: 'friend' }}
---
Hello {{ contact.name }}, [start here](https://acme.test/start).
";

fn settings(sink: &Sink) -> String {
    format!(
        "senders: {{ default: {{ smtp: \"{}\", from: Acme <hello@acme.test> }} }}\n\
         domains: {{ acme.test: {{ verify: false }} }}\n\
         topics: {{ product: {{ kind: marketing, title: Product news }} }}\n\
         server: {{ public_url: https://hog.test }}\n",
        sink.url
    )
}

async fn mails(sink: &Sink, wanted: usize) -> Vec<(String, String)> {
    let began = std::time::Instant::now();
    loop {
        let mails = sink.mails.lock().expect("mails").clone();
        if mails.len() >= wanted || began.elapsed().as_secs() > 10 {
            return mails;
        }
        tokio::task::yield_now().await;
    }
}

fn link<'a>(text: &'a str, path: &str) -> &'a str {
    let begin = text.find(path).unwrap_or_else(|| panic!("no {path} in {text}"));
    let rest = &text[begin..];
    &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_.".contains(c))).unwrap_or(rest.len())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signup_becomes_a_mail_whose_links_work() {
    let sink = Sink::new();
    let files = [("campaigns/welcome.yaml", CAMPAIGN), ("templates/welcome.md", TEMPLATE)];
    let world = World::project(&settings(&sink), &files).await;
    let body = r#"{"event":"signed_up","distinct_id":"u1","uuid":"e-1","properties":{"$set":{"email":"ada@b.test","name":"Ada"}}}"#;
    assert_eq!(world.webhook(body).await.status, StatusCode::ACCEPTED);
    let sent = mails(&sink, 1).await;
    assert_eq!(sent.len(), 1, "{:?}", world.app.engine.explain("welcome", "email:ada@b.test", world.app.now()));
    let (to, mail) = &sent[0];
    assert_eq!(to, "ada@b.test");
    assert!(mail.contains("Subject: Welcome, Ada"), "{mail}");
    let whole = mail.replace("=\r\n", "").replace("\r\n ", " ");
    let click = link(&whole, "/t/c/");
    let answer = world.ask(get(click)).await;
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (StatusCode::FOUND, &"https://acme.test/start".parse().expect("a value"))
    );
    let leave = link(&whole, "/u/");
    let page = world.ask(get(leave)).await;
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    assert!(text.contains("Product news") && !text.contains("ada@b.test"), "{text}");
    let done = world.ask(post(leave).body(Body::from("List-Unsubscribe=One-Click")).expect("ok")).await;
    assert_eq!(done.status, StatusCode::OK);
    let token = leave.trim_start_matches("/u/");
    let shown = world.ask(get(&format!("/p/{token}"))).await;
    let text = String::from_utf8(shown.body.to_vec()).expect("text");
    assert!(!text.contains("checked"), "{text}");
    let form = post(&format!("/p/{token}")).body(Body::from("topic=product")).expect("ok");
    let text = String::from_utf8(world.ask(form).await.body.to_vec()).expect("text");
    assert!(text.contains("checked"), "{text}");
}
