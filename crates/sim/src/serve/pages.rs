//! The mailbox as a web page: what arrived, each mail as its reader sees it, its links.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::Shared;
use crate::vendors::mailbox::Mail;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}
a{color:#1d4ed8}table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.4rem .5rem;border-bottom:1px solid #ddd}
iframe{width:100%;height:26rem;border:1px solid #ddd}pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem}
h1{font-size:1.3rem}.quiet{color:#666}";

/// Mails on one page; the newest come first.
const SHOWN: usize = 200;

pub fn routes(stage: Shared) -> Router {
    Router::new().route("/", get(list)).route("/mails/{number}", get(one)).with_state(stage)
}

async fn list(State(stage): State<Shared>) -> Html<String> {
    let ends = stage.ends();
    let mails = ends.mailbox.all();
    let rows: String = mails.iter().enumerate().rev().take(SHOWN).map(|(number, mail)| row(number, mail)).collect();
    let body = format!(
        "<h1>Mailbox <span class=quiet>{} mails</span></h1>\
         <table><tr><th>When<th>To<th>Subject</tr>{rows}</table>",
        mails.len()
    );
    page("Mailbox", "<meta http-equiv=refresh content=5>", &body)
}

fn row(number: usize, mail: &Mail) -> String {
    format!(
        "<tr><td>{}<td>{}<td><a href=\"/mails/{number}\">{}</a></tr>",
        escaped(&mail.at.to_string()),
        escaped(&mail.to),
        escaped(&mail.subject)
    )
}

async fn one(State(stage): State<Shared>, Path(number): Path<usize>) -> Response {
    let Some(mail) = stage.ends().mailbox.all().get(number).cloned() else {
        return (StatusCode::NOT_FOUND, page("Mailbox", "", "<p>There is no such mail.")).into_response();
    };
    let link = |url: &str| format!("<li><a href=\"{0}\">{0}</a>", escaped(url));
    let links: String = mail.links().iter().chain(&mail.unsubscribe).map(|url| link(url)).collect();
    let body = format!(
        "<p><a href=\"/\">Mailbox</a><h1>{}</h1><p class=quiet>{} to {}, {}<br>Message-ID {}\
         <iframe sandbox srcdoc=\"{}\"></iframe><h2>Links</h2><ul>{links}</ul><h2>As text</h2><pre>{}</pre>",
        escaped(&mail.subject),
        escaped(&mail.envelope_from),
        escaped(&mail.to),
        escaped(&mail.at.to_string()),
        escaped(&mail.message_id),
        escaped(&mail.html),
        escaped(&mail.text),
    );
    page(&mail.subject, "", &body).into_response()
}

fn page(title: &str, head: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{}</title>{head}<style>{STYLE}</style>{body}</html>",
        escaped(title)
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
