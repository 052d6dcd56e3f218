//! Who may be written to about what (SPEC E8): topics, consent, suppressions.
//!
//! Consent belongs to the contact and a topic; a suppression belongs to the keyed hash of
//! an address, so that it outlives a change of address, a merge and an erasure. Nothing
//! here is ever loosened by a sync: the engine asks `may_replace` before it writes.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::Time;

/// Something that people agree to be written to about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The key in `topics`; filled in by whoever reads the settings.
    #[serde(skip)]
    pub name: String,
    #[serde(default)]
    pub kind: TopicKind,
    #[serde(default)]
    pub default: TopicDefault,
    /// What the preference page calls it; empty: its name.
    #[serde(default)]
    pub title: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopicKind {
    #[default]
    Marketing,
    /// What somebody must get because of what they did: receipts, password resets.
    Transactional,
}

/// What holds while the contact has said nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopicDefault {
    #[default]
    Allowed,
    NeedsOptIn,
}

/// What a contact has said about a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    Granted,
    Denied,
    #[default]
    Unknown,
}

/// A contact's word on a topic, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub topic: String,
    pub state: ConsentState,
    pub at: Time,
    /// `unsubscribe_link`, `preference_page`, `api`, a connection's name.
    pub source: String,
    /// What was shown when they agreed.
    #[serde(default)]
    pub text: String,
}

/// What a suppression covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionScope {
    All,
    Topic(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    Unsubscribed,
    HardBounce,
    Complaint,
    /// A person put it on the list.
    Manual,
    /// Erased on request: nothing may be sent, and nothing else is known.
    Erased,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub scope: SuppressionScope,
    pub reason: SuppressionReason,
    pub at: Time,
}

/// Why a message may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Suppressed(SuppressionReason),
    /// The contact said no to the topic.
    ConsentDenied,
    /// The topic needs a yes, and there is none.
    NoConsent,
}

/// Topics that nobody configured: `marketing`, which is allowed until somebody objects.
pub const DEFAULT_TOPIC: &str = "marketing";

impl Topic {
    pub fn new(name: &str, kind: TopicKind, default: TopicDefault) -> Self {
        Self { name: name.to_owned(), kind, default, title: String::new() }
    }

    pub fn title(&self) -> &str {
        if self.title.is_empty() { &self.name } else { &self.title }
    }

    pub const fn is_transactional(&self) -> bool {
        matches!(self.kind, TopicKind::Transactional)
    }
}

impl SuppressionReason {
    pub const ALL: [Self; 5] = [Self::Unsubscribed, Self::HardBounce, Self::Complaint, Self::Manual, Self::Erased];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
            Self::Manual => "manual",
            Self::Erased => "erased",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// A transactional message goes out although its reader left the marketing; it does
    /// not go to an address that is dead, complains, or was blocked or erased.
    pub const fn stops(self, kind: TopicKind) -> bool {
        !matches!((self, kind), (Self::Unsubscribed, TopicKind::Transactional))
    }

    /// What a person says holds for them under every address; a bounce is only about the
    /// address that bounced.
    pub const fn follows_the_contact(self) -> bool {
        matches!(self, Self::Unsubscribed | Self::Complaint)
    }
}

impl ConsentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Granted, Self::Denied, Self::Unknown].into_iter().find(|state| state.as_str() == text)
    }
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed(reason) => reason.as_str(),
            Self::ConsentDenied => "consent_denied",
            Self::NoConsent => "no_consent",
        }
    }
}

/// Whether a message on a topic may go to a contact with this word on the topic and these
/// suppressions of its address. The gravest reason is named first.
pub fn may_send(topic: &Topic, consent: ConsentState, suppressions: &[Suppression]) -> Result<(), Reason> {
    let stops = suppressions.iter().filter(|suppression| {
        let covers = match &suppression.scope {
            SuppressionScope::All => true,
            SuppressionScope::Topic(name) => *name == topic.name,
        };
        covers && suppression.reason.stops(topic.kind)
    });
    if let Some(gravest) = stops.map(|suppression| suppression.reason).max() {
        return Err(Reason::Suppressed(gravest));
    }
    match (consent, topic.kind, topic.default) {
        (ConsentState::Granted, _, _) | (_, TopicKind::Transactional, _) => Ok(()),
        (ConsentState::Denied, _, _) => Err(Reason::ConsentDenied),
        (ConsentState::Unknown, _, TopicDefault::Allowed) => Ok(()),
        (ConsentState::Unknown, _, TopicDefault::NeedsOptIn) => Err(Reason::NoConsent),
    }
}

/// Of two words on one topic, the one that holds for both after a merge: a no stands
/// against an older yes and against silence; only a later yes of the person lifts it.
pub fn stronger<'a>(a: &'a Consent, b: &'a Consent) -> &'a Consent {
    let weight = |consent: &Consent| match consent.state {
        ConsentState::Unknown => (0, 0),
        _ => (1, consent.at.millis()),
    };
    match weight(a).cmp(&weight(b)) {
        std::cmp::Ordering::Less => b,
        std::cmp::Ordering::Greater => a,
        std::cmp::Ordering::Equal if b.state == ConsentState::Denied => b,
        std::cmp::Ordering::Equal => a,
    }
}

/// Who says that a consent changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The person's own act, or somebody acting for them.
    Human,
    /// A sync, an import, an event.
    Machine,
}

/// Whether a new state may take the place of the held one. A machine may take consent
/// away and may fill a gap, but never turns a no into a yes (SPEC B12).
pub fn may_replace(held: ConsentState, new: ConsentState, said: Said) -> bool {
    match (held, new, said) {
        (_, _, Said::Human) => true,
        (ConsentState::Denied, _, Said::Machine) => new == ConsentState::Denied,
        (ConsentState::Granted, ConsentState::Unknown, Said::Machine) => false,
        _ => true,
    }
}

/// The keyed hash under which an address is suppressed: HMAC-SHA256 over its one
/// spelling, in hex. Without the key it cannot be found by trying addresses.
pub fn address_hash(address: &str, key: &[u8]) -> String {
    let spelling = super::key::normalise_address(address).unwrap_or_else(|| address.trim().to_lowercase());
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of any length (RFC 2104).
        return String::new();
    };
    mac.update(spelling.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}

#[cfg(test)]
mod tests;
