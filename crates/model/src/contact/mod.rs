//! A person we may write to: keys, attributes with their origin, consent, time zone.

pub mod attributes;
pub mod consent;
pub mod key;
pub mod merge;
pub mod timezone;

pub use attributes::{Attribute, Attributes, Origin};
pub use key::{Key, KeyKind};

use crate::Time;

/// What is known of a contact when a decision is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    pub id: String,
    /// A known user, not an anonymous visitor.
    pub identified: bool,
    /// The address mail goes to: normalised, or none.
    pub address: Option<String>,
    /// The address is known only from event properties, never from the contact's own (D17).
    pub address_from_event: bool,
    pub attributes: Attributes,
    pub created_at: Time,
    /// Time of the latest event, for inactivity.
    pub seen_at: Time,
}
