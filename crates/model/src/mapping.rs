//! Which fields of a connection's events say who somebody is: address, name, time zone
//! (SPEC A5).
//!
//! A mapping is a plain document that is shown, edited, versioned and previewed. It only
//! reads events; whether an address is taken over is decided by the engine, which knows
//! the contact. The paths are the ones people know from the payload: `person.properties.X`
//! (the source's picture of the contact), `$set.X`, `$set_once.X` and `properties.X`.

mod path;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use path::{Path, Place};

use crate::contact::key::{cut, normalise_address};
use crate::contact::timezone;
use crate::event::Event;

/// Where each thing is looked for; the first place that has it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    pub address: Vec<Path>,
    pub name: Vec<Path>,
    pub time_zone: Vec<Path>,
    /// Attributes under another name than the property's: `{ "$initial_referrer": referrer }`.
    pub attributes: BTreeMap<String, String>,
    /// By event name.
    pub events: BTreeMap<String, EventMapping>,
}

/// What is special about one kind of event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventMapping {
    pub about: About,
}

/// Whom the properties of an event speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Whoever did it.
    #[default]
    Actor,
    /// Another one: the `email` of an `invite_sent` is the invitee's.
    SomebodyElse,
}

/// An address that an event speaks of, in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub address: String,
    pub from: AddressFrom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFrom {
    /// The contact's own properties: it is theirs.
    Contact,
    /// Only the event's properties: it counts where the contact has none yet.
    Event,
}

impl AddressFrom {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Event => "event",
        }
    }
}

impl Default for Mapping {
    fn default() -> Self {
        let paths = |places: &[(Place, &str)]| places.iter().map(|(place, name)| Path::new(*place, name)).collect();
        Self {
            address: paths(&[
                (Place::Snapshot, "email"),
                (Place::Snapshot, "Email"),
                (Place::Snapshot, "$email"),
                (Place::Set, "email"),
                (Place::Set, "Email"),
                (Place::Set, "$email"),
                (Place::SetOnce, "email"),
                (Place::Event, "email"),
                (Place::Event, "$email"),
            ]),
            name: paths(&[
                (Place::Snapshot, "name"),
                (Place::Snapshot, "$name"),
                (Place::Set, "name"),
                (Place::Set, "$name"),
                (Place::SetOnce, "name"),
            ]),
            time_zone: paths(&[
                (Place::Event, "$timezone"),
                (Place::Set, "$timezone"),
                (Place::Snapshot, "$timezone"),
                (Place::Event, "$geoip_time_zone"),
                (Place::Set, "$geoip_time_zone"),
                (Place::Snapshot, "$geoip_time_zone"),
            ]),
            attributes: BTreeMap::new(),
            events: BTreeMap::new(),
        }
    }
}

impl Mapping {
    /// The first address in the mapping's order that is one. Properties of an event about
    /// somebody else are never looked at.
    pub fn address(&self, event: &Event<'_>) -> Option<Address> {
        let own = self.about(&event.name) == About::Actor;
        self.address.iter().filter(|path| own || path.place != Place::Event).find_map(|path| {
            let address = normalise_address(&path.text(event)?)?;
            let from = if path.place == Place::Event { AddressFrom::Event } else { AddressFrom::Contact };
            Some(Address { address, from })
        })
    }

    /// The contact's name, cut to a line's length.
    pub fn name<'e>(&self, event: &Event<'e>) -> Option<Cow<'e, str>> {
        let own = self.about(&event.name) == About::Actor;
        let name =
            self.name.iter().filter(|path| own || path.place != Place::Event).find_map(|path| path.text(event))?;
        Some(match name {
            Cow::Borrowed(name) => Cow::Borrowed(cut(name, LONGEST_NAME)),
            Cow::Owned(name) => Cow::Owned(cut(&name, LONGEST_NAME).to_owned()),
        })
    }

    /// The name of a time zone that exists, where it may take the place of the one held.
    /// What the network suggests fills a gap; it never replaces what a device said (SPEC
    /// D8), and it is not taken from a server's events: that is where the server stands.
    pub fn zone<'e>(&self, event: &Event<'e>, held: Option<&str>) -> Option<Cow<'e, str>> {
        let usable = |path: &&Path| !(event.server_side && (path.place == Place::Event || path.is_guess()));
        for path in self.time_zone.iter().filter(usable) {
            let Some(name) = path.text(event) else { continue };
            if held == Some(&*name) || timezone::named(&name).is_some() {
                return (held.is_none() || !path.is_guess()).then_some(name);
            }
        }
        None
    }

    /// Under which name a contact's property is kept.
    pub fn attribute<'a>(&'a self, property: &'a str) -> &'a str {
        self.attributes.get(property).map_or(property, String::as_str)
    }

    pub fn about(&self, event: &str) -> About {
        self.events.get(event).map_or(About::Actor, |special| special.about)
    }
}

/// A line's length, in characters.
const LONGEST_NAME: usize = 200;

#[cfg(test)]
mod tests;
