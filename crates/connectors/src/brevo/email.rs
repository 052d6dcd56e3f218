//! Mail by Brevo's API. It makes the mail itself from its parts; HTML is required, so a mail
//! of plain text alone is wrapped.
//!
//! A repeat within half an hour is known by the key in `headers`, which must be a uuid.
//! `X-Mailin-custom` comes back with each report and names our message, because Brevo gives
//! every mail a Message-ID of its own. Whether `List-Unsubscribe` is kept as given is not
//! documented; it is sent all the same, and the link in the body stands beside it.

use hogwire_model::{Outcome, Time};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Access;
use super::errors::{failure, outcome};
use crate::http::{Request, Response};

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail<'a> {
    /// Ours: names the message in reports, and makes a repeat known.
    pub message_id: &'a str,
    pub from: Party<'a>,
    pub to: Party<'a>,
    pub subject: &'a str,
    pub html: &'a str,
    pub plain: &'a str,
    /// Such as `List-Unsubscribe`.
    pub headers: Vec<(&'a str, &'a str)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Party<'a> {
    pub email: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
}

/// The namespace of the uuids by which Brevo knows a repeat.
const REPEATS: Uuid = Uuid::from_u128(0x51c0_9b1e_2f6d_4a53_9d10_7e0b_44c2_a9f1);
const LONGEST_NAME: usize = 70;
/// Before our id in `X-Mailin-custom`.
pub const MARK: &str = "hogwire:";

pub fn send(access: Access<'_>, mail: &Mail<'_>) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        sender: Party<'a>,
        to: [Party<'a>; 1],
        subject: &'a str,
        html_content: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        text_content: &'a str,
        headers: Map<String, Value>,
    }
    let mut headers = Map::new();
    headers.insert("idempotencyKey".to_owned(), Uuid::new_v5(&REPEATS, mail.message_id.as_bytes()).to_string().into());
    headers.insert("X-Mailin-custom".to_owned(), format!("{MARK}{}", mail.message_id).into());
    // Brevo sends what is not ASCII in a header as it is, and such a mail is lost.
    for (name, value) in mail.headers.iter().filter(|(_, value)| value.is_ascii()) {
        headers.insert((*name).to_owned(), (*value).into());
    }
    let wrapped = if mail.html.is_empty() { wrapped(mail.plain) } else { String::new() };
    let body = Body {
        sender: cut(mail.from),
        to: [cut(mail.to)],
        subject: mail.subject,
        html_content: if mail.html.is_empty() { &wrapped } else { mail.html },
        text_content: mail.plain,
        headers,
    };
    access.with_body("POST", "/smtp/email", &body)
}

fn cut(party: Party<'_>) -> Party<'_> {
    Party { name: hogwire_model::contact::key::cut(party.name, LONGEST_NAME), ..party }
}

fn wrapped(plain: &str) -> String {
    let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<html><body><pre style=\"white-space:pre-wrap;font:inherit\">{escaped}</pre></body></html>")
}

/// What a send came to. The text of `Done` is Brevo's own id of the mail.
pub fn read_sent(response: &Response, now: Time) -> Outcome {
    match failure(response) {
        None => {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            Outcome::Done(hogwire_model::value::as_text(&body["messageId"]))
        }
        // Brevo has it already: this was a repeat.
        Some(failure) if failure.code == "duplicate_request" || failure.message.contains("already processed") => {
            Outcome::Done("Brevo had it already".to_owned())
        }
        // Nobody knows whether a server that failed had taken the mail before.
        Some(failure) if failure.status >= 500 => Outcome::Unknown(failure.to_string()),
        Some(_) => outcome(response, now),
    }
}
