//! What one inbound record says, in the engine's words, and what of it was passed over.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::event::{Event, Pairs};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::wire;

/// An event together with what it says about accounts and what could not be used of it.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    pub event: Event<'a>,
    /// What the record says about the accounts themselves.
    pub accounts: Vec<AccountPicture<'a>>,
    /// Parts of the record that had the wrong type and were passed over.
    pub ignored: Vec<Ignored>,
}

/// Attributes of one account, as an event or the source's own record gives them.
#[derive(Clone, Debug)]
pub struct AccountPicture<'a> {
    /// The kind of account: `company`.
    pub kind: Cow<'a, str>,
    pub key: Cow<'a, str>,
    pub attributes: Pairs<'a>,
    /// What orders these values among others.
    pub at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Where: `properties.$set`.
    pub path: &'static str,
    /// One sentence.
    pub reason: String,
}

impl<'a> Reading<'a> {
    /// An event of which nothing is known yet but its name and times.
    pub(crate) fn new(name: Cow<'a, str>, at: Time, arrived: Time) -> Self {
        let event = Event {
            uuid: Cow::Borrowed(""),
            name,
            at: at.clamp_to_arrival(arrived),
            arrived,
            keys: Vec::new(),
            identity: None,
            properties: Pairs::default(),
            set: Pairs::default(),
            set_once: Pairs::default(),
            unset: Vec::new(),
            snapshot: Pairs::default(),
            snapshot_at: arrived,
            accounts: Vec::new(),
            identified: false,
            server_side: false,
            own: false,
            test: false,
        };
        Self { event, accounts: Vec::new(), ignored: Vec::new() }
    }

    pub(crate) fn ignore(&mut self, path: &'static str, expected: &str, found: &RawValue) {
        self.ignored.push(Ignored { path, reason: format!("{path} is {}; expected {expected}.", kind_of(found)) });
    }

    /// The object under a name, or an empty one. Another type is noted as passed over.
    pub(crate) fn object(&mut self, path: &'static str, raw: Option<&'a RawValue>) -> Pairs<'a> {
        let Some(raw) = raw else {
            return Pairs::default();
        };
        wire::pairs(raw).unwrap_or_else(|| {
            self.ignore(path, "an object", raw);
            Pairs::default()
        })
    }

    /// Adds an account the event belongs to, unless it is known already.
    pub(crate) fn belongs_to(&mut self, kind: Cow<'a, str>, key: Cow<'a, str>) {
        let known = &mut self.event.accounts;
        if known.len() < MOST_ACCOUNTS && !known.iter().any(|(k, v)| *k == kind && *v == key) {
            known.push((wire::cut(kind, wire::LONGEST_ID), key));
        }
    }

    /// The sender's own id of the event, or one made from the content. A record that has
    /// neither an id nor a time of its own cannot be told from a second, equal event: its
    /// arrival becomes part of the content, so that both count.
    pub(crate) fn identify_by(&mut self, given: Option<Cow<'a, str>>, content: &[u8], has_time: bool) {
        self.event.uuid = given.unwrap_or_else(|| {
            let made = if has_time {
                Uuid::new_v5(&FROM_CONTENT, content)
            } else {
                let mut content = content.to_vec();
                content.extend_from_slice(&self.event.arrived.millis().to_be_bytes());
                Uuid::new_v5(&FROM_CONTENT, &content)
            };
            Cow::Owned(made.to_string())
        });
    }
}

/// A source has a handful of kinds of accounts; more in one event is an accident.
const MOST_ACCOUNTS: usize = 20;

/// The namespace of uuids made from the content of events that bring none.
const FROM_CONTENT: Uuid = Uuid::from_u128(0x8f0c_6a1e_52b7_4d39_9a64_0d1b_7c3e_f215);

fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}
