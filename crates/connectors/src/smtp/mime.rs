//! The bytes of one mail, by RFC 5322 and MIME: plain text first, then HTML.
//!
//! Everything that varies is an argument, the date and the message id too, so the same mail
//! always has the same bytes. Nothing from a contact or an event can add a header: a line
//! break in any of them is refused. Rendering, tracking links and the unsubscribe token are
//! made elsewhere.

use std::time::{Duration, UNIX_EPOCH};

use hogwire_model::Time;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

/// A name and an address, as a header shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    /// Empty for none. Any script.
    pub name: &'a str,
    pub address: &'a str,
}

/// Why the recipient gets this mail, and how they stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Something they did asks for it. Marked as made by a program, so that nobody's
    /// out-of-office answers it.
    Transactional,
    /// One click must end it (RFC 8058). `unsubscribe` is the URL that a POST ends the mail
    /// by; one click is offered where it is https, as the RFC asks. `list` is the topic's
    /// title and its unchanging id, such as `product.example.com`.
    Marketing {
        unsubscribe: &'a str,
        /// An address that takes unsubscriptions, where there is one.
        mailto: Option<&'a str>,
        list: Option<(&'a str, &'a str)>,
    },
}

/// One mail to one contact.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    pub from: Party<'a>,
    pub to: Party<'a>,
    pub reply_to: Option<Party<'a>>,
    pub subject: &'a str,
    pub text: &'a str,
    /// Empty for a mail of plain text alone.
    pub html: &'a str,
    /// Without angle brackets: `token@example.com`.
    pub message_id: &'a str,
    pub date: Time,
    pub kind: Kind<'a>,
    /// Gmail's feedback loop: `campaign:topic:kind:sender`.
    pub feedback_id: Option<&'a str>,
    /// Further headers, such as `X-Hogwire-Intended-For` of a redirected test.
    pub more: &'a [(&'a str, &'a str)],
}

