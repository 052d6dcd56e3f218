//! What a template can see: the contact, the event and the names that the engine adds,
//! borrowed for one rendering.

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::links;
use super::liquid::value::{Text, Value};
use crate::Time;
use crate::contact::timezone;

/// The names of one rendering. Bare names are looked up among those added by `with` first,
/// then in the event's properties, then in the contact's attributes.
pub struct Scope<'a> {
    contact: &'a Json,
    event: &'a Json,
    more: Vec<(&'a str, Json)>,
    now: Time,
    now_text: String,
    zone: TimeZone,
}

impl<'a> Scope<'a> {
    /// `contact` and `event` are JSON objects; anything else counts as an empty one.
    pub fn new(contact: &'a Json, event: &'a Json, now: Time) -> Self {
        Self { contact, event, more: Vec::new(), now, now_text: now.to_string(), zone: TimeZone::UTC }
    }

    /// The zone in which `date` prints; UTC where none is named or known.
    pub fn with_zone(mut self, zone: Option<&str>) -> Self {
        self.zone = zone.and_then(timezone::named).unwrap_or(TimeZone::UTC);
        self
    }

    /// Adds names such as `account` and `unsubscribe_url`.
    pub fn with(mut self, names: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        self.more.extend(names);
        self
    }

    /// Whether a link may lead there: to one of the hosts, or to the host of a name that was
    /// added, because the engine's own links need no leave.
    pub(super) fn allows(&self, target: &str, hosts: &[&[String]]) -> bool {
        links::is_allowed(target, hosts)
            || links::host_of(target).is_some_and(|host| {
                self.more.iter().any(|(_, value)| value.as_str().and_then(links::host_of).as_ref() == Some(&host))
            })
    }

    pub(super) fn find(&self, name: &str) -> Value<'_> {
        match name {
            "contact" => Value::from(self.contact),
            "Profile" => self.contact.as_object().map_or(Value::Nil, Value::AnyCase),
            "event" | "Event" | "trigger" => Value::from(self.event),
            "now" => Value::Text(Text::Borrowed(&self.now_text)),
            _ => {
                let added = self.more.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value);
                let found = added.or_else(|| self.event.get(name)).or_else(|| self.contact.get(name));
                found.map_or(Value::Nil, Value::from)
            }
        }
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
