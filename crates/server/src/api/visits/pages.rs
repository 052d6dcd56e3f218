//! The few pages that readers of mails see. Plain, without scripts, and nothing on them that
//! the reader of the mail does not know.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hogwire_engine::tracking::Subscription;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;\
color:#1c1c1c;background:#fafafa}button{font:inherit;padding:.5rem 1rem;border:1px solid #888;border-radius:.4rem;\
background:#fff;color:inherit;cursor:pointer}label{display:block;margin:.5rem 0}.quiet{color:#666}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}button{background:#282828}.quiet{color:#aaa}}";
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, html).into_response()
}

pub fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "This link is not known", "<p>It may be cut off. Open it from the mail again.</p>")
}

pub fn leaving(shown: &Subscription, token: &str) -> Response {
    let (address, topic, token) = (escaped(&shown.address), escaped(&shown.topic_title), escaped(token));
    let body = format!(
        "<p>No more mail about <b>{topic}</b> to {address}?</p>\
         <form method=\"post\" action=\"/u/{token}\"><button name=\"scope\" value=\"topic\">Unsubscribe</button> \
         <button name=\"scope\" value=\"everything\">Unsubscribe from everything</button></form>\
         <p class=\"quiet\"><a href=\"/p/{token}\">Choose topics instead</a></p>"
    );
    page(StatusCode::OK, "Unsubscribe", &body)
}

pub fn left(token: &str, everything: bool) -> Response {
    let what =
        if everything { "You will get no more mail from us." } else { "You will get no more mail of this kind." };
    let token = escaped(token);
    let body = format!(
        "<p>{what}</p><form method=\"post\" action=\"/u/{token}\"><p class=\"quiet\">A mistake? \
         <button name=\"scope\" value=\"back\">Subscribe again</button></p></form>"
    );
    page(StatusCode::OK, "Unsubscribed", &body)
}

pub fn welcome_back(token: &str) -> Response {
    let body =
        format!("<p>Mail of this kind comes again.</p><p><a href=\"/p/{}\">Choose topics</a></p>", escaped(token));
    page(StatusCode::OK, "Subscribed again", &body)
}

pub fn preferences(shown: &Subscription, token: &str, saved: bool) -> Response {
    let mut body = format!("<p>Mail to {}</p>", escaped(&shown.address));
    if saved {
        body.push_str("<p><b>Saved.</b></p>");
    }
    body.push_str(&format!("<form method=\"post\" action=\"/p/{}\">", escaped(token)));
    for topic in &shown.topics {
        let checked = if topic.on { " checked" } else { "" };
        let (fixed, note) =
            if topic.fixed { (" disabled", " <span class=\"quiet\">(always sent)</span>") } else { ("", "") };
        body.push_str(&format!(
            "<label><input type=\"checkbox\" name=\"topic\" value=\"{}\"{checked}{fixed}> {}{note}</label>",
            escaped(&topic.name),
            escaped(&topic.title),
        ));
    }
    body.push_str("<p><button>Save</button></p></form>");
    page(StatusCode::OK, "What you get", &body)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