/// Why a mail cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("{0} has a line break or another control character in it")]
    ControlCharacter(&'static str),
    #[error("`{0}` is not an address that mail can be sent to")]
    Address(String),
    #[error("{0} is missing or is not what the header allows")]
    Header(&'static str),
}

/// RFC 5322 §2.1.1: no line is longer than this, its end not counted.
const LONGEST_LINE: usize = 998;

/// Characters. A subject made from data may be one word of any length, which cannot be
/// folded; nobody reads this far.
const LONGEST_SUBJECT: usize = 400;
const LONGEST_NAME: usize = 200;

pub fn build(mail: &Mail<'_>) -> Result<Vec<u8>, Malformed> {
    let seconds = u64::try_from(mail.date.millis().div_euclid(1_000)).unwrap_or(0);
    let mut builder = Message::builder()
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .from(mailbox("the sender", mail.from)?)
        .to(mailbox("the recipient", mail.to)?)
        .message_id(Some(message_id(mail.message_id)?))
        .subject(shortened(line("the subject", mail.subject)?, LONGEST_SUBJECT));
    if let Some(party) = mail.reply_to {
        builder = builder.reply_to(mailbox("reply-to", party)?);
    }
    for (name, value) in headers(mail)? {
        builder = builder.raw_header(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
    }
    for (name, value) in mail.more {
        let known = HeaderName::new_from_ascii((*name).to_owned())
            .map_err(|_| Malformed::Header("the name of a further header"))?;
        let value = shortened(line("a further header", value)?, LONGEST_SUBJECT);
        builder = builder.raw_header(HeaderValue::new(known, value));
    }
    let message = if mail.html.is_empty() {
        builder.singlepart(part(ContentType::TEXT_PLAIN, mail.text))
    } else {
        builder.multipart(
            MultiPart::alternative()
                .boundary(boundary(mail.message_id))
                .singlepart(part(ContentType::TEXT_PLAIN, mail.text))
                .singlepart(part(ContentType::TEXT_HTML, mail.html)),
        )
    };
    message.map(|message| message.formatted()).map_err(|_| Malformed::Header("a required header"))
}

/// The headers that decide whether mail may be answered and how it is stopped. They are ASCII
/// already and stay on one line each: some signers and receivers stumble over folded ones.
fn headers(mail: &Mail<'_>) -> Result<Vec<(HeaderName, String)>, Malformed> {
    let mut headers = Vec::new();
    match mail.kind {
        Kind::Transactional => {
            headers.push((HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        }
        Kind::Marketing { unsubscribe, mailto, list } => {
            if !unsubscribe.starts_with("https://") && !unsubscribe.starts_with("http://") {
                return Err(Malformed::Header("the unsubscribe link"));
            }
            let mut value = format!("<{}>", bracketed("the unsubscribe link", unsubscribe)?);
            if let Some(mailto) = mailto {
                let address = bracketed("the unsubscribe address", mailto)?;
                value.push_str(&format!(", <mailto:{address}?subject=unsubscribe>"));
            }
            headers.push((HeaderName::new_from_ascii_str("List-Unsubscribe"), value));
            if unsubscribe.starts_with("https://") || loopback(unsubscribe) {
                headers.push((
                    HeaderName::new_from_ascii_str("List-Unsubscribe-Post"),
                    "List-Unsubscribe=One-Click".to_owned(),
                ));
            }
            headers.push((HeaderName::new_from_ascii_str("Precedence"), "bulk".to_owned()));
            if let Some((title, id)) = list {
                headers.push((HeaderName::new_from_ascii_str("List-Id"), list_id(title, id)?));
            }
        }
    }
    if let Some(feedback) = mail.feedback_id {
        let value = ascii("the feedback id", feedback)?;
        headers.push((HeaderName::new_from_ascii_str("Feedback-ID"), value));
    }
    Ok(headers)
}

/// A demo runs without certificates; its links never leave the machine.
fn loopback(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start))
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    // Always quoted-printable: lines stay short, any script passes, and signatures survive
    // relays that rewrite 8-bit bodies.
    let text = with_crlf(text);
    let body = Body::new_with_encoding(text.clone(), ContentTransferEncoding::QuotedPrintable)
        .unwrap_or_else(|_| Body::new(text));
    SinglePart::builder().header(kind).body(body)
}

/// Line ends are CRLF on the wire; a lone CR is one too, and NUL has no place in mail.
fn with_crlf(text: &str) -> String {
    text.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// From the message id, so that the same mail has the same bytes.
fn boundary(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("=_{hex}")
}

fn mailbox(place: &'static str, party: Party<'_>) -> Result<Mailbox, Malformed> {
    let name = line(place, party.name)?;
    let name = shortened(name.trim().to_owned(), LONGEST_NAME);
    let bad = || Malformed::Address(party.address.chars().take(200).collect());
    let (local, domain) = party.address.trim().rsplit_once('@').ok_or_else(bad)?;
    if !local.is_ascii() {
        // Would need SMTPUTF8 all the way, which few servers speak.
        return Err(bad());
    }
    let domain = match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii,
        _ => domain.to_owned(),
    };
    let address = Address::new(local, domain).map_err(|_| bad())?;
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address))
}

fn message_id(id: &str) -> Result<String, Malformed> {
    let id = ascii("the message id", id)?;
    let plain = |c: char| !matches!(c, '<' | '>' | ' ' | '\t');
    if id.is_empty() || !id.contains('@') || !id.chars().all(plain) {
        return Err(Malformed::Header("the message id"));
    }
    Ok(format!("<{id}>"))
}

/// RFC 2919: a title for people, and an id that never changes.
fn list_id(title: &str, id: &str) -> Result<String, Malformed> {
    let id = bracketed("the list id", id)?;
    let title: String =
        title.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.')).collect();
    let value = match title.trim() {
        "" => format!("<{id}>"),
        title => format!("\"{title}\" <{id}>"),
    };
    if value.len() > 255 {
        return Err(Malformed::Header("the list id"));
    }
    Ok(value)
}

fn bracketed(place: &'static str, text: &str) -> Result<String, Malformed> {
    let text = ascii(place, text)?;
    if text.is_empty() || text.contains(['<', '>', ' ', ',']) {
        return Err(Malformed::Header(place));
    }
    Ok(text)
}

fn ascii(place: &'static str, text: &str) -> Result<String, Malformed> {
    let text = line(place, text)?;
    if !text.is_ascii() || text.len() > LONGEST_LINE - 100 {
        return Err(Malformed::Header(place));
    }
    Ok(text)
}

fn shortened(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

fn line(place: &'static str, text: &str) -> Result<String, Malformed> {
    if text.chars().any(char::is_control) {
        return Err(Malformed::ControlCharacter(place));
    }
    Ok(text.to_owned())
}
