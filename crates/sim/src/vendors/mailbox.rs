//! Where mail ends up: every message that was accepted, parsed by a library that is not
//! ours, so that what we built is judged by something else.

use std::collections::HashMap;

use hogwire_model::{Outcome, Time};
use mail_parser::MessageParser;

#[derive(Clone, Debug)]
pub struct Mail {
    pub at: Time,
    pub envelope_from: String,
    pub to: String,
    pub bytes: Vec<u8>,
    pub message_id: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Target of the one-click unsubscribe header, if there is one.
    pub unsubscribe: Option<String>,
    pub one_click: bool,
}

#[derive(Default)]
pub struct Mailbox {
    mails: Vec<Mail>,
    by_message_id: HashMap<String, usize>,
}

impl Mailbox {
    /// Takes a message, as a mail server answers it. Addresses whose local part begins with
    /// `bounce` are unknown, with `defer` busy, as many test servers have it.
    pub fn accept(&mut self, at: Time, envelope_from: &str, to: &str, bytes: &[u8]) -> Outcome {
        let local = to.split('@').next().unwrap_or_default();
        if local.starts_with("bounce") {
            return Outcome::Refused("550 5.1.1 no such user".to_owned());
        }
        if local.starts_with("defer") {
            return Outcome::Retry("451 4.2.1 try again later".to_owned());
        }
        let Some(mail) = read(at, envelope_from, to, bytes) else {
            return Outcome::Refused("554 5.6.0 not a message".to_owned());
        };
        *self.by_message_id.entry(mail.message_id.clone()).or_default() += 1;
        self.mails.push(mail);
        Outcome::Done("250 2.0.0 queued".to_owned())
    }

    pub fn all(&self) -> &[Mail] {
        &self.mails
    }

    pub fn to<'a>(&'a self, address: &'a str) -> impl Iterator<Item = &'a Mail> {
        self.mails.iter().filter(move |mail| mail.to == address)
    }

    /// Message ids that were delivered more than once.
    pub fn doubled(&self) -> Vec<&str> {
        self.by_message_id.iter().filter(|(_, n)| **n > 1).map(|(id, _)| id.as_str()).collect()
    }
}

fn read(at: Time, envelope_from: &str, to: &str, bytes: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(bytes)?;
    let header = |name: &str| message.header_raw(name).map(|value| value.trim().to_owned());
    let unsubscribe = header("List-Unsubscribe").and_then(|value| {
        let start = value.find("<http")? + 1;
        let end = start + value[start..].find('>')?;
        Some(value[start..end].split_whitespace().collect())
    });
    Some(Mail {
        at,
        envelope_from: envelope_from.to_owned(),
        to: to.to_owned(),
        bytes: bytes.to_vec(),
        message_id: message.message_id().unwrap_or_default().to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).map(|text| text.into_owned()).unwrap_or_default(),
        html: message.body_html(0).map(|html| html.into_owned()).unwrap_or_default(),
        unsubscribe,
        one_click: header("List-Unsubscribe-Post").as_deref() == Some("List-Unsubscribe=One-Click"),
    })
}

impl Mail {
    /// Every link of the HTML part, in order, as a reader's click would follow it.
    pub fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        let mut rest = self.html.as_str();
        while let Some(at) = rest.find("href=\"") {
            rest = &rest[at + 6..];
            let Some(end) = rest.find('"') else { break };
            links.push(rest[..end].replace("&amp;", "&"));
            rest = &rest[end..];
        }
        links
    }
}
