//! DKIM signatures (RFC 6376) with keys of our own: RSA (RFC 8301) and Ed25519 (RFC 8463).
//!
//! Both header and body are canonicalised `relaxed`. The headers that a reader sees, and
//! those by which they leave (RFC 8058 §4), are signed, and named once more than they occur,
//! so that nobody can add another one. No length tag is used: what is added to a body breaks
//! its signature. Keys are made and read in `keys`; DNS records are in `records`.

mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hogwire_model::Time;
use sha2::{Digest, Sha256};

pub use keys::{Algorithm, Key, Pair, Unusable, make_ed25519, make_rsa, public_text};

/// Signed where they occur.
const SIGNED: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Feedback-ID",
    "Auto-Submitted",
    "Precedence",
];

/// Of the list above, those that transports may add or that readers never see.
const ONCE: &[&str] = &["Content-Transfer-Encoding", "Feedback-ID", "Auto-Submitted", "Precedence"];

/// The mail with one signature of each key before it. `domain` is the one of its From.
pub fn sign(mail: &[u8], domain: &str, keys: &[&Key], at: Time) -> Result<Vec<u8>, Unusable> {
    let (head, body) = parts(mail);
    let headers = headers(head);
    let body_hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
    let mut signed = Vec::with_capacity(mail.len() + 1_024 * keys.len());
    for key in keys {
        signed.extend_from_slice(one(&headers, domain, &body_hash, key, at)?.as_bytes());
    }
    signed.extend_from_slice(mail);
    Ok(signed)
}

fn one(headers: &[(String, String)], domain: &str, body_hash: &str, key: &Key, at: Time) -> Result<String, Unusable> {
    let names = names(headers);
    let seconds = at.millis().div_euclid(1_000).max(0);
    let list = listed(&names);
    let algorithm = key.algorithm.tag();
    let selector = &key.selector;
    let unsigned = format!(
        "v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n s={selector}; t={seconds};\r\n h={list};\r\n bh={body_hash};\r\n b="
    );
    let mut data = String::new();
    for (place, name) in names.iter().enumerate() {
        // From the last of its name upwards (RFC 6376 §5.4.2); one that is not there adds nothing.
        let nth = names[..place].iter().filter(|earlier| *earlier == name).count();
        if let Some((_, value)) = headers.iter().rev().filter(|(known, _)| known.eq_ignore_ascii_case(name)).nth(nth) {
            data.push_str(&relaxed_header(name, value));
            data.push_str("\r\n");
        }
    }
    data.push_str(&relaxed_header("DKIM-Signature", &unsigned));
    let signature = key.sign(data.as_bytes())?;
    Ok(format!("DKIM-Signature: {unsigned}{}\r\n", folded(&STANDARD.encode(signature))))
}

/// What is signed, each name as often as it occurs, and once more where nobody may add one.
fn names(headers: &[(String, String)]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in SIGNED {
        let count = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count();
        let more = usize::from(!ONCE.contains(name));
        names.extend(std::iter::repeat_n(*name, count + more));
    }
    names
}

/// Broken only between names, where RFC 6376 §3.5 allows it.
fn listed(names: &[&str]) -> String {
    let (mut list, mut width) = (String::new(), 0);
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            list.push(':');
        }
        if width + name.len() > 70 {
            list.push_str("\r\n  ");
            width = 0;
        }
        list.push_str(name);
        width += name.len() + 1;
    }
    list
}

/// In lines that no transport needs to break; for base64, in which space means nothing.
fn folded(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 20);
    for (place, c) in text.chars().enumerate() {
        if place > 0 && place % 70 == 0 {
            lines.push_str("\r\n  ");
        }
        lines.push(c);
    }
    lines
}

fn parts(mail: &[u8]) -> (&[u8], &[u8]) {
    match mail.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => (&mail[..at + 2], &mail[at + 4..]),
        None => (mail, &[]),
    }
}

/// Names and raw values, folded lines with their line.
fn headers(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.split_terminator("\r\n") {
        match (line.starts_with([' ', '\t']), found.last_mut()) {
            (true, Some((_, value))) => {
                value.push_str("\r\n");
                value.push_str(line);
            }
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    found.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    found
}

/// RFC 6376 §3.4.2.
fn relaxed_header(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376 §3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    // What stands behind the last line end is a line only where there is something.
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let mut empty = 0;
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
        if end == 0 {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            out.extend_from_slice(b"\r\n");
        }
        let mut space = false;
        for byte in &line[..end] {
            match byte {
                b' ' | b'\t' => space = true,
                other => {
                    if std::mem::take(&mut space) {
                        out.push(b' ');
                    }
                    out.push(*other);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
