//! Whether two contacts become one, and which of them goes on (SPEC A6).
//!
//! Only the decision is here, and the joining of two records; moving rows, recording
//! and splitting again are the engine's. The decision does not depend on the order in
//! which the two are named, except where an anonymous side is absorbed.

use std::cmp::Ordering;

use serde::Serialize;

use super::Contact;
use super::key::{KEYS_PER_ADDRESS, is_illegal_id, is_placeholder_address};
use crate::Time;

/// One of the two contacts, as far as merging asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub id: String,
    pub identified: bool,
    pub created_at: Time,
    pub address: Option<String>,
    /// The address is known only from event properties.
    pub address_from_event: bool,
    /// How many ids of visitors the contact answers to.
    pub visitor_keys: usize,
}

/// What says that the two are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// `b` was an anonymous name of `a`.
    Absorb,
    /// The sender insists, whatever the two are.
    Force,
    /// The source has both under one record.
    SameRecord,
    /// Both have one address.
    SameAddress,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absorb => "absorb",
            Self::Force => "force",
            Self::SameRecord => "same_record",
            Self::SameAddress => "same_address",
        }
    }
}

/// What the operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `policies.merge_by_email`.
    pub merge_by_email: bool,
    /// More ids than this behind one address are not one person.
    pub keys_per_address: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { merge_by_email: true, keys_per_address: KEYS_PER_ADDRESS }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    Join { survivor: String, loser: String },
    Refused(Reason),
}

/// Why two contacts stay two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Both are the same contact already.
    SameContact,
    /// Both sides are identified; only a forced merge joins known users.
    AlreadyIdentified,
    /// An id such as `undefined` names nobody.
    IllegalId,
    /// The address already has as many ids as one person plausibly has.
    TooManyIds,
    /// The address was filled in for want of one.
    PlaceholderAddress,
    /// `policies.merge_by_email` is off.
    MergeByEmailOff,
    /// One side knows the address only from an event, which may speak of somebody else.
    AddressFromEvent,
    /// The two have no address, or different ones.
    AddressDiffers,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameContact => "same_contact",
            Self::AlreadyIdentified => "already_identified",
            Self::IllegalId => "illegal_id",
            Self::TooManyIds => "too_many_ids",
            Self::PlaceholderAddress => "placeholder_address",
            Self::MergeByEmailOff => "merge_by_email_off",
            Self::AddressFromEvent => "address_from_event",
            Self::AddressDiffers => "address_differs",
        }
    }
}

/// Decides over two contacts. For `Absorb`, `b` is the side that was anonymous.
pub fn decide(a: &Side, b: &Side, why: Why, rules: &Rules) -> Merge {
    if a.id == b.id {
        return Merge::Refused(Reason::SameContact);
    }
    if let Some(reason) = refusal(a, b, why, rules) {
        return Merge::Refused(reason);
    }
    let (survivor, loser) = if rank(a, b).is_ge() { (a, b) } else { (b, a) };
    Merge::Join { survivor: survivor.id.clone(), loser: loser.id.clone() }
}

/// Decides over two names of which not both are known as contacts yet: placeholder ids
/// join nobody.
pub fn refuse_ids(a: &str, b: &str) -> Option<Reason> {
    (is_illegal_id(a) || is_illegal_id(b)).then_some(Reason::IllegalId)
}

fn refusal(a: &Side, b: &Side, why: Why, rules: &Rules) -> Option<Reason> {
    match why {
        Why::Force | Why::SameRecord => None,
        Why::Absorb => b.identified.then_some(Reason::AlreadyIdentified),
        Why::SameAddress => by_address(a, b, rules),
    }
}

fn by_address(a: &Side, b: &Side, rules: &Rules) -> Option<Reason> {
    if !rules.merge_by_email {
        return Some(Reason::MergeByEmailOff);
    }
    // A side without an address yet is the one whose event brought it.
    let Some(address) = a.address.as_deref().or(b.address.as_deref()) else {
        return Some(Reason::AddressDiffers);
    };
    if [a, b].iter().any(|side| side.address.as_deref().is_some_and(|own| own != address)) {
        return Some(Reason::AddressDiffers);
    }
    if a.address_from_event || b.address_from_event {
        return Some(Reason::AddressFromEvent);
    }
    if is_placeholder_address(address) {
        return Some(Reason::PlaceholderAddress);
    }
    (a.visitor_keys + b.visitor_keys > rules.keys_per_address).then_some(Reason::TooManyIds)
}

/// The greater survives: the identified one, else the older; ids settle a draw so that
/// every node decides alike.
fn rank(a: &Side, b: &Side) -> Ordering {
    let identified = a.identified.cmp(&b.identified);
    identified.then_with(|| b.created_at.cmp(&a.created_at)).then_with(|| b.id.cmp(&a.id))
}

/// Joins the loser's record into the survivor's: newer attributes stay, the survivor's
/// address stays where the contact itself set it.
pub fn fold(survivor: &mut Contact, loser: Contact) {
    let better = survivor.address.is_none() || (survivor.address_from_event && !loser.address_from_event);
    if better && loser.address.is_some() {
        survivor.address = loser.address;
        survivor.address_from_event = loser.address_from_event;
    }
    survivor.identified |= loser.identified;
    survivor.attributes.absorb(&loser.attributes);
    survivor.created_at = survivor.created_at.min(loser.created_at);
    survivor.seen_at = survivor.seen_at.max(loser.seen_at);
}

/// How far a run through a campaign has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// It runs; one that only watches for its trigger has not started.
    pub started: bool,
    /// Place of its step in the program; larger is further.
    pub step: usize,
    pub entered_at: Time,
}

/// Compares two live runs of one contact in one campaign: the greater goes on, the other
/// exits `merged`. Of two at one step the one that entered earlier is further.
pub fn further(a: &Progress, b: &Progress) -> Ordering {
    let started = a.started.cmp(&b.started);
    started.then(a.step.cmp(&b.step)).then(b.entered_at.cmp(&a.entered_at))
}

#[cfg(test)]
mod tests;
