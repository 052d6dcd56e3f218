//! Messages as people see them: where each stands, what it said, what its reader did.

use hogwire_model::Time;
use serde::Serialize;

use super::{Page, limit, place};
use crate::engine::Engine;
use crate::error::Result;
use crate::outbox::token;
use crate::store::messages::{Message, Status};
use crate::store::{attempts, engagements, message_bodies, messages, outgoing, redirects};

/// What the list is narrowed to. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub status: Option<Status>,
    pub campaign: Option<String>,
    /// A contact by id, address or any key.
    pub contact: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub message: Message,
    /// What was sent, as long as it is kept; absent before the first try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    pub attempts: Vec<attempts::Attempt>,
    pub engagements: Vec<engagements::Engagement>,
}

/// What the message said. Its links lead straight to their targets, and the pixel is gone:
/// looking at a message here must not count as its reader's opening it.
#[derive(Debug, Serialize)]
pub struct Body {
    pub html: String,
    pub text: String,
    pub links: Vec<String>,
}

impl Engine {
    /// A page of messages, newest first.
    pub fn messages(&self, search: &Search) -> Result<Page<Message>> {
        let mut tx = self.store.read()?;
        let limit = limit(search.limit);
        let contacts = match &search.contact {
            Some(named) => match self.meant(&mut tx, named)? {
                Some(id) => Some(redirects::family(&mut tx, &id)?),
                None => return Ok(Page { items: Vec::new(), next: None }),
            },
            None => None,
        };
        let before = place(search.cursor.as_deref());
        let wanted = outgoing::Wanted {
            status: search.status,
            campaign: search.campaign.as_deref(),
            contacts: contacts.as_deref(),
            before: before.map(|(at, id)| (Time::from_millis(at), id)),
        };
        let mut found = Vec::new();
        for id in outgoing::search(&mut tx, &wanted, limit + 1)? {
            found.extend(messages::find(&mut tx, &id)?);
        }
        Ok(Page::cut(found, limit, |message| format!("{}:{}", message.created_at.millis(), message.id)))
    }

    pub fn message(&self, id: &str) -> Result<Option<Detail>> {
        let mut tx = self.store.read()?;
        let Some(message) = messages::find(&mut tx, id)? else { return Ok(None) };
        let body = message_bodies::find(&mut tx, id)?.map(|body| {
            let html = quiet(&body.html, &self.settings().public_url, &body.links, &self.keyring.derive(b"links"));
            Body { html, text: body.plain, links: body.links }
        });
        Ok(Some(Detail {
            body,
            attempts: attempts::of(&mut tx, id)?,
            engagements: engagements::of_message(&mut tx, id, 500)?,
            message,
        }))
    }
}

/// A picture of one transparent dot.
const DOT: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/// The HTML with tracked links exchanged for their targets and without the pixel.
fn quiet(html: &str, public_url: &str, targets: &[String], key: &[u8; 32]) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let tracked = format!("{public_url}/t/");
    while let Some(at) = rest.find(&tracked) {
        out.push_str(&rest[..at]);
        let found = &rest[at..];
        let end = found.find(['"', '\'', '>', ' ', '<']).unwrap_or(found.len());
        let (url, after) = found.split_at(end);
        let told = &url[tracked.len()..];
        match told.strip_prefix("c/").and_then(|link| token::read_link(link, key)) {
            Some(link) => out.push_str(&attribute(targets.get(link.number).map_or("#", String::as_str))),
            None if told.starts_with("o/") => out.push_str(DOT),
            None => out.push('#'),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn attribute(url: &str) -> String {
    url.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_a_message_counts_nothing() {
        let key = [7; 32];
        let token = "abcdefghijklmnopqrstuvwxyz";
        let link = token::link(token, 1, &key);
        let html = format!(
            "<a href=\"https://h.example/t/c/{link}\">x</a><a href='https://h.example/u/{token}'>off</a>\
             <img src=\"https://h.example/t/o/{token}.gif\">"
        );
        let targets = ["https://a.example".to_owned(), "https://b.example/?a=1&b=\"2\"".to_owned()];
        let shown = quiet(&html, "https://h.example", &targets, &key);
        assert!(!shown.contains("/t/"), "{shown}");
        assert!(shown.contains("href=\"https://b.example/?a=1&amp;b=&quot;2&quot;\""), "{shown}");
        assert!(shown.contains("/u/abc"), "the way out stays as it is");
    }
}
