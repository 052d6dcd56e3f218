//! What DNS must say about a domain that sends mail, and what it says.
//!
//! The key of DKIM is what is needed: it is of our own making, so whoever publishes it rules
//! the domain, and by it DMARC's alignment passes. SPF, DMARC and the way back of bounces are
//! asked for and explained, and hold nothing up. Nothing is looked up here: questions are
//! handed out, answers are judged.

mod judge;
mod relays;

use serde::{Deserialize, Serialize};

use super::dkim::{Algorithm, public_text};

pub use relays::spf_mechanism;

/// What a record is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Dkim,
    DkimEd25519,
    Spf,
    Dmarc,
    ReturnPath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    Txt,
    Mx,
}

/// One question to DNS. The name is absolute, without a dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub kind: Kind,
    pub name: String,
}

/// What DNS answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// A text's strings joined, as RFC 7208 §3.3 and RFC 6376 §3.6.2.2 have it; a host's name.
    Found(Vec<String>),
    /// The name, or a record of this kind at it, does not exist.
    Nothing,
    /// Nobody could say.
    Failed(String),
}

/// What a record is, as far as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked, or nobody could say.
    Unknown,
    Missing,
    Wrong,
    Right,
}

/// A record: what is wanted, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub purpose: Purpose,
    pub kind: Kind,
    /// Absolute.
    pub host: String,
    /// As most DNS hosts want it typed: without the domain. `@` for the domain itself.
    pub name: String,
    pub value: String,
    /// Mail waits until this is right.
    pub needed: bool,
    pub found: Vec<String>,
    pub state: State,
    /// What was found, and what to do, in a sentence or two.
    pub says: String,
}

/// A key as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub algorithm: Algorithm,
    pub selector: String,
    pub public: String,
}

/// The records that a domain should have. `relay` is the mail server that its mail goes out by.
pub fn wanted(domain: &str, keys: &[Published], relay: Option<&str>) -> Vec<Record> {
    let mut records: Vec<Record> = keys
        .iter()
        .map(|key| {
            let purpose = match key.algorithm {
                Algorithm::Rsa => Purpose::Dkim,
                Algorithm::Ed25519 => Purpose::DkimEd25519,
            };
            let name = format!("{}._domainkey", key.selector);
            record(domain, purpose, Kind::Txt, &name, public_text(key.algorithm, &key.public))
        })
        .collect();
    let mechanism = relay.and_then(spf_mechanism);
    let spf = format!("v=spf1 {} ~all", mechanism.as_deref().unwrap_or("a mx"));
    records.push(record(domain, Purpose::Spf, Kind::Txt, "@", spf));
    records.push(record(domain, Purpose::Dmarc, Kind::Txt, "_dmarc", "v=DMARC1; p=none".to_owned()));
    records.push(record(domain, Purpose::ReturnPath, Kind::Mx, "@", String::new()));
    records
}

fn record(domain: &str, purpose: Purpose, kind: Kind, name: &str, value: String) -> Record {
    let host = if name == "@" { domain.to_owned() } else { format!("{name}.{domain}") };
    Record {
        purpose,
        kind,
        host,
        name: name.to_owned(),
        value,
        needed: purpose == Purpose::Dkim,
        found: Vec::new(),
        state: State::Unknown,
        says: "Not looked up yet.".to_owned(),
    }
}

/// Everything to ask about a domain's records.
pub fn questions(domain: &str, records: &[Record]) -> Vec<Question> {
    let mut asked: Vec<Question> = Vec::new();
    for record in records {
        asked.push(Question { kind: record.kind, name: record.host.clone() });
        match record.purpose {
            Purpose::Dkim => asked.push(Question { kind: Kind::Txt, name: doubled(domain, record) }),
            Purpose::Dmarc => {
                asked.extend(
                    parents(domain).map(|parent| Question { kind: Kind::Txt, name: format!("_dmarc.{parent}") }),
                );
            }
            _ => {}
        }
    }
    asked.sort();
    asked.dedup();
    asked
}

/// The records as DNS has them now.
pub fn judged(domain: &str, records: Vec<Record>, answers: &[(Question, Looked)]) -> Vec<Record> {
    let looked = |kind: Kind, name: &str| {
        let found = answers.iter().find(|(question, _)| question.kind == kind && question.name == name);
        found.map_or(Looked::Failed("nobody asked".to_owned()), |(_, looked)| looked.clone())
    };
    records.into_iter().map(|record| judge::one(domain, record, &looked)).collect()
}

/// Where a record lands whose host was typed with the domain at a DNS host that adds it.
fn doubled(domain: &str, record: &Record) -> String {
    format!("{}.{domain}", record.host)
}

/// The names above a domain, down to two labels (RFC 9989 walks the tree, eight levels at most).
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    domain.match_indices('.').map(|(at, _)| &domain[at + 1..]).filter(|parent| parent.contains('.')).take(8)
}

#[cfg(test)]
mod tests;
