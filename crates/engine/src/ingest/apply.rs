//! What an event changes on its contact: attributes, name, address, zone.
//!
//! Values that stay the same are not written back: most events say nothing new about the
//! contact, and skipping them is a fifth of the whole step.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::contact::Origin;
use hogwire_model::event::Pairs;
use hogwire_model::mapping::{AddressFrom, Mapping};

use super::batch::Item;
use crate::people::People;
use crate::store::contacts::Stored;

pub fn apply(people: &mut People<'_>, contact: &str, item: &Item<'_>, mapping: &Mapping) {
    let Some(stored) = people.peek_mut(contact) else { return };
    let event = &item.event;
    let mut changed = pairs(stored, mapping, &event.snapshot, event.snapshot_at, Origin::Snapshot);
    changed |= pairs(stored, mapping, &event.set, event.at, Origin::Event);
    for (name, raw) in &event.set_once.0 {
        changed |= stored.contact.attributes.set_once_text(mapping.attribute(name), raw.get(), event.at);
    }
    for name in &event.unset {
        changed |= stored.contact.attributes.unset(mapping.attribute(name), event.at, Origin::Event);
    }
    let has_moved = address(stored, item);
    changed |= has_moved;
    changed |= replace(&mut stored.name, mapping.name(event));
    // What the network suggests fills a gap; it never replaces what a device said (SPEC D8).
    let zone = mapping.zone(event, stored.zone.as_deref());
    changed |= replace(&mut stored.zone, zone);
    if changed {
        stored.contact.seen_at = stored.contact.seen_at.max(event.at);
        if has_moved {
            people.change(contact);
        } else {
            people.touch(contact);
        }
    }
}

fn pairs(stored: &mut Stored, mapping: &Mapping, pairs: &Pairs<'_>, at: Time, origin: Origin) -> bool {
    let mut changed = false;
    for (name, raw) in &pairs.0 {
        changed |= stored.contact.attributes.set_text(mapping.attribute(name), raw.get(), at, origin);
    }
    changed
}

/// An address from the contact's own properties replaces any; one that only an event
/// carried fills a gap and is marked as such.
fn address(stored: &mut Stored, item: &Item<'_>) -> bool {
    let Some(found) = &item.address else { return false };
    let contact = &mut stored.contact;
    let own = found.from == AddressFrom::Contact;
    let newer = own && item.event.at >= contact.seen_at || contact.address_from_event;
    let may = contact.address.is_none() || (own && newer);
    if !may || contact.address.as_deref() == Some(&found.address) && (contact.address_from_event != own) {
        return false;
    }
    contact.address = Some(found.address.clone());
    contact.address_from_event = !own;
    true
}

fn replace(held: &mut Option<String>, found: Option<Cow<'_, str>>) -> bool {
    match found {
        Some(found) if held.as_deref() != Some(&*found) => {
            *held = Some(found.into_owned());
            true
        }
        _ => false,
    }
}
