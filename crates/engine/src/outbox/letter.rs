//! A message becomes bytes: tracked links, the pixel, the headers that let its reader stop
//! it, and the envelope. Everything is decided already; nothing is stored here.

use hogwire_connectors::smtp::dkim::{self, Key};
use hogwire_connectors::smtp::mime::{self, Kind, Mail, Party};
use hogwire_model::Time;

use super::gate::Way;
use super::hooks::Rendered;
use super::{Parts, links, token};
use crate::outside::Parcel;
use crate::store::message_bodies::Body;
use crate::store::messages::Message;

/// Ready for the mail server, with what is kept of it.
pub struct Letter {
    pub parcel: Parcel,
    pub body: Body,
    pub subject: String,
    pub rfc_id: String,
}

/// Links of one message, by its token.
pub struct Urls {
    pub unsubscribe: String,
    pub preferences: String,
}

pub fn urls(public_url: &str, token: &str) -> Urls {
    Urls { unsubscribe: format!("{public_url}/u/{token}"), preferences: format!("{public_url}/p/{token}") }
}

/// The bytes, or a sentence that says why there can be none.
pub fn write(
    parts: &Parts<'_>,
    message: &Message,
    way: &Way,
    rendered: Rendered,
    token: &str,
    signers: &[Key],
    now: Time,
) -> Result<Letter, String> {
    let settings = parts.settings;
    let sender = settings.senders.get(&message.sender).ok_or("the sender is gone")?;
    let (own_name, own_address) = party(&sender.from);
    let (name, address) = rendered.from.as_deref().map_or((own_name, own_address.clone()), party);
    let urls = urls(&settings.public_url, token);
    let (html, targets) = match way.tracked && !rendered.html.is_empty() {
        true => track(parts, &rendered.html, token, &urls),
        false => (rendered.html, Vec::new()),
    };
    let to = way.test_inbox.as_deref().unwrap_or(&way.address);
    let subject = match &way.test_inbox {
        Some(inbox) if *inbox == way.address => format!("[Test] {}", rendered.subject),
        Some(_) => format!("[Test, for {}] {}", way.address, rendered.subject),
        None => rendered.subject,
    };
    // The same on every try, so that a server which got the mail twice can tell.
    let rfc_id = match message.rfc_id.as_str() {
        "" => format!("{}@{}", message.id, domain_of(&address)),
        known => known.to_owned(),
    };
    let list_id = format!("{}.{}", list_label(&way.topic.name), domain_of(&address));
    let kind = if way.topic.is_transactional() {
        Kind::Transactional
    } else {
        Kind::Marketing { unsubscribe: &urls.unsubscribe, mailto: None, list: Some((way.topic.title(), &list_id)) }
    };
    let meant_for = [("X-Hogwire-Intended-For", way.address.as_str())];
    let mail = Mail {
        from: Party { name: &name, address: &address },
        to: Party { name: way.contact.name.as_deref().filter(|_| way.test_inbox.is_none()).unwrap_or(""), address: to },
        reply_to: None,
        subject: &subject,
        text: &rendered.plain,
        html: &html,
        message_id: &rfc_id,
        date: now,
        kind,
        feedback_id: None,
        more: if way.test_inbox.is_some() { &meant_for } else { &[] },
    };
    let plain = mime::build(&mail).map_err(|error| error.to_string())?;
    let bytes = signed(plain, &address, signers, now)?;
    let parcel = Parcel { sender: message.sender.clone(), envelope_from: own_address, to: to.to_owned(), bytes };
    Ok(Letter { parcel, body: Body { html, plain: rendered.plain, links: targets }, subject, rfc_id })
}

/// With the domain of From, so that DMARC's alignment passes, in its strict form too.
fn signed(mail: Vec<u8>, from: &str, signers: &[Key], now: Time) -> Result<Vec<u8>, String> {
    if signers.is_empty() {
        return Ok(mail);
    }
    let keys: Vec<&Key> = signers.iter().collect();
    dkim::sign(&mail, &domain_of(from), &keys, now).map_err(|error| error.to_string())
}

/// Exchanges the links and puts in the pixel. Links of our own stay as they are: somebody
/// who leaves must not be followed there.
fn track(parts: &Parts<'_>, html: &str, token: &str, urls: &Urls) -> (String, Vec<String>) {
    let public = &parts.settings.public_url;
    let mut targets: Vec<String> = Vec::new();
    let exchanged = links::exchange(html, |url| {
        if url == urls.unsubscribe || url == urls.preferences {
            return None;
        }
        let number = match targets.iter().position(|known| known == url) {
            Some(known) => known,
            None if targets.len() < token::MOST_LINKS => {
                targets.push(url.to_owned());
                targets.len() - 1
            }
            None => return None,
        };
        Some(format!("{public}/t/c/{}", token::link(token, number, &parts.keys.links)))
    });
    (links::with_pixel(&exchanged, &format!("{public}/t/o/{token}.gif")), targets)
}

/// Splits `Name <address>`, or a bare address, into name and address.
pub fn party(text: &str) -> (String, String) {
    match text.rsplit_once('<') {
        Some((name, rest)) => {
            let name = name.trim().trim_matches('"').trim().to_owned();
            (name, rest.trim().trim_end_matches('>').trim().to_owned())
        }
        None => (String::new(), text.trim().to_owned()),
    }
}

pub fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or("", |(_, domain)| domain).trim().to_ascii_lowercase()
}

/// A topic's name as a part of a List-Id, which is made like a domain name.
fn list_label(topic: &str) -> String {
    let label: String =
        topic.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(60).collect();
    if label.is_empty() { "mail".to_owned() } else { label }
}
