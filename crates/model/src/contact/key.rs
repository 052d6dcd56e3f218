//! One way to name a contact: (connection, kind, value), and which values are no names.
//!
//! Addresses are brought to one spelling here, and everything that stores or compares an
//! address does it with that spelling. Whether an address may be written to is not
//! decided here but by consent and suppressions.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    /// The id a source gives to whoever acts; several may be one contact.
    #[serde(rename = "distinct_id")]
    Visitor,
    /// The source's id of its own record of the contact. May change when records merge.
    #[serde(rename = "person_id")]
    Record,
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "external")]
    External,
}

/// An owned key. `connection` is empty for an address: addresses are joined across
/// production connections (SPEC A7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub connection: String,
    pub kind: KeyKind,
    pub value: String,
}

impl KeyKind {
    pub const ALL: [Self; 4] = [Self::Visitor, Self::Record, Self::Email, Self::External];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "distinct_id",
            Self::Record => "person_id",
            Self::Email => "email",
            Self::External => "external",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A key's value is cut to this many characters, as the source itself does.
pub const MAX_VALUE: usize = 200;

/// More ids than this behind one address means a shared or a made-up address (SPEC A6).
pub const KEYS_PER_ADDRESS: usize = 10;

/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const LONGEST_ADDRESS: usize = 254;

/// The text cut to so many characters, never within one.
pub fn cut(value: &str, max: usize) -> &str {
    match value.char_indices().nth(max) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

/// The one spelling of an address: trimmed, lower case, the domain in ASCII (IDNA
/// A-labels). Nothing where the text is no address, with a name beside it or not.
pub fn normalise_address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 4 * LONGEST_ADDRESS || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    let domain = ascii_domain(domain.trim_end_matches('.'))?;
    let address = format!("{}@{domain}", local.to_lowercase());
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let valid = EmailAddress::parse_with_options(&address, options).is_ok();
    (valid && address.len() <= LONGEST_ADDRESS).then_some(address)
}

fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Owned(domain.to_ascii_lowercase()));
    }
    idna::domain_to_ascii_strict(domain).ok().map(Cow::Owned)
}

/// Local parts that belong to nobody in particular.
const NOBODY: [&str; 16] = [
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "null",
    "none",
    "undefined",
    "test",
    "example",
    "anonymous",
    "unknown",
    "invalid",
    "fake",
    "asdf",
    "nobody",
];

/// Top-level domains that are never mail (RFC 2606, RFC 6761).
const NO_MAIL: [&str; 5] = ["invalid", "example", "test", "localhost", "local"];

/// Whether an address is filled in for want of one (`test@example.com`, `noreply@…`). Two
/// contacts are never merged over such an address, and none is made for it; that it is
/// normalised says nothing against it.
pub fn is_placeholder_address(address: &str) -> bool {
    let address = address.trim().to_lowercase();
    let Some((local, domain)) = address.rsplit_once('@') else {
        return true;
    };
    let example = ["example.com", "example.org", "example.net"];
    let of_example = example.iter().any(|name| domain == *name || domain.ends_with(&format!(".{name}")));
    let top = domain.rsplit('.').next().unwrap_or_default();
    let base = local.split('+').next().unwrap_or_default();
    of_example || NO_MAIL.contains(&top) || NOBODY.contains(&base)
}

/// Ids that PostHog refuses to merge over, whatever their case.
const ILLEGAL: [&str; 15] = [
    "anonymous",
    "guest",
    "distinctid",
    "distinct_id",
    "id",
    "not_authenticated",
    "email",
    "undefined",
    "null",
    "none",
    "nan",
    "0",
    "true",
    "false",
    "[object object]",
];

/// Whether an id names nobody because a client sent a placeholder for it: blank, only
/// quotes, or a word such as `undefined`, in quotes or not.
pub fn is_illegal_id(id: &str) -> bool {
    let bare = id.trim_matches(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`'));
    bare.is_empty() || ILLEGAL.iter().any(|word| word.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests;
