//! Filters that write a value for another language: HTML, JSON, URLs, Base64, and hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Answer, Given, Run};
use crate::template::liquid::Escape;
use crate::template::liquid::value::Value;

pub const FILTERS: &[(&str, Run)] = &[
    ("base64_decode", base64_decode),
    ("base64_encode", |g| Ok(Value::from(STANDARD.encode(g.text())))),
    ("default", default),
    ("escape", |g| Ok(escaped(g, escape_html(&g.text())))),
    ("escape_once", |g| Ok(escaped(g, escape_once(&g.text())))),
    ("hmac_sha256", hmac_sha256),
    ("json", |g| Ok(json(g))),
    ("json_escape", |g| Ok(for_json(g, escape_json(&g.text())))),
    ("sha256", |g| Ok(Value::from(hex(&Sha256::digest(g.text().as_bytes()))))),
    ("url_decode", |g| Ok(Value::from(url_decode(&g.text())))),
    ("url_encode", |g| Ok(Value::from(url_encode(&g.text(), "+")))),
    ("url_escape", |g| Ok(Value::from(url_encode(&g.text(), "%20")))),
];

/// For nil, false and what is empty; with `allow_false: true` false stays false.
fn default<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let is_kept = match &g.value {
        Value::Bool(false) => g.flag("allow_false"),
        other => other.is_true() && !other.is_empty(),
    };
    Ok(if is_kept { g.value.clone() } else { g.argument(0) })
}

/// In HTML what `escape` has written is not escaped again.
fn escaped<'a>(g: &Given<'_, 'a>, text: String) -> Value<'a> {
    match g.escape {
        Escape::Html => Value::markup(text),
        // In a text part nothing has to be escaped.
        Escape::Text => g.value.clone(),
        _ => Value::from(text),
    }
}

fn for_json<'a>(g: &Given<'_, 'a>, text: String) -> Value<'a> {
    match g.escape {
        Escape::JsonString => Value::markup(text),
        _ => Value::from(text),
    }
}

fn json<'a>(g: &Given<'_, 'a>) -> Value<'a> {
    for_json(g, g.value.to_json().to_string())
}

pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out
}

/// Leaves entities alone that stand there already.
fn escape_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&escape_html(&rest[..at]));
        rest = &rest[at..];
        let name: String = rest[1..].chars().take(10).take_while(|c| c.is_ascii_alphanumeric() || *c == '#').collect();
        match !name.is_empty() && rest[1 + name.len()..].starts_with(';') {
            true => {
                out.push_str(&rest[..name.len() + 2]);
                rest = &rest[name.len() + 2..];
            }
            false => {
                out.push_str("&amp;");
                rest = &rest[1..];
            }
        }
    }
    out + &escape_html(rest)
}

/// The text as it stands between the quotes of a JSON string.
pub fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn base64_decode<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let bytes = STANDARD.decode(g.text().trim()).map_err(|_| "base64_decode is given something else".to_owned())?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| "base64_decode finds no text".to_owned())
}

fn hmac_sha256<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let mut mac = Hmac::<Sha256>::new_from_slice(g.word(0, "").as_bytes()).map_err(|error| error.to_string())?;
    mac.update(g.text().as_bytes());
    Ok(Value::from(hex(&mac.finalize().into_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps what JavaScript's `encodeURIComponent` keeps.
fn url_encode(text: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => out.push(char::from(byte)),
            b' ' => out.push_str(space),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn url_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        at += match (code, bytes[at]) {
            (Some(code), _) => {
                out.push(code);
                3
            }
            (None, b'+') => {
                out.push(b' ');
                1
            }
            (None, byte) => {
                out.push(byte);
                1
            }
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}
